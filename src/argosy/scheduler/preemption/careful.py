"""The dry run on the columns themselves, for pods whose rules hang on other pods.

On one row after the other all pods that may go are taken away, and put back one by one as long as
the pod fits beside them: first those whose eviction would violate a budget, of these the more
important ones first. Every rule is asked each time, so rows are looked at only so far.
"""

from collections import Counter
from collections.abc import Sequence

from argosy.scheduler.columns import Columns
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.preemption.lower import Lower, Rows
from argosy.scheduler.preemption.record import Candidate, importance
from argosy.scheduler.state import State
from argosy.scheduler.trial import Trial

MOST_LOOKS = 256
"""So many rows are looked at for one decision."""
ENOUGH = 32
"""So many candidates will do, where each is dear."""


def careful(
    state: State, trial: Trial, rows: Rows, *, lower: Lower, number: int, reasons: Counter[str]
) -> list[Candidate]:
    """The candidates among `rows`, where the `lower` pods may go; `reasons` are told of those rows
    on which nothing helps."""
    if not len(rows):
        return []
    held = state.nodes.holdings
    rows = rows[:MOST_LOOKS]
    going: dict[int, list[Occupant]] = {int(row): [] for row in rows}
    for slot in lower.on(rows):
        going[int(held.rows[slot])].append(held.occupant(int(slot)))
    found: list[Candidate] = []
    for row in rows:
        candidate = _dry_run(state, trial, int(row), going[int(row)], reasons)
        if candidate is not None:
            found.append(candidate)
            if len(found) >= min(number, ENOUGH) and any(not c.violations for c in found):
                break
    return found


def _dry_run(
    state: State, trial: Trial, row: int, potential: list[Occupant], reasons: Counter[str]
) -> Candidate | None:
    denied = trial.denied(row)
    if denied:
        reasons.update(denied)
        return None
    nodes = state.nodes
    potential.sort(key=importance)
    name = nodes.names[row]
    _take(nodes, potential)
    try:
        lacks = trial.lacks(row)
        if lacks:
            reasons.update(lacks)
            return None
        return _reprieved(state, trial, row, potential)
    finally:
        for victim in potential:
            nodes.put_pod(name, victim)


def _reprieved(
    state: State, trial: Trial, row: int, potential: Sequence[Occupant]
) -> Candidate | None:
    """Who must go of those that are taken off the row already."""
    nodes = state.nodes
    flags = state.budgets.violated(item.pod for item in potential)
    marked = list(zip(potential, flags, strict=True))
    victims: list[Occupant] = []
    violations = 0
    for victim, violating in sorted(marked, key=lambda pair: not pair[1]):
        nodes.put_pod(nodes.names[row], victim)
        if not trial.fits(row):
            nodes.drop_pod(victim.pod.metadata.uid)
            victims.append(victim)
            violations += violating
    victims.sort(key=importance)
    return Candidate(row, tuple(victims), violations) if victims else None


def _take(nodes: Columns, victims: Sequence[Occupant]) -> None:
    for victim in victims:
        nodes.drop_pod(victim.pod.metadata.uid)
