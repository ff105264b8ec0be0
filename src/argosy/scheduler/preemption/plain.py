"""The dry run of one row in plain numbers: of few pods that is many times as fast as in arrays.

The same as `sketch.Drafts` does for many rows at once.
"""

from collections.abc import Sequence

import numpy as np

from argosy.scheduler.budgets import Budgets
from argosy.scheduler.holdings import Amounts, Holdings, Slots
from argosy.scheduler.preemption.record import OFFSET, Candidate

Key = tuple[float, int, int, int, int]
"""How good a candidate is, the less the better: what counts most comes last."""


_Pod = tuple[int, float, int, list[int]]
"""Its priority below zero, when it started, its slot, and what it holds of each resource that is
asked for: so they sort by importance."""


def draft(
    held: Holdings,
    row: int,
    slots: Sequence[int],
    *,
    asked: Slots,
    spare: Amounts,
    budgets: Budgets,
) -> tuple[Candidate, Key] | None:
    """Who has to go of the pods in `slots`, with which the pod has `spare` room beside it; None
    where nobody has."""
    pods = _pods(held, slots, asked)
    flags = [False] * len(pods)
    if budgets:
        flags = budgets.violated(held.occupant(slot).pod for _, _, slot, _ in pods)
    victims = _reprieved(pods, flags, spare.tolist())
    if not victims:
        return None
    victims.sort(key=lambda item: item[0][:2])
    violations = sum(violating for _, violating in victims)
    occupants = tuple(held.occupant(pod[2]) for pod, _ in victims)
    return Candidate(row, occupants, violations), _key([pod for pod, _ in victims], violations)


def _pods(held: Holdings, slots: Sequence[int], asked: Slots) -> list[_Pod]:
    at = np.array(slots, dtype=np.intp)
    levels, since = (-held.priorities[at]).tolist(), held.started[at].tolist()
    amounts = held.amounts[asked[:, None], at].T.tolist()
    return sorted(zip(levels, since, slots, amounts, strict=True))


def _reprieved(
    pods: Sequence[_Pod], flags: Sequence[bool], spare: list[int]
) -> list[tuple[_Pod, bool]]:
    """Those that don't fit beside the pod any more, and whether that violates a budget."""
    for pod in pods:
        spare = [left + amount for left, amount in zip(spare, pod[3], strict=True)]
    victims = []
    marked = list(zip(pods, flags, strict=True))
    for pod, violating in [*(it for it in marked if it[1]), *(it for it in marked if not it[1])]:
        left = [room - amount for room, amount in zip(spare, pod[3], strict=True)]
        if min(left, default=0) >= 0:
            spare = left
        else:
            victims.append((pod, violating))
    return victims


def _key(victims: Sequence[_Pod], violations: int) -> Key:
    least = victims[0][0]
    earliest = min(since for level, since, _, _ in victims if level == least)
    total = sum(OFFSET - level for level, _, _, _ in victims)
    return (-earliest, len(victims), total, -least, violations)
