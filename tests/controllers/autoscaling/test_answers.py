"""Answers that many need, asked for once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.autoscaling.answers import FRESH, AnswerError, Answers, told
from argosy.http.message import Request, Response
from argosy.testing.clock import FakeClock, settle


@dataclass
class Slow:
    """A transport that answers after a second; `answer` makes the answer."""

    clock: FakeClock
    answer: Callable[[Request], Response]
    asked: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.asked.append(f"{request.path}?{request.query}")
        await self.clock.sleep(1.0)
        return self.answer(request)

    async def close(self) -> None:
        """There is nothing to let go of."""


def asking(answer: Callable[[Request], Response]) -> tuple[FakeClock, Slow, Answers]:
    clock = FakeClock()
    slow = Slow(clock, answer)
    return clock, slow, Answers(Client(slow), clock)


def good(request: Request) -> Response:
    return Response(200, {}, b"7")


async def test_who_asks_at_once_gets_one_answer() -> None:
    clock, slow, answers = asking(good)
    waiting = [asyncio.ensure_future(answers.get("/a", int)) for _ in range(5)]
    other = asyncio.ensure_future(answers.get("/a", int, {"labelSelector": "a"}))
    await clock.advance(1.0)
    assert await asyncio.gather(*waiting, other) == [7] * 6
    assert slow.asked == ["/a?", "/a?labelSelector=a"]
    assert await answers.get("/a", int) == 7
    assert len(slow.asked) == 2


async def test_an_answer_grows_old() -> None:
    clock, slow, answers = asking(good)
    for expected in (1, 1, 2):
        waiting = asyncio.ensure_future(answers.get("/a", int))
        await clock.advance(1.0)
        assert await waiting == 7
        assert len(slow.asked) == expected
        await clock.advance(FRESH / 2)


async def test_errors_are_shared_too() -> None:
    clock, slow, answers = asking(lambda _: Response(404, {}, b"404 page not found\n"))
    waiting = [asyncio.ensure_future(answers.get("/a", int, called="as.b")) for _ in range(3)]
    await clock.advance(1.0)
    texts = {str(one) for one in await asyncio.gather(*waiting, return_exceptions=True)}
    assert texts == {"the server could not find the requested resource (get as.b)"}
    assert len(slow.asked) == 1


async def test_who_gives_up_leaves_the_question_to_the_next() -> None:
    clock, slow, answers = asking(good)
    first = asyncio.ensure_future(answers.get("/a", int))
    second = asyncio.ensure_future(answers.get("/a", int))
    await settle()
    first.cancel()
    await clock.advance(1.0)
    assert await second == 7
    assert len(slow.asked) == 2


async def test_what_is_old_is_forgotten() -> None:
    clock, _, answers = asking(good)
    for i in range(20):
        waiting = asyncio.ensure_future(answers.get(f"/{i}", int))
        await clock.advance(1.0)
        await waiting
    assert len(answers._known) <= 2 * FRESH + 1


async def test_an_answer_that_makes_no_sense() -> None:
    clock, _, answers = asking(lambda _: Response(200, {}, b"seven"))
    waiting = asyncio.ensure_future(answers.get("/a", int))
    await clock.advance(1.0)
    with pytest.raises(AnswerError, match="decoding the answer of /a"):
        await waiting


@pytest.mark.parametrize(
    "code, message, expected",
    [
        (404, "404 page not found\n", "the server could not find the requested resource (get x)"),
        (
            503,
            "service unavailable",
            "the server is currently unable to handle the request (get x)",
        ),
        (404, "no such metric", "no such metric"),
        (403, "no", "no"),
    ],
)
def test_words(code: int, message: str, expected: str) -> None:
    assert told(StatusError(code, "", message), "x") == expected
