"""Probes: thresholds by tables, times by a fake clock, requests to a real server."""

import asyncio
from collections.abc import Iterator

import pytest

from argosy.api.core import Container, ContainerPort, HTTPGet, Probe, TCPSocket
from argosy.node.prober import Tally, checker, count, watch
from argosy.testing.clock import FakeClock, settle


@pytest.mark.parametrize(
    ("results", "verdicts"),
    [
        ("+", "+"),
        ("-", "?"),
        ("--", "-"),
        ("-+-", "?++"),
        ("+--+", "++-+"),
    ],
)
def test_thresholds(results: str, verdicts: str) -> None:
    probe = Probe(failure_threshold=2)
    tally, found = Tally(), ""
    for result in results:
        tally = count(tally, result == "+", probe)
        found += {True: "+", False: "-", None: "?"}[tally.verdict]
    assert found[-len(verdicts) :] == verdicts


def test_successes_in_a_row() -> None:
    probe = Probe(success_threshold=2)
    tally = count(Tally(), True, probe)
    assert tally.verdict is None
    assert count(count(tally, False, probe), True, probe).verdict is None
    assert count(tally, True, probe).verdict is True


async def run_probes(container: Container, answers: Iterator[str], seconds: float) -> list[str]:
    clock = FakeClock()
    told: list[str] = []

    async def check(probe: Probe) -> str:
        return next(answers)

    def report(kind: str, good: bool, failure: str) -> None:
        told.append(f"{clock.monotonic():g} {kind} {good} {failure}".strip())

    task = asyncio.create_task(watch(container, check, clock, report))
    await settle()
    await clock.advance(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return told


async def test_verdicts_are_told_when_they_change() -> None:
    probe = Probe(initial_delay_seconds=5, period_seconds=10, failure_threshold=2)
    answers = iter(["no", "", "", "no", "no", "no", ""])
    told = await run_probes(Container(name="c", readiness_probe=probe), answers, 70)
    assert told == ["15 Readiness True", "45 Readiness False no", "65 Readiness True"]


async def test_a_startup_probe_holds_the_others_back() -> None:
    slow = Probe(period_seconds=10, failure_threshold=3)
    container = Container(name="c", startup_probe=slow, liveness_probe=Probe(failure_threshold=1))
    told = await run_probes(container, iter(["no", "no", "", "dead", "dead"]), 35)
    assert told == ["20 Startup True", "20 Liveness False dead"]


async def test_a_startup_probe_gives_up() -> None:
    container = Container(name="c", startup_probe=Probe(period_seconds=1, failure_threshold=2))
    assert await run_probes(container, iter(["no"] * 9), 3) == ["1 Startup False no"]


async def serve(answer: bytes) -> tuple[asyncio.Server, int, list[bytes]]:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], seen


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\n\r\n", ""),
        (b"HTTP/1.1 503 No\r\n\r\n", "HTTP probe failed with statuscode: 503"),
        (b"SSH-2.0\r\n", "the answer is not HTTP"),
        (b"", "the answer is not HTTP"),
    ],
)
async def test_http(answer: bytes, failure: str) -> None:
    server, port, seen = await serve(answer)
    container = Container(name="c", ports=(ContainerPort(container_port=port, name="web"),))
    check = checker(container, "127.0.0.1")
    assert await check(Probe(http_get=HTTPGet(port="web", path="/a b\r\nX: y"))) == failure
    assert seen[0].startswith(b"GET /a%20b%0D%0AX:%20y HTTP/1.1\r\n")
    server.close()
    await server.wait_closed()


async def test_tcp() -> None:
    server, port, _ = await serve(b"")
    check = checker(Container(name="c"), "127.0.0.1")
    assert await check(Probe(tcp_socket=TCPSocket(port=port))) == ""
    server.close()
    await server.wait_closed()
    assert "127.0.0.1" in await check(Probe(tcp_socket=TCPSocket(port=port)))
    assert "no port named 'x'" in await check(Probe(tcp_socket=TCPSocket(port="x")))
