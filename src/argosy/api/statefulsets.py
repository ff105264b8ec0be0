"""The view of StatefulSets. Templates stay plain JSON: pods and claims are made of them."""

from typing import Any, ClassVar

from argosy.api.labelselector import LabelSelector
from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources import workloads
from argosy.base.selectors import Selector


class Ordinals(View, frozen=True, kw_only=True):
    """How the replicas are numbered."""

    start: int = 0


class RollingUpdate(View, frozen=True, kw_only=True):
    """Which replicas are updated, and how many may be unavailable meanwhile."""

    partition: int = 0
    max_unavailable: int | str | None = None


class UpdateStrategy(View, frozen=True, kw_only=True):
    """How replicas are brought to a new revision."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None


class ClaimRetention(View, frozen=True, kw_only=True):
    """What becomes of claims: `Retain` or `Delete`."""

    when_deleted: str = "Retain"
    when_scaled: str = "Retain"


class StatefulSetSpec(View, frozen=True, kw_only=True):
    """Replicas with a name and storage of their own."""

    replicas: int = 1
    selector: LabelSelector = LabelSelector()
    template: dict[str, Any] = {}
    volume_claim_templates: tuple[dict[str, Any], ...] = ()
    service_name: str = ""
    pod_management_policy: str = "OrderedReady"
    update_strategy: UpdateStrategy = UpdateStrategy()
    revision_history_limit: int = 10
    min_ready_seconds: int = 0
    persistent_volume_claim_retention_policy: ClaimRetention = ClaimRetention()
    ordinals: Ordinals = Ordinals()


class StatefulSetStatus(View, frozen=True, kw_only=True):
    """How many of the replicas are how far. What is always told has no default that hides it."""

    observed_generation: int = 0
    replicas: int | None = None
    ready_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int | None = None
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int | None = None
    conditions: tuple[Condition, ...] = ()


class StatefulSet(Object, frozen=True, kw_only=True):
    """Pods that are not alike: each has its number, its name and its storage."""

    resource: ClassVar[Resource] = workloads.STATEFUL_SET

    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()

    @property
    def selected(self) -> Selector:
        """Which pods are its own."""
        return self.spec.selector.parsed
