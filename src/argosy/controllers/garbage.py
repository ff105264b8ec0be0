"""The garbage collector: what belongs to nobody any more is deleted (background deletion).

It follows the metadata of all kinds. An object goes when it has owners and none of them, by uid,
is there; before that each owner is asked for once more, because caches lag.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from argosy.api.meta import Key, OwnerReference, PartialObject
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.runtime.queue import WorkQueue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Item:
    """One object, whatever its kind."""

    resource: Resource
    key: Key


class GarbageCollector:
    """Deletes dependents whose owners are gone."""

    def __init__(self, manager: Manager, resources: Iterable[Resource]) -> None:
        self._client: Client = manager.client
        self._informers: dict[Resource, Informer[PartialObject]] = {
            resource: manager.informer(PartialObject, resource) for resource in resources
        }
        self._kinds = {(item.group, item.kind): item for item in self._informers}
        self._queue: WorkQueue[_Item] = WorkQueue(manager.clock)
        self._dependents: defaultdict[str, set[_Item]] = defaultdict(set)
        self._alive: set[str] = set()

    async def run(self) -> None:
        """Collect until cancelled."""
        for informer in self._informers.values():
            await informer.synced.wait()
        for resource, informer in self._informers.items():
            informer.subscribe(self._follow(resource))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run())
            group.create_task(self._work())

    def _follow(
        self, resource: Resource
    ) -> Callable[[PartialObject | None, PartialObject | None], None]:
        def changed(old: PartialObject | None, new: PartialObject | None) -> None:
            if old is not None:
                self._forget(_Item(resource, old.key), old, gone=_replaced(old, new))
            if new is not None:
                self._remember(_Item(resource, new.key), new)

        return changed

    def _remember(self, item: _Item, obj: PartialObject) -> None:
        self._alive.add(obj.metadata.uid)
        for owner in obj.metadata.owner_references:
            self._dependents[owner.uid].add(item)
        if obj.metadata.owner_references:
            self._queue.add(item)

    def _forget(self, item: _Item, obj: PartialObject, *, gone: bool) -> None:
        for owner in obj.metadata.owner_references:
            items = self._dependents[owner.uid]
            items.discard(item)
            if not items:
                del self._dependents[owner.uid]
        if gone:
            self._alive.discard(obj.metadata.uid)
            for dependent in self._dependents.get(obj.metadata.uid, ()):
                self._queue.add(dependent)

    async def _work(self) -> None:
        while True:
            item = await self._queue.get()
            context = {"resource": item.resource.qualified, "object": "/".join(item.key)}
            try:
                await self._collect(item)
                self._queue.forget(item)
            except (StatusError, ConnectionError) as error:
                log.info("collecting failed", extra={**context, "error": str(error)})
                self._queue.retry(item)
            except Exception:
                # A fault of one object's must not stop the others.
                log.exception("collecting failed", extra=context)
                self._queue.retry(item)
            finally:
                self._queue.done(item)

    async def _collect(self, item: _Item) -> None:
        obj = self._informers[item.resource].get(*item.key)
        if obj is None or obj.metadata.deletion_timestamp:
            return
        owners = obj.metadata.owner_references
        if not owners or any(owner.uid in self._alive for owner in owners):
            return
        for owner in owners:
            if await self._exists(owner, obj.metadata.namespace):
                return
        await self._delete(item)

    async def _delete(self, item: _Item) -> None:
        """Delete the object, if it is still as the server shows it now, and owned by nobody."""
        namespace, name = item.key
        obj = await self._client.find(PartialObject, name, namespace, resource=item.resource)
        known = self._informers[item.resource].get(*item.key)
        if obj is None or known is None or obj.metadata.uid != known.metadata.uid:
            return
        if obj.metadata.owner_references != known.metadata.owner_references:
            return  # it comes again when the cache has heard of that
        meta = obj.metadata
        preconditions = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self._client.call("DELETE", item.resource.path(name, namespace), {}, options)

    async def _exists(self, owner: OwnerReference, namespace: str) -> bool:
        """Whether the owner is there; one that can't be looked for is taken to be.

        That is one of a kind that is not followed, or one in a namespace whose dependent is in
        none.
        """
        group = owner.api_version.rpartition("/")[0]  # in whichever version the owner was seen
        resource = self._kinds.get((group, owner.kind))
        if resource is None or (resource.namespaced and not namespace):
            return True
        where = namespace if resource.namespaced else ""
        found = await self._client.find(PartialObject, owner.name, where, resource=resource)
        return found is not None and found.metadata.uid == owner.uid


def _replaced(old: PartialObject, new: PartialObject | None) -> bool:
    """Whether `old` is gone: deleted, or another object took its name."""
    return new is None or new.metadata.uid != old.metadata.uid
