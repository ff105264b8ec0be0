"""The scheduler: informers feed state and queue, one loop decides, bounded tasks write.

A decision happens at once, between two events, and assumes what it decides; writing takes its
time beside the next decisions. A unit is with the queue or with one worker, never with both, so
what is told of a pod can't overtake what is done with it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from argosy.api.core import Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.scheduling import PodGroup
from argosy.base.clock import Clock
from argosy.runtime.events import EventRecorder
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from argosy.scheduler.binding import Binder
from argosy.scheduler.decide import Decider, Decision
from argosy.scheduler.framework import Plugin
from argosy.scheduler.occupants import Occupant, bare, occupant_of
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.queue import SchedulingQueue
from argosy.scheduler.state import State
from argosy.scheduler.writes import Writer

log = logging.getLogger(__name__)

FIELD_MANAGER = "kube-scheduler"
"""Whose fields the conditions are; the one name that other tools know."""

MOST_WRITING = 64
"""So many units are written at once; more decisions ahead of the API would not help."""


class Scheduler:
    """Places the pods that name it. Register `run` with `manager.add_runner`."""

    def __init__(
        self,
        manager: Manager,
        *,
        name: str = "default-scheduler",
        plugins: Sequence[Plugin] = PLUGINS,
    ) -> None:
        self._clock: Clock = manager.clock
        self._state = State()
        self._decider = Decider(self._state, plugins)
        self._backlog = Backlog(name)
        self._queue: SchedulingQueue[UnitKey] = SchedulingQueue(manager.clock)
        client = replace(manager.client, manager=FIELD_MANAGER)
        self._writer = Writer(client, manager.clock, EventRecorder(client, manager.clock, name))
        self._binder = Binder(self._writer, self._state, manager.informer(Pod))
        self._sources: tuple[tuple[Informer[Any], Callable[[Any, Any], None]], ...] = (
            (manager.informer(Node), self._node),
            (manager.informer(DeviceClass), self._device_class),
            (manager.informer(ResourceSlice), self._slice),
            (manager.informer(ResourceClaim), self._claim),
            (manager.informer(PodGroup), self._group),
            (manager.informer(Pod), self._pod),
        )

    async def run(self) -> None:
        """Schedule until cancelled."""
        for informer, _ in self._sources:
            await informer.synced.wait()
        for informer, subscriber in self._sources:
            informer.subscribe(subscriber)
        slots = asyncio.Semaphore(MOST_WRITING)
        async with asyncio.TaskGroup() as writing:
            while True:
                await slots.acquire()
                key = await self._queue.get()
                decision = self._decide(key)
                if decision is None:
                    slots.release()
                    continue
                task = writing.create_task(self._carry_out(key, decision))
                task.add_done_callback(lambda _: slots.release())

    def _decide(self, key: UnitKey) -> Decision | None:
        """The decision on a unit; None where there is nothing to carry out."""
        unit = self._backlog.unit(key)
        if unit is None:
            self._queue.finish(key)
            return None
        try:
            decision = self._decider.decide(unit)
        except Exception:
            # A plugin's fault must not stop the others' pods.
            log.exception("deciding failed", extra={"unit": "/".join(key[:2])})
            self._queue.retry(key)
            return None
        self._state.hand_over(decision.placements)
        return decision

    async def _carry_out(self, key: UnitKey, decision: Decision) -> None:
        """Write the decision and give the unit back to the queue."""
        failed = decision.busy
        try:
            bound = await self._binder.bind(decision.placements)
            for placement in bound:
                self._backlog.bound(placement.pod)
            failed = failed or len(bound) < len(decision.placements)
            await self._binder.tell(decision, bound, self._backlog.group(key))
        except Exception:
            # A fault of this unit's must not stop the others.
            log.exception("binding failed", extra={"unit": "/".join(key[:2])})
            failed = True
        if failed:
            self._queue.retry(key)
        elif decision.waiting:
            self._queue.park(key)
        else:
            self._queue.finish(key)

    def _pod(self, old: Pod | None, new: Pod | None) -> None:
        nodes = self._state.nodes
        freed = False
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            freed = nodes.drop_pod(old.metadata.uid)
            self._writer.forget(old.metadata.uid)
        if new is not None and new.finished:
            freed = nodes.drop_pod(new.metadata.uid) or freed
        elif new is not None and new.spec.node_name:
            nodes.put_pod(new.spec.node_name, _occupant(new))
        changed = self._backlog.put(old, new)
        key = unit_of(_either(old, new))
        if changed:
            self._queue.add(key, self._backlog.priority(key))
        elif self._backlog.unit(key) is None:
            self._queue.drop(key)
        if freed:
            self._queue.wake()

    def _node(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            self._state.nodes.drop_node(_either(old, new).metadata.name)
        elif self._state.nodes.put_node(new):
            self._queue.wake()

    def _device_class(self, old: DeviceClass | None, new: DeviceClass | None) -> None:
        self._state.devices.put_class(old, new)
        self._queue.wake()

    def _slice(self, old: ResourceSlice | None, new: ResourceSlice | None) -> None:
        self._state.devices.put_slice(old, new)
        self._queue.wake()

    def _claim(self, old: ResourceClaim | None, new: ResourceClaim | None) -> None:
        self._state.devices.put_claim(old, new)
        if _frees(old, new):
            self._queue.wake()

    def _group(self, old: PodGroup | None, new: PodGroup | None) -> None:
        self._backlog.put_group(old, new)
        if new is None:
            self._writer.forget(_either(old, new).metadata.uid)
        elif old is None or old.spec != new.spec:
            key = UnitKey(new.metadata.namespace, new.metadata.name, True)
            if self._backlog.unit(key) is not None:
                self._queue.add(key, self._backlog.priority(key))


def _occupant(pod: Pod) -> Occupant:
    """What a bound pod is; one with broken quantities counts as a pod and no more."""
    try:
        return occupant_of(pod)
    except ValueError as error:
        log.warning("broken pod", extra={"pod": "/".join(pod.key), "error": str(error)})
        return bare(pod)


def _frees(old: ResourceClaim | None, new: ResourceClaim | None) -> bool:
    """Whether a claim's change can help a pod: it is new, has given devices back, or has room."""
    if old is None or new is None:
        return True
    given_back = old.status.allocation is not None and new.status.allocation is None
    return given_back or len(new.status.reserved_for) < len(old.status.reserved_for)


def _either(old: Any, new: Any) -> Any:
    return new if new is not None else old
