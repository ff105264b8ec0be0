"""Tests of requests on their way to an extension server, and of its answers on their way back."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from argosy.api.resources.core import SERVICE
from argosy.api.resources.extensions import API_SERVICE
from argosy.apiserver.aggregation.proxy import lasts, proxied
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response
from tests.apiserver.aggregation.kit import (
    GROUP,
    NODES,
    ROOT,
    SERVICE_NAME,
    VERSION,
    Extended,
    extended,
)

NAME = f"{VERSION}.{GROUP}"


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncGenerator[Extended]:
    async with extended(tmp_path) as found:
        yield found


async def test_who_asks_is_told(made: Extended) -> None:
    claims = {"impersonate-user": "eve", "impersonate-group": "spies", "impersonate-uid": "7"}
    answer = await made.api.ask(
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": "eve"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "v",
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}],
        },
    )
    assert answer.status == 201
    assert (await made.send("GET", NODES, **claims))[0] == 403  # this server decides first
    await made.api.ask(
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        {
            "metadata": {"name": "v"},
            "rules": [{"apiGroups": [GROUP], "resources": ["nodes"], "verbs": ["list"]}],
        },
    )
    assert (await made.send("GET", NODES, **claims))[0] == 200
    (seen,) = made.extension.seen(NODES)
    assert seen.headers["x-remote-user"] == "eve"
    assert seen.headers["x-remote-uid"] == "7"
    assert set(seen.values("x-remote-group")) == {"spies", "system:authenticated"}
    assert not any(name.startswith("impersonate-") for name in seen.headers)
    assert seen.headers["host"].startswith(f"{SERVICE_NAME}.kube-system.svc:")


async def test_queries_methods_and_bodies_go_through(made: Extended) -> None:
    made.extension.instead = lambda request: Response(201, {"x-mine": "yes"}, request.body)
    user = User("eve")
    api = await made.until(lambda api: api.available)
    request = Request("PATCH", f"{NODES}/a", "fieldManager=me&x=%2F", {}, b'{"a": 1}')
    server = made.cluster.plane.server.aggregation
    answer = await server.answer(request, user, api)
    assert (answer.status, answer.headers["x-mine"]) == (201, "yes")
    assert not isinstance(answer.body, bytes)
    assert b"".join([piece async for piece in answer.body]) == b'{"a": 1}'
    (seen,) = made.extension.seen(f"{NODES}/a")
    assert (seen.method, seen.query) == ("PATCH", "fieldManager=me&x=%2F")


async def test_what_is_away_answers_503_in_plain_words(made: Extended) -> None:
    await made.cluster.client.delete(SERVICE, SERVICE_NAME, "kube-system")
    await made.until(lambda api: not api.available)
    assert await made.send("GET", NODES) == (503, "service unavailable\n")


async def test_a_server_that_just_went_answers_503_too(made: Extended) -> None:
    api = await made.until(lambda api: api.available)
    patch = {"spec": {"service": {"port": 1}}}
    await made.cluster.client.merge(API_SERVICE, NAME, "", patch)
    status, text = await made.send("GET", NODES)
    assert status == 503
    assert text.startswith(("error trying to reach service: ", "service unavailable"))
    assert api.available


async def test_no_bundle_at_all_is_told(made: Extended) -> None:
    patch = {"spec": {"caBundle": "bm9uZQ=="}}
    await made.cluster.client.merge(API_SERVICE, NAME, "", patch)
    status, text = await made.send("GET", NODES)
    assert status in (500, 503)
    assert "unable to load root certificates" in text or text == "service unavailable\n"


async def test_an_answer_that_never_comes_ends(made: Extended) -> None:
    made.extension.silent = True
    api = await made.until(lambda api: api.available)
    extensions = made.cluster.plane.server.aggregation.extensions
    with pytest.raises(StatusError, match="allotted timeout") as caught:
        await proxied(extensions, api, Request("GET", NODES), User("eve"), seconds=0.05)
    assert (caught.value.code, caught.value.reason) == (504, "Timeout")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (NODES, False),
        (f"{NODES}?watch=true", True),
        (f"{NODES}?watch=false", False),
        (f"{NODES}?watch=0", False),
        (f"{NODES}/a/log", True),
        (f"{ROOT}/namespaces/a/pods/b/exec", True),
        (f"{ROOT}/namespaces/a/pods/b/status", False),
        (f"{ROOT}/namespaces/a/pods/proxy", False),
        (f"{ROOT}/namespaces/log", False),
    ],
)
def test_some_answers_are_meant_to_last(target: str, expected: bool) -> None:
    path, _, query = target.partition("?")
    assert lasts(Request("GET", path, query)) is expected
