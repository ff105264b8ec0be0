"""Who is governed, and by whom."""

import asyncio

import pytest

from argosy.apiserver.flowcontrol.governor import Bounds, Governor
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.cluster.server import memory_store
from argosy.http.message import Request, Response
from argosy.testing.clock import FakeClock, settle
from tests.apiserver.flowcontrol.kit import BOB, Served, catalog
from tests.apiserver.kit import Api, path

MASTER = User("root", ("system:masters",))
TEST = {"impersonate-user": "bob", "impersonate-group": "system:authenticated"}


def governor(bounds: Bounds) -> Governor:
    return Governor(memory_store(), catalog(), FakeClock(), bounds)


@pytest.mark.parametrize(
    ("method", "query", "refused"),
    [("GET", "", True), ("POST", "", False), ("GET", "watch=1", False)],
)
async def test_without_fairness_the_sum_is_bounded(method: str, query: str, refused: bool) -> None:
    governed = governor(Bounds(reading=2, writing=1, fair=False))
    served = Served()
    path = "/api/v1/namespaces/a/pods"
    tasks = [
        asyncio.create_task(governed.governed(Request("GET", path), BOB, served)) for _ in range(2)
    ]
    await settle()
    last = asyncio.create_task(governed.governed(Request(method, path, query), BOB, served))
    await settle()
    served.open.set()
    await asyncio.gather(*tasks)
    if refused:
        with pytest.raises(StatusError, match="Too many requests") as caught:
            await last
        assert caught.value.code == 429
    else:
        answer = await last
        assert answer.status == 200
        if not isinstance(answer.body, bytes):
            await answer.body.aclose()
    again = await governed.governed(Request("GET", path), BOB, served)
    assert again.status == 200
    assert list(governed.families()) == []


async def test_no_bound_is_no_bound() -> None:
    governed = governor(Bounds(reading=0, writing=0, fair=False))
    served = Served()
    tasks = [
        asyncio.create_task(governed.governed(Request("GET", "/api/v1/pods"), BOB, served))
        for _ in range(50)
    ]
    await settle()
    assert len(served.running) == 50
    served.open.set()
    assert {answer.status for answer in await asyncio.gather(*tasks)} == {200}


async def test_masters_pass_and_are_not_even_counted(api: Api) -> None:
    assert (await api.get("/api/v1/pods")).status == 200
    assert list(api.cluster.plane.server.governor.families()) == []
    answer = await api.ask("GET", "/api/v1/pods", headers=TEST)
    assert answer.status == 403  # after it had found its seat
    assert list(api.cluster.plane.server.governor.families()) != []


async def test_answers_name_schemas_that_are_stored(api: Api) -> None:
    base = "/apis/flowcontrol.apiserver.k8s.io/v1"
    limited = {
        "nominalConcurrencyShares": 5,
        "limitResponse": {"type": "Reject"},
    }
    level = {"metadata": {"name": "mine"}, "spec": {"type": "Limited", "limited": limited}}
    made = await api.ask("POST", f"{base}/prioritylevelconfigurations", level)
    assert made.status == 201, made.body
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "bob"}}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/version"]}],
    }
    spec = {
        "priorityLevelConfiguration": {"name": "mine"},
        "matchingPrecedence": 50,
        "rules": [rule],
    }
    schema = await api.ask("POST", f"{base}/flowschemas", {"metadata": {"name": "s"}, "spec": spec})
    assert schema.status == 201, schema.body
    answer = await api.ask("GET", "/version", headers=TEST)
    assert answer.status == 200
    assert answer.headers["x-kubernetes-pf-flowschema-uid"] == schema.meta["uid"]
    assert answer.headers["x-kubernetes-pf-prioritylevel-uid"] == made.meta["uid"]
    assert (await api.get(path("Pod"))).status == 200


async def test_an_answer_is_what_was_served() -> None:
    governed = governor(Bounds())

    async def serve(request: Request, user: User) -> Response:
        return Response(200, {"content-type": "text/plain"}, f"{user.name} {request.path}".encode())

    answer = await governed.governed(Request("GET", "/version"), BOB, serve)
    assert answer.body == b"bob /version"
