"""Events: what happened to an object, told once and counted after that."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from argosy.api.core import Event
from argosy.api.meta import Object, reference
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client

LONGEST_MESSAGE = 1024


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
        """Tell `note` of `obj`."""
        meta = obj.metadata
        namespace = meta.namespace or "default"
        told = f"{meta.uid}|{note.type}|{note.reason}|{note.message}|{self.component}"
        name = f"{meta.name[:200]}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        now = timestamp(self.clock.now())
        known = await self.client.find(Event, name, namespace)
        if known is not None:
            patch = {"count": known.count + 1, "lastTimestamp": now}
            await self.client.merge(Event.resource, name, namespace, patch)
            return
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
        try:
            await self.client.create(Event.resource, body)
        except StatusError as error:
            if error.code not in (404, 409):  # the namespace is going, or another wrote it first
                raise
