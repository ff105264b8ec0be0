"""The scheduler: informers feed state and queue, one loop decides, bounded tasks write.

A decision happens at once, between two events, and assumes what it decides; writing takes its
time beside the next decisions. A unit is with the queue or with one worker, never with both, so
what is told of a pod can't overtake what is done with it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from argosy.api.batch import Job
from argosy.api.core import Namespace, Node, Pod, Service
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.base.clock import Clock
from argosy.runtime.events import EventRecorder
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from argosy.scheduler.binding import Binder
from argosy.scheduler.decide import Decider, Decision, Refusal, Unit
from argosy.scheduler.extenders.asking import Extenders
from argosy.scheduler.faults import SCHEDULER_ERROR, HungError, NamedError, told
from argosy.scheduler.foreignreading import ForeignReading
from argosy.scheduler.gangs.kinship import COMPOSITE
from argosy.scheduler.hints import heeds_others, relabelled, stirs
from argosy.scheduler.occupants import Occupant, bare, occupant_of
from argosy.scheduler.owners import WORKLOADS
from argosy.scheduler.preemption.single import expecting
from argosy.scheduler.profiles import STANDARD, Profile, Setup
from argosy.scheduler.queue import SchedulingQueue
from argosy.scheduler.reserving.book import Book
from argosy.scheduler.reserving.keeping import RESERVATION
from argosy.scheduler.state import State
from argosy.scheduler.volumes.binding import VolumeBinder
from argosy.scheduler.volumes.feeding import sources as volume_sources
from argosy.scheduler.writes import Writer

log = logging.getLogger(__name__)

FIELD_MANAGER = "kube-scheduler"
"""Whose fields the conditions are; the one name that other tools know."""

SAME_NAME = "all pods in a single pod group should have the same .spec.schedulerName set"

MOST_WRITING = 64
"""So many units are written at once; more decisions ahead of the API would not help."""

LONG = 0.02
"""Seconds. After a decision that took longer, others have as much time: gangs that are complete
at once would stop all requests until the last of them is placed."""

Subscriber = Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who decides for one profile, and who writes in its name."""

    decider: Decider
    gentle: Decider  # evicts nobody
    binder: Binder


class Scheduler:
    """Places the pods that name one of its profiles. Register `run` with `manager.add_runner`.

    It does without the kinds that are `absent`: older clusters serve no claims, or no pod groups.
    """

    def __init__(
        self, manager: Manager, setup: Setup = STANDARD, *, absent: Collection[Resource] = ()
    ) -> None:
        self._clock: Clock = manager.clock
        self._state = State()
        self._backlog = Backlog(profile.name for profile in setup.profiles)
        self._queue: SchedulingQueue[UnitKey] = SchedulingQueue(
            manager.clock, first_rest=setup.first_rest, longest_rest=setup.longest_rest
        )
        freed = self._queue.wake
        self._book = Book(self._state, manager.clock, freed, patience=_patience(setup))
        self._slots = asyncio.Semaphore(MOST_WRITING)
        client = replace(manager.client, manager=FIELD_MANAGER)
        self._volumes = VolumeBinder(
            client, manager.clock, self._state, manager.informer(Pod), self._slots
        )
        self._extenders = Extenders(client, setup.extenders) if setup.extenders else None
        self._foreign = ForeignReading(manager, self._foreign_group, self._foreign_groups)
        self._desks = {profile.name: self._desk(manager, profile) for profile in setup.profiles}
        kinds: tuple[tuple[type[Object], Subscriber], ...] = (
            (Namespace, self._namespace),
            (Service, self._state.owners.put_service),
            *((kind, self._state.owners.put_workload) for kind in WORKLOADS),
            (Node, self._node),
            (DeviceClass, self._device_class),
            (ResourceSlice, self._slice),
            (ResourceClaim, self._claim),
            (PodGroup, self._group),
            (PodDisruptionBudget, self._budget),
            (Job, self._state.deadlines.put),
        )
        self._sources: tuple[tuple[Informer[Any], Subscriber], ...] = (
            *((manager.informer(it), told) for it, told in kinds if it.resource not in absent),
            *volume_sources(manager, self._state.volumes, self._volumes, self._queue.wake),
            (manager.informer(Pod), self._pod),
        )

    def _desk(self, manager: Manager, profile: Profile) -> _Desk:
        client = replace(manager.client, manager=FIELD_MANAGER)
        events = EventRecorder(client, manager.clock, profile.name)
        writer = Writer(client, manager.clock, events)
        other = self._extenders.bind if self._extenders else None
        binder = Binder(writer, self._state, manager.informer(Pod), self._volumes, other)
        asked = (self._extenders.plugin,) if self._extenders else ()
        named = any(plugin.name == RESERVATION.name for plugin in profile.plugins)
        plugins = (*profile.plugins, *(() if named else (RESERVATION,)), *asked)
        gentle = [plugin for plugin in plugins if not plugin.preemption]
        return _Desk(Decider(self._state, plugins), Decider(self._state, gentle), binder)

    async def run(self) -> None:
        """Schedule until cancelled."""
        for informer, _ in self._sources:
            await informer.synced.wait()
        for informer, subscriber in self._sources:
            informer.subscribe(subscriber)
        try:
            async with asyncio.TaskGroup() as writing:
                writing.create_task(self._foreign.run())
                while True:
                    await self._next(writing)
        finally:
            if self._extenders is not None:
                await self._extenders.close()

    async def _next(self, writing: asyncio.TaskGroup) -> None:
        """Decide on the next unit, and let it be written."""
        slots = self._slots
        await slots.acquire()
        key = await self._queue.get()
        unit = self._backlog.unit(key)
        if unit is None:
            self._queue.finish(key)
            slots.release()
            return
        desk = self._desks[unit.pods[0].spec.scheduler_name]
        if self._extenders is not None and self._extenders.concern(unit.pods):
            slots.release()
            writing.create_task(self._ask_first(key, desk, unit, self._extenders))
            return
        began = self._clock.monotonic()
        task = writing.create_task(self._carry_out(key, desk, self._decide(key, desk, unit)))
        task.add_done_callback(lambda _: slots.release())
        took = self._clock.monotonic() - began
        if took > LONG:
            await self._clock.sleep(took)

    async def _ask_first(
        self, key: UnitKey, desk: _Desk, asked: Unit, extenders: Extenders
    ) -> None:
        """Decide on a unit once extenders have answered; meanwhile others are decided on."""
        fault: Exception | None = None
        try:
            await extenders.ask(desk.decider, asked.pods)
        except Exception as error:  # of a plugin, of an extender, of the API
            fault = error
        async with self._slots:
            unit = self._backlog.unit(key)
            if unit is None:
                self._queue.finish(key)
            else:
                decision = _failed(unit, fault) if fault else self._decide(key, desk, unit)
                await self._carry_out(key, desk, decision)
        extenders.forget(asked.pods)

    def _decide(self, key: UnitKey, desk: _Desk, unit: Unit) -> Decision:
        """The decision on a unit; where a plugin fails, it is that the pods are tried again."""
        names = sorted({pod.spec.scheduler_name for pod in unit.pods})
        if len(names) > 1:
            text = f'{SAME_NAME}, got: "{names[0]}" and "{names[1]}"'
            return _failed(unit, NamedError(text))
        self._book.tick(key, unit)
        try:
            decision = desk.decider.decide(unit)
            if unit.gang:
                decision = self._book.seen(key, unit, decision, desk.gentle)
        except Exception as error:  # a plugin's fault must not stop the others' pods
            return _failed(unit, error)
        if self._extenders is not None and not self._extenders.agree(decision.placements):
            for placement in reversed(decision.placements):
                self._state.retract(placement)
            return Decision(busy=True)
        self._state.hand_over(decision.placements)
        return decision

    async def _carry_out(self, key: UnitKey, desk: _Desk, decision: Decision) -> None:
        """Write the decision and give the unit back to the queue."""
        failed = decision.busy
        try:
            bound = await desk.binder.bind(decision.placements)
            for placement in bound:
                self._backlog.bound(placement.pod)
            failed = failed or len(bound) < len(decision.placements)
            await desk.binder.tell(decision, bound, self._backlog.groups(key))
            if decision.preemptions:
                failed = not await desk.binder.evict(decision) or failed
                for pod in (pod for it in decision.preemptions for pod in it.displaced):
                    self._queue.hurry(self._backlog.top(unit_of(pod)))
        except Exception:
            # A fault of this unit's must not stop the others.
            log.exception("binding failed", extra={"unit": "/".join(key[:2])})
            failed = True
            for it in decision.preemptions:
                self._state.evicting.difference_update(one.pod.metadata.uid for one in it.victims)
        if failed:
            self._queue.retry(key, last=decision.hung)
        elif decision.waiting:
            heeding = any(heeds_others(refusal.pod) for refusal in decision.refusals)
            self._queue.park(key, heeding=heeding, within=self._book.due(key))
        else:
            self._queue.finish(key)

    def _forget(self, uid: str) -> None:
        for desk in self._desks.values():
            desk.binder.writer.forget(uid)

    def _pod(self, old: Pod | None, new: Pod | None) -> None:
        nodes = self._state.nodes
        freed = False
        nodes.nominated.follow(old, new)
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            freed = nodes.drop_pod(old.metadata.uid)
            self._forget(old.metadata.uid)
        if new is not None and new.finished:
            freed = nodes.drop_pod(new.metadata.uid) or freed
        elif new is not None and new.spec.node_name:
            nodes.put_pod(new.spec.node_name, _occupant(new))
        changed = self._backlog.put(old, new)
        key = self._backlog.top(unit_of(_either(old, new)))
        if changed:
            self._turn(key)
        elif not self._backlog.waits(key):
            self._queue.drop(key)
            self._book.forget(key)
        if freed or (new is not None and relabelled(old, new)):
            self._queue.wake()
            if freed and old is not None:
                self._make_way(old)
        elif new is not None and stirs(old, new):
            self._queue.stir()

    def _turn(self, key: UnitKey) -> None:
        """The unit has something new to decide, as soon as it is known what it is."""
        if not key.family or self._foreign.ready(key.family):
            queue, incomplete = self._queue, self._backlog.incomplete(key)
            (queue.put_off if incomplete else queue.add)(key, self._backlog.priority(key))

    def _make_way(self, gone: Pod) -> None:
        """Those come at once that waited for no more than this pod to go."""
        self._state.evicting.discard(gone.metadata.uid)
        for occupant in self._state.nodes.nominated.on(gone.spec.node_name):
            key = self._backlog.top(unit_of(occupant.pod))
            unit = self._backlog.unit(key)
            if unit is not None and not any(expecting(self._state, pod) for pod in unit.pods):
                self._queue.hurry(key)

    def _budget(self, old: PodDisruptionBudget | None, new: PodDisruptionBudget | None) -> None:
        self._state.budgets.put(old, new)

    def _node(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            self._state.nodes.drop_node(_either(old, new).metadata.name)
            self._queue.stir()
        elif self._state.nodes.put_node(new):
            self._queue.wake()

    def _namespace(self, old: Namespace | None, new: Namespace | None) -> None:
        if self._state.namespaces.put(old, new):
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
        self._state.put_group(old, new)
        if new is None:
            self._forget(_either(old, new).metadata.uid)
        elif old is None or old.spec != new.spec:
            self._moved(UnitKey(new.metadata.namespace, new.metadata.name, True))

    def _composite(self, old: CompositePodGroup | None, new: CompositePodGroup | None) -> None:
        self._backlog.put_composite(old, new)
        either = _either(old, new)
        if new is None:
            self._forget(either.metadata.uid)
        if old is None or new is None or old.spec != new.spec:
            namespace, name = either.key
            self._moved(UnitKey(namespace, name, True, COMPOSITE))

    def _moved(self, key: UnitKey) -> None:
        """What a gang is, or is part of, is another now."""
        top = self._backlog.top(key)
        if top != key:
            self._queue.drop(key)
            self._book.forget(key)
        if self._backlog.waits(top):
            self._turn(top)

    def _foreign_group(self, family: str, old: Any, new: Any) -> None:
        if family == COMPOSITE:
            self._composite(old, new)
            return
        namespace, name = _either(old, new).key
        key = UnitKey(namespace, name, True, family)
        if self._backlog.put_minimum(key, new) and self._backlog.waits(key):
            self._turn(key)

    def _foreign_groups(self, family: str) -> None:
        for key in self._backlog.waiting(family):
            self._turn(key)


def _patience(setup: Setup) -> float:
    """The first that a profile's plugin tells of: there is one reservation for all profiles."""
    plugins = (plugin for profile in setup.profiles for plugin in profile.plugins)
    told = (plugin.patience for plugin in plugins)
    return next((float(seconds) for seconds in told if seconds is not None), setup.patience)


def _failed(unit: Unit, error: Exception) -> Decision:
    """Nothing was decided; the pods are told, and tried again."""
    text = told(error)
    # Where it comes from is of interest only where nobody is named.
    traced = None if isinstance(error, NamedError) else error
    context = {"pod": "/".join(unit.pods[0].key), "error": text}
    log.warning("deciding failed", extra=context, exc_info=traced)
    refusals = tuple(Refusal(pod, SCHEDULER_ERROR, text) for pod in unit.pods)
    return Decision(refusals=refusals, busy=True, hung=isinstance(error, HungError))


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
