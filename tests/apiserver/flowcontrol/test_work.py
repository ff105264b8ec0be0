"""How wide requests are."""

from collections.abc import AsyncGenerator

import pytest

from argosy.apiserver.authorization.attributes import Attributes, attributes_of
from argosy.apiserver.flowcontrol.work import Estimator, Watchers, tracked
from argosy.http.message import Request
from tests.apiserver.flowcontrol.kit import BOB

PODS = "/api/v1/namespaces/a/pods"


def asked(method: str = "GET", path: str = PODS, query: str = "") -> tuple[Request, Attributes]:
    request = Request(method, path, query)
    return request, attributes_of(request, BOB)


@pytest.mark.parametrize(
    ("query", "stored", "seats"),
    [
        ("", 0, 1),
        ("", 100, 1),
        ("", 101, 2),
        ("", 10**6, 10),
        ("limit=500", 10**6, 5),
        ("limit=500", 30, 1),
        ("limit=500&labelSelector=a%3Db", 10**6, 10),
        ("limit=500&fieldSelector=status.phase%3DRunning", 10**6, 10),
        ("limit=many", 10**6, 10),
        ("limit=%C2%B2", 10**6, 10),
        ("limit=99999999999999999999", 10**6, 10),
        ("fieldSelector=metadata.name%3Dp", 10**6, 1),
        ("watch=1", 1000, 10),
        ("watch=1&resourceVersion=0", 1000, 10),
        ("watch=1&resourceVersion=7", 1000, 1),
        ("watch=1&resourceVersion=7&sendInitialEvents=true", 1000, 10),
    ],
)
def test_what_reads_many_objects_is_wide(query: str, stored: int, seats: int) -> None:
    estimator = Estimator(lambda _: stored, Watchers())
    assert estimator.ticket(*asked(query=query), 10).most == seats


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{PODS}/p"), ("GET", "/version"), ("DELETE", PODS)]
)
def test_others_are_narrow(method: str, path: str) -> None:
    ticket = Estimator(lambda _: 10**6, Watchers()).ticket(*asked(method, path), 10)
    assert (ticket.most, ticket.lingers) == (1, 0)


async def _silent() -> AsyncGenerator[bytes, None]:
    yield b"begun"


@pytest.mark.parametrize(
    ("watches", "widest", "final", "lingers"),
    [
        (9, 10, 0, 0.0),
        (10, 10, 1, 0.005),
        (35, 10, 4, 0.005),
        (200, 10, 10, 0.01),
        (40, 2, 2, 0.01),
    ],
)
async def test_writes_linger_where_many_watch(
    watches: int, widest: int, final: int, lingers: float
) -> None:
    watchers = Watchers()
    open_ = []
    for number in range(watches):
        path = PODS if number % 2 else "/api/v1/pods"
        open_.append(watchers.counted(asked(path=path, query="watch=1")[1], _silent()))
        await anext(open_[-1])
    await anext(watchers.counted(asked(path="/api/v1/namespaces/b/pods")[1], _silent()))
    estimator = Estimator(lambda _: 0, watchers)
    ticket = estimator.ticket(*asked("POST"), widest)
    assert (ticket.seats, ticket.final) == (1, final)
    assert ticket.lingers == pytest.approx(lingers)
    token = "/api/v1/namespaces/a/serviceaccounts/s/token"
    assert estimator.ticket(*asked("POST", token), widest).lingers == 0
    for watch in open_:
        await watch.aclose()
    assert watchers.of(asked("POST")[1]) == 0


@pytest.mark.parametrize(
    ("path", "query", "counts"),
    [
        (PODS, "watch=1", True),
        (PODS, "watch=1&fieldSelector=spec.nodeName%3Dn", False),
        (PODS, "watch=1&fieldSelector=spec.nodeName!%3Dn", True),
        (PODS, "watch=1&fieldSelector=spec.nodeName%3D", True),
        ("/api/v1/nodes", "watch=1&fieldSelector=spec.nodeName%3Dn", True),
    ],
)
def test_watches_of_one_nodes_pods_do_not_count(path: str, query: str, counts: bool) -> None:
    assert tracked(asked(path=path, query=query)[1]) is counts
