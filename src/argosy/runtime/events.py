"""Events: what happened to an object, told once and counted after that."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Literal

from argosy.api.core import Event
from argosy.api.meta import Object, reference
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client

LONGEST_MESSAGE = 1024
LONGEST_STEM = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell: a CamelCase reason and a sentence."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes events as `component`. The same note on the same object raises its count."""

    client: Client
    clock: Clock
    component: str

    async def record(self, obj: Object, note: Note) -> None:
        """Tell `note` of `obj`. One that the API refuses is logged: no work depends on an event."""
        try:
            await self._record(obj, note)
        except StatusError as error:
            log.warning(
                "telling an event failed",
                extra={"object": "/".join(obj.key), "reason": note.reason, "error": error.message},
            )

    async def _record(self, obj: Object, note: Note) -> None:
        meta = obj.metadata
        namespace = meta.namespace or "default"
        told = f"{meta.uid}|{note.type}|{note.reason}|{note.message}|{self.component}"
        # A name may not be cut off at a dot or dash.
        stem = meta.name[:LONGEST_STEM].rstrip("-.")
        name = f"{stem}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        known = await self.client.find(Event, name, namespace)
        if known is not None and await self._again(known):
            return
        now = timestamp(self.clock.now())
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": reference(obj),
            "reason": note.reason,
            "message": note.message[:LONGEST_MESSAGE],
            "type": note.type,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self.client.create(Event.resource, body)

    async def _again(self, event: Event) -> bool:
        """Count the event once more; False where it is gone by now."""
        meta = event.metadata
        patch = {"count": event.count + 1, "lastTimestamp": timestamp(self.clock.now())}
        try:
            await self.client.merge(Event.resource, meta.name, meta.namespace, patch)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True
