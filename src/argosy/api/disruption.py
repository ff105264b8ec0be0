"""A view of PodDisruptionBudgets: how many of some pods may go at a time."""

from typing import Any, ClassVar

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources.workloads import POD_DISRUPTION_BUDGET


class BudgetSpec(View, frozen=True, kw_only=True):
    """What shall be kept. Of the two bounds there is one: a number or a percentage."""

    selector: dict[str, Any] | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class BudgetStatus(View, frozen=True, kw_only=True):
    """How many pods there are and must be. `disrupted_pods` are being evicted, since when."""

    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    observed_generation: int = 0
    disrupted_pods: dict[str, str] = {}
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(Object, frozen=True, kw_only=True):
    """Says how many of the pods that it selects may be disrupted."""

    resource: ClassVar[Resource] = POD_DISRUPTION_BUDGET

    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()
