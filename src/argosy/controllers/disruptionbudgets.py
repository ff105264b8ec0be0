"""Counts for each PodDisruptionBudget how many of its pods may be disrupted now.

Evictions take what they use off the status in the same write that reads it. So the status is
written here only as of the revision that was looked at: an eviction in between makes it fail, and
all is counted anew. A pod that is being evicted doesn't count as healthy any more; one that is
still there two minutes later was not evicted after all. Where it can't be counted nothing may be
disrupted. Source: upstream's disruption controller.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.disruption import BudgetStatus, PodDisruptionBudget
from argosy.api.meta import Condition
from argosy.api.validation.selectors import parsed
from argosy.api.validation.values import share
from argosy.base.clock import Clock, parse_timestamp, timestamp
from argosy.base.errors import StatusError
from argosy.base.selectors import Selector
from argosy.client.client import Client
from argosy.controllers.endpoints.pods import is_ready
from argosy.controllers.pacing import Pace
from argosy.controllers.podscales import PodScales, ScaleError
from argosy.controllers.podselection import PodSelection
from argosy.runtime.conditions import with_condition
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]
NAME = "controllers/disruptionbudgets"
COMPONENT = "controllermanager"
ALLOWED = "DisruptionAllowed"
DEADLINE = timedelta(minutes=2)
"""From an eviction until the pod must be seen to go."""
REST = 0.0002
"""Seconds of rest for each pod of a large budget."""
RETRY_SECONDS = 30.0
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a "
    "result, the status of the PDB cannot be calculated correctly, which may result in undefined "
    'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an '
    "integer value."
)


@dataclass(frozen=True)
class DisruptionBudgets:
    """Writes the status of budgets."""

    client: Client
    clock: Clock
    budgets: Informer[PodDisruptionBudget]
    selection: PodSelection[PodDisruptionBudget]
    scales: PodScales
    pace: Pace
    events: EventRecorder

    async def reconcile(self, budget: PodDisruptionBudget) -> Result:
        """Count again, and tell."""
        if rest := self.pace.left(budget.key):
            return Result(rest)
        pods = self.selection.pods(budget)
        self.pace.worked(budget.key, len(pods))
        if not pods:
            await self.events.record(budget, Note("NoPods", "No matching pods found"))
        try:
            expected, desired = await self._expected(budget, pods)
        except (ScaleError, StatusError) as error:
            await self._fail(budget, str(error))
            return Result(RETRY_SECONDS)
        now = self.clock.now()
        disrupted, late = disruptions(pods, budget.status.disrupted_pods, now)
        for pod in late:
            await self._late(budget, pod)
        healthy = count_healthy(pods, disrupted)
        await self._write(budget, counted(budget, healthy, desired, expected, disrupted, now))
        return _recheck(disrupted, now)

    async def _expected(self, budget: PodDisruptionBudget, pods: list[Pod]) -> tuple[int, int]:
        """How many pods there should be, and how many must be healthy."""
        spec = budget.spec
        if spec.max_unavailable is None and isinstance(spec.min_available, int):
            return len(pods), spec.min_available
        if spec.max_unavailable is None and spec.min_available is None:
            return 0, 0
        try:
            expected, unmanaged = await self.scales.total(pods)
        except (ScaleError, StatusError) as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            note = Note("CalculateExpectedPodCountFailed", text, "Warning")
            await self.events.record(budget, note)
            raise
        if unmanaged:
            text = UNMANAGED.format(shown(spec.selector or {}))
            await self.events.record(budget, Note("UnmanagedPods", text, "Warning"))
        if spec.max_unavailable is not None:
            return expected, max(expected - scaled(spec.max_unavailable, expected), 0)
        return expected, scaled(spec.min_available or 0, expected)

    async def _late(self, budget: PodDisruptionBudget, pod: Pod) -> None:
        where = "/".join(budget.key)
        text = f"Pod was expected by PDB {where} to be deleted but it wasn't"
        await self.events.record(pod, Note("NotDeleted", text, "Warning"))

    async def _fail(self, budget: PodDisruptionBudget, message: str) -> None:
        old = budget.status
        condition = _condition("False", "SyncFailed", message, old.observed_generation)
        since = timestamp(self.clock.now())
        conditions = with_condition(old.conditions, condition, since)
        status = msgspec.structs.replace(old, disruptions_allowed=0, conditions=conditions)
        await self._write(budget, status)

    async def _write(self, budget: PodDisruptionBudget, status: BudgetStatus) -> None:
        if status == budget.status:
            return
        meta = budget.metadata
        gone: Json = dict.fromkeys(budget.status.disrupted_pods)
        patch = {
            # With the revision: what an eviction took meanwhile must not be given back.
            "metadata": {"resourceVersion": meta.resource_version},
            "status": {**_plain(status), "disruptedPods": {**gone, **status.disrupted_pods}},
        }
        written = await self.client.merge(
            budget.resource, meta.name, meta.namespace, patch, subresource="status"
        )
        await self.budgets.reached(written["metadata"]["resourceVersion"])


def disruptions(
    pods: list[Pod], before: dict[str, str], now: datetime
) -> tuple[dict[str, str], list[Pod]]:
    """The pods that are being evicted still, and those that should have gone by now."""
    going: dict[str, str] = {}
    late: list[Pod] = []
    for pod in pods if before else ():
        since = before.get(pod.metadata.name)
        if since is None or pod.metadata.deletion_timestamp is not None:
            continue
        if parse_timestamp(since) + DEADLINE < now:
            late.append(pod)
        else:
            going[pod.metadata.name] = since
    return going, late


def count_healthy(pods: list[Pod], disrupted: dict[str, str]) -> int:
    """How many pods are ready and stay."""
    staying = (pod for pod in pods if pod.metadata.deletion_timestamp is None)
    return sum(is_ready(pod) and pod.metadata.name not in disrupted for pod in staying)


def counted(
    budget: PodDisruptionBudget,
    healthy: int,
    desired: int,
    expected: int,
    disrupted: dict[str, str],
    now: datetime,
) -> BudgetStatus:
    """The status. Where no pods are expected none may go: the first may not have been seen yet."""
    allowed = max(healthy - desired, 0) if expected > 0 else 0
    reason = "SufficientPods" if allowed else "InsufficientPods"
    generation = budget.metadata.generation
    condition = _condition("True" if allowed else "False", reason, "", generation)
    return BudgetStatus(
        disruptions_allowed=allowed,
        current_healthy=healthy,
        desired_healthy=desired,
        expected_pods=expected,
        observed_generation=generation,
        disrupted_pods=disrupted,
        conditions=with_condition(budget.status.conditions, condition, timestamp(now)),
    )


def scaled(bound: int | str, total: int) -> int:
    """A number, or a percentage of the total, rounded up."""
    return bound if isinstance(bound, int) else -(-share(bound) * total // 100)


def shown(selector: Json) -> str:
    """A label selector, as upstream's messages have it."""
    labels = sorted((selector.get("matchLabels") or {}).items())
    equal = "".join(f"{key}: {value}," for key, value in labels)
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{equal}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )


def _condition(status: str, reason: str, message: str, generation: int) -> Condition:
    return Condition(
        type=ALLOWED,
        status=status,
        reason=reason,
        message=message,
        observed_generation=generation,
    )


def _plain(status: BudgetStatus) -> Json:
    """The status with all that it must have, also where that is zero or empty."""
    conditions = [{"message": "", **msgspec.to_builtins(one)} for one in status.conditions]
    return {
        "disruptionsAllowed": status.disruptions_allowed,
        "currentHealthy": status.current_healthy,
        "desiredHealthy": status.desired_healthy,
        "expectedPods": status.expected_pods,
        "observedGeneration": status.observed_generation,
        "conditions": conditions,
    }


def _recheck(disrupted: dict[str, str], now: datetime) -> Result:
    """When the first of the evicted pods is late."""
    if not disrupted:
        return DONE
    first = parse_timestamp(min(disrupted.values())) + DEADLINE
    return Result((first - now).total_seconds() + 1.0)


def _selector(budget: PodDisruptionBudget) -> Selector | None:
    """None selects nothing; an empty one everything."""
    return None if budget.spec.selector is None else parsed(budget.spec.selector)


def disruption_budgets(manager: Manager) -> Controller[PodDisruptionBudget]:
    """The controller, on the manager's caches."""
    pods, budgets = manager.informer(Pod), manager.informer(PodDisruptionBudget)
    client = manager.client_as(NAME)
    selection = PodSelection(pods, budgets, _selector)
    controller = DisruptionBudgets(
        client,
        manager.clock,
        budgets,
        selection,
        PodScales(client),
        Pace(manager.clock, budgets, REST),
        EventRecorder(client, manager.clock, COMPONENT),
    )
    return Controller(
        name=NAME,
        informer=budgets,
        reconcile=controller.reconcile,
        watches=(Watch(pods, selection.selecting),),
    )
