"""Attacks by way of extension servers, by them, and on who asks them.

The server is a real one over TLS, so that bytes really go out, and come back.
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from argosy.apiserver.aggregation.proxy import proxied
from argosy.apiserver.discovery import AGGREGATED
from argosy.apiserver.request import User
from argosy.base.clock import SystemClock
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context
from tests.apiserver.aggregation.kit import (
    HOST,
    LIST,
    NODES,
    PLACE,
    ROOT,
    Extended,
    extended,
    registration,
    told,
)

Json = dict[str, Any]
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncGenerator[Extended]:
    async with extended(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOT}/../../api/v1/secrets",
        f"{ROOT}/nodes/..",
        f"{ROOT}/%2e%2e/%2E%2e/secrets",
        f"{ROOT}/nodes/.%2e/x",
        f"{ROOT}/nodes%2f..%2fsecrets",
        f"{ROOT}/nodes\\..\\secrets",
        f"{ROOT}/nodes%5c..%5csecrets",
        f"{ROOT}/nodes%00",
        f"{ROOT}/nodes%0d%0aX-Remote-User:%20root",
        f"{ROOT}//nodes",
        f"{ROOT}/namespaces/default/pods//it",
        f"{ROOT}/watch/nodes",
        f"{ROOT}/proxy/nodes",
    ],
)
async def test_a_path_leads_nowhere_else(made: Extended, path: str) -> None:
    asked = len(made.extension.asked)
    status, text = await made.send("GET", path)
    assert status == 400
    assert "the path has an invalid segment" in text
    assert len(made.extension.asked) == asked


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("fieldSelector=metadata.name%3Dmine,a%3D;", "invalid semicolon separator in query"),
        ("watch=0;watch=1", "invalid semicolon separator in query"),
        ("fieldSelector=metadata.name%3Dmine,a%3D%zz", "invalid URL escape in query"),
        ("fieldSelector=metadata.name%3Dmine%2", "invalid URL escape in query"),
    ],
)
async def test_a_query_is_read_alike_here_and_there(made: Extended, query: str, words: str) -> None:
    """Servers written in Go leave such a parameter out: who may list one would list all."""
    status, text = await made.send("GET", f"{NODES}?{query}")
    assert status == 400
    assert words in text
    assert not made.extension.seen(NODES)


async def test_the_last_of_two_selectors_allows_nothing(made: Extended) -> None:
    """Servers written in Go take the first of two; so is it asked about here."""
    held = {"verbs": ["list"], "apiGroups": ["metrics.k8s.io"], "resources": ["nodes"]}
    held["resourceNames"] = ["mine"]
    rbac, subject = "/apis/rbac.authorization.k8s.io/v1", {"kind": "User", "name": "eve"}
    role = {"metadata": {"name": "one"}, "rules": [held]}
    assert (await made.api.ask("POST", f"{rbac}/clusterroles", role)).status == 201
    binding = {
        "metadata": {"name": "one"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "one"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", **subject}],
    }
    assert (await made.api.ask("POST", f"{rbac}/clusterrolebindings", binding)).status == 201
    eve, mine = {"impersonate-user": "eve"}, "fieldSelector=metadata.name%3Dmine"
    assert (await made.send("GET", f"{NODES}?{mine}", **eve))[0] == 200
    for query in (f"fieldSelector=&{mine}", f"fieldSelector=metadata.name%3Dyours&{mine}", ""):
        status, text = await made.send("GET", f"{NODES}?{query}", **eve)
        assert status == 403
        assert 'cannot list resource "nodes" in API group "metrics.k8s.io"' in text.replace(
            "\\", ""
        )
    assert len(made.extension.seen(NODES)) == 1


async def test_raw_line_breaks_in_a_path_write_no_header(made: Extended) -> None:
    status, _ = await made.send("GET", f"{ROOT}/nodes HTTP/1.1\r\nX-Remote-User: root\r\n\r\n")
    assert status == 400


@pytest.mark.parametrize(
    "forged",
    [
        {"x-remote-user": "root"},
        {"x_remote_user": "root"},
        {"X-Remote-Group": "system:masters"},
        {"x-remote-extra-scopes": "all"},
        {"connection": "x-remote-user, x-remote-group"},
        {"connection": "host"},
    ],
)
async def test_claims_of_a_client_s_own_are_not_passed_on(
    made: Extended, forged: dict[str, str]
) -> None:
    status, _ = await made.send("GET", NODES, **forged)
    assert status == 200
    (seen,) = made.extension.seen(NODES)
    assert seen.values("x-remote-user") == ("system:apiserver",)
    assert "x_remote_user" not in seen.headers
    assert "x-remote-extra-scopes" not in seen.headers
    assert set(seen.values("x-remote-group")) == {"system:masters", "system:authenticated"}
    assert seen.headers["host"].startswith(HOST)


async def test_a_client_s_token_stays_here(made: Extended) -> None:
    await made.send("GET", NODES, **{"proxy-authorization": "Bearer x"})
    (seen,) = made.extension.seen(NODES)
    assert not {"authorization", "proxy-authorization"} & seen.headers.keys()


@pytest.mark.parametrize(
    "user",
    [
        User("eve\r\nx-remote-group: system:masters"),
        User("eve", ("a\nx-remote-group: system:masters",)),
        User("eve", (), "", {"k": ("v\r\nx-remote-user: root",)}),
    ],
)
async def test_a_name_with_a_line_break_is_sent_to_nobody(made: Extended, user: User) -> None:
    api = await made.until(lambda api: api.available)
    server = made.cluster.plane.server.aggregation
    answer = await server.answer(Request("GET", NODES), user, api)
    assert answer.status == 503
    assert not made.extension.seen(NODES)


async def test_a_key_with_a_line_break_is_one_header(made: Extended) -> None:
    api = await made.until(lambda api: api.available)
    server = made.cluster.plane.server.aggregation
    user = User("eve", (), "", {"k: v\r\nx-remote-user": ("root",)})
    answer = await server.answer(Request("GET", NODES), user, api)
    assert answer.status == 200
    (seen,) = made.extension.seen(NODES)
    assert seen.values("x-remote-user") == ("eve",)
    assert not isinstance(answer.body, bytes)
    await answer.body.aclose()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(made: Extended, code: int) -> None:
    where = {"location": "https://169.254.169.254/latest/meta-data"}
    made.extension.instead = lambda request: Response(code, where)
    status, text = await made.send("GET", NODES)
    assert status == 502
    assert text == ("the backend attempted to redirect this request, which is not permitted\n")


async def test_who_may_not_is_stopped_here(made: Extended) -> None:
    status, text = await made.send("GET", NODES, token="nobody")
    assert status == 401
    for header in ({"impersonate-user": "eve"}, {"impersonate-user": "system:anonymous"}):
        status, text = await made.send("GET", NODES, **header)
        assert status == 403, text
    assert not made.extension.seen(NODES)


async def test_another_s_certificate_is_not_taken(made: Extended, tmp_path: Path) -> None:
    wrong = ensure_certificates(tmp_path / "wrong", ["other.kube-system.svc"], _now())
    await refused(made, server_context(wrong.cert_file, wrong.key_file), wrong.ca_pem)


async def test_a_stranger_s_certificate_is_not_taken(made: Extended, tmp_path: Path) -> None:
    wrong = ensure_certificates(tmp_path / "wrong", [HOST], _now())
    await refused(made, server_context(wrong.cert_file, wrong.key_file), made.certificates.ca_pem)


async def refused(made: Extended, tls: ssl.SSLContext, bundle: bytes) -> None:
    """A server with this certificate gets no request."""
    asked: list[Request] = []

    async def answer(request: Request) -> Response:
        asked.append(request)
        return told(LIST)

    clock = made.cluster.manager.clock
    server = await serve(answer, addresses=[("127.0.0.1", 0)], tls=tls, clock=clock)
    try:
        port = server.addresses[0][1]
        trust = base64.b64encode(bundle).decode()
        await made.register("liar.example.com/v1", wait=False, caBundle=trust, **_at(port))
        found = await made.until(lambda api: bool(api.status.conditions), "v1.liar.example.com")
        assert found.status.conditions[0].reason == "FailedDiscoveryCheck"
        assert (await made.send("GET", "/apis/liar.example.com/v1/x"))[0] == 503
        assert not asked
    finally:
        await server.close(0)


def _at(port: int) -> Json:
    return {"service": registration("a", "v1", port)["spec"]["service"]}


def _now() -> datetime:
    return SystemClock().now()


async def test_claims_on_other_groups_are_ignored(made: Extended) -> None:
    groups = {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {"name": name},
                "versions": [{"version": "v1", "resources": [{"resource": "stolen"}]}],
            }
            for name in ("apps", "", "rbac.authorization.k8s.io", "new.example.com")
        ],
    }
    offer = told(groups, kind=AGGREGATED)
    made.extension.instead = lambda request: offer if request.path == "/apis" else None
    _, whole = await made.get("/apis", accept=AGGREGATED)
    assert "stolen" not in str(whole)
    assert "new.example.com" not in {item["metadata"]["name"] for item in whole["items"]}
    assert (await made.send("GET", "/apis/new.example.com/v1/stolen"))[0] == 404


async def test_claims_on_other_documents_are_ignored(made: Extended) -> None:
    named = {"apis/apps/v1": {"serverRelativeURL": "/evil?hash=1"}}
    made.extension.instead = lambda request: (
        told({"paths": named}) if request.path == "/openapi/v3" else None
    )
    _, index = await made.get("/openapi/v3")
    assert index["paths"]["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps")
    assert f"apis/{PLACE}" not in index["paths"]


async def test_a_server_that_sends_for_ever_is_cut_off(made: Extended) -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"x"
            await asyncio.sleep(0.005)

    made.extension.instead = lambda request: Response(200, {}, pieces())
    api = await made.until(lambda api: api.available)
    extensions = made.cluster.plane.server.aggregation.extensions
    answer = await proxied(extensions, api, Request("GET", NODES), User("a"), seconds=0.1)
    assert not isinstance(answer.body, bytes)
    with pytest.raises(ConnectionError):
        async for _ in answer.body:
            pass


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_http_answer_is_a_503(made: Extended, sent: bytes) -> None:
    async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.close()

    files = (made.certificates.cert_file, made.certificates.key_file)
    server = await asyncio.start_server(serving, "127.0.0.1", 0, ssl=server_context(*files))
    async with server:
        port = server.sockets[0].getsockname()[1]
        api = await made.until(lambda api: api.available)
        patch = {"spec": {"service": {"port": port}}}
        await made.cluster.client.merge(api.resource, api.metadata.name, "", patch)
        status, text = await made.send("GET", NODES)
    assert (status, text.split(":")[0].strip()) in (
        (503, "error trying to reach service"),
        (503, "service unavailable"),
    )


@pytest.mark.parametrize(
    "place", ["apps/v1", "rbac.authorization.k8s.io/v1", "apiregistration.k8s.io/v1"]
)
async def test_built_in_groups_are_not_taken_over(made: Extended, place: str) -> None:
    group, version = place.split("/")
    body = registration(group, version, made.port, caBundle=made.bundle)
    answer = await made.api.ask("POST", API_SERVICES, body)
    assert answer.status in (409, 422)
    local = await made.api.ask(
        "PATCH",
        f"{API_SERVICES}/{version}.{group}",
        {"spec": {"service": body["spec"]["service"]}},
        kind="application/merge-patch+json",
    )
    assert local.status in (404, 422)
    assert (await made.send("GET", f"/apis/{place}"))[0] == 200
    assert not made.extension.seen(f"/apis/{place}")
