"""What the audit log tells of requests, and of which stages."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from argosy.apiserver.audit import event as audit_event
from argosy.apiserver.audit import notes
from argosy.apiserver.audit.policy import parse
from argosy.apiserver.audit.recorder import Recorder
from argosy.apiserver.request import User
from argosy.http.message import Duplex, Handler, Request, Response
from argosy.testing.clock import FakeClock
from tests.apiserver.kit import APPLY, MERGE, YAML, Api, body, path

Json = dict[str, Any]
HEAD = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
ALICE = User("alice", ("devs",), "1-2", {"scopes": ("a", "b")})
CREATED = ["RequestReceived", "ResponseComplete"]


@dataclass
class Kept:
    """A sink that keeps everything."""

    events: list[Json] = field(default_factory=list)
    lost: int = 0
    closed: bool = False

    def put(self, line: bytes) -> None:
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        self.events.append(json.loads(line))

    def close(self) -> None:
        self.closed = True


def recorder(*rules: Json, **more: object) -> tuple[Recorder, Kept]:
    kept = Kept()
    policy = parse(json.dumps({**HEAD, "rules": rules, **more}).encode())
    return Recorder(policy, (kept,), FakeClock()), kept


def watched(api: Api, *rules: Json, **more: object) -> Kept:
    """What is told of all that `api` is asked from now on."""
    found, kept = recorder(*(rules or ({"level": "RequestResponse"},)), **more)
    api.cluster.plane.server.audit = found
    return kept


async def test_a_create_is_told_when_it_comes_and_when_it_is_done(api: Api) -> None:
    kept = watched(api)
    answer = await api.ask(
        "POST",
        path("ConfigMap"),
        body("ConfigMap"),
        headers={"user-agent": "kubectl/v1.37.0", "x-forwarded-for": "10.0.0.1, junk, ::1"},
        fieldManager="me",
    )
    received, complete = kept.events
    moment = FakeClock().now().strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert received == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": answer.headers["audit-id"],
        "stage": "RequestReceived",
        "requestURI": "/api/v1/namespaces/default/configmaps?fieldManager=me",
        "verb": "create",
        "user": {
            "username": "system:apiserver",
            "groups": ["system:masters", "system:authenticated"],
        },
        "sourceIPs": ["10.0.0.1", "::1"],
        "userAgent": "kubectl/v1.37.0",
        "objectRef": {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"},
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
    }
    assert complete == {
        **received,
        "stage": "ResponseComplete",
        "objectRef": {**received["objectRef"], "name": "it"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": body("ConfigMap"),
        "responseObject": answer.body,
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": "",
        },
    }


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("None", None),
        ("Metadata", set()),
        ("Request", {"requestObject"}),
        ("RequestResponse", {"requestObject", "responseObject"}),
    ],
)
async def test_a_level_tells_so_much(api: Api, level: str, told: set[str] | None) -> None:
    kept = watched(api, {"level": level})
    answer = await api.create("ConfigMap")
    assert answer.headers["audit-id"]
    if told is None:
        assert kept.events == []
    else:
        assert {"requestObject", "responseObject"} & kept.events[-1].keys() == told


async def test_stages_may_be_left_out(api: Api) -> None:
    rule = {"level": "Metadata", "omitStages": ["ResponseComplete"], "verbs": ["create"]}
    kept = watched(api, rule, {"level": "Metadata"}, omitStages=["RequestReceived"])
    await api.create("ConfigMap")
    assert kept.events == []
    await api.get(path("ConfigMap", "it"))
    assert [event["stage"] for event in kept.events] == ["ResponseComplete"]


async def test_an_error_is_told_with_its_status_and_the_clients_id(api: Api) -> None:
    kept = watched(api, {"level": "Metadata"})
    answer = await api.ask("GET", path("Pod", "none"), headers={"audit-id": "mine"})
    assert answer.headers["audit-id"] == "mine"
    assert [event["auditID"] for event in kept.events] == ["mine", "mine"]
    status = kept.events[-1]["responseStatus"]
    told = {name: answer.body[name] for name in ("status", "message", "reason", "details")}
    assert status == {"metadata": {}, **told, "code": 404}
    assert status["message"] == 'pods "none" not found'


async def test_managed_fields_may_be_left_out(api: Api) -> None:
    await api.create("ConfigMap")
    kept = watched(api, {"level": "RequestResponse"}, omitManagedFields=True)
    got = await api.get(path("ConfigMap", "it"))
    listed = await api.get(path("ConfigMap"))
    assert "managedFields" in got.meta and listed.body["items"]
    for event in kept.events:
        assert "managedFields" not in json.dumps(event)
    assert kept.events[-1]["responseObject"]["items"][0]["metadata"]["name"] == "it"


@pytest.mark.parametrize(
    ("method", "kind", "sent", "told"),
    [
        ("PATCH", MERGE, b'{"data":\n {"a":\n "b"}}', {"data": {"a": "b"}}),
        (
            "PATCH",
            APPLY,
            b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\n",
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}},
        ),
        ("PUT", YAML, b"metadata:\n  name: it\n", {"metadata": {"name": "it"}}),
        ("PUT", "application/json", b'{"metadata":', None),
        ("DELETE", "application/json", b'{"gracePeriodSeconds": 0}', {"gracePeriodSeconds": 0}),
    ],
)
async def test_bodies_of_any_form_are_told_in_one_line(
    api: Api, method: str, kind: str, sent: bytes, told: Json | None
) -> None:
    await api.create("ConfigMap")
    kept = watched(api, {"level": "Request"})
    await api.ask(method, path("ConfigMap", "it"), sent, kind=kind, fieldManager="me")
    assert kept.events[-1].get("requestObject") == told


async def test_who_is_impersonated_and_refused_is_told(api: Api) -> None:
    kept = watched(api, {"level": "Metadata"})
    answer = await api.ask("GET", path("Pod"), headers={"impersonate-user": "bob"})
    assert answer.status == 403
    received, complete = kept.events
    assert "impersonatedUser" not in received
    assert complete["user"]["username"] == "system:apiserver"
    assert complete["impersonatedUser"] == {"username": "bob", "groups": ["system:authenticated"]}
    assert complete["authenticationMetadata"] == {
        "impersonationConstraint": "impersonate:user-info"
    }
    assert complete["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert complete["responseStatus"]["reason"] == "Forbidden"
    await api.ask("GET", path("Pod"))
    assert "authenticationMetadata" not in kept.events[-1]
    groups = {"impersonate-user": "system:serviceaccount:a:b", "impersonate-group": "c"}
    await api.ask("GET", path("Pod"), headers=groups)  # more than a name: no mode but the last fits
    assert kept.events[-1]["impersonatedUser"]["groups"][0] == "c"
    assert "authenticationMetadata" not in kept.events[-1]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"authorization": "Bearer stolen-token"}, "Authentication failed, attempted: bearer"),
        ({"authorization": "Basic dTpw"}, "Authentication failed, attempted: basic"),
    ],
)
async def test_who_is_not_let_in_is_told_without_what_they_showed(
    api: Api, headers: Mapping[str, str], message: str
) -> None:
    kept = watched(api, {"level": "RequestResponse"})
    answer = await api.ask("GET", path("Pod"), headers=headers)
    assert answer.status == 401
    (event,) = kept.events
    assert event["stage"] == "ResponseStarted" and event["user"] == {}
    assert event["responseStatus"] == {"metadata": {}, "message": message, "code": 401}
    assert "stolen" not in json.dumps(event)


async def test_a_watch_is_told_when_it_begins_and_when_it_ends(api: Api) -> None:
    await api.create("ConfigMap")
    kept = watched(api, {"level": "RequestResponse"})
    events = api.watch(path("ConfigMap"))
    assert (await anext(events))["type"] == "ADDED"
    assert [event["stage"] for event in kept.events] == ["RequestReceived", "ResponseStarted"]
    await events.aclose()
    assert [event["stage"] for event in kept.events][2:] == ["ResponseComplete"]
    assert kept.events[-1]["verb"] == "watch"
    assert not {"requestObject", "responseObject"} & kept.events[-1].keys()


async def test_paths_beside_the_resources_have_no_objects(api: Api) -> None:
    kept = watched(api, {"level": "RequestResponse", "nonResourceURLs": ["/version"]})
    await api.get("/version")
    await api.get("/readyz")
    assert [event["stage"] for event in kept.events] == CREATED
    assert not {"objectRef", "responseObject"} & kept.events[-1].keys()


async def test_tokens_in_a_query_are_not_told(api: Api) -> None:
    kept = watched(api, {"level": "Metadata"})
    await api.get("/version", token="s3cret", access_token="s3cret", tokens="4")
    text = json.dumps(kept.events)
    assert "s3cret" not in text
    assert "?token=REDACTED&access_token=REDACTED&tokens=4" in text


def asked(handler: Handler) -> Handler:
    """`handler` for somebody who is known."""

    async def handle(request: Request) -> Response:
        notes.entered(ALICE)
        return await handler(request)

    return handle


async def test_users_are_told_whole_and_annotations_once() -> None:
    found, kept = recorder({"level": "Metadata"})

    async def handler(_request: Request) -> Response:
        notes.annotate("a.k8s.io/b", "first")
        notes.annotate("a.k8s.io/b", "second")
        return Response(200, {}, b"")

    headers = {"user-agent": "x" * 2000, "x-real-ip": "10.0.0.9"}
    await found.recorded(Request("GET", "/odd", headers=headers), asked(handler))
    notes.annotate("a.k8s.io/c", "nobody asks")
    event = kept.events[-1]
    assert event["user"] == {
        "username": "alice",
        "uid": "1-2",
        "groups": ["devs"],
        "extra": {"scopes": ["a", "b"]},
    }
    assert event["annotations"] == {"a.k8s.io/b": "first"}
    assert event["userAgent"] == "x" * 1024 + "...TRUNCATED"
    assert event["sourceIPs"] == ["10.0.0.9"]
    assert found.events == 2
    found.close()
    assert kept.closed


async def test_odd_characters_hide_no_request() -> None:
    found, kept = recorder({"level": "Metadata"})

    async def handler(_request: Request) -> Response:
        return Response(200)

    headers = {"user-agent": "\udcff\n{"}
    await found.recorded(Request("GET", "/a\udcfe", headers=headers), asked(handler))
    assert [event["stage"] for event in kept.events] == CREATED


async def test_a_failure_of_the_server_is_a_panic() -> None:
    found, kept = recorder({"level": "Metadata"})

    async def handler(_request: Request) -> Response:
        notes.panicked(ValueError("oops"))
        return Response(500)

    await found.recorded(Request("GET", "/odd"), asked(handler))
    assert kept.events[-1]["stage"] == "Panic"
    assert kept.events[-1]["responseStatus"] == {
        "metadata": {},
        "status": "Failure",
        "message": "APIServer panic'd: oops",
        "reason": "InternalError",
        "code": 500,
    }


async def test_a_client_that_goes_is_told() -> None:
    found, kept = recorder({"level": "Metadata"})

    async def handler(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(found.recorded(Request("GET", "/odd"), asked(handler)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept.events[-1]["responseStatus"]["message"] == "Connection closed early"


class Nothing:
    """A connection on which nothing happens."""

    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        return None

    def finish(self) -> None:
        return None


async def test_a_connection_that_is_taken_over_is_told_at_its_end() -> None:
    found, kept = recorder({"level": "RequestResponse"})
    taken = []

    async def upgrade(connection: Duplex) -> None:
        taken.append(connection)

    async def handler(_request: Request) -> Response:
        return Response(101, {}, b"", upgrade)

    where = path("Pod", "web", "exec")
    response = await found.recorded(Request("POST", where, "command=ls"), asked(handler))
    assert [event["stage"] for event in kept.events] == ["RequestReceived", "ResponseStarted"]
    assert kept.events[-1]["objectRef"]["subresource"] == "exec"
    assert response.upgrade is not None
    connection = Nothing()
    await response.upgrade(connection)
    assert taken == [connection] and kept.events[-1]["stage"] == "ResponseComplete"
    assert kept.events[-1]["responseStatus"]["code"] == 101


async def test_one_request_does_not_write_to_the_trail_of_another() -> None:
    found, kept = recorder({"level": "Metadata"})
    gate = asyncio.Event()

    async def handler(request: Request) -> Response:
        await gate.wait()
        notes.annotate("path", request.path)
        return Response(200)

    waiting = [found.recorded(Request("GET", f"/{i}"), asked(handler)) for i in range(5)]
    tasks = [asyncio.create_task(one) for one in waiting]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)
    for event in kept.events[5:]:
        assert event["annotations"] == {"path": event["requestURI"]}


async def test_long_yaml_is_told_as_its_verb_has_read_it_and_read_by_nobody_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = watched(api, {"level": "Request"})
    lines = "metadata: {name: it}\ndata:\n" + "".join(f"  k{one}: v\n" for one in range(3000))
    monkeypatch.setattr(audit_event, "body_value", None)
    for where, status in ((path("ConfigMap"), 201), (path("ConfigMap", "it"), 405)):
        assert (await api.ask("POST", where, lines.encode(), kind=YAML)).status == status
        sent = kept.events[-1].get("requestObject")
        told = None if sent is None else len(sent["data"])
        assert told == (3000 if status == 201 else None)
