"""What to wait for: pods that end by themselves, and when the pod could start then."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.base.clock import timestamp
from argosy.scheduler.endings import end_of
from argosy.scheduler.explain.closest import nearest
from argosy.scheduler.explain.hurdles import FIT, Look
from argosy.scheduler.explain.remedies import Remedy
from argosy.scheduler.explain.snapshot import Snapshot
from argosy.scheduler.explain.trials import Trials
from argosy.scheduler.explain.victims import (
    MOST_NODES,
    enough,
    fewest,
    listed,
    without,
)
from argosy.scheduler.explain.words import left
from argosy.scheduler.framework import Mask
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.state import State

MOST_TRIED = 8
MOST_ENDING = 500
"""So many of the pods that end first are looked at for a gang."""


def waits(
    snapshot: Snapshot, trials: Trials, look: Look, within: Mask, now: datetime
) -> Iterator[Remedy]:
    """What to wait for: the pods that make room first, as far as their ends are known."""
    if len(trials.unit.pods) > 1:
        yield from _all_over(snapshot, trials, now)
        return
    nodes = trials.state.nodes
    found = []
    for row in np.flatnonzero(within):
        ends = _ends(trials.state, nodes.pods_on(nodes.names[row]), now)
        if ends and (needed := _until_enough(trials.state, look, int(row), ends)):
            found.append(needed)
    for needed in sorted(found, key=lambda needed: needed[-1].moment)[:MOST_TRIED]:
        pods = [ending.occupant.pod for ending in needed]
        if not trials.over and trials.placed(without(snapshot, pods)) is not None:
            yield _wait(snapshot, pods, needed[-1].moment[0])
            return


class Ending(NamedTuple):
    """A pod on a node, and when it ends."""

    moment: tuple[datetime, Key]
    occupant: Occupant


def _ends(state: State, occupants: Iterable[Occupant], now: datetime) -> list[Ending]:
    """Those of which it is known when they end, the first ones first."""
    found = [
        Ending((end, occupant.pod.key), occupant)
        for occupant in occupants
        if (end := end_of(occupant.pod, now, state.deadlines)) is not None
    ]
    return sorted(found, key=lambda ending: ending.moment)


def _until_enough(
    state: State, look: Look, row: int, ends: Sequence[Ending]
) -> list[Ending] | None:
    """The first of a node's pods to end, until there is enough of every resource; all of them where
    amounts are not what is lacking. None where all are too few."""
    if any(not hurdle.passed[row] and hurdle.plugin != FIT for hurdle in look.hurdles):
        return list(ends)
    short = {
        name: missing
        for name, amount in look.shape.request.amounts
        if (missing := amount - left(state.nodes, name, row)) > 0
    }
    taken = []
    for ending in ends:
        held = dict(ending.occupant.request.amounts)
        if short and not short.keys().isdisjoint(held):
            taken.append(ending)
            less = {name: missing - held.get(name, 0) for name, missing in short.items()}
            short = {name: missing for name, missing in less.items() if missing > 0}
    return None if short else taken


def _all_over(snapshot: Snapshot, trials: Trials, now: datetime) -> Iterator[Remedy]:
    """For a gang, which needs several places: as few as possible of the pods that end first."""
    nodes = trials.state.nodes
    everybody = (one for name in nodes.row_of for one in nodes.pods_on(name))
    ends = _ends(trials.state, everybody, now)
    pods = [ending.occupant.pod for ending in ends[:MOST_ENDING]]
    number = _first(snapshot, trials, pods)
    if not number:
        return
    places = trials.placed(without(snapshot, pods[:number])) or {}
    needed = [pod for pod in pods[:number] if pod.spec.node_name in places.values()]
    if trials.placed(without(snapshot, needed)) is None:
        needed = pods[:number]
    yield _wait(snapshot, needed, ends[number - 1].moment[0])


def open_waits(snapshot: Snapshot, trials: Trials, look: Look, within: Mask) -> Iterator[Remedy]:
    """Pods of one node that will end, nobody knows when: those of Jobs, whatever their priority."""
    for row in nearest(trials.state, look, within, MOST_NODES):
        on = trials.state.nodes.pods_on(trials.state.nodes.names[row])
        ending = [item.pod for item in on if item.pod.spec.restart_policy != "Always"]
        pods = enough(trials.state, look, row, sorted(ending, key=lambda pod: pod.key))
        if pods and not trials.over and (kept := fewest(snapshot, trials, pods)):
            yield _wait(snapshot, kept, None)
            return


def _wait(snapshot: Snapshot, pods: Sequence[Pod], end: datetime | None) -> Remedy:
    start = timestamp(end) if end else ""
    when = f" (estimated start {start})" if start else ""
    jobs = list(dict.fromkeys(_job(pod) for pod in pods))
    return Remedy(
        kind="Wait",
        text=f"wait for {listed(jobs)} to end{when}",
        size=10 if start else 15,
        others=without(snapshot, pods),
        start=start,
    )


def _job(pod: Pod) -> str:
    owner = pod.controller
    if owner is not None and owner.kind == "Job":
        return f"job {pod.metadata.namespace}/{owner.name} (pod {pod.metadata.name})"
    return f"pod {'/'.join(pod.key)}"


def _first(snapshot: Snapshot, trials: Trials, pods: Sequence[Pod]) -> int:
    """How many of the first pods have to go for `pod` to be placed; 0 where all are not enough."""
    if not pods or trials.over or trials.placed(without(snapshot, pods)) is None:
        return 0
    low, high = 1, len(pods)
    while low < high:
        middle = (low + high) // 2
        if trials.placed(without(snapshot, pods[:middle])) is None:
            low = middle + 1
        else:
            high = middle
    return high
