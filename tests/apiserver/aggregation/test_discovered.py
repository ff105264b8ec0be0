"""Tests of what is remembered of extension servers, and of how long it takes to ask them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from argosy.apiserver.aggregation.discovered import Discovered, Known
from argosy.http.message import Request, Response
from argosy.testing.clock import FakeClock
from tests.apiserver.aggregation.kit import LIST, PLACE, ROOT, Extended, extended, told

GROUPS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": PLACE.partition("/")[0]},
            "versions": [{"version": "v1beta1", "resources": [{"resource": "nodes"}]}],
        }
    ],
}
KIND = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncGenerator[Extended]:
    async with extended(tmp_path) as found:
        yield found


async def known(made: Extended, discovered: Discovered) -> Known:
    (found,) = await discovered.of(made.cluster.plane.server.aggregation.registry.all)
    return found


def over(made: Extended, clock: FakeClock, seconds: float = 5.0) -> Discovered:
    return Discovered(made.cluster.plane.server.aggregation.extensions, clock, seconds)


async def test_everything_at_once_is_taken_where_it_is_offered(made: Extended) -> None:
    offer = told(GROUPS, kind=KIND)
    made.extension.instead = lambda request: offer if request.path == "/apis" else None
    found = await known(made, over(made, FakeClock()))
    assert (found.current, found.digest) == (True, "AB12")
    assert [item["resource"] for item in found.resources] == ["nodes"]


async def test_an_answer_counts_for_a_minute_and_a_failure_for_seconds(made: Extended) -> None:
    clock = FakeClock()
    discovered = over(made, clock)
    assert (await known(made, discovered)).current
    made.extension.instead = lambda request: Response(500)
    await clock.advance(59)
    assert (await known(made, discovered)).current
    await clock.advance(2)
    stale = await known(made, discovered)
    assert not stale.current
    assert [item["resource"] for item in stale.resources] == ["nodes", "pods"]
    made.extension.instead = None
    await clock.advance(9)
    assert not (await known(made, discovered)).current
    await clock.advance(2)
    assert (await known(made, discovered)).current


async def test_many_who_ask_at_once_ask_once(made: Extended) -> None:
    discovered = over(made, FakeClock())
    await asyncio.gather(*(known(made, discovered) for _ in range(5)))
    assert [len(made.extension.seen(path)) for path in ("/apis", "/openapi/v3")] == [1, 1]


async def test_a_silent_server_costs_a_bounded_time(made: Extended) -> None:
    made.extension.silent = True
    found = await known(made, over(made, FakeClock(), 0.05))
    assert found.resources == ()
    assert not found.current


def endless(request: Request) -> Response:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b'{"items": ['
        while True:
            yield b"{}," * 65536

    return Response(200, {"content-type": KIND}, pieces())


@pytest.mark.parametrize(
    "instead",
    [
        endless,
        lambda request: Response(200, {"content-type": KIND}, b"<html>"),
        lambda request: Response(200, {"content-type": KIND}, b'{"items":' + b"[" * 100_000),
        lambda request: told({**LIST, "groupVersion": "apps/v1"}),
        lambda request: Response(302, {"location": f"https://localhost{ROOT}"}),
    ],
)
async def test_what_is_no_answer_is_not_taken(made: Extended, instead: object) -> None:
    assert callable(instead)
    made.extension.instead = instead
    found = await known(made, over(made, FakeClock()))
    assert found.resources == ()
    assert not found.current
