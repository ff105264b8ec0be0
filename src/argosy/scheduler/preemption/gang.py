"""Preemption for a gang: room for so many of its pods that it may run, or nothing is touched.

The gang is placed pod by pod on the columns, and whoever stands in the way of the next pod goes,
as in the preemption for one pod. In the end those victims are taken back one by one, the most
important first, that the gang fits beside after all. Pods of other groups go only where pods on
their own don't give room enough; a gang of theirs that would be left with too few goes as a whole.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.scheduler.framework import Mask, UnschedulableError
from argosy.scheduler.gangs.within import Within
from argosy.scheduler.holdings import NOBODY, Slots, priority_of, started
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import Placer, Search
from argosy.scheduler.preemption.record import Candidate, Preemption, Victim
from argosy.scheduler.preemption.single import GOING, NEVER, Preemptor, Rescue
from argosy.scheduler.state import State

NO_VICTIMS = "preemption: No preemption victims found for incoming preemptor"
NO_ROOM = "preemption: not enough room for the pod group, whatever pods of lower priority go"
Gone = tuple[str, Occupant]
Placed = tuple[Search, Placement]


@dataclass(slots=True)
class _Plan:
    """What has been done to the columns so far, by uid."""

    placements: dict[str, Placed] = field(default_factory=dict)
    victims: dict[str, Gone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Party:
    """Victims that go together or stay together."""

    members: tuple[Gone, ...]
    whole: bool
    violating: bool = False

    @property
    def rank(self) -> tuple[bool, int, bool, int, float]:
        """Sorts the more important parties first, those before all that violate a budget."""
        level = max(priority_of(item.pod) for _, item in self.members)
        since = min(started(item.pod) for _, item in self.members)
        return (not self.violating, -level, not self.whole, -len(self.members), since)


class _Finder:
    """Candidates for the pods of one gang. Pods of one kind go through the same candidates: those
    on rows that nobody has touched since are as good as new."""

    def __init__(
        self, preemptor: Preemptor, priority: int, spared: Callable[[Slots], Mask]
    ) -> None:
        self._preemptor = preemptor
        self._priority = priority
        self._spared = spared
        self._begun: dict[Hashable, Iterator[Candidate]] = {}
        self._hopeless: set[Hashable] = set()

    def worth_it(self, searches: Sequence[Search], least: int) -> bool:
        """Whether there might be room: equal pods are counted before anything is tried."""
        first = searches[0]
        if any(search.shape != first.shape for search in searches):
            return True
        sketch = self._preemptor.sketched(first, self._priority, self._spared)
        return sketch.most >= least

    def find(self, search: Search) -> Candidate | None:
        """Room for one more pod."""
        kind = search.kind
        if kind is None:
            return next(self._fresh(search), None)
        if kind in self._hopeless:
            return None
        found = next(self._begun[kind], None) if kind in self._begun else None
        if found is None:
            self._begun[kind] = self._fresh(search)
            found = next(self._begun[kind], None)
        if found is None:
            self._hopeless.add(kind)
        return found

    def _fresh(self, search: Search) -> Iterator[Candidate]:
        reasons: Counter[str] = Counter()
        return self._preemptor.candidates(
            search, self._priority, spared=self._spared, reasons=reasons
        )


class GangPreemptor:
    """Finds room for gangs; changes nothing but nominations."""

    def __init__(self, state: State, placer: Placer, preemptor: Preemptor) -> None:
        self._state = state
        self._placer = placer
        self._preemptor = preemptor

    def rescue(
        self, pods: Sequence[Pod], *, uid: str, least: int, within: Within | None = None
    ) -> Rescue:
        """Nominate `least` of `pods`, the first ones that can be, or tell why not. All of them are
        `within` a domain, where one is given."""
        if any(pod.spec.preemption_policy == "Never" for pod in pods):
            return Rescue(None, NEVER)
        exempt = frozenset(pod.metadata.uid for pod in pods)
        try:
            searches = [self._placer.search(pod, exempt, within) for pod in pods]
        except UnschedulableError as error:
            return Rescue(None, f"preemption: {error}")
        if any(self._preemptor.expecting(search) for search in searches):
            return Rescue(None, GOING)
        # Nobody goes whom one of the gang's own pods would have to yield to.
        priority = min(pod.spec.priority for pod in pods)
        reason = NO_VICTIMS
        if self._state.nodes.holdings.lowest < priority:
            reason = NO_ROOM
            for ungrouped in (True, False):
                plan = self._planned(searches, priority, least, ungrouped)
                if plan is not None:
                    return Rescue(self._nominate(pods, plan, uid, priority))
        for pod in pods:
            self._state.nodes.nominated.drop(pod.metadata.uid)
        return Rescue(None, reason)

    def _finder(self, searches: Sequence[Search], priority: int, ungrouped: bool) -> _Finder:
        """Finds room for one pod, at the cost of pods of no group, or of other groups too."""
        held = self._state.nodes.holdings
        own = _group(searches[0].pod)

        def spared(slots: Slots) -> Mask:
            grouped: Mask = held.grouped[slots]
            if not ungrouped:
                for place in np.flatnonzero(grouped):
                    grouped[place] = _group(held.occupant(int(slots[place])).pod) == own
            return grouped

        return _Finder(self._preemptor, priority, spared)

    def _planned(
        self, searches: Sequence[Search], priority: int, least: int, ungrouped: bool
    ) -> _Plan | None:
        """What has to be done, none of which is left in the columns; None where nothing helps."""
        plan = _Plan()
        finder = self._finder(searches, priority, ungrouped)
        if not finder.worth_it(searches, least):
            return None
        try:
            if not self._fill(plan, searches, least, finder):
                return None
            if not ungrouped:
                self._widen(plan, priority)
            self._take_back(plan)
            return _Plan(dict(plan.placements), dict(plan.victims))
        finally:
            for _, placement in reversed(plan.placements.values()):
                self._state.retract(placement)
            for node, victim in plan.victims.values():
                self._state.nodes.put_pod(node, victim)

    def _fill(self, plan: _Plan, searches: Sequence[Search], least: int, finder: _Finder) -> bool:
        """Place `least` pods, evicting on the way; whether that was possible."""
        for number, search in enumerate(searches):
            if len(plan.placements) == least:
                break
            if len(plan.placements) + len(searches) - number < least:
                return False
            # What surveys say is of the moment.
            fresh = self._placer.search(search.pod, search.exempt, search.within)
            placement = self._one(plan, fresh, finder)
            if placement is not None:
                self._state.assume(placement)
                plan.placements[search.pod.metadata.uid] = (fresh, placement)
        return len(plan.placements) >= least

    def _one(self, plan: _Plan, search: Search, finder: _Finder) -> Placement | None:
        """A place for one pod, after what had to go for it."""
        placement = self._placer.attempt(search)
        if placement is not None:
            return placement
        candidate = finder.find(search)
        if candidate is None:
            return None
        nodes = self._state.nodes
        name = nodes.names[candidate.row]
        for victim in candidate.victims:
            nodes.drop_pod(victim.pod.metadata.uid)
            plan.victims[victim.pod.metadata.uid] = (name, victim)
        fresh = self._placer.search(search.pod, search.exempt, search.within)
        return self._placer.attempt(fresh, candidate.row)

    def _widen(self, plan: _Plan, priority: int) -> None:
        """Of gangs that would be left with too few, let all go: unless some may not."""
        for key in {key for _, item in plan.victims.values() if (key := _group(item.pod))}:
            least = self._state.least_of(key)
            rest = self._members(key)
            if not least or len(rest) >= least:
                continue
            if all(priority_of(item.pod) < priority for _, item in rest):
                for node, item in rest:
                    self._state.nodes.drop_pod(item.pod.metadata.uid)
                    plan.victims[item.pod.metadata.uid] = (node, item)

    def _members(self, key: Key) -> list[Gone]:
        """The pods of a group that are on nodes."""
        nodes = self._state.nodes
        held = nodes.holdings
        count = len(held.occupants)
        slots = np.flatnonzero((held.rows[:count] != NOBODY) & held.grouped[:count])
        occupants = [(int(held.rows[slot]), held.occupant(int(slot))) for slot in slots]
        return [(nodes.names[row], item) for row, item in occupants if _group(item.pod) == key]

    def _take_back(self, plan: _Plan) -> None:
        """Spare the victims that the gang fits beside."""
        placed: dict[str, list[Placed]] = {}
        for pair in plan.placements.values():
            placed.setdefault(pair[1].node, []).append(pair)
        for party in self._parties(plan):
            for node, item in party.members:
                self._state.nodes.put_pod(node, item)
            names = {node for node, _ in party.members}
            if all(self._still_fits(pair) for name in names for pair in placed.get(name, ())):
                for _, item in party.members:
                    del plan.victims[item.pod.metadata.uid]
            else:
                for _, item in party.members:
                    self._state.nodes.drop_pod(item.pod.metadata.uid)

    def _parties(self, plan: _Plan) -> list[_Party]:
        found: list[_Party] = []
        groups: dict[Key, list[Gone]] = {}
        for gone in plan.victims.values():
            key = _group(gone[1].pod)
            least = self._state.least_of(key) if key else 0
            if key and least and not self._members(key):
                groups.setdefault(key, []).append(gone)
            else:
                found.append(_Party((gone,), whole=False))
        found.extend(_Party(tuple(members), whole=True) for members in groups.values())
        found.sort(key=lambda party: party.rank)
        flags = iter(
            self._state.budgets.violated(item.pod for party in found for _, item in party.members)
        )
        marked = [
            _Party(party.members, party.whole, any([next(flags) for _ in party.members]))
            for party in found
        ]
        return sorted(marked, key=lambda party: party.rank)

    def _still_fits(self, placed: Placed) -> bool:
        """Whether a pod of the gang may be where it is."""
        search, placement = placed
        nodes = self._state.nodes
        nodes.drop_pod(placement.pod.metadata.uid)
        try:
            return self._placer.trial(search).fits(nodes.row_of[placement.node])
        finally:
            nodes.put_pod(placement.node, placement.occupant)

    def _nominate(self, pods: Sequence[Pod], plan: _Plan, uid: str, priority: int) -> Preemption:
        nominated = self._state.nodes.nominated
        displaced: list[Pod] = []
        for pod in pods:
            nominated.drop(pod.metadata.uid)
        for _, placement in plan.placements.values():
            displaced.extend(self._preemptor.displaced(placement.node, priority))
            nominated.put(placement.pod, placement.node)
        victims = tuple(Victim(item.pod, node) for node, item in plan.victims.values())
        self._state.evicting.update(plan.victims)
        return Preemption(
            scheduler=pods[0].spec.scheduler_name,
            kind="podgroup",
            uid=uid,
            victims=victims,
            displaced=tuple(displaced),
            preemptors=tuple(placement.pod for _, placement in plan.placements.values()),
        )


def _group(pod: Pod) -> Key | None:
    group = pod.spec.scheduling_group
    if group is None or not group.pod_group_name:
        return None
    return (pod.metadata.namespace, group.pod_group_name)
