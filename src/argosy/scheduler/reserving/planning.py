"""Where a gang that lacks room could be once pods have ended, and who has to have ended by then.

Those whose end is known come first, by their end; then those that will end nobody knows when, the
oldest first. How many of them are too few in any case is counted in arrays. Then so many go from
the columns that the gang fits: the decision is the real one, and all is put back.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp
from argosy.scheduler.columns import Columns
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.endings import Deadlines, end_of, will_end
from argosy.scheduler.holdings import started
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.placement import Placement
from argosy.scheduler.shape import Request, request_of
from argosy.scheduler.state import State

FEWEST_ENDING = 512
ENDING_FOR_EACH = 8
"""So many of the pods that end first are looked at for each pod of the gang, but not fewer."""
MOST_HANDLED = 8192
"""So many pods are taken away, put back and decided on for one plan, unless two tries are more: a
gang that waits must not make the others wait."""
FARTHEST = timedelta(days=1)
"""An end that is farther away counts as one that nobody knows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The gang's places, the uids of the pods that are in the way, and when the last one ends."""

    placements: tuple[Placement, ...]
    gone: frozenset[str]
    start: float | None


class Ending(NamedTuple):
    """A pod on a node that will end: at `moment`, if that is known, else it is when it started."""

    unknown: bool
    moment: float
    uid: str
    node: str
    occupant: Occupant


def planned(state: State, decider: Decider, unit: Unit, now: datetime) -> Plan | None:
    """None where no end of pods would help. `decider` must not evict."""
    most = max(FEWEST_ENDING, ENDING_FOR_EACH * len(unit.pods))
    ends = nsmallest(most, _endings(state, frozenset(unit.there), now), key=_key)
    known = sum(not ending.unknown for ending in ends)
    low = _too_few(state.nodes, unit, ends)
    number, high = low + 1, len(ends) + 1
    best: tuple[Placement, ...] = ()
    tries = max(MOST_HANDLED // (len(unit.pods) + len(ends)), 2)
    while high - low > 1 and tries > 0:
        tries -= 1
        if found := _placed(state, decider, unit, ends[:number]):
            best, high = found, number
        else:
            low = number
        # After the count: whether all are enough, then whether those with known ends are.
        if not best:
            number = len(ends)
        else:
            number = known if low < known < high else (low + high) // 2
    return _plan(best, ends[:high]) if best else None


def _plan(placements: tuple[Placement, ...], ends: Sequence[Ending]) -> Plan:
    start = None if ends[-1].unknown else ends[-1].moment
    return Plan(placements, frozenset(ending.uid for ending in ends), start)


def _placed(
    state: State, decider: Decider, unit: Unit, ends: Sequence[Ending]
) -> tuple[Placement, ...]:
    """Where the unit would be without these pods; nothing stays changed."""
    nodes, kept = state.nodes, state.reserved
    state.reserved = None
    try:
        for ending in ends:
            nodes.drop_pod(ending.uid)
        placements = decider.decide(unit).placements
        for placement in reversed(placements):
            state.retract(placement)
    finally:
        for ending in reversed(ends):
            nodes.put_pod(ending.node, ending.occupant)
        state.reserved = kept
    needed = max(unit.least - unit.bound, 0)
    return placements[:needed] if needed else placements


def _too_few(nodes: Columns, unit: Unit, ends: Sequence[Ending]) -> int:
    """So many of the ends don't give room enough, whatever other rules there are."""
    needed = max(unit.least - unit.bound, 1)
    requests = Counter(request_of(pod) for pod in unit.pods)
    spare = len(unit.pods) - needed
    slots = np.array([nodes.holdings.slot_of[ending.uid] for ending in ends], dtype=np.intp)

    def enough(number: int) -> bool:
        return all(
            _copies(nodes, request, slots[:number], count) >= count - spare
            for request, count in requests.items()
        )

    return bisect_left(range(len(ends)), True, key=lambda number: enough(number + 1))


def _copies(nodes: Columns, request: Request, slots: NDArray[np.intp], most: int) -> int:
    """How many pods like this there would be room for without the pods in `slots`."""
    want = nodes.vector(request)
    rows = nodes.holdings.rows[slots]
    found = np.where(nodes.live[: nodes.size], np.int64(most), np.int64(0))
    for column in np.flatnonzero(want):
        left = nodes.allocatable[: nodes.size, column] - nodes.requested[: nodes.size, column]
        np.add.at(left, rows, nodes.holdings.amounts[column, slots])
        np.minimum(found, left // want[column], out=found)
    return int(np.maximum(found, 0).sum())


def _endings(state: State, own: frozenset[str], now: datetime) -> Iterator[Ending]:
    for name in state.nodes.row_of:
        for occupant in state.nodes.pods_on(name):
            pod = occupant.pod
            uid = pod.metadata.uid
            if uid in own:
                continue
            end = now if uid in state.evicting else _end(pod, now, state.deadlines)
            if end is not None and end - now <= FARTHEST:
                yield Ending(False, end.timestamp(), uid, name, occupant)
            elif end is not None or will_end(pod):
                yield Ending(True, started(pod), uid, name, occupant)


def _end(pod: Pod, now: datetime, deadlines: Deadlines) -> datetime | None:
    going = pod.metadata.deletion_timestamp
    if going is None:
        return end_of(pod, now, deadlines)
    try:
        return max(now, parse_timestamp(going))
    except ValueError:
        return now


def _key(ending: Ending) -> tuple[bool, float, str]:
    return ending[:3]
