"""What a request must wait for although the step that needs it can't: the answers of others.

Admission rules and conversions run inside the store's write, where nothing may wait. One that needs
to know what another server says asks `Answers.need`: a known answer is given at once, for any other
the attempt ends with `Unanswered`. Nothing was written then. Whoever began the attempt waits for
the answers, keeps them for the rest of the call, and tries again on what is stored by then (see
`answered`). What is asked about is part of the key: an object that changed meanwhile is asked about
anew. What an attempt makes up (a uid, a name, a moment) stays the same in the next: see `once`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from argosy.base.clock import Clock, parse_timestamp
from argosy.base.errors import StatusError

T = TypeVar("T")
MOST_TRIES: Final = 8
"""How often one and the same server is asked in one call, because the object changed meanwhile."""
ASLEEP: ContextVar[Callable[[bool], None] | None] = ContextVar("ASLEEP", default=None)
"""Who wants to know that the call waits for other servers (True), or does not any more."""
BUSY: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: who asks, about exactly what, and how the answer is got.

    `ask` may raise StatusError, which is then the answer to the whole call.
    """

    asker: str
    about: Hashable
    ask: Callable[[], Awaitable[Any]]


class Unanswered(Exception):
    """The attempt can't go on before these are answered."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        super().__init__(*(ask.asker for ask in asks))
        self.asks = tuple(asks)


@dataclass(slots=True)
class Answers:
    """What was answered during one call."""

    _known: dict[tuple[str, Hashable], Any] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)

    def need(self, *asks: Ask) -> list[Any]:
        """Their answers, in order. Raises Unanswered for those that are not known yet.

        Questions of one `need` are asked at the same time.
        """
        if missing := [ask for ask in asks if (ask.asker, ask.about) not in self._known]:
            raise Unanswered(missing)
        return [self._known[ask.asker, ask.about] for ask in asks]

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gave the first time."""
        key = ("", name)
        if key not in self._known:
            self._known[key] = make()
        known: T = self._known[key]
        return known

    def clock(self, clock: Clock) -> Clock:
        """`clock`; once something was asked, one that stands: an attempt that is made anew asks
        about the same moment, or it would ask for ever.
        """
        return self.once("clock", lambda: _stopped(clock, self)) if self._asked else clock

    def made(self, name: str) -> Any:
        """What was made `once`; None where nothing was."""
        return self._known.get(("", name))

    async def fill(self, unanswered: Unanswered) -> None:
        """Ask what is missing, all at once. Raises StatusError, also 409 for what changes on."""
        for ask in unanswered.asks:
            self._asked[ask.asker] = times = self._asked.get(ask.asker, 0) + 1
            if times > MOST_TRIES:
                raise StatusError(409, "Conflict", BUSY)
        asleep = ASLEEP.get()
        if asleep is not None:
            asleep(True)
        try:
            found = await asyncio.gather(*(ask.ask() for ask in unanswered.asks))
        finally:
            if asleep is not None:
                asleep(False)
        for ask, answer in zip(unanswered.asks, found, strict=True):
            self._known[ask.asker, ask.about] = answer


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that shows one moment; all else of it goes on."""

    moment: datetime
    clock: Clock

    def now(self) -> datetime:
        """That moment."""
        return self.moment

    def monotonic(self) -> float:
        """As of the clock that goes."""
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """As of the clock that goes."""
        await self.clock.sleep(seconds)


def _stopped(clock: Clock, answers: Answers) -> Clock:
    """At the moment at which the first attempt made an object, where it made one."""
    made = answers.made("creationTimestamp")
    return Stopped(clock.now() if made is None else parse_timestamp(made), clock)


async def answered(
    attempt: Callable[[], Awaitable[T]],
    answers: Answers,
    warnings: list[str],
    afterwards: list[Callable[[], None]],
) -> T:
    """What `attempt` comes to once all that it needs is known.

    An attempt that breaks off leaves no warnings, and what it holds is let go of.
    """
    told, held = len(warnings), len(afterwards)
    while True:
        try:
            return await attempt()
        except Unanswered as unanswered:
            let_go = afterwards[held:]
            del warnings[told:], afterwards[held:]
            for function in let_go:
                function()
            await answers.fill(unanswered)
