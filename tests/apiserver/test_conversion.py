"""Tests of conversion: one stored object, seen in each version as if it had no other."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.features import switches
from argosy.api.kinds import RESOURCES
from argosy.api.resource import Resource
from argosy.api.resources.control import NEW_EVENT
from argosy.api.resources.core import EVENT, NAMESPACE
from argosy.api.resources.scheduling import POD_GROUP
from argosy.apiserver.conversion import EVENT_FIELDS, Converted, convert
from argosy.base.clock import SystemClock
from argosy.cluster.server import ControlPlane, control_plane
from argosy.http.message import Request
from argosy.store.memory import MemoryStore

Json = dict[str, Any]
OLD_GROUP = next(r for r in RESOURCES if (r.kind, r.version) == ("PodGroup", "v1alpha3"))
EVENTS, NEW_EVENTS = (
    f"{root}/namespaces/default/events" for root in ("/api/v1", "/apis/events.k8s.io/v1")
)
GROUPS, OLD_GROUPS = (
    f"/apis/scheduling.k8s.io/{version}/namespaces/default/podgroups"
    for version in ("v1beta1", "v1alpha3")
)


class Server:
    """A server of all versions that there are."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        chosen = switches(RESOURCES, "1.37", runtime_config="api/all=true")
        self.plane: ControlPlane = control_plane(self.store, SystemClock(), chosen=chosen)

    async def ask(
        self, method: str, path: str, body: Json | None = None, /, **headers: str
    ) -> tuple[int, Json]:
        path, _, query = path.partition("?")
        sent = b"" if body is None else json.dumps(body).encode()
        known = {"authorization": f"Bearer {self.plane.token}"}
        known |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.plane.server.handle(Request(method, path, query, known, sent))
        assert isinstance(answer.body, bytes)
        return answer.status, json.loads(answer.body)

    async def first_event(self, path: str) -> Json:
        known = {"authorization": f"Bearer {self.plane.token}"}
        query = urlencode({"watch": "1", "resourceVersion": "1"})
        answer = await self.plane.server.handle(Request("GET", path, query, known))
        assert not isinstance(answer.body, bytes)
        async with asyncio.timeout(5):
            async for line in answer.body:
                await answer.body.aclose()
                found: Json = json.loads(line)
                return found
        raise AssertionError("the watch ended")


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[Server, None]:
    running = Server()
    namespace = {"metadata": {"name": "default"}}
    assert (await running.ask("POST", "/api/v1/namespaces", namespace))[0] == 201
    yield running
    await running.store.close()


GROUP: Json = {"metadata": {"name": "g"}, "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}}


async def test_a_kind_of_two_versions_is_one_object(server: Server) -> None:
    code, made = await server.ask("POST", OLD_GROUPS, GROUP)
    assert (code, made["apiVersion"]) == (201, "scheduling.k8s.io/v1alpha3")
    [record] = server.store.list(POD_GROUP.key("default"))
    assert json.loads(record.value)["apiVersion"] == "scheduling.k8s.io/v1beta1"
    for path in (GROUPS, OLD_GROUPS):
        version = path.split("/")[3]
        _, one = await server.ask("GET", f"{path}/g")
        _, many = await server.ask("GET", path)
        watched = await server.first_event(path)
        seen = [one, *many["items"], watched["object"]]
        assert {obj["apiVersion"] for obj in seen} == {f"scheduling.k8s.io/{version}"}
        assert many["apiVersion"] == f"scheduling.k8s.io/{version}"
        assert {obj["metadata"]["uid"] for obj in seen} == {made["metadata"]["uid"]}
        assert {obj["metadata"]["resourceVersion"] for obj in seen} == {
            made["metadata"]["resourceVersion"]
        }


async def test_each_verb_writes_the_one_object(server: Server) -> None:
    _, made = await server.ask("POST", GROUPS, GROUP)
    labels = {"metadata": {"labels": {"a": "1"}}}
    merge = "application/merge-patch+json"
    code, patched = await server.ask("PATCH", f"{OLD_GROUPS}/g", labels, content_type=merge)
    assert (code, patched["apiVersion"]) == (200, "scheduling.k8s.io/v1alpha3")
    patched["metadata"]["labels"]["b"] = "2"
    code, updated = await server.ask("PUT", f"{OLD_GROUPS}/g", patched)
    assert code == 200
    status: Json = {"status": {"conditions": []}}
    apply = {**status, "apiVersion": "scheduling.k8s.io/v1alpha3", "kind": "PodGroup"}
    path = f"{OLD_GROUPS}/g/status?fieldManager=me&dryRun=All"
    code, dry = await server.ask("PATCH", path, apply, content_type="application/apply-patch+yaml")
    assert (code, dry["apiVersion"]) == (200, "scheduling.k8s.io/v1alpha3")
    _, found = await server.ask("GET", f"{GROUPS}/g")
    assert found["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert found["apiVersion"] == "scheduling.k8s.io/v1beta1"
    assert found["metadata"]["resourceVersion"] == updated["metadata"]["resourceVersion"]
    code, refused = await server.ask("PUT", f"{GROUPS}/g", updated)
    assert (code, refused["reason"]) == (400, "BadRequest")
    free: Json = {"metadata": {"finalizers": None}}
    code, _ = await server.ask("PATCH", f"{OLD_GROUPS}/g", free, content_type=merge)
    assert code == 200
    code, _ = await server.ask("DELETE", f"{OLD_GROUPS}/g")
    assert code == 200
    assert (await server.ask("GET", f"{GROUPS}/g"))[0] == 404


async def test_an_event_has_the_names_of_its_group(server: Server) -> None:
    event: Json = {
        "metadata": {"name": "e"},
        "eventTime": "2026-11-21T12:00:00.000000Z",
        "regarding": {"kind": "Pod", "name": "web", "namespace": "default"},
        "note": "it broke",
        "reason": "Failed",
        "action": "Running",
        "type": "Warning",
        "reportingController": "argosy.dev/test",
        "reportingInstance": "here",
    }
    code, made = await server.ask("POST", NEW_EVENTS, event)
    assert code == 201, made
    _, old = await server.ask("GET", f"{EVENTS}/e")
    assert old["involvedObject"]["name"] == "web"
    assert (old["message"], old["apiVersion"]) == ("it broke", "v1")
    assert old["reportingComponent"] == "argosy.dev/test"
    assert not set(EVENT_FIELDS.values()) & set(old)
    patch = {"count": 3, "message": "again"}
    merge = "application/merge-patch+json"
    assert (await server.ask("PATCH", f"{EVENTS}/e", patch, content_type=merge))[0] == 200
    _, new = await server.ask("GET", f"{NEW_EVENTS}/e")
    assert (new["note"], new["deprecatedCount"]) == ("again", 3)
    assert new["regarding"] == event["regarding"]
    for path, field in ((EVENTS, "involvedObject.name"), (NEW_EVENTS, "regarding.name")):
        for name, number in (("web", 1), ("other", 0)):
            _, listed = await server.ask("GET", f"{path}?fieldSelector={field}%3D{name}")
            assert len(listed["items"]) == number


async def test_admission_sees_other_kinds_as_they_are(server: Server) -> None:
    path = OLD_GROUPS.replace("default", "nowhere")
    code, refused = await server.ask("POST", path, GROUP)
    assert (code, refused["message"]) == (404, 'namespaces "nowhere" not found')
    seen = Converted(server.store, POD_GROUP, OLD_GROUP)
    key = NAMESPACE.key("", "default")
    assert seen.get(key) == server.store.get(key) is not None


@pytest.mark.parametrize(
    "value, expected",
    [
        (
            b'{"apiVersion":"scheduling.k8s.io/v1beta1","kind":"PodGroup","spec":{"a":1}}',
            {"apiVersion": "scheduling.k8s.io/v1alpha3", "kind": "PodGroup", "spec": {"a": 1}},
        ),
        (
            b'{"kind":"PodGroup","apiVersion":"scheduling.k8s.io/v1beta1"}',
            {"apiVersion": "scheduling.k8s.io/v1alpha3", "kind": "PodGroup"},
        ),
        (
            b'{"spec":{"apiVersion":"scheduling.k8s.io/v1beta1"}}',
            {
                "apiVersion": "scheduling.k8s.io/v1alpha3",
                "spec": {"apiVersion": "scheduling.k8s.io/v1beta1"},
            },
        ),
    ],
)
def test_only_the_version_of_the_object_itself_changes(value: bytes, expected: Json) -> None:
    assert json.loads(convert(value, POD_GROUP, OLD_GROUP)) == expected


FIELDS = st.sampled_from([*EVENT_FIELDS, "metadata", "reason", "series", "type"])


@given(st.dictionaries(FIELDS, st.one_of(st.integers(), st.text(), st.none())))
def test_there_and_back_nothing_is_lost(fields: Json) -> None:
    def back_again(value: bytes, old: Resource, new: Resource) -> Json:
        found: Json = json.loads(convert(convert(value, old, new), new, old))
        return found

    event = {"apiVersion": "v1", "kind": "Event", **fields}
    assert back_again(json.dumps(event).encode(), EVENT, NEW_EVENT) == event
