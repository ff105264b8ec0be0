"""The view of DaemonSets. The template stays plain JSON: pods are made of it."""

from typing import Any, ClassVar

from argosy.api.labelselector import LabelSelector
from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources import workloads
from argosy.base.selectors import Selector


class RollingUpdate(View, frozen=True, kw_only=True):
    """How many nodes may be without their pod, or have two, during an update."""

    max_unavailable: int | str = 1
    max_surge: int | str = 0


class UpdateStrategy(View, frozen=True, kw_only=True):
    """How pods are brought to a new revision."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None


class DaemonSetSpec(View, frozen=True, kw_only=True):
    """A pod for each node that takes it."""

    selector: LabelSelector = LabelSelector()
    template: dict[str, Any] = {}
    update_strategy: UpdateStrategy = UpdateStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10


class DaemonSetStatus(View, frozen=True, kw_only=True):
    """On how many nodes is what. What is always told has no default that hides it."""

    current_number_scheduled: int | None = None
    number_misscheduled: int | None = None
    desired_number_scheduled: int | None = None
    number_ready: int | None = None
    observed_generation: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None
    conditions: tuple[Condition, ...] = ()


class DaemonSet(Object, frozen=True, kw_only=True):
    """The same pod on every node."""

    resource: ClassVar[Resource] = workloads.DAEMON_SET

    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()

    @property
    def selected(self) -> Selector:
        """Which pods are its own."""
        return self.spec.selector.parsed
