"""Bad ways to a server: each fault by itself, at its worst."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec
import pytest

from argosy.http.message import Request, Response
from argosy.testing.faults import CALM, Faults, Faulty
from argosy.testing.simulation import SimulatedLoop

T = TypeVar("T")
WATCH = Request("GET", "/things", "watch=true")


@dataclass
class Server:
    """Counts what it is asked for; its watches tell five lines, a second apart."""

    seen: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    closed: int = 0

    async def send(self, request: Request) -> Response:
        self.seen[request.method] += 1
        if request is WATCH:
            return Response(200, {}, self._lines())
        await asyncio.sleep(1)
        self.done[request.method] += 1
        return Response(200, {}, b"{}")

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(5):
                yield b'{"n":%d}\n' % number
                await asyncio.sleep(1)
        finally:
            self.closed += 1

    async def close(self) -> None:
        self.closed += 1


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(1)) as runner:
        return runner.run(main)


def bad(**faults: float) -> tuple[Faulty, Server]:
    server = Server()
    return Faulty(server, Random(1), Faults(**faults)), server


async def read(way: Faulty) -> bytes:
    body = (await way.send(WATCH)).body
    assert not isinstance(body, bytes)
    return b"".join([piece async for piece in body])


@pytest.mark.parametrize(
    ("method", "faults", "status", "done"),
    [
        ("POST", {}, 200, 1),
        ("POST", {"delay": 3.0}, 200, 1),
        ("POST", {"lost_request": 1.0}, 0, 0),
        ("POST", {"repeated": 1.0}, 200, 1),
        ("PATCH", {"repeated": 1.0}, 200, 1),
        ("PUT", {"repeated": 1.0}, 200, 2),
        ("DELETE", {"repeated": 1.0}, 200, 2),
        ("PUT", {"conflict": 1.0}, 409, 0),
        ("PATCH", {"conflict": 1.0}, 409, 0),
        ("DELETE", {"conflict": 1.0}, 200, 1),
    ],
)
def test_a_request(method: str, faults: dict[str, float], status: int, done: int) -> None:
    async def main() -> tuple[int, int]:
        way, server = bad(**faults)
        try:
            answer = (await way.send(Request(method, "/things"))).status
        except ConnectionError:
            answer = 0
        return answer, server.done[method]

    assert run(main()) == (status, done)


def test_answers_are_lost_after_the_work_was_done_and_refusals_come_before() -> None:
    async def main(**faults: float) -> tuple[set[int], int]:
        way, server = bad(**faults)
        told = set()
        for _ in range(60):
            try:
                answer = await way.send(Request("POST", "/things"))
            except ConnectionError:
                told.add(0)
            else:
                assert isinstance(answer.body, bytes)
                assert msgspec.json.decode(answer.body)["code"] == answer.status
                told.add(answer.status)
        return told, server.done["POST"]

    assert run(main(lost_answer=1.0)) == ({0, 504}, 60)
    assert run(main(refused=1.0)) == ({429, 500, 503, 504}, 0)


def test_what_was_sent_is_carried_out_without_its_sender() -> None:
    async def main() -> int:
        way, server = bad()
        task = asyncio.ensure_future(way.send(Request("POST", "/things")))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.sleep(5)
        return server.done["POST"]

    assert run(main()) == 1


def test_a_server_that_dies_leaves_its_work_half_done() -> None:
    async def main() -> None:
        way, server = bad()
        task = asyncio.ensure_future(way.send(Request("POST", "/things")))
        watch = asyncio.ensure_future(read(way))
        await asyncio.sleep(0.5)
        way.crash()
        for one in (task, watch):
            with pytest.raises(ConnectionError):
                await one
        await asyncio.sleep(5)
        assert (server.seen["POST"], server.done["POST"], server.closed) == (1, 0, 1)
        await way.close()
        assert server.closed == 2

    run(main())


def test_a_watch_that_is_well_or_lags_tells_all() -> None:
    whole = b"".join(b'{"n":%d}\n' % number for number in range(5))

    async def main(**faults: float) -> float:
        way, server = bad(**faults)
        assert await read(way) == whole
        assert server.closed == 1
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(5)
    assert run(main(lag=30.0)) > 5


def test_a_watch_is_cut_or_expires() -> None:
    async def main() -> None:
        way, server = bad(cut=1.0)
        with pytest.raises(ConnectionError):
            await read(way)
        way.faults = Faults(expired=1.0)
        told = msgspec.json.decode(await read(way))
        assert (told["type"], told["object"]["code"]) == ("ERROR", 410)
        way.faults = CALM
        reading = asyncio.ensure_future(read(way))
        await asyncio.sleep(1.5)
        way.sever()
        with pytest.raises(ConnectionError):
            await reading
        assert server.closed == 3

    run(main())
