"""The filter: each request finds its schema and level, waits for seats and its turn, and runs.

It stands after authentication and before authorization, as upstream's does. Who is turned away, or
has waited too long, is asked to come back (429). A client that goes gives up its place, or seats.
Masters never come here: that they are exempt is the one thing that no schema can change.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from argosy.apiserver.answers import ASLEEP
from argosy.apiserver.authorization.attributes import Attributes, attributes_of
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.flowcontrol import exporting
from argosy.apiserver.flowcontrol.configuration import Configuration
from argosy.apiserver.flowcontrol.counting import Counted
from argosy.apiserver.flowcontrol.levels import Level, Levels
from argosy.apiserver.flowcontrol.matching import Schema
from argosy.apiserver.flowcontrol.narrow import Narrow
from argosy.apiserver.flowcontrol.queues import GONE, WAITED, Ticket
from argosy.apiserver.flowcontrol.retrying import Retrying
from argosy.apiserver.flowcontrol.turns import Turns
from argosy.apiserver.flowcontrol.work import WRITES, Estimator, Watchers, tracked
from argosy.apiserver.negotiate import answer_error
from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.base.exposition import Family, Histogram
from argosy.http.message import Request, Response
from argosy.store.interface import Store

Serve = Callable[[Request, User], Awaitable[Response]]

LONGEST_WAIT = 15.0
"""Seconds: a quarter of those that a request may take upstream."""
LONG_RUNNING = frozenset({"attach", "exec", "log", "portforward", "proxy"})
SCHEMA_UID = "x-kubernetes-pf-flowschema-uid"
LEVEL_UID = "x-kubernetes-pf-prioritylevel-uid"


@dataclass(slots=True, eq=False)
class _Passage:
    """A request on its way through its level."""

    level: Level
    schema: Schema
    ticket: Ticket
    counted: Counted
    kind: str


class Fairness:
    """Governs the requests to one server, which has `seats` for them."""

    def __init__(self, store: Store, catalog: Catalog, clock: Clock, seats: int) -> None:
        self._store = store
        self._catalog = catalog
        self._now = clock.monotonic
        self.levels = Levels(seats, clock.monotonic)
        self._narrow = Narrow(clock.monotonic, lambda: store.commit_seconds)
        store.hasten(self._narrow.meeting)
        self._turns = Turns(self._soon, self._narrow.writers)
        self._configuration = Configuration(store, self.levels, self._ask_again)
        self._watchers = Watchers()
        self._estimator = Estimator(self._stored, self._watchers)
        self._counted: dict[exporting.Place, Counted] = {}
        self._retrying: dict[str, Retrying] = {}

    async def governed(self, request: Request, user: User, serve: Serve) -> Response:
        """The answer of `serve`, when it is its turn; or 429."""
        asked = attributes_of(request, user)
        if asked.subresource.partition("/")[0] in LONG_RUNNING:
            return await serve(request, user)
        schema, level = self._classified(asked)
        passage = self._passage(request, asked, schema, level)
        if reason := await self._seated(passage, asked):
            return self._named(self._refused(passage, reason), passage)
        told = ASLEEP.set(partial(self._asleep, passage) if passage.ticket.writes else None)
        try:
            answer = await serve(request, user)
        except StatusError as error:
            answer = answer_error(error)
        finally:
            ASLEEP.reset(told)
            self._finish(passage)
        if asked.verb == "watch" and not isinstance(answer.body, bytes) and tracked(asked):
            answer.body = self._watchers.counted(asked, answer.body)
        return self._named(answer, passage)

    def families(self) -> Iterator[Family | Histogram]:
        """Metrics."""
        return exporting.families(self._counted, self.levels)

    def _classified(self, asked: Attributes) -> tuple[Schema, Level]:
        classifier = self._configuration.classifier()
        if self.levels.adjust():
            self._ask_again()
        schema = classifier.schema(asked)
        return schema, self.levels.by_name[schema.level]

    def _passage(
        self, request: Request, asked: Attributes, schema: Schema, level: Level
    ) -> _Passage:
        place = (level.name, schema.name)
        counted = self._counted.get(place)
        if counted is None:
            counted = self._counted[place] = Counted()
        ticket = self._estimator.ticket(request, asked, level.widest)
        ticket.writes = asked.verb in WRITES and self._stores(asked)
        counted.widths.add(ticket.most)
        kind = "watch" if asked.verb == "watch" else "regular"
        return _Passage(level, schema, ticket, counted, kind)

    async def _seated(self, passage: _Passage, asked: Attributes) -> str:
        """Wait for seats and the turn; else why it shall not wait, or waited in vain."""
        level, ticket, counted = passage.level, passage.ticket, passage.counted
        schema = passage.schema
        flow = schema.flow(asked)
        if not level.exempt:
            self._narrow.came(level.name, flow)
        hand = level.hand(schema.name, flow)
        if reason := level.queues.enter(ticket, f"{schema.name}\0{flow}", hand):
            return reason
        if level.exempt:
            level.queues.take()
        else:
            counted.lengths.add(level.queues.length_for(ticket))
            self._turns.ask(level, ticket.flow)
        if ticket.began is None and (reason := await self._waited(passage)):
            return reason
        assert ticket.began is not None
        counted.waited.add(ticket.began - ticket.came)
        counted.dispatched += 1
        counted.executing += 1
        counted.seats += ticket.most
        return ""

    async def _waited(self, passage: _Passage) -> str:
        """Until it is granted; else why that was in vain."""
        ticket, counted = passage.ticket, passage.counted
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[str] = loop.create_future()
        ticket.granted = lambda: _settle(turn, "")
        timer = loop.call_later(LONGEST_WAIT, _settle, turn, WAITED)
        counted.waiting += 1
        counted.waiting_seats += ticket.most
        try:
            reason = await turn
        except asyncio.CancelledError:
            self._leave(passage, GONE)
            raise
        finally:
            timer.cancel()
            counted.waiting -= 1
            counted.waiting_seats -= ticket.most
        if reason and ticket.began is None:
            self._leave(passage, "")
            return reason
        return ""

    def _leave(self, passage: _Passage, reason: str) -> None:
        """Give up the place, or the seats that were granted just before."""
        level, ticket, counted = passage.level, passage.ticket, passage.counted
        if ticket.began is None:
            level.queues.leave(ticket)
            counted.waited_in_vain.add(self._now() - ticket.came)
            if reason:
                counted.refuse(reason)
        else:
            ticket.lingers = 0.0
            level.queues.finish(ticket)
        self._more(level)

    def _finish(self, passage: _Passage) -> None:
        level, ticket, counted = passage.level, passage.ticket, passage.counted
        assert ticket.began is not None
        counted.executing -= 1
        counted.finish(passage.kind, self._now() - ticket.began)
        level.queues.finish(ticket)
        if ticket.lingers:
            loop = asyncio.get_running_loop()
            loop.call_later(ticket.lingers, self._release, passage)
            return
        counted.seats -= ticket.most
        self._more(level)

    def _asleep(self, passage: _Passage, asleep: bool) -> None:
        passage.level.queues.asleep(passage.ticket, asleep=asleep)
        if asleep:
            self._more(passage.level)

    def _release(self, passage: _Passage) -> None:
        passage.level.queues.release(passage.ticket)
        passage.counted.seats -= passage.ticket.most
        self._more(passage.level)

    def _more(self, level: Level) -> None:
        if level.queues.waiting:
            self._turns.ask(level)

    def _ask_again(self) -> None:
        """Limits are not what they were."""
        for level in self.levels.by_name.values():
            self._more(level)

    def _refused(self, passage: _Passage, reason: str) -> Response:
        passage.counted.refuse(reason)
        retrying = self._retrying.setdefault(passage.level.name, Retrying())
        return answer_error(too_many(retrying.refused(self._now())))

    def _named(self, answer: Response, passage: _Passage) -> Response:
        """The answer, with what says which schema and level the request was of."""
        schema, level = passage.schema.uid, passage.level.uid
        if schema and level:
            answer.headers = {**answer.headers, SCHEMA_UID: schema, LEVEL_UID: level}
        return answer

    def _stores(self, asked: Attributes) -> bool:
        """Whether the resource is kept here, and not by somebody to whom the request goes on."""
        try:
            self._catalog.find(asked.group, asked.version, asked.resource)
        except StatusError:
            return False
        return True

    def _stored(self, asked: Attributes) -> int:
        try:
            served = self._catalog.find(asked.group, asked.version, asked.resource)
            prefix = served.resource.key(asked.namespace)
        except StatusError:
            return 0
        page = self._store.page(prefix, limit=1)
        return len(page.records) + page.remaining

    def _soon(self, function: Callable[[], object]) -> object:
        return asyncio.get_running_loop().call_soon(function)


def too_many(seconds: int) -> StatusError:
    """429: come back later."""
    return StatusError(
        429,
        "TooManyRequests",
        "Too many requests, please try again later.",
        details={"retryAfterSeconds": seconds},
    )


def _settle(turn: asyncio.Future[str], reason: str) -> None:
    if not turn.done():
        turn.set_result(reason)
