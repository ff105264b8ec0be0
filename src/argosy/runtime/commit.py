"""The one write of a reconcile: what the plan drops, what it holds, and the status.

Deletes carry the uid that was seen. What the owner has already is applied under the controller's
field manager; the rest is created, so that nobody else's object of the same name is taken over.
The status is applied only where it would change; then the cache is awaited, so that the next
reconcile does not act on a state from before this one.

An object that the server is to name is created each time that a plan holds it: plans count the ones
that the cache shows. Where nobody knows whether a create was done (its answer got lost, or the wait
for the cache was cut off), the server is asked before the next commit, and a plan that was made
without knowing is refused as a conflict: it is made anew.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.api.meta import Key, Object, PartialObject, View
from argosy.api.resource import Resource
from argosy.base.errors import StatusError, conflict
from argosy.client.client import Client
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer

REFUSALS = frozenset({400, 403, 409, 422})
"""The answers by which the API says that it won't have an object."""


@dataclass(frozen=True, slots=True)
class Desired:
    """An object as it shall be: the fields that this controller owns.

    Without a name but with a `generateName` it is one more object, which the server names.
    """

    resource: Resource
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a reconcile decided. `status` None leaves the status alone.

    Of the kinds in `prune`, what the owner has and `apply` does not name is deleted, too.
    """

    delete: Sequence[Object] = ()
    apply: Sequence[Desired] = ()
    prune: Collection[Resource] = ()
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
    _doubts: set[tuple[str, Resource]] = field(default_factory=set, init=False, repr=False)
    """Owners' uids, with kinds of which one object more may be there than the cache shows."""
    _unknown: dict[str, set[tuple[Resource, Key]]] = field(
        default_factory=dict, init=False, repr=False
    )
    """By owners' uids: objects with names that may be there though the cache does not show them."""

    async def commit(
        self, owner: Object, plan: Plan, *, refused: Callable[[StatusError], Plan]
    ) -> None:
        """Carry `plan` out for `owner`. Raises StatusError; what was done stays done.

        Where the API refuses an object, the status and the notes that `refused` makes of its
        answer are told instead of the plan's, before the error is raised.
        """
        await self._ascertain(owner, plan)
        try:
            await self._change(owner, plan)
        except StatusError as error:
            if error.code in REFUSALS:
                await self._tell(owner, refused(error))
            raise
        await self._tell(owner, plan)

    async def _change(self, owner: Object, plan: Plan) -> None:
        for obj in plan.delete:
            await self._delete(obj.resource, obj)
        for resource, obj in list(self._dropped(owner, plan)):
            await self._delete(resource, obj)
        for desired in plan.apply:
            if "name" in desired.body["metadata"]:
                await self._write(owner, desired)
            else:
                await self._add(owner, desired)

    async def _delete(self, resource: Resource, obj: Object) -> None:
        meta = obj.metadata
        await self.client.delete(resource, meta.name, meta.namespace, uid=meta.uid)

    def _dropped(self, owner: Object, plan: Plan) -> Iterator[tuple[Resource, Object]]:
        """What the owner has of the plan's kinds, and the plan does not."""
        kept = {(item.resource, _key(item)) for item in plan.apply}
        for informer in self.informers:
            if informer.resource not in plan.prune:
                continue
            for obj in informer.owned_by(owner.metadata.uid):
                leaving = obj.metadata.deletion_timestamp is not None
                if not leaving and (informer.resource, obj.key) not in kept:
                    yield informer.resource, obj

    async def _write(self, owner: Object, desired: Desired) -> None:
        resource, meta = desired.resource, desired.body["metadata"]
        known = self._known(resource, _key(desired))
        if known is None or not _owns(owner, known):
            await self._create(owner, desired)
            return
        body = {**desired.body, "metadata": {**meta, "uid": known.metadata.uid}}
        await self._reached(resource, await self.client.apply(resource, body))

    async def _create(self, owner: Object, desired: Desired) -> None:
        """Create an object of a name that the cache does not have as the owner's."""
        uid, item = owner.metadata.uid, (desired.resource, _key(desired))
        self._unknown.setdefault(uid, set()).add(item)
        try:
            written = await self.client.create(desired.resource, _whole(desired))
            await self._reached(desired.resource, written)
        except StatusError as error:
            if error.code < 500:  # it was not made, for sure
                self._settled(uid, item)
            raise
        self._settled(uid, item)

    def _settled(self, uid: str, item: tuple[Resource, Key]) -> None:
        items = self._unknown[uid]
        items.discard(item)
        if not items:
            del self._unknown[uid]

    async def _add(self, owner: Object, desired: Desired) -> None:
        """Create an object that the server names."""
        doubt = (owner.metadata.uid, desired.resource)
        self._doubts.add(doubt)
        try:
            written = await self.client.create(desired.resource, _whole(desired))
        except StatusError as error:
            if error.code < 500:  # it was not made, for sure
                self._doubts.discard(doubt)
            raise
        await self._reached(desired.resource, written)
        self._doubts.discard(doubt)

    async def _ascertain(self, owner: Object, plan: Plan) -> None:
        """See to it that the cache has what was created for the owner without anybody's knowing.

        Raises a conflict where there may be such an object: the plan may have been made without it.
        """
        uid = owner.metadata.uid
        for item in sorted(self._unknown.get(uid, ()), key=lambda item: item[1]):
            await self._look_for(owner, *item)
        for desired in plan.apply:
            resource = desired.resource
            if (uid, resource) not in self._doubts or "name" in desired.body["metadata"]:
                continue
            namespace, _ = _key(desired)
            listed = await self.client.list(PartialObject, namespace, resource=resource)
            found = [obj for obj in listed.items if _owns(owner, obj)]
            for obj in found:
                await self._reached(resource, {"metadata": _revision(obj)})
            self._doubts.discard((uid, resource))
            if found:
                raise _unsure(owner, resource)

    async def _look_for(self, owner: Object, resource: Resource, key: Key) -> None:
        """The same for one object with a name."""
        known = self._known(resource, key)
        if known is None or not _owns(owner, known):
            namespace, name = key
            found = await self.client.find(PartialObject, name, namespace, resource=resource)
            if found is not None and _owns(owner, found):
                await self._reached(resource, {"metadata": _revision(found)})
                self._settled(owner.metadata.uid, (resource, key))
                raise _unsure(owner, resource)
        self._settled(owner.metadata.uid, (resource, key))

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


def _owns(owner: Object, obj: Object) -> bool:
    return obj.controller is not None and obj.controller.uid == owner.metadata.uid


def _unsure(owner: Object, resource: Resource) -> StatusError:
    text = f"its {resource.plural} were not known for sure; please try again"
    return conflict(owner.resource.qualified, owner.metadata.name, text)


def _key(desired: Desired) -> Key:
    meta = desired.body["metadata"]
    return (meta.get("namespace", ""), meta.get("name", ""))


def _whole(desired: Desired) -> dict[str, Any]:
    kind = {"apiVersion": desired.resource.api_version, "kind": desired.resource.kind}
    return {**kind, **desired.body}


def _revision(obj: Object) -> dict[str, str]:
    return {"resourceVersion": obj.metadata.resource_version}
