"""Views of gangs (`scheduling.k8s.io/v1beta1`). Source: KEP-4671."""

from typing import ClassVar

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources import scheduling as table


class Gang(View, frozen=True, kw_only=True):
    """All or nothing: at least `min_count` pods are placed at once."""

    min_count: int = 1


class SchedulingPolicy(View, frozen=True, kw_only=True):
    """How the group is placed; without `gang`, each pod on its own."""

    gang: Gang | None = None


class PodGroupSpec(View, frozen=True, kw_only=True):
    """How the group's pods belong together."""

    scheduling_policy: SchedulingPolicy = SchedulingPolicy()


class PodGroupStatus(View, frozen=True, kw_only=True):
    """What became of the group."""

    conditions: tuple[Condition, ...] = ()


class PodGroup(Object, frozen=True, kw_only=True):
    """Pods that are scheduled together; they name it in `spec.schedulingGroup.podGroupName`."""

    resource: ClassVar[Resource] = table.POD_GROUP

    spec: PodGroupSpec = PodGroupSpec()
    status: PodGroupStatus = PodGroupStatus()
