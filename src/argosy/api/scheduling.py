"""Views of gangs (`scheduling.k8s.io`: v1beta1, composite groups v1alpha3). Source: KEP-4671."""

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


class TopologyConstraint(View, frozen=True, kw_only=True):
    """All pods are on nodes with one and the same value of the label `key`."""

    key: str = ""


class SchedulingConstraints(View, frozen=True, kw_only=True):
    """Where a group may be; of `topology` there is one entry at most."""

    topology: tuple[TopologyConstraint, ...] = ()


class WorkloadReference(View, frozen=True, kw_only=True):
    """The workload that a group is part of."""

    workload_name: str = ""


class PodGroupSpec(View, frozen=True, kw_only=True):
    """How the group's pods belong together, and to which group of groups."""

    parent_composite_pod_group_name: str | None = None
    workload_ref: WorkloadReference = WorkloadReference()
    scheduling_policy: SchedulingPolicy = SchedulingPolicy()
    scheduling_constraints: SchedulingConstraints | None = None

    @property
    def topology_key(self) -> str | None:
        """The label of which all pods' nodes must have the same value; None for no such rule."""
        return _topology_key(self.scheduling_constraints)


class PodGroupStatus(View, frozen=True, kw_only=True):
    """What became of the group."""

    conditions: tuple[Condition, ...] = ()


class PodGroup(Object, frozen=True, kw_only=True):
    """Pods that are scheduled together; they name it in `spec.schedulingGroup.podGroupName`."""

    resource: ClassVar[Resource] = table.POD_GROUP

    spec: PodGroupSpec = PodGroupSpec()
    status: PodGroupStatus = PodGroupStatus()


class CompositeGang(View, frozen=True, kw_only=True):
    """All or nothing: at least `min_group_count` child groups are placed at once."""

    min_group_count: int = 1


class CompositePolicy(View, frozen=True, kw_only=True):
    """How the groups are placed; without `gang`, each on its own."""

    gang: CompositeGang | None = None


class CompositePodGroupSpec(View, frozen=True, kw_only=True):
    """How the groups belong together. Groups, composite ones too, name it as their parent."""

    parent_composite_pod_group_name: str | None = None
    workload_ref: WorkloadReference = WorkloadReference()
    scheduling_policy: CompositePolicy = CompositePolicy()
    scheduling_constraints: SchedulingConstraints | None = None

    @property
    def topology_key(self) -> str | None:
        """As a PodGroup's, for the pods of all its groups."""
        return _topology_key(self.scheduling_constraints)


class CompositePodGroup(Object, frozen=True, kw_only=True):
    """Groups of pods that are scheduled together."""

    resource: ClassVar[Resource] = table.COMPOSITE_POD_GROUP

    spec: CompositePodGroupSpec = CompositePodGroupSpec()
    status: PodGroupStatus = PodGroupStatus()


def _topology_key(constraints: SchedulingConstraints | None) -> str | None:
    return constraints.topology[0].key if constraints and constraints.topology else None
