"""Gangs that others tell of, by a label or an annotation of each pod; `spec.schedulingGroup` comes
before all of them.

How many of the pods must be placed at once stands in an object of the family's own kind, or in an
annotation of every pod. A group of a family is taken as one of ours with that minimum. Where the
minimum is nonsense nobody can say what all-or-nothing is: its pods wait, and are told.

Sources: scheduler-plugins' Coscheduling (label and PodGroup), Volcano's scheduler (annotation and
PodGroup), Kueue's plain pods (KEP-976: label or annotation, and total count). Kueue holds its pods
back by the scheduling gate `kueue.x-k8s.io/admission`, which is a gate as any other.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from argosy.api.core import Pod
from argosy.api.meta import Object, ObjectMeta
from argosy.api.podgroups import SchedulerPluginsPodGroup, VolcanoPodGroup
from argosy.api.scheduling import Gang, PodGroup, PodGroupSpec, SchedulingPolicy
from argosy.base.errors import FieldError, invalid_value, required

COSCHEDULING = "scheduling.x-k8s.io/pod-group"
VOLCANO = "scheduling.k8s.io/group-name"
KUEUE = "kueue.x-k8s.io/pod-group-name"
TOTAL = "kueue.x-k8s.io/pod-group-total-count"
ONE_BY_ONE = ("kueue.x-k8s.io/pod-group-fast-admission", "kueue.x-k8s.io/pod-group-serving")
"""Groups of which a pod comes only once another runs, as those of StatefulSets: no gangs."""

MOST = 2**31 - 1
_TELLING = frozenset((COSCHEDULING, VOLCANO, KUEUE))
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Family:
    """One way to tell of groups. `kind`: where their minimum stands; None: with their pods."""

    name: str
    group_of: Callable[[Pod], str]
    kind: type[Object] | None = None


class Membership(NamedTuple):
    """The family of a pod's group, and the group's name."""

    family: str
    group: str


@dataclass(frozen=True, slots=True)
class Minimum:
    """How many of a group's pods are placed at once, if any; `trouble`: why nobody can tell."""

    least: int = 0
    trouble: str = ""
    uid: str = ""


def _coscheduling(pod: Pod) -> str:
    return pod.metadata.labels.get(COSCHEDULING, "")


def _volcano(pod: Pod) -> str:
    return pod.metadata.annotations.get(VOLCANO, "")


def _kueue(pod: Pod) -> str:
    meta = pod.metadata
    name = meta.annotations.get(KUEUE, "") or meta.labels.get(KUEUE, "")
    if name and any(meta.annotations.get(word) == "true" for word in ONE_BY_ONE):
        return ""
    return name


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family(COSCHEDULING, _coscheduling, SchedulerPluginsPodGroup),
            Family(VOLCANO, _volcano, VolcanoPodGroup),
            Family(KUEUE, _kueue),
        )
    }
)
"""By the label or annotation that tells; of a pod that has several, the first one counts."""


def membership_of(pod: Pod) -> Membership | None:
    """The group of others that `pod` is in. Asked of every pod, and nearly none is in any."""
    meta = pod.metadata
    if _TELLING.isdisjoint(meta.labels) and _TELLING.isdisjoint(meta.annotations):
        return None
    for family in FAMILIES.values():
        if group := family.group_of(pod):
            return Membership(family.name, group)
    return None


def awaited(family: str, group: str) -> str:
    """What pods are told as long as their group's object is not there."""
    kind = FAMILIES[family].kind
    assert kind is not None
    return f'waiting for {kind.resource.qualified} "{group}" to be created'


def stated(found: Object) -> Minimum:
    """What the object of a group says."""
    spec = getattr(found, "spec", None)
    value = spec.get("minMember") if isinstance(spec, dict) else None
    uid = found.metadata.uid
    if value is None:
        return Minimum(uid=uid)
    if type(value) is int and 0 <= value <= MOST:
        return Minimum(value, uid=uid)
    error = _wrong("spec.minMember", value, f"must be an integer between 0 and {MOST}")
    return Minimum(trouble=f'{found.resource.qualified} "{found.metadata.name}": {error}', uid=uid)


def counted(pods: Collection[Pod]) -> Minimum:
    """What the pods of a group say by their annotation."""
    field = f"metadata.annotations[{TOTAL}]"
    values = sorted({pod.metadata.annotations.get(TOTAL, "") for pod in pods})
    if values == [""]:
        return Minimum(trouble=str(required(field, "the group's pods could not be counted")))
    for value in values:
        if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= MOST:
            rule = f"must be an integer between 1 and {MOST}"
            return Minimum(trouble=str(_wrong(field, value, rule)))
    if len({int(value) for value in values}) > 1:
        rule = f"must be the same for all pods of the group, others have {values[0][:_SHOWN]}"
        return Minimum(trouble=str(_wrong(field, values[-1], rule)))
    return Minimum(int(values[0]))


def as_group(namespace: str, name: str, minimum: Minimum) -> PodGroup:
    """The group as if it were one of ours."""
    gang = Gang(min_count=minimum.least) if minimum.least else None
    return PodGroup(
        metadata=ObjectMeta(name=name, namespace=namespace, uid=minimum.uid),
        spec=PodGroupSpec(scheduling_policy=SchedulingPolicy(gang=gang)),
    )


def _wrong(field: str, value: object, rule: str) -> FieldError:
    short = isinstance(value, int | float) and abs(value) <= 2**63
    return invalid_value(field, value if short else str(value)[:_SHOWN], rule)
