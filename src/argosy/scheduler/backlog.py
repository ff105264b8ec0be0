"""Which pods wait for this scheduler's profiles, and as which unit: alone, or with their gang.

A function of what the informers have shown, with one exception: a pod that was bound by this
scheduler counts as bound before the informer shows it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from argosy.api.core import Pod
from argosy.api.meta import Key, Object
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.decide import Unit
from argosy.scheduler.foreigngroups import (
    FAMILIES,
    TOTAL,
    Minimum,
    as_group,
    awaited,
    counted,
    membership_of,
    stated,
)
from argosy.scheduler.gangs.kinship import COMPOSITE, Kinship
from argosy.scheduler.plugins.dynamic_resources import claim_name


class UnitKey(NamedTuple):
    """A pod's namespace and name, or a gang's; `family`: whose gang, empty for one of ours."""

    namespace: str
    name: str
    gang: bool
    family: str = ""


def unit_of(pod: Pod) -> UnitKey:
    """The unit that `pod` is decided with."""
    meta = pod.metadata
    group = pod.spec.scheduling_group
    if group is not None and group.pod_group_name:
        return UnitKey(meta.namespace, group.pod_group_name, True)
    if (meta.labels or meta.annotations) and (found := membership_of(pod)) is not None:
        return UnitKey(meta.namespace, found.group, True, found.family)
    return UnitKey(meta.namespace, meta.name, False)


class Backlog:
    """Waiting pods by unit, bound pods by gang, and the pod groups."""

    def __init__(self, schedulers: Iterable[str]) -> None:
        self._schedulers = frozenset(schedulers)
        self._waiting: defaultdict[UnitKey, dict[str, Pod]] = defaultdict(dict)
        self._bound: defaultdict[UnitKey, set[str]] = defaultdict(set)
        self._groups: dict[Key, PodGroup] = {}
        self._minima: dict[UnitKey, Minimum] = {}
        self._kin = Kinship()

    def put(self, old: Pod | None, new: Pod | None) -> bool:
        """A pod came, changed or went; whether its unit has something new to decide."""
        if old is not None and (new is None or _identity(new) != _identity(old)):
            self._remove(old)
        if new is None:
            return False
        uid, key = new.metadata.uid, unit_of(new)
        if not _alive(new):
            self._remove(new)
        elif new.spec.node_name:
            self._forget_waiting(key, uid)
            self._bound[key].add(uid)
        elif new.spec.scheduler_name in self._schedulers and uid not in self._bound.get(key, ()):
            known = self._waiting[key].get(uid)
            self._waiting[key][uid] = new
            return known is None or _differ(known, new)
        return False

    def put_group(self, old: PodGroup | None, new: PodGroup | None) -> None:
        """A pod group came, changed or went."""
        self._kin.put_group(old, new)
        if old is not None:
            self._groups.pop(old.key, None)
        if new is not None:
            self._groups[new.key] = new

    def put_composite(self, old: CompositePodGroup | None, new: CompositePodGroup | None) -> None:
        """A group of groups came, changed or went."""
        self._kin.put_composite(old, new)

    def put_minimum(self, key: UnitKey, found: Object | None) -> bool:
        """What is told of a group of others came, changed or went; whether that is news."""
        known = self._minima.pop(key, None)
        if found is None:
            return known is not None
        self._minima[key] = stated(found)
        return self._minima[key] != known

    def bound(self, pod: Pod) -> None:
        """This scheduler has bound `pod`; one that isn't waiting any more is left alone."""
        key, uid = unit_of(pod), pod.metadata.uid
        if uid in self._waiting.get(key, {}):
            self._forget_waiting(key, uid)
            self._bound[key].add(uid)

    def priority(self, key: UnitKey) -> int:
        """The highest priority among the unit's waiting pods."""
        return max((pod.spec.priority for pod in self._pods(key)), default=0)

    def top(self, key: UnitKey) -> UnitKey:
        """The unit that a gang is decided with: itself, or the groups of groups that it is in."""
        at = (key.namespace, key.name)
        if key.family == COMPOSITE:
            return UnitKey(*self._kin.above(at), True, COMPOSITE)
        top = None if key.family or not key.gang else self._kin.top(at)
        return key if top is None else UnitKey(*top, True, COMPOSITE)

    def unit(self, key: UnitKey) -> Unit | None:
        """What there is to decide; None where nothing waits, or not as a unit of its own."""
        pods = tuple(self._pods(key))
        if not pods or self.top(key) != key:
            return None
        if not key.gang:
            return Unit(pods=pods)
        return self._composite(key, pods) if key.family == COMPOSITE else self._gang(key, pods)

    def _gang(self, key: UnitKey, pods: tuple[Pod, ...]) -> Unit:
        there = tuple(self._bound.get(key, ()))
        bound = len(there)
        if not key.family:
            group = self.group(key)
            return Unit(pods=pods, gang=key.name, group=group, bound=bound, there=there)
        minimum = self._minimum(key, pods)
        group = as_group(key.namespace, key.name, minimum)
        told = minimum.trouble
        found = Unit(pods=pods, gang=key.name, group=group, bound=bound, there=there)
        return replace(found, trouble=told) if told else found

    def waits(self, key: UnitKey) -> bool:
        """Whether there is anything to decide."""
        return any(it in self._waiting for it in self._gangs(key))

    def incomplete(self, key: UnitKey) -> bool:
        """Whether more must come before there is anything to decide, as a rule soon: other pods of
        the gang, or claims that are made from templates."""
        waiting = self._waiting.get(key, {})
        group = self.group(key)
        gang = group.spec.scheduling_policy.gang if group is not None else None
        if gang is not None and len(waiting) + len(self._bound.get(key, ())) < gang.min_count:
            return True  # said before all of them are looked at, which come one by one
        return any(_unclaimed(pod) for pod in waiting.values() if pod.spec.resource_claims)

    def waiting(self, family: str) -> list[UnitKey]:
        """The gangs of a family that wait."""
        if family == COMPOSITE:
            return list({top for key in self._waiting if (top := self.top(key)) != key})
        return [key for key in self._waiting if key.family == family]

    def group(self, key: UnitKey) -> PodGroup | None:
        """The gang's own PodGroup, if there is one."""
        own = key.gang and not key.family
        return self._groups.get((key.namespace, key.name)) if own else None

    def groups(self, key: UnitKey) -> list[PodGroup]:
        """Our own pod groups of the unit."""
        found = (self.group(it) for it in self._gangs(key))
        return [group for group in found if group is not None]

    def _gangs(self, key: UnitKey) -> Iterable[UnitKey]:
        if key.family != COMPOSITE:
            return (key,)
        return (UnitKey(*it, True) for it in self._kin.below((key.namespace, key.name)))

    def _pods(self, key: UnitKey) -> Iterable[Pod]:
        return (pod for it in self._gangs(key) for pod in self._waiting.get(it, {}).values())

    def _composite(self, key: UnitKey, pods: tuple[Pod, ...]) -> Unit:
        """Groups of groups; where they can't be placed at all, all gangs of them side by side."""
        at = (key.namespace, key.name)
        trouble = self._kin.trouble(at)
        if not trouble:
            return self._tree(at)
        parts = tuple(self._gang(it, tuple(self._pods(it))) for it in self._gangs(key))
        composite = self._kin.composite(at)
        return Unit(pods=pods, gang=key.name, trouble=trouble, composite=composite, parts=parts)

    def _tree(self, at: Key) -> Unit:
        composites, gangs = self._kin.parts(at)
        keys = [UnitKey(*it, True) for it in gangs]
        parts = (
            *(self._tree(it) for it in composites),
            *(self._gang(it, tuple(self._pods(it))) for it in keys),
        )
        pods = tuple(pod for part in parts for pod in part.pods)
        return Unit(pods=pods, gang=at[1], composite=self._kin.composite(at), parts=parts)

    def _minimum(self, key: UnitKey, pods: Collection[Pod]) -> Minimum:
        if FAMILIES[key.family].kind is None:
            return counted(pods)
        return self._minima.get(key) or Minimum(trouble=awaited(key.family, key.name))

    def _remove(self, pod: Pod) -> None:
        key = unit_of(pod)
        self._forget_waiting(key, pod.metadata.uid)
        if key in self._bound:
            self._bound[key].discard(pod.metadata.uid)
            if not self._bound[key]:
                del self._bound[key]

    def _forget_waiting(self, key: UnitKey, uid: str) -> None:
        if key in self._waiting:
            self._waiting[key].pop(uid, None)
            if not self._waiting[key]:
                del self._waiting[key]


def _identity(pod: Pod) -> tuple[str, UnitKey]:
    return (pod.metadata.uid, unit_of(pod))


def _alive(pod: Pod) -> bool:
    """Whether it counts for its gang: neither going nor failed, nor done before it was placed."""
    if pod.metadata.deletion_timestamp or pod.status.phase == "Failed":
        return False
    return bool(pod.spec.node_name) or not pod.finished


def _unclaimed(pod: Pod) -> bool:
    """Whether a claim of the pod's is still to be made."""
    return any(claim_name(pod, entry) is None for entry in pod.spec.resource_claims)


def _differ(old: Pod, new: Pod) -> bool:
    """Whether something changed that decisions depend on; conditions don't."""
    return (
        old.spec != new.spec
        or old.metadata.labels != new.metadata.labels
        or old.status.resource_claim_statuses != new.status.resource_claim_statuses
        or old.metadata.annotations.get(TOTAL) != new.metadata.annotations.get(TOTAL)
    )
