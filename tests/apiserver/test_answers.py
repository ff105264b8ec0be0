"""Attempts that break off for an answer, and are made again."""

import asyncio
from collections.abc import Callable

import pytest

from argosy.apiserver.answers import ASLEEP, MOST_TRIES, Answers, Ask, Unanswered, answered
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError
from argosy.testing.clock import FakeClock


def asking(asker: str, about: object, seen: list[object]) -> Ask:
    """A question whose answer is what it is about, in capitals."""

    async def ask() -> str:
        seen.append(about)
        await asyncio.sleep(0)
        return str(about).upper()

    return Ask(asker, about, ask)


async def test_an_attempt_is_made_again_with_the_answers() -> None:
    answers, seen = Answers(), list[object]()
    attempts = 0

    async def attempt() -> list[str]:
        nonlocal attempts
        attempts += 1
        first = answers.need(asking("a", "one", seen))
        return [*first, *answers.need(asking("b", "two", seen), asking("c", "three", seen))]

    assert await answered(attempt, answers, [], []) == ["ONE", "TWO", "THREE"]
    assert (attempts, seen) == (3, ["one", "two", "three"])


async def test_who_wants_to_know_is_told_of_waits_for_others() -> None:
    answers, told = Answers(), list[object]()
    token = ASLEEP.set(told.append)

    async def attempt() -> list[str]:
        return answers.need(asking("a", "one", told))

    await answered(attempt, answers, [], [])
    ASLEEP.reset(token)
    assert told == [True, "one", False]


async def test_what_changed_is_asked_about_anew_and_not_for_ever() -> None:
    answers, seen = Answers(), list[object]()
    version = 0

    async def attempt() -> list[str]:
        nonlocal version
        version += 1
        return answers.need(asking("a", version, seen))

    with pytest.raises(StatusError, match="the object has been modified") as caught:
        await answered(attempt, answers, [], [])
    assert caught.value.code == 409
    assert seen == list(range(1, MOST_TRIES + 1))


async def test_an_attempt_that_breaks_off_leaves_nothing() -> None:
    answers, seen = Answers(), list[object]()
    warnings = ["before"]
    released = list[str]()
    afterwards: list[Callable[[], None]] = [lambda: released.append("before")]

    async def attempt() -> str:
        warnings.append("told")
        afterwards.append(lambda: released.append("held"))
        answers.need(asking("a", "one", seen))
        return "done"

    assert await answered(attempt, answers, warnings, afterwards) == "done"
    assert warnings == ["before", "told"]
    assert released == ["held"]
    assert len(afterwards) == 2


async def test_a_refusal_ends_the_call() -> None:
    async def refuse() -> None:
        raise StatusError(403, "Forbidden", "no")

    answers = Answers()

    async def attempt() -> None:
        answers.need(Ask("a", 1, refuse))

    with pytest.raises(StatusError, match="no"):
        await answered(attempt, answers, [], [])


def test_what_is_made_up_stays() -> None:
    answers = Answers()
    numbers = iter(range(9))
    assert [answers.once("n", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    assert answers.once("other", lambda: next(numbers)) == 1


def test_unanswered_names_who_asks() -> None:
    with pytest.raises(Unanswered, match="a") as caught:
        Answers().need(asking("a", 1, []))
    assert [ask.asker for ask in caught.value.asks] == ["a"]


async def test_time_stands_from_the_second_attempt_on() -> None:
    clock, answers = FakeClock(), Answers()
    assert answers.clock(clock) is clock
    made = answers.once("creationTimestamp", lambda: timestamp(clock.now()))
    assert (answers.made("creationTimestamp"), answers.made("name")) == (made, None)
    seen: list[object] = []
    with pytest.raises(Unanswered) as broken:
        answers.need(asking("a", 1, seen))
    await answers.fill(broken.value)
    began = clock.monotonic()
    await clock.advance(90)
    still = answers.clock(clock)
    assert timestamp(still.now()) == made
    assert still.monotonic() == began + 90
    assert answers.clock(clock) is still
