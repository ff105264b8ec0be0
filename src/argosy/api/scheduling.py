"""Views of gangs (`scheduling.k8s.io/v1beta1`). Source: KEP-4671."""

from typing import ClassVar

from argosy.api.core import AGE, NAME
from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Column, Resource


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

    resource: ClassVar[Resource] = Resource(
        group="scheduling.k8s.io",
        version="v1beta1",
        kind="PodGroup",
        plural="podgroups",
        status=True,
        definition="io.k8s.api.scheduling.v1beta1.PodGroup",
        columns=(
            NAME,
            Column("Min", "spec.schedulingPolicy.gang.minCount", "integer"),
            Column("Scheduled", "podgroup-scheduled"),
            AGE,
        ),
    )

    spec: PodGroupSpec = PodGroupSpec()
    status: PodGroupStatus = PodGroupStatus()
