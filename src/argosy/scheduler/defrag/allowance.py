"""What PodDisruptionBudgets allow of evictions, as the API would answer them one after the other.

Not as preemption sees budgets (`budgets`), which may violate them: here an empty selector means all
pods of its namespace, a pod of several budgets can't be evicted at all, and a budget that was
changed and not looked at since allows nothing. What is spent is not given back: that pods are up
again elsewhere is known only once they are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.meta import Key
from argosy.base.selectors import EVERYTHING, Selector
from argosy.scheduler.terms import selected


@dataclass(frozen=True, slots=True)
class _Budget:
    """One budget, and how many of its pods may go."""

    key: Key
    selector: Selector
    allowed: int


class Allowance:
    """How many pods may still go."""

    def __init__(self, budgets: Iterable[PodDisruptionBudget]) -> None:
        self._of: defaultdict[str, list[_Budget]] = defaultdict(list)
        for budget in budgets:
            found = _read(budget)
            if found is not None:
                self._of[budget.metadata.namespace].append(found)
        self._spent: Counter[Key] = Counter()
        self._known: dict[str, tuple[_Budget, ...]] = {}

    def allows(self, pods: Sequence[Pod]) -> bool:
        """Whether all of `pods` may go, after those that went."""
        asked: Counter[Key] = Counter()
        for pod in pods:
            covering = self._covering(pod)
            if len(covering) > 1:
                return False
            for budget in covering:
                asked[budget.key] += 1
                if asked[budget.key] + self._spent[budget.key] > budget.allowed:
                    return False
        return True

    def spend(self, pods: Iterable[Pod]) -> None:
        """These pods go."""
        self._spent.update(budget.key for pod in pods for budget in self._covering(pod))

    def _covering(self, pod: Pod) -> tuple[_Budget, ...]:
        there = self._of.get(pod.metadata.namespace)
        if not there:
            return ()
        known = self._known.get(pod.metadata.uid)
        if known is None:
            labels = pod.metadata.labels
            known = tuple(one for one in there if one.selector.matches(labels))
            self._known[pod.metadata.uid] = known
        return known


def _read(budget: PodDisruptionBudget) -> _Budget | None:
    """None for one that selects nothing; one that nobody can read allows nothing to anybody."""
    try:
        selector = selected(budget.spec.selector).selector
    except ValueError:
        return _Budget(budget.key, EVERYTHING, 0)
    if selector is None:
        return None
    status = budget.status
    seen = status.observed_generation >= budget.metadata.generation
    return _Budget(budget.key, selector, max(status.disruptions_allowed, 0) if seen else 0)
