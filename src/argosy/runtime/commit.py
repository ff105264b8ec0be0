"""The one write of a reconcile: what the plan drops, what it holds, and the status.

Deletes carry the uid that was seen. What the owner has already is applied under the controller's
field manager; the rest is created, so that nobody else's object of the same name is taken over.
The status is applied only where it would change; then the cache is awaited, so that the next
reconcile does not act on a state from before this one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.meta import Key, Object, View
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer

REFUSALS = frozenset({400, 403, 409, 422})
"""The answers by which the API says that it won't have an object."""


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
    """Carries plans out against one cluster.

    `informers` are the caches of all kinds that plans write; each must catch up with a write.
    """

    client: Client
    events: EventRecorder
    informers: tuple[Informer[Any], ...]

    async def commit(
        self, owner: Object, plan: Plan, *, refused: Callable[[StatusError], Plan]
    ) -> None:
        """Carry `plan` out for `owner`. Raises StatusError; what was done stays done.

        Where the API refuses an object, the status and the notes that `refused` makes of its
        answer are told instead of the plan's, before the error is raised.
        """
        try:
            await self._change(owner, plan)
        except StatusError as error:
            if error.code in REFUSALS:
                await self._tell(owner, refused(error))
            raise
        await self._tell(owner, plan)

    async def _change(self, owner: Object, plan: Plan) -> None:
        for obj in plan.delete:
            meta = obj.metadata
            await self.client.delete(obj.resource, meta.name, meta.namespace, uid=meta.uid)
        for desired in plan.apply:
            written = await self._write(owner, desired)
            await self._reached(desired.resource, written)

    async def _write(self, owner: Object, desired: Desired) -> Mapping[str, Any]:
        resource, meta = desired.resource, desired.body["metadata"]
        known = self._known(resource, (meta["namespace"], meta["name"]))
        if known is None or not known.controller or known.controller.uid != owner.metadata.uid:
            kind = {"apiVersion": resource.api_version, "kind": resource.kind}
            return await self.client.create(resource, {**kind, **desired.body})
        body = {**desired.body, "metadata": {**meta, "uid": known.metadata.uid}}
        return await self.client.apply(resource, body)

    def _known(self, resource: Resource, key: Key) -> Object | None:
        found = (item.get(*key) for item in self.informers if item.resource == resource)
        return next(found, None)

    async def _tell(self, owner: Object, plan: Plan) -> None:
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
