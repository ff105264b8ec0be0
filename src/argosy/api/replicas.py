"""Views of ReplicaSets, ReplicationControllers and Deployments.

Templates stay as they were written: they are compared and copied, and many sets have one. The copy
keeps a set from holding the whole answer in which it came.
"""

from typing import ClassVar

import msgspec

from argosy.api.labelselector import LabelSelector, equal_to
from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources import core, workloads
from argosy.base.selectors import Selector

EMPTY = msgspec.Raw(b"{}")


class TemplateSpec(View, frozen=True, kw_only=True):
    """How many pods there shall be, and of which template."""

    replicas: int = 1
    min_ready_seconds: int = 0
    template: msgspec.Raw = EMPTY

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "template", self.template.copy())


class ReplicaStatus(View, frozen=True, kw_only=True):
    """How many pods there are."""

    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class ReplicaSetSpec(TemplateSpec, frozen=True, kw_only=True):
    """What a ReplicaSet shall have."""

    selector: LabelSelector = LabelSelector()


class ReplicaSet(Object, frozen=True, kw_only=True):
    """A number of pods that are alike."""

    resource: ClassVar[Resource] = workloads.REPLICA_SET

    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaStatus = ReplicaStatus()

    @property
    def selected(self) -> Selector:
        """Which pods are its own."""
        return self.spec.selector.parsed


class ReplicationControllerSpec(TemplateSpec, frozen=True, kw_only=True):
    """What a ReplicationController shall have."""

    selector: dict[str, str] = {}


class ReplicationController(Object, frozen=True, kw_only=True):
    """What ReplicaSets were before."""

    resource: ClassVar[Resource] = core.REPLICATION_CONTROLLER

    spec: ReplicationControllerSpec = ReplicationControllerSpec()
    status: ReplicaStatus = ReplicaStatus()

    @property
    def selected(self) -> Selector:
        """Which pods are its own."""
        return equal_to(self.spec.selector)


class RollingUpdate(View, frozen=True, kw_only=True):
    """How far a rollout may stray from the number of replicas; pods, or per cent of them."""

    max_unavailable: int | str = 0
    max_surge: int | str = 0


class DeploymentStrategy(View, frozen=True, kw_only=True):
    """How pods are replaced."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate = RollingUpdate()


class DeploymentSpec(TemplateSpec, frozen=True, kw_only=True):
    """What a Deployment shall be."""

    selector: LabelSelector = LabelSelector()
    strategy: DeploymentStrategy = DeploymentStrategy()
    revision_history_limit: int | None = None
    progress_deadline_seconds: int | None = None
    paused: bool = False


class DeploymentCondition(View, frozen=True, kw_only=True):
    """One observation of a Deployment."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_update_time: str | None = None
    last_transition_time: str | None = None


class DeploymentStatus(View, frozen=True, kw_only=True):
    """How far it has come."""

    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    collision_count: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()


class Deployment(Object, frozen=True, kw_only=True):
    """Pods of one template, and how they are replaced when it changes."""

    resource: ClassVar[Resource] = workloads.DEPLOYMENT

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def selected(self) -> Selector:
        """Which ReplicaSets, and which of their pods, are its own."""
        return self.spec.selector.parsed
