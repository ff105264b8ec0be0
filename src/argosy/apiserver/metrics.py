"""What is counted of requests, as cheaply as can be: a request costs one look into a dict.

Counts are kept by what a request is made of, not by labels: those are written when somebody asks
for `/metrics` (`exported`). Watches and logs count as running while they are open, and as requests
when they end.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from argosy.apiserver.catalog import Served
from argosy.apiserver.negotiate import APPLY
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.watch import PIECE
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.base.exposition import Family, Histogram
from argosy.http.message import Response
from argosy.store.interface import StoreUnavailableError

# fmt: off
SECONDS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0,
    4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)
# fmt: on
SIZES = tuple(10.0**power for power in range(3, 10))
EVENT_SIZES = tuple(1024.0 * 2**power for power in range(8))
"""Upper bounds of the buckets, as kube-apiserver has them."""
READING = ("GET", "HEAD", "OPTIONS")
ABORTED = 0
"""Stands for the status code of a request that was given up."""
_PLAIN = ("", "", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """What requests have in common that are counted together."""

    served: Served | None  # None: beside the resources
    method: str
    subresource: str  # beside the resources: the path
    named: bool
    namespaced: bool
    special: str = ""  # "WATCH", "APPLY"
    dry_run: str = ""
    field_validation: str = ""


@dataclass(slots=True)
class Series:
    """The requests of one kind and outcome."""

    kind: Kind
    code: int
    durations: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    seconds: float = 0.0
    sizes: list[int] = field(default_factory=lambda: [0] * (len(SIZES) + 1))
    bytes: int = 0

    def add(self, size: int, seconds: float) -> None:
        """One more, whose answer had `size` bytes."""
        self.durations[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds
        self.sizes[bisect_left(SIZES, size)] += 1
        self.bytes += size


@dataclass(slots=True)
class Events:
    """What was sent to the watches of one resource; `initial`: as their first state."""

    served: Served
    initial: int = 0
    sizes: list[int] = field(default_factory=lambda: [0] * (len(EVENT_SIZES) + 1))
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Counter:
    """A count that another module keeps; `name` ends in `_total`."""

    name: str
    help: str
    read: Callable[[], int]


class InFlight:
    """How many requests are being answered: the most at once within about a second."""

    def __init__(self) -> None:
        self._now = self._peak = self._before = 0
        self._since = 0.0

    def enter(self, moment: float) -> None:
        """A request came at `moment`."""
        if moment - self._since >= 1.0:
            self._turn(moment)
        self._now += 1
        if self._now > self._peak:
            self._peak = self._now

    def leave(self) -> None:
        """It is answered."""
        self._now -= 1

    def most(self, moment: float) -> int:
        """The most at once lately."""
        if moment - self._since >= 1.0:
            self._turn(moment)
        return max(self._peak, self._before)

    def _turn(self, moment: float) -> None:
        self._before = self._peak if moment - self._since < 2.0 else self._now
        self._peak, self._since = self._now, moment


class Metrics:
    """Counts the requests of one server."""

    def __init__(self, clock: Clock) -> None:
        self.monotonic: Callable[[], float] = clock.monotonic
        self.series: dict[object, Series] = {}
        self.events: dict[int, Events] = {}
        self.open: dict[Kind, int] = {}
        self.reading, self.changing = InFlight(), InFlight()
        self.counters: list[Counter] = []
        self.others: list[Callable[[], Iterable[Family | Histogram]]] = []
        """Metrics that somebody else counts."""
        self.gates: Callable[[], list[tuple[str, str, bool]]] = list
        """Feature gates: name, stage, whether it is open."""
        self.database: Path | None = None  # the store's file

    async def counted(self, call: Call, answer: Awaitable[Response]) -> Response:
        """The answer, counted; one that is a stream is counted when it ends."""
        began = self.monotonic()
        flight = self.reading if call.request.method in READING else self.changing
        flight.enter(began)
        code, size = 500, 0
        streams = False
        try:
            response = await answer
            code = response.status
            if isinstance(response.body, bytes):
                size = len(response.body)
            else:
                streams = True
                response.body = self._streamed(call, code, response.body, began)
            return response
        except StatusError as error:
            code = error.code
            raise
        except StoreUnavailableError:
            code = 503
            raise
        except asyncio.CancelledError:
            code = ABORTED
            raise
        finally:
            flight.leave()
            if not streams:
                self.count(call, code, size, self.monotonic() - began)

    def count(self, call: Call, code: int, size: int, seconds: float) -> None:
        """Count one request to a resource."""
        target, method = call.target, call.request.method
        special = _special(call) if call.query or method == "PATCH" else _PLAIN
        named, namespaced = target.name != "", target.namespace != ""
        below = target.subresource
        if "/" in below:  # any path may follow `proxy`
            below = below.partition("/")[0]
        key = (id(target.served), method, below, named, namespaced, special, code)
        series = self.series.get(key)
        if series is None:
            series = self._begun(key, _kind(call, special), code)
        series.add(size, seconds)

    def count_beside(self, method: str, path: str, response: Response, seconds: float) -> None:
        """Count one request beside the resources; `path` must be one of few."""
        code = response.status
        size = len(response.body) if isinstance(response.body, bytes) else 0
        key = (method, path, code)
        series = self.series.get(key)
        if series is None:
            kind = Kind(None, method, path, named=False, namespaced=False)
            series = self._begun(key, kind, code)
        series.add(size, seconds)

    def _begun(self, key: object, kind: Kind, code: int) -> Series:
        series = self.series[key] = Series(kind, code)
        return series

    async def _streamed(
        self, call: Call, code: int, body: AsyncGenerator[bytes, None], began: float
    ) -> AsyncGenerator[bytes, None]:
        kind = _kind(call, _special(call))
        events = self._events(call.target.served) if kind.special == "WATCH" else None
        self.open[kind] = self.open.get(kind, 0) + 1
        size, first = 0, _begins_with_all(call)
        try:
            async with aclosing(body):
                async for piece in body:
                    size += len(piece)
                    if events is not None:
                        _count_events(events, piece, first)
                        first = first and len(piece) >= PIECE  # then there is more of it
                    yield piece
        finally:
            self.open[kind] -= 1
            self.count(call, code, size, self.monotonic() - began)

    def _events(self, served: Served) -> Events:
        events = self.events.get(id(served))
        if events is None:
            events = self.events[id(served)] = Events(served)
        return events


def _count_events(events: Events, piece: bytes, initial: bool) -> None:
    """Count the lines of `piece`, which are taken to be of one size."""
    lines, size = piece.count(b"\n"), len(piece)
    if not lines:
        return
    events.sizes[bisect_left(EVENT_SIZES, size / lines)] += lines
    events.bytes += size
    if initial:
        events.initial += lines


def _begins_with_all(call: Call) -> bool:
    """Whether a watch begins with what there is."""
    if "sendInitialEvents" in call.query:
        return call.flag("sendInitialEvents")
    return call.query.get("resourceVersion", "") in ("", "0")


def _special(call: Call) -> tuple[str, str, str]:
    """Which verb it is beyond its method, dry run, and what becomes of unknown fields."""
    query, method = call.query, call.request.method
    special = ""
    if method == "GET" and call.flag("watch"):
        special = "WATCH"
    elif method == "PATCH" and call.request.headers.get("content-type", "") == APPLY:
        special = "APPLY"
    dry_run = query.get("dryRun", "")
    validation = query.get("fieldValidation", "")
    return (
        special,
        dry_run if dry_run in ("", "All") else "invalid",
        validation if validation in ("", "Strict", "Warn", "Ignore") else "invalid",
    )


def _kind(call: Call, special: tuple[str, str, str]) -> Kind:
    target = call.target
    return Kind(
        target.served,
        call.request.method,
        target.subresource.partition("/")[0],
        target.name != "",
        target.namespace != "",
        *special,
    )
