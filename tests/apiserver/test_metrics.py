"""Tests of what is counted of requests."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import pytest

from argosy.api.builtin import load
from argosy.api.kinds import RESOURCES
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.metrics import ABORTED, InFlight, Metrics
from argosy.apiserver.request import Call, Target, User
from argosy.apiserver.verbs.watch import PIECE
from argosy.base.errors import not_found
from argosy.http.message import Request, Response
from argosy.store.interface import StoreUnavailableError
from argosy.testing.clock import FakeClock

PODS = Catalog(RESOURCES, (), load()).find("", "v1", "pods")


def call(
    method: str = "GET",
    name: str = "it",
    below: str = "",
    query: Mapping[str, str] | None = None,
    kind: str = "",
) -> Call:
    headers = {"content-type": kind} if kind else {}
    target = Target(PODS, "default", name, below)
    return Call(Request(method, "/", headers=headers), User("me"), target, query or {})


async def answer(body: bytes = b"", status: int = 200) -> Response:
    return Response(status, {}, body)


async def test_requests_of_a_kind_are_counted_together() -> None:
    metrics = Metrics(FakeClock())
    for name in ("a", "b", "c"):
        await metrics.counted(call(name=name), answer(b"x" * 1500))
    (series,) = metrics.series.values()
    assert (series.code, sum(series.durations), series.bytes) == (200, 3, 4500)
    assert series.sizes[1] == 3  # above 1,000 bytes
    assert series.durations[0] == 3


async def test_a_request_takes_its_time() -> None:
    clock = FakeClock()
    metrics = Metrics(clock)

    async def slow() -> Response:
        await clock.sleep(0.3)
        return Response(200)

    task = asyncio.create_task(metrics.counted(call(), slow()))
    await clock.advance(1)
    await task
    (series,) = metrics.series.values()
    assert series.seconds == pytest.approx(0.3)
    assert series.durations[5] == 1  # up to 0.4


@pytest.mark.parametrize(
    "error, code",
    [
        (not_found("pods", "it"), 404),
        (StoreUnavailableError("full"), 503),
        (RuntimeError("no"), 500),
        (asyncio.CancelledError(), ABORTED),
    ],
)
async def test_failures_are_counted_and_passed_on(error: BaseException, code: int) -> None:
    metrics = Metrics(FakeClock())

    async def fail() -> Response:
        raise error

    with pytest.raises(type(error)):
        await metrics.counted(call(), fail())
    assert [series.code for series in metrics.series.values()] == [code]
    assert metrics.reading.most(0) == 1


@pytest.mark.parametrize(
    "one, special, dry_run, validation",
    [
        (call(), "", "", ""),
        (call(query={"watch": "1"}), "WATCH", "", ""),
        (call(query={"watch": "false"}), "", "", ""),
        (call("PATCH", kind="application/apply-patch+yaml"), "APPLY", "", ""),
        (call("PATCH", kind="application/merge-patch+json"), "", "", ""),
        (call("POST", query={"dryRun": "All", "fieldValidation": "Warn"}), "", "All", "Warn"),
        (call("POST", query={"dryRun": "x" * 99, "fieldValidation": "y"}), "", *["invalid"] * 2),
    ],
)
async def test_what_is_asked_tells_requests_apart(
    one: Call, special: str, dry_run: str, validation: str
) -> None:
    metrics = Metrics(FakeClock())
    await metrics.counted(one, answer())
    (series,) = metrics.series.values()
    kind = series.kind
    assert (kind.special, kind.dry_run, kind.field_validation) == (special, dry_run, validation)


async def test_any_path_below_a_proxy_is_one() -> None:
    metrics = Metrics(FakeClock())
    for path in ("proxy", "proxy/a", "proxy/b/c"):
        await metrics.counted(call(below=path), answer())
    (series,) = metrics.series.values()
    assert (series.kind.subresource, sum(series.durations)) == ("proxy", 3)


async def events() -> AsyncGenerator[bytes, None]:
    yield b"x" * 99 + b"\n" + b"x" * 99 + b"\n"
    yield b"y" * 1999 + b"\n"


@pytest.mark.parametrize(
    "query, initial",
    [
        ({"watch": "1"}, 2),
        ({"watch": "1", "resourceVersion": "7"}, 0),
        ({"watch": "1", "resourceVersion": "7", "sendInitialEvents": "true"}, 2),
    ],
)
async def test_a_watch_is_open_until_it_is_counted(query: Mapping[str, str], initial: int) -> None:
    metrics = Metrics(FakeClock())
    watch = call(name="", query=query)

    async def begin() -> Response:
        return Response(200, {}, events())

    response = await metrics.counted(watch, begin())
    assert metrics.series == {} and metrics.reading.most(0) == 1
    assert not isinstance(response.body, bytes)
    assert (await anext(response.body)).startswith(b"x")
    assert list(metrics.open.values()) == [1]
    assert len([piece async for piece in response.body]) == 1
    assert list(metrics.open.values()) == [0]
    (series,) = metrics.series.values()
    assert (series.kind.special, series.bytes) == ("WATCH", 2200)
    (sent,) = metrics.events.values()
    assert (sent.initial, sent.sizes[0], sent.sizes[1], sent.bytes) == (initial, 2, 1, 2200)


async def test_a_watch_that_is_given_up_is_closed_and_counted() -> None:
    metrics = Metrics(FakeClock())
    closed: list[str] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"\n"
        finally:
            closed.append("yes")

    async def begin() -> Response:
        return Response(200, {}, endless())

    response = await metrics.counted(call(query={"watch": "1"}), begin())
    assert not isinstance(response.body, bytes)
    await anext(response.body)
    await response.body.aclose()
    assert closed == ["yes"]
    assert [series.code for series in metrics.series.values()] == [200]


def test_in_flight_is_the_most_of_the_last_second() -> None:
    flight = InFlight()
    for _ in range(3):
        flight.enter(0.1)
    for _ in range(3):
        flight.leave()
    assert flight.most(0.9) == 3
    flight.enter(1.2)
    assert flight.most(1.5) == 3
    assert flight.most(2.6) == 1
    flight.leave()
    assert flight.most(60.0) == 0


async def test_the_first_state_may_come_in_pieces() -> None:
    async def large() -> AsyncGenerator[bytes, None]:
        yield b"x" * PIECE + b"\n"
        yield b"x\n"
        yield b"later\n"

    async def begin() -> Response:
        return Response(200, {}, large())

    metrics = Metrics(FakeClock())
    response = await metrics.counted(call(query={"watch": "1"}), begin())
    assert not isinstance(response.body, bytes)
    assert len([piece async for piece in response.body]) == 3
    (sent,) = metrics.events.values()
    assert (sent.initial, sum(sent.sizes)) == (2, 3)
