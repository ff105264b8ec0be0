"""Events: what happened to an object, told once and counted after that (`correlation`)."""

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
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell: a CamelCase reason and a sentence."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes events as `component`. The same note on the same object raises its count.

    It is to be kept: what it knows of earlier notes is how it counts, combines and leaves out.
    """

    client: Client
    clock: Clock
    component: str
    _correlator: Correlator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_correlator", Correlator(self.clock))

    async def record(self, obj: Object, note: Note) -> None:
        """Tell `note` of `obj`, unless too much was told of it lately.

        One that the API refuses is logged: no work depends on an event.
        """
        try:
            await self._record(obj, note)
        except StatusError as error:
            log.warning(
                "telling an event failed",
                extra={"object": "/".join(obj.key), "reason": note.reason, "error": error.message},
            )

    async def _record(self, obj: Object, note: Note) -> None:
        about = reference(obj)
        place = (self.component, *(about[name] for name in IDENTITY))
        happening = Happening("\0".join(place), note.type, note.reason, note.message)
        told = self._correlator.correlate(happening)
        if told is None:
            return
        try:
            await self._write(obj, note, told)
        except BaseException:
            self._correlator.undo(told)
            raise

    async def _write(self, obj: Object, note: Note, told: Told) -> None:
        meta = obj.metadata
        namespace = meta.namespace or "default"
        # A name may not be cut off at a dot or dash.
        name = f"{meta.name[:LONGEST_STEM].rstrip('-.')}.{told.key}"
        if told.count > 1 and await self._counted(name, namespace, told):
            return
        try:
            await self.client.create(Event.resource, self._body(obj, note, told, name))
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            known = await self.client.find(Event, name, namespace)  # of an earlier process
            count = known.count if known is not None else 0
            await self._counted(name, namespace, self._correlator.known(told, count))

    def _body(self, obj: Object, note: Note, told: Told, name: str) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": obj.metadata.namespace or "default"},
            "involvedObject": reference(obj),
            "reason": note.reason,
            "message": told.message,
            "type": note.type,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "firstTimestamp": told.first,
            "lastTimestamp": timestamp(self.clock.now()),
            "count": told.count,
        }

    async def _counted(self, name: str, namespace: str, told: Told) -> bool:
        """Tell how often it was; False where the event is gone by now."""
        now = timestamp(self.clock.now())
        patch = {"count": told.count, "message": told.message, "lastTimestamp": now}
        try:
            await self.client.merge(Event.resource, name, namespace, patch)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True
