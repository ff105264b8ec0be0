"""Attacks by, and on, webhooks that convert versions: each with the refusal that it must get."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Namespace
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.controllers.customresources import custom_resources
from argosy.controllers.namespaces import namespaces
from tests.apiserver.extensions.converter import (
    DEFINITIONS,
    NAME,
    V1,
    V2,
    Webhook,
    converting,
    create,
    honest,
    restored,
    review,
    turned,
)
from tests.apiserver.kit import MERGE, Api

Json = dict[str, Any]
ASKED = "conversion webhook for example.com/v1, Kind=Widget"
WIDGETS = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")


def changed(**meta: Any) -> Callable[[Json], Json]:
    """One that changes the metadata of what it converts."""

    def answer(request: Json) -> Json:
        objects = [turned(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
        for obj in objects:
            obj["metadata"].update(meta)
        return review(request, objects)

    return answer


def made(**facts: Any) -> Callable[[Json], Json]:
    """One that answers with objects of its own."""
    return lambda request: review(request, [{**obj, **facts} for obj in request["objects"]])


def said(**response: Any) -> Callable[[Json], Json]:
    return lambda request: review(request, [], **response)


def deep(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


TWO = {"apiVersion": "example.com/v2"}
LIES: dict[str, tuple[Callable[[Json], Json], str]] = {
    "fewer objects": (said(), f"{ASKED} returned 0 objects, expected 1"),
    "more objects": (
        lambda request: review(request, [{}, {}, {}]),
        f"{ASKED} returned 3 objects, expected 1",
    ),
    "no list of objects": (said(convertedObjects=7), f"{ASKED} returned 0 objects, expected 1"),
    "another name": (
        changed(name="b"),
        f"{ASKED} returned invalid object: must have the same name",
    ),
    "another namespace": (
        changed(namespace="kube-system"),
        f"{ASKED} returned invalid object: must have the same namespace: default != kube-system",
    ),
    "another uid": (changed(uid="1"), "must have the same UID"),
    "no uid": (changed(uid=None), "must have the same UID"),
    "the version that it was": (
        made(),
        f"{ASKED} returned invalid object at index 0: invalid groupVersion "
        "(expected example.com/v2, received example.com/v1)",
    ),
    "another kind": (made(**TWO, kind="Secret"), "invalid kind (expected Widget, received Secret)"),
    "no metadata": (made(**TWO, metadata=None), "missing metadata in converted object"),
    "metadata of text": (made(**TWO, metadata="a"), "invalid metadata of type string"),
    "labels of numbers": (
        changed(labels={"a": 1}),
        f"{ASKED} returned invalid metadata: metadata.labels[a] must be a string",
    ),
    "labels that are none": (changed(labels={"a b": "c"}), "invalid metadata: metadata.labels"),
    "annotations without end": (
        changed(annotations={"a": "x" * 300_000}),
        "invalid metadata: metadata.annotations",
    ),
    "text for objects": (lambda request: review(request, ["x"]), "it is not an object"),
    "another question's answer": (said(uid="1"), f'{ASKED} failed: expected response.uid="'),
    "no response": (lambda request: {**review(request, []), "response": None}, "no response"),
    "another kind of answer": (
        lambda request: {**honest(request), "kind": "AdmissionReview"},
        "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got ",
    ),
    "a failure": (said(result={"status": "Failure", "message": "no"}), f"{ASKED} failed: no"),
    "no result": (said(result=None), "response.result.status was '', not 'Success'"),
    "depth": (made(**TWO, spec=deep(300)), ""),
    "bottomless depth": (made(**TWO, spec={"color": deep(900)}), ""),
    "growth": (made(**TWO, spec={"host": "x" * (4 << 20)}), "has more than"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_webhook_that_lies_is_not_believed(tmp_path: Path, name: str) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        hook.answer, told = LIES[name]
        for where in (f"{V2}/a", V2):
            answer = await api.get(where)
            assert (answer.status, told in answer.message) == (500, True), answer.message
            assert len(answer.message) < 2000
        patch = {"spec": {"color": "red"}}
        assert (await api.ask("PATCH", f"{V2}/a", patch, kind=MERGE)).status == 500
        same = await api.get(f"{V1}/a")
        assert (same.status, same.body["spec"]) == (200, {"hostPort": "a:1"})
        hook.answer = honest
        assert (await api.get(f"{V2}/a")).body["spec"] == {"host": "a", "port": "1"}


async def test_an_answer_without_end_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.apiserver.outbound.LARGEST", 1 << 20)
    async with converting(tmp_path) as (api, hook):
        await create(api)
        hook.answer = made(**TWO, spec={"host": "x" * (2 << 20)})
        answer = await api.get(f"{V2}/a")
        assert (answer.status, "has more than 1048576 bytes" in answer.message) == (500, True)


async def test_objects_in_another_order_are_refused(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        for name in ("a", "b"):
            await create(api, name)

        def reordered(request: Json) -> Json:
            whole = honest(request)
            whole["response"]["convertedObjects"].reverse()
            return whole

        hook.answer = reordered
        answer = await api.get(V2)
        told = f"{ASKED} returned invalid converted object at index 0: must have the same name"
        assert (answer.status, told in answer.message) == (500, True)


async def test_what_it_may_not_change_stays(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        made = await create(api)
        hook.answer = changed(
            ownerReferences=[{"name": "x"}],
            finalizers=["example.com/mine"],
            resourceVersion="1",
            managedFields=[],
            labels={"free": "yes"},
        )
        found = await api.get(f"{V2}/a")
        assert found.meta == {**made.meta, "labels": {"free": "yes"}}
        written = await api.ask("PATCH", f"{V2}/a", {"spec": {"port": "2"}}, kind=MERGE)
        assert written.status == 200
        assert "finalizers" not in written.meta and "ownerReferences" not in written.meta


async def test_what_it_adds_beyond_the_schema_is_dropped(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        hook.answer = made(**TWO, spec={"host": "a", "evil": 1}, evil=True)
        found = await api.get(f"{V2}/a")
        assert found.body["spec"] == {"host": "a"} and "evil" not in found.body


@pytest.mark.parametrize("code", [301, 404, 500])
async def test_a_webhook_that_errs_is_told_of(tmp_path: Path, code: int) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        hook.code = code
        answer = await api.get(f"{V2}/a")
        assert (answer.status, f"{ASKED} failed: " in answer.message) == (500, True)


async def test_a_webhook_that_hangs_holds_nobody_else(tmp_path: Path) -> None:
    async with converting(tmp_path, seconds=0.2) as (api, hook):
        await create(api)
        gate = asyncio.Event()
        hook.before = lambda: _wait(gate)
        async with asyncio.timeout(3):
            slow = asyncio.create_task(api.get(V2))
            await asyncio.sleep(0)
            assert (await api.get(V1)).status == 200
            assert (await api.ask("PATCH", f"{V1}/a", {"spec": {}}, kind=MERGE)).status == 200
            answer = await slow
        gate.set()
        assert answer.status == 500
        assert answer.message.endswith("context deadline exceeded")


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


async def test_a_webhook_that_reads_what_it_converts_ends(tmp_path: Path) -> None:
    async with converting(tmp_path, seconds=0.2) as (api, hook):
        await create(api)

        async def read() -> None:
            await api.get(f"{V2}/a")

        hook.before = read
        async with asyncio.timeout(3):
            assert (await api.get(f"{V2}/a")).status == 500
        assert len(hook.asked) == 1


async def test_a_webhook_that_is_nobody_knows_is_not_trusted(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        stranger = Webhook(port=hook.port)
        found = (await api.get(f"{DEFINITIONS}/{NAME}")).body
        found["spec"]["conversion"]["webhook"]["clientConfig"] = {"url": stranger.config["url"]}
        assert (await api.ask("PUT", f"{DEFINITIONS}/{NAME}", found)).status == 200
        answer = await api.get(f"{V2}/a")
        assert (answer.status, ASKED in answer.message) == (500, True)
        assert hook.asked == []


async def test_a_webhook_behind_a_service_that_is_not_there(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        found = (await api.get(f"{DEFINITIONS}/{NAME}")).body
        service = {"namespace": "default", "name": "nobody"}
        found["spec"]["conversion"]["webhook"]["clientConfig"] = {"service": service}
        assert (await api.ask("PUT", f"{DEFINITIONS}/{NAME}", found)).status == 200
        answer = await api.get(f"{V2}/a")
        assert answer.message == f'{ASKED} failed: service "nobody" not found'


async def test_a_watch_ends_with_the_error_of_its_webhook(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        hook.code = 500
        async with asyncio.timeout(5):
            events = api.watch(V2, resourceVersion="1")
            waiting = asyncio.ensure_future(anext(events))
            await create(api)
            told = await waiting
            with pytest.raises(StopAsyncIteration):
                await anext(events)
        assert (told["type"], told["object"]["code"]) == ("ERROR", 500)
        assert ASKED in told["object"]["message"]


async def test_a_kind_goes_though_its_webhook_is_down(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        hook.code = 500
        await _deleted(api, f"{DEFINITIONS}/{NAME}")
        assert hook.asked == []


async def test_a_namespace_goes_though_a_webhook_is_down(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await api.cluster.client.create(Namespace.resource, {"metadata": {"name": "other"}})
        await create(api, where=V1.replace("default", "other"))
        hook.code = 500
        await _deleted(api, "/api/v1/namespaces/other", V1.replace("default", "other") + "/a")
        assert hook.asked == []


async def _deleted(api: Api, *paths: str) -> None:
    """Delete what is first, and wait until all is gone."""
    manager = api.cluster.manager
    manager.add(custom_resources(manager, api.cluster.plane.resources))
    manager.add(namespaces(manager, api.cluster.plane.resources))
    api.cluster.start()
    assert (await api.ask("DELETE", paths[0])).status in (200, 202)
    async with asyncio.timeout(8):
        for path in reversed(paths):
            while (await api.get(path)).status != 404:
                await asyncio.sleep(0.01)


async def test_who_writes_as_it_is_stored_needs_no_webhook(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        two = {"apiVersion": "example.com/v2", "kind": "Widget", "spec": {"host": "a"}}
        await api.apply(f"{V2}/a", {**two, "metadata": {"name": "a", "finalizers": ["a.b/c"]}})
        hook.code = 500
        assert (await api.ask("DELETE", f"{V1}/a")).status == 200
        patch = {"metadata": {"finalizers": None}, "spec": {"color": "red"}}
        assert (await api.ask("PATCH", f"{V1}/a", patch, kind=MERGE)).status == 200
        assert (await api.get(f"{V1}/a")).status == 404
        one = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"color": "x"}}
        assert (await api.apply(f"{V1}/a", {**one, "metadata": {"name": "a"}})).status == 201


async def test_an_old_object_keeps_its_kind_until_the_webhook_answers(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        await restored(api, "v2")
        hook.code = 500
        client = api.cluster.client
        with pytest.raises(StatusError, match="conversion webhook"):
            await client.call("DELETE", f"{V2}/a")
        assert (await api.get(f"{V1}/a")).status == 200
        hook.code = 200
        assert (await api.ask("DELETE", f"{V2}/a")).status == 200
