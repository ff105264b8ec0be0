"""Events: what happened to an object, told once and counted after that (`correlation`).

Nobody waits for an event. Notes are put down at once, and one writer for each component tells them
behind the work, one after the other: a controller that makes a thousand pods is not held up by the
thousand sentences on them. A note that comes while its event still waits joins it.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Literal

from argosy.api.core import Event
from argosy.api.meta import Object, reference
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.correlation import Correlator, Happening, Told

LONGEST_STEM = 200
IDENTITY = ("apiVersion", "kind", "namespace", "name", "uid")
MOST_WAITING = 10_000
"""So many events wait to be told; what comes then is not told."""
TRIES = 12
PAUSE = 10.0
"""Seconds between two tries where the server can't be reached."""
REST = 4.0
"""The writer rests so many times as long as it was at work: a busy server has better to do."""
LONGEST_REST = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell: a CamelCase reason and a sentence."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class _Telling:
    """A note as it was put down. `new` where no event tells it yet, as far as is known."""

    about: dict[str, str]
    note: Note
    told: Told
    at: str
    new: bool

    @property
    def namespace(self) -> str:
        return self.about.get("namespace") or "default"

    @property
    def name(self) -> str:
        # A name may not be cut off at a dot or dash.
        return f"{self.about['name'][:LONGEST_STEM].rstrip('-.')}.{self.told.key}"


@dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes events as `component`. The same note on the same object raises its count.

    It is to be kept: what it knows of earlier notes is how it counts, combines and leaves out.
    """

    client: Client
    clock: Clock
    component: str
    _correlator: Correlator = field(init=False, repr=False, compare=False)
    _waiting: dict[str, _Telling] = field(default_factory=dict, init=False, repr=False)
    _writers: set[asyncio.Task[None]] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_correlator", Correlator(self.clock))

    async def record(self, obj: Object, note: Note) -> None:
        """Put `note` of `obj` down, unless too much was told of it lately; never waits.

        One that the API refuses is logged: no work depends on an event.
        """
        about = reference(obj)
        place = (self.component, *(about[name] for name in IDENTITY))
        happening = Happening("\0".join(place), note.type, note.reason, note.message)
        told = self._correlator.correlate(happening)
        if told is None:
            return
        earlier = self._waiting.get(told.key)
        if earlier is None and len(self._waiting) >= MOST_WAITING:
            self._correlator.undo(told)
            return
        new = told.count == 1 if earlier is None else earlier.new
        at = timestamp(self.clock.now())
        self._waiting[told.key] = _Telling(about, note, told, at, new)
        if not self._writers:
            writer = asyncio.get_running_loop().create_task(self._write_all())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)

    async def flushed(self) -> None:
        """Wait until all that was put down is told, or given up."""
        while self._writers:
            await asyncio.wait(self._writers)

    async def _write_all(self) -> None:
        while self._waiting:
            telling = self._waiting.pop(next(iter(self._waiting)))
            began = self.clock.monotonic()
            try:
                await self._write(telling)
            except (StatusError, ConnectionError) as error:
                self._correlator.undo(telling.told)
                where = f"{telling.namespace}/{telling.about['name']}"
                context = {"object": where, "reason": telling.note.reason, "error": str(error)}
                log.warning("telling an event failed", extra=context)
            if self._waiting:
                took = self.clock.monotonic() - began
                await self.clock.sleep(min(REST * took, LONGEST_REST))

    async def _write(self, telling: _Telling) -> None:
        """Tell it; where the server can't be reached, again after a while."""
        for _ in range(TRIES - 1):
            try:
                return await self._tell(telling)
            except ConnectionError:
                await self.clock.sleep(PAUSE)
        await self._tell(telling)

    async def _tell(self, telling: _Telling) -> None:
        if not telling.new and await self._counted(telling, telling.told):
            return
        try:
            await self.client.create(Event.resource, self._body(telling))
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            known = await self.client.find(Event, telling.name, telling.namespace)
            count = known.count if known is not None else 0  # of an earlier process
            await self._counted(telling, self._correlator.known(telling.told, count))

    def _body(self, telling: _Telling) -> dict[str, object]:
        told, note = telling.told, telling.note
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": telling.name, "namespace": telling.namespace},
            "involvedObject": telling.about,
            "reason": note.reason,
            "message": told.message,
            "type": note.type,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "firstTimestamp": told.first,
            "lastTimestamp": telling.at,
            "count": told.count,
        }

    async def _counted(self, telling: _Telling, told: Told) -> bool:
        """Tell how often it was; False where the event is gone by now."""
        patch = {"count": told.count, "message": told.message, "lastTimestamp": telling.at}
        try:
            await self.client.merge(Event.resource, telling.name, telling.namespace, patch)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True
