"""The garbage collector: what belongs to nobody any more is deleted, before or after its owners.

It follows the ownership of all kinds (`tracing` feeds `ownership`) and looks at one object at a
time. An object goes when it has owners and none of them is there. An owner that is deleted in the
foreground waits until the dependents that block it are gone; one that is deleted with `orphan` is
taken off its dependents first. Whatever the graph says, the server is asked before anything is
deleted, because what it tells may be late. The rules are those of Kubernetes' own collector.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.controllers.defined import Defined
from argosy.controllers.dependents import Live, Objects
from argosy.controllers.ownership import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Graph,
    Node,
    Reference,
)
from argosy.controllers.strangers import Strangers
from argosy.controllers.tracing import Tracer
from argosy.runtime.manager import Manager
from argosy.runtime.queue import WorkQueue

log = logging.getLogger(__name__)

IGNORED = frozenset({"events"})
"""Plurals of kinds that own nothing and are nobody's: there are too many of them."""
NEEDED = frozenset({"delete", "list", "watch"})
"""Verbs of the kinds that are followed."""
WORKERS = 16
"""They share the fsyncs of their writes."""
UNSEEN = 5.0
"""Seconds before an owner is asked for that was only named: most soon have news of their own."""
ABSENT = 512
"""So many owners are remembered to be gone."""


class _UnknownError(Exception):
    """Whether an owner is there can't be said: nothing is done."""


class GarbageCollector:
    """Deletes dependents whose owners are gone, and lets owners go that wait for theirs."""

    def __init__(self, manager: Manager, resources: Iterable[Resource]) -> None:
        served = tuple(resources)
        self._queue: WorkQueue[Node] = WorkQueue(manager.clock)
        self._absent: OrderedDict[object, None] = OrderedDict()
        kinds = {(item.group, item.kind): item for item in served}
        self._graph = Graph(kinds, self._note, self._note_absent)
        self._objects = Objects(manager.client)
        self._strangers = Strangers(manager.client, manager.clock)
        self._defined: Defined | None = None
        if CustomResourceDefinition.resource in served:
            definitions = manager.informer(CustomResourceDefinition)
            self._defined = Defined(manager.client, manager.clock, self._graph, definitions, served)
        self._tracers = [
            Tracer(manager.client, manager.clock, item, self._graph)
            for item in served
            if NEEDED <= set(item.verbs) and item.plural not in IGNORED
        ]

    async def run(self) -> None:
        """Collect until cancelled. Nothing is collected before all kinds were listed once."""
        async with asyncio.TaskGroup() as group:
            for tracer in self._tracers:
                group.create_task(tracer.run())
            for tracer in self._tracers:
                await tracer.synced.wait()
            if self._defined is not None:
                await self._defined.follow(group)
            group.create_task(self._queue.run())
            group.create_task(self._strangers.run())
            for _ in range(WORKERS):
                group.create_task(self._work())

    def _note(self, node: Node) -> None:
        if node.seen:
            self._queue.add(node)
        else:
            self._queue.add_after(node, UNSEEN)

    def _note_absent(self, key: object) -> None:
        self._absent[key] = None
        if len(self._absent) > ABSENT:
            self._absent.popitem(last=False)

    async def _work(self) -> None:
        while True:
            node = await self._queue.get()
            try:
                await self._attend(node)
                self._queue.forget(node)
            except _UnknownError as error:
                log.debug("not collecting", extra={**_named(node), "reason": str(error)})
                self._queue.forget(node)
            except (StatusError, ConnectionError) as error:
                log.info("collecting failed", extra={**_named(node), "error": str(error)})
                self._queue.retry(node)
            except Exception:
                # A fault of one object's must not stop the others.
                log.exception("collecting failed", extra=_named(node))
                self._queue.retry(node)
            finally:
                self._queue.done(node)

    async def _attend(self, node: Node) -> None:
        """Do what there is to be done about an object."""
        if self._graph.nodes.get(node.uid) is not node:
            return
        if not node.seen:
            await self._look_up(node)
        elif node.orphaning:
            await self._orphan(node)
        elif node.foreground:
            await self._wait_for_dependents(node)
        elif node.owners and not node.leaving:
            await self._judge(node)

    async def _look_up(self, node: Node) -> None:
        """Ask for an object that was named and not seen."""
        live = await self._objects.find(
            self._served(node.resource, node.namespace), *node.place[1:]
        )
        if self._graph.nodes.get(node.uid) is not node or node.seen:
            return  # there was news of it meanwhile
        if live is None or live.uid != node.uid:
            self._graph.absent(node)
        elif node.resource is not None:
            self._graph.observe(node.resource, live.trace)

    def _served(self, resource: Resource | None, namespace: str) -> Resource:
        """The resource, if an object of it can be asked for there."""
        if resource is None:
            raise _UnknownError("the owner's kind is not served")
        if resource.namespaced and not namespace:
            raise _UnknownError("an object in no namespace has no owner in one")
        return resource

    async def _wait_for_dependents(self, node: Node) -> None:
        """Let an owner go, if no dependent blocks it; else see that these go."""
        blocking = node.blocked_by
        going = [item for item in blocking if item.foreground]
        if len(going) == len(blocking) and all(item.waits_for(node) for item in going):
            await self._objects.drop_finalizer(node, FOREGROUND_FINALIZER)
        for item in blocking:
            if not item.foreground:
                self._queue.add(item)

    async def _orphan(self, node: Node) -> None:
        """Take an owner off its dependents, and let it go.

        A dependent that the graph has not heard of yet would be deleted later, for want of an
        owner: the server is asked for those first.
        """
        live = await self._objects.live(node)
        if live is None:
            return
        for tracer in self._following():
            await tracer.catch_up(node.namespace, int(live.resource_version))
        dependents = list(node.dependents or ())
        for start in range(0, len(dependents), WORKERS):
            some = dependents[start : start + WORKERS]
            await asyncio.gather(*(self._objects.disown(item, {node.uid}) for item in some))
        await self._objects.drop_finalizer(node, ORPHAN_FINALIZER)

    def _following(self) -> list[Tracer]:
        return [*self._tracers, *(self._defined.tracers if self._defined is not None else ())]

    async def _judge(self, node: Node) -> None:
        """Delete the object if none of its owners wants it any more."""
        live = await self._objects.live(node)
        if live is None:
            self._graph.gone(node.uid)
            return
        if live.deletion_timestamp is not None or not live.references:
            return
        states: dict[str, list[str]] = {"solid": [], "dangling": [], "waiting": []}
        for reference in live.references:
            states[await self._state(node, reference)].append(reference.uid)
        dead = {*states["dangling"], *states["waiting"]}
        if states["solid"]:
            if dead:
                await self._objects.disown(node, dead)
        elif states["waiting"] and node.dependents:
            await self._delete(node, live, "Foreground")
        else:
            await self._delete(node, live, _policy(live))

    async def _delete(self, node: Node, live: Live, policy: str) -> None:
        if not await self._objects.delete(node, live, policy):
            self._graph.gone(node.uid)

    async def _state(self, node: Node, reference: Reference) -> str:
        """Whether an owner is there ("solid"), is not ("dangling"), or waits for its dependents."""
        if reference.uid in self._absent:
            return "dangling"
        resource = self._graph.kinds.get((reference.group, reference.kind))
        resource = self._served(resource, node.namespace)
        where = node.namespace if resource.namespaced else ""
        key = (resource, where, reference.name, reference.uid)
        if key in self._absent:
            return "dangling"
        owner = await self._objects.find(resource, where, reference.name)
        if owner is None or owner.uid != reference.uid:
            self._note_absent(key)
            self._strangers.suspect(node, resource, reference)
            return "dangling"
        self._graph.found(node, reference)
        going = owner.deletion_timestamp is not None and FOREGROUND_FINALIZER in owner.finalizers
        return "waiting" if going else "solid"


def _policy(live: Live) -> str:
    """How an object without owners is deleted: as its finalizers ask for."""
    if ORPHAN_FINALIZER in live.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND_FINALIZER in live.finalizers else "Background"


def _named(node: Node) -> dict[str, Any]:
    resource = node.resource.qualified if node.resource else ""
    return {"resource": resource, "object": "/".join(filter(None, (node.namespace, node.name)))}
