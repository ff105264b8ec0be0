"""The fence: by which clock it closes, and what passes it."""

from datetime import datetime, timedelta

import pytest

from argosy.client.fence import Fence, Fenced, FencedError
from argosy.http.message import Request, Response
from argosy.testing.clock import FakeClock


class Jumpy(FakeClock):
    """A clock whose wall time can be set, and that can sleep."""

    jump = 0.0
    slept = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.jump)

    def monotonic(self) -> float:
        return super().monotonic() - self.slept


class Wire:
    """Answers, or breaks off."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.broken = False

    async def send(self, request: Request) -> Response:
        self.seen.append(request.method)
        if self.broken:
            raise ConnectionError("broke off")
        return Response(200, {}, b"{}")

    async def close(self) -> None:
        self.seen.append("closed")


def request(method: str) -> Request:
    return Request(method, "/api/v1/namespaces", "", {}, b"")


async def test_a_fence_is_closed_at_first_and_after_its_seconds() -> None:
    clock = Jumpy()
    fence = Fence(clock)
    assert fence.left == 0
    fence.extend(fence.moment(), 10)
    await clock.advance(9)
    assert fence.left == 1
    await clock.advance(1)
    assert fence.left == 0


@pytest.mark.parametrize(
    "slept, jump, left",
    [
        (0, 0, 6),
        (0, 5, 1),
        (0, 50, 0),  # set forwards: better closed than open too long
        (0, -50, 6),  # set back: the other one decides
        (4, 0, 6),  # the machine slept, so that only the wall clock went on
    ],
)
async def test_the_clock_that_went_further_decides(slept: float, jump: float, left: float) -> None:
    clock = Jumpy()
    fence = Fence(clock)
    fence.extend(fence.moment(), 10)
    await clock.advance(4)
    clock.slept, clock.jump = slept, jump
    assert fence.left == left


async def test_reads_pass_a_closed_fence_and_writes_do_not() -> None:
    wire, clock = Wire(), Jumpy()
    fenced = Fenced(wire, Fence(clock))
    for method in ("GET", "HEAD", "OPTIONS"):
        await fenced.send(request(method))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(FencedError):
            await fenced.send(request(method))
    assert wire.seen == ["GET", "HEAD", "OPTIONS"]
    fenced.fence.extend(fenced.fence.moment(), 1)
    await fenced.send(request("POST"))
    fenced.fence.close()
    with pytest.raises(FencedError):
        await fenced.send(request("POST"))
    await fenced.close()
    assert wire.seen[3:] == ["POST", "closed"]


async def test_a_write_that_broke_off_is_remembered_for_a_while() -> None:
    wire, clock = Wire(), Jumpy()
    fenced = Fenced(wire, Fence(clock))
    fenced.fence.extend(fenced.fence.moment(), 60)
    wire.broken = True
    with pytest.raises(ConnectionError):
        await fenced.send(request("GET"))
    assert fenced.fence.quiet(5)
    with pytest.raises(ConnectionError):
        await fenced.send(request("POST"))
    assert not fenced.fence.quiet(5)
    await clock.advance(5)
    assert fenced.fence.quiet(5)
