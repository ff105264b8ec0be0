"""The one write of a reconcile: what the plan drops, what it holds, and the status.

Deletes carry the uid that was seen, objects are applied under the controller's field manager, the
status is applied only where it would change; then the cache is awaited, so that the next
reconcile does not act on a state from before this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.client.client import Client
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer


@dataclass(frozen=True, slots=True)
class Desired:
    """An object as it shall be: the fields that this controller owns."""

    resource: Resource
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a reconcile decided. `status` None leaves the status alone."""

    delete: Sequence[Object] = ()
    apply: Sequence[Desired] = ()
    status: View | None = None
    notes: Sequence[Note] = ()
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Committer:
    """Carries plans out against one cluster; `informers` are the caches that must catch up."""

    client: Client
    events: EventRecorder
    informers: tuple[Informer[Any], ...]

    async def commit(self, owner: Object, plan: Plan) -> None:
        """Carry `plan` out for `owner`. Raises StatusError; what was done stays done."""
        for obj in plan.delete:
            meta = obj.metadata
            await self.client.delete(obj.resource, meta.name, meta.namespace, uid=meta.uid)
        for desired in plan.apply:
            written = await self.client.apply(desired.resource, desired.body)
            await self._reached(desired.resource, written)
        for note in plan.notes:
            await self.events.record(owner, note)
        if plan.status is not None and plan.status != getattr(owner, "status", None):
            await self._write_status(owner, plan.status)

    async def _write_status(self, owner: Object, status: View) -> None:
        meta = owner.metadata
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": msgspec.to_builtins(status),
        }
        written = await self.client.apply(owner.resource, body, subresource="status")
        await self._reached(owner.resource, written)

    async def _reached(self, resource: Resource, written: Mapping[str, Any]) -> None:
        for informer in self.informers:
            if informer.resource == resource:
                await informer.reached(written["metadata"]["resourceVersion"])
