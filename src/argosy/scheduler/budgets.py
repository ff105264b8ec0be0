"""PodDisruptionBudgets, as preemption asks for them: whose eviction would violate one?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.meta import Key
from argosy.base.selectors import Selector
from argosy.scheduler.terms import selected


@dataclass(frozen=True, slots=True)
class _Budget:
    """A budget that selects something. An empty selector selects nothing here, as upstream."""

    selector: Selector
    allowed: int
    disrupted: frozenset[str]


class Budgets:
    """The budgets by namespace."""

    def __init__(self) -> None:
        self._of: defaultdict[str, dict[Key, _Budget]] = defaultdict(dict)
        self.version = 0
        """Another one whenever a budget came, changed or went."""

    def put(self, old: PodDisruptionBudget | None, new: PodDisruptionBudget | None) -> None:
        """A budget came, changed or went."""
        self.version += 1
        if old is not None:
            self._of[old.metadata.namespace].pop(old.key, None)
            if not self._of[old.metadata.namespace]:
                del self._of[old.metadata.namespace]
        budget = _read(new) if new is not None else None
        if new is not None and budget is not None:
            self._of[new.metadata.namespace][new.key] = budget

    def __bool__(self) -> bool:
        return bool(self._of)

    def violated(self, pods: Iterable[Pod]) -> list[bool]:
        """For each of `pods`, evicted in this order: would that violate a budget?

        A pod that is being evicted already is in its budget's account.
        """
        left: dict[Key, int] = {}
        found: list[bool] = []
        for pod in pods:
            violates = False
            for key, budget in self._of.get(pod.metadata.namespace, {}).items():
                if _covers(budget, pod):
                    left[key] = left.get(key, budget.allowed) - 1
                    violates = violates or left[key] < 0
            found.append(violates)
        return found


def _covers(budget: _Budget, pod: Pod) -> bool:
    meta = pod.metadata
    if not meta.labels or meta.name in budget.disrupted:
        return False
    return budget.selector.matches(meta.labels)


def _read(budget: PodDisruptionBudget) -> _Budget | None:
    """None for one that selects nothing, or that nobody can read."""
    try:
        selector = selected(budget.spec.selector).selector
    except ValueError:
        return None
    if selector is None or not selector.requirements:
        return None
    status = budget.status
    return _Budget(selector, status.disruptions_allowed, frozenset(status.disrupted_pods))
