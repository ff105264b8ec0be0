"""Which pods wait for this scheduler's profiles, and as which unit: alone, or with their gang.

A function of what the informers have shown, with one exception: a pod that was bound by this
scheduler counts as bound before the informer shows it.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.api.scheduling import PodGroup
from argosy.scheduler.decide import Unit


class UnitKey(NamedTuple):
    """A pod's namespace and name, or a gang's."""

    namespace: str
    name: str
    gang: bool


def unit_of(pod: Pod) -> UnitKey:
    """The unit that `pod` is decided with."""
    meta = pod.metadata
    group = pod.spec.scheduling_group
    if group is not None and group.pod_group_name:
        return UnitKey(meta.namespace, group.pod_group_name, True)
    return UnitKey(meta.namespace, meta.name, False)


class Backlog:
    """Waiting pods by unit, bound pods by gang, and the pod groups."""

    def __init__(self, schedulers: Iterable[str]) -> None:
        self._schedulers = frozenset(schedulers)
        self._waiting: defaultdict[UnitKey, dict[str, Pod]] = defaultdict(dict)
        self._bound: defaultdict[UnitKey, set[str]] = defaultdict(set)
        self._groups: dict[Key, PodGroup] = {}

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
        if old is not None:
            self._groups.pop(old.key, None)
        if new is not None:
            self._groups[new.key] = new

    def bound(self, pod: Pod) -> None:
        """This scheduler has bound `pod`; one that isn't waiting any more is left alone."""
        key, uid = unit_of(pod), pod.metadata.uid
        if uid in self._waiting.get(key, {}):
            self._forget_waiting(key, uid)
            self._bound[key].add(uid)

    def priority(self, key: UnitKey) -> int:
        """The highest priority among the unit's waiting pods."""
        return max((pod.spec.priority for pod in self._waiting.get(key, {}).values()), default=0)

    def unit(self, key: UnitKey) -> Unit | None:
        """What there is to decide; None where nothing waits."""
        pods = tuple(self._waiting.get(key, {}).values())
        if not pods:
            return None
        if not key.gang:
            return Unit(pods=pods)
        group = self._groups.get((key.namespace, key.name))
        return Unit(pods=pods, gang=key.name, group=group, bound=len(self._bound.get(key, ())))

    def group(self, key: UnitKey) -> PodGroup | None:
        """The gang's PodGroup, if there is one."""
        return self._groups.get((key.namespace, key.name)) if key.gang else None

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


def _differ(old: Pod, new: Pod) -> bool:
    """Whether something changed that decisions depend on; conditions don't."""
    return (
        old.spec != new.spec
        or old.metadata.labels != new.metadata.labels
        or old.status.resource_claim_statuses != new.status.resource_claim_statuses
    )
