"""`argosy up` as operators written in Go see it: client-go's headers, protobuf bodies, TLS.

client-go sends its objects as protobuf and takes protobuf or JSON; some clients take nothing else.
Frames and bodies are told apart here by the content type of each answer, as client-go does it.
"""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from argosy.api.kinds import PREFERRED
from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.client import kubeconfig
from tests.e2e.kit import Cluster, Json

CODEC = load()
JSON = "application/json"
BOTH = f"{MEDIA_TYPE},{JSON}"
ACCEPTED = {"protobuf or JSON": BOTH, "protobuf only": MEDIA_TYPE}
LEASE_TIME = "2026-01-01T00:00:00.000001Z"
TEMPLATE: Json = {
    "metadata": {"labels": {"app": "go"}},
    "spec": {"containers": [{"name": "main", "image": "any"}], "schedulerName": "nobody"},
}
KINDS: dict[str, Json] = {
    "Pod": {"spec": TEMPLATE["spec"]},
    "Ingress": {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
    "ConfigMap": {"data": {"a": "b"}, "binaryData": {"raw": "AP8="}},
    "Lease": {"spec": {"holderIdentity": "me", "renewTime": LEASE_TIME}},
    "Event": {"involvedObject": {"kind": "Pod", "name": "p"}, "reason": "Because", "count": 1},
}
STATUS: dict[str, Json] = {
    "Pod": {"phase": "Running"},
    "Ingress": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
}


class GoClient:
    """A client of one connection, which sends protobuf and takes what `accept` says."""

    def __init__(self, cluster: Cluster, accept: str) -> None:
        access = kubeconfig.load(cluster.kubeconfig)
        assert access.ca is not None
        self._context = ssl.create_default_context(cadata=access.ca)
        self._address = urlsplit(access.server).netloc
        self._headers = {
            "Accept": accept,
            "Authorization": f"Bearer {access.token}",
            "User-Agent": "operator/v0.0.0 (linux/amd64) kubernetes/1234567",
        }
        self._accept = accept
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address, timeout=10, context=self._context)

    def ask(
        self, method: str, path: str, body: Any = None, *, kind: str = MEDIA_TYPE, **query: str
    ) -> tuple[int, Json]:
        """The code and the object that answers; `body` is sent as `kind` says."""
        headers = dict(self._headers)
        data = None
        if body is not None:
            headers["Content-Type"] = kind
            protobuf = kind == MEDIA_TYPE
            data = CODEC.encode_object(body) if protobuf else json.dumps(body).encode()
        where = f"{path}?{urlencode(query)}" if query else path
        self._connection.request(method, where, data, headers)
        answer = self._connection.getresponse()
        return answer.status, self._decoded(answer.headers["content-type"], answer.read())

    def _decoded(self, kind: str, raw: bytes) -> Json:
        if kind != MEDIA_TYPE:
            assert kind == JSON and JSON in self._accept
            found: Json = json.loads(raw)
            return found
        unknown: list[str] = []
        obj = CODEC.decode_object(raw, unknown=unknown)
        assert unknown == []
        return obj

    @contextmanager
    def watch(self, path: str, since: str) -> Iterator[Iterator[tuple[str, Json]]]:
        """The events after a version, on a connection of their own."""
        connection = self._connect()
        query = urlencode({"watch": "true", "resourceVersion": since, "allowWatchBookmarks": "1"})
        connection.request("GET", f"{path}?{query}", headers=self._headers)
        answer = connection.getresponse()
        try:
            assert answer.status == 200
            yield self._events(answer)
        finally:
            answer.close()
            connection.close()

    def _events(self, answer: http.client.HTTPResponse) -> Iterator[tuple[str, Json]]:
        kind = answer.headers["content-type"]
        if kind == JSON:
            for line in answer:
                event = json.loads(line)
                yield event["type"], event["object"]
            return
        assert kind == f"{MEDIA_TYPE};stream=watch"
        while head := answer.read(4):
            yield _event(answer.read(int.from_bytes(head, "big")))

    def close(self) -> None:
        self._connection.close()


def _event(frame: bytes) -> tuple[str, Json]:
    """A WatchEvent: {1: its type, 2: {1: the body of the object}}."""
    kind, rest = _chunk(frame)
    extension, nothing = _chunk(rest)
    body, more = _chunk(extension)
    assert nothing == more == b""
    return kind.decode(), CODEC.decode_object(body)


def _chunk(data: bytes) -> tuple[bytes, bytes]:
    """The first field's bytes, and what follows; read apart from the codec."""
    size = shift = 0
    for position in range(1, len(data)):
        size |= (data[position] & 0x7F) << shift
        shift += 7
        if data[position] < 0x80:
            start = position + 1
            return data[start : start + size], data[start + size :]
    raise AssertionError("a frame ends too early")


@pytest.fixture(params=list(ACCEPTED.values()), ids=list(ACCEPTED))
def go(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[GoClient]:
    client = GoClient(cluster, request.param)
    yield client
    client.close()


def body(kind: str, namespace: str) -> Json:
    resource = PREFERRED[kind]
    meta = {"name": "it", "namespace": namespace, "labels": {"app": "go"}}
    head = {"apiVersion": resource.api_version, "kind": kind, "metadata": meta}
    made: Json = json.loads(json.dumps({**head, **KINDS[kind]}))
    if kind == "Event":
        made["involvedObject"]["namespace"] = namespace
    return made


def contains(whole: Any, part: Any) -> bool:
    """Whether all of `part` is in `whole`, which may have defaults beside it."""
    if isinstance(part, dict):
        return all(name in whole and contains(whole[name], item) for name, item in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_round_trip(go: GoClient, namespace: str, kind: str) -> None:
    collection = PREFERRED[kind].path(namespace=namespace)
    path = f"{collection}/it"
    code, listed = go.ask("GET", collection, limit="500")
    assert (code, listed["kind"]) == (200, f"{kind}List")
    with go.watch(collection, listed["metadata"]["resourceVersion"]) as events:
        code, made = go.ask("POST", collection, body(kind, namespace))
        assert code == 201 and contains(made, body(kind, namespace))
        assert next(events) == ("ADDED", made)
        changed = updated(go, path, made)
        assert next(events) == ("MODIFIED", changed)
        if kind in STATUS:
            code, changed = go.ask("PUT", f"{path}/status", {**changed, "status": STATUS[kind]})
            assert code == 200 and contains(changed["status"], STATUS[kind])
            assert next(events) == ("MODIFIED", changed)
        changed = patched(go, path)
        assert next(events) == ("MODIFIED", changed)
        assert go.ask("GET", path) == (200, changed)
        code, listed = go.ask("GET", collection, labelSelector="app=go")
        assert [item["metadata"]["uid"] for item in listed["items"]] == [made["metadata"]["uid"]]
        deleted(go, path, made)
        left = next(obj for event, obj in events if event == "DELETED")
        assert left["metadata"]["uid"] == made["metadata"]["uid"]


def updated(go: GoClient, path: str, made: Json) -> Json:
    """The object with a label more; an update of the older state is refused."""
    wanted = {**made, "metadata": {**made["metadata"], "labels": {"app": "go", "more": "yes"}}}
    code, changed = go.ask("PUT", path, wanted)
    assert code == 200 and changed["metadata"]["labels"]["more"] == "yes"
    code, refused = go.ask("PUT", path, made)
    assert (code, refused["kind"], refused["reason"]) == (409, "Status", "Conflict")
    return changed


def patched(go: GoClient, path: str) -> Json:
    """The object with an annotation more; patches are JSON whatever else the client speaks."""
    patch = {"metadata": {"annotations": {"note": "here"}}}
    code, changed = go.ask("PATCH", path, patch, kind="application/strategic-merge-patch+json")
    assert code == 200 and changed["metadata"]["annotations"]["note"] == "here"
    return changed


def deleted(go: GoClient, path: str, made: Json) -> None:
    """The object is gone, but not for one who takes it to be another."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    code, refused = go.ask("DELETE", path, {**options, "preconditions": {"uid": "another"}})
    assert (code, refused["reason"]) == (409, "Conflict")
    uid = made["metadata"]["uid"]
    assert go.ask("DELETE", path, {**options, "preconditions": {"uid": uid}})[0] == 200
    code, gone = go.ask("GET", path)
    assert (code, gone["kind"], gone["reason"]) == (404, "Status", "NotFound")


def test_what_is_wrong_is_told(go: GoClient, namespace: str) -> None:
    pods = PREFERRED["Pod"].path(namespace=namespace)
    wrong = body("Pod", namespace)
    wrong["spec"]["containers"] = []
    code, refused = go.ask("POST", pods, wrong)
    assert (code, refused["reason"]) == (422, "Invalid")
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldValueRequired",
            "message": "Required value",
            "field": "spec.containers",
        }
    ]


def test_pages(go: GoClient, namespace: str) -> None:
    maps = PREFERRED["ConfigMap"].path(namespace=namespace)
    for number in range(5):
        wanted = body("ConfigMap", namespace)
        wanted["metadata"] |= {"name": f"m-{number}", "labels": {"page": "me"}}
        assert go.ask("POST", maps, wanted)[0] == 201
    names: list[str] = []
    token = ""
    while token or not names:
        more = {"continue": token} if token else {}
        _, piece = go.ask("GET", maps, limit="2", labelSelector="page=me", **more)
        names += [item["metadata"]["name"] for item in piece["items"]]
        token = piece["metadata"].get("continue", "")
    assert names == [f"m-{number}" for number in range(5)]
