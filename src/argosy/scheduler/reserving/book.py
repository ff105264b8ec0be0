"""Which gang has room reserved: the first of those that lack room, by priority and age; one at a
time, so that no two gangs hold what the other needs.

A reservation ends with the gang's placement, or when the gang is gone. It also ends when it has not
led to anything for some time after the gang should have begun (from the beginning on where nobody
knows when): then it rests for as long, so that others may use the room or have their own. Each time
the same gang holds twice as long, so that it outlasts pods of any length in the end.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from argosy.base.clock import Clock, timestamp
from argosy.scheduler.backlog import UnitKey
from argosy.scheduler.decide import UNSCHEDULABLE, Decider, Decision, Refusal, Unit
from argosy.scheduler.reserving.planning import planned
from argosy.scheduler.reserving.reservation import Order, Reservation, order_of
from argosy.scheduler.state import State

PATIENCE = 300.0
"""Seconds that room is held the first time, beyond the expected start."""
LONGEST = 64
"""So many times that patience is the longest."""
AGAIN = 30.0
"""Seconds after which it is looked again whether ends of pods would help."""


@dataclass(slots=True)
class _Turn:
    """How long a gang holds room the next time, and before when it doesn't."""

    patience: float
    rests_until: float = 0.0


class Book:
    """Keeps `state.reserved`; `freed` is called when room is kept no longer."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        freed: Callable[[], None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._state = state
        self._clock = clock
        self._freed = freed
        self._patience = patience
        self._turns: dict[Hashable, _Turn] = {}

    def tick(self, key: UnitKey, unit: Unit) -> None:
        """Time has passed, and next is the decision on `unit`."""
        kept = self._state.reserved
        if kept is None:
            return
        kept.now = self._clock.now().timestamp()
        if key == kept.key:
            kept.members = _members(unit)
        if self._clock.monotonic() >= kept.until:
            self._rest(kept)

    def seen(self, key: UnitKey, unit: Unit, decision: Decision, decider: Decider) -> Decision:
        """What comes of a decision on a gang; `decider` decides as another one did, but without
        evicting anybody. The pods of a gang that gets room reserved are told so."""
        if not unit.gang or decision.busy or not self._patience:
            return decision
        if decision.placements:
            self.forget(key)
            return decision
        kept = self._state.reserved
        if kept is not None and kept.key == key:
            if _evicting(decision) or not self._stands(kept):
                self._release()
                kept = None
        if not _lacks_room(unit, decision):
            return decision
        order = order_of(unit.pods, key)
        if kept is None or (kept.key != key and order < kept.order):
            kept = self._reserve(key, order, unit, decider) or kept
        return _with(decision, _told(kept)) if kept is not None and kept.key == key else decision

    def forget(self, key: UnitKey) -> None:
        """The gang needs no room any more, or not now."""
        if self._turns.pop(key, None) is not None:
            kept = self._state.reserved
            if kept is not None and kept.key == key:
                self._release()

    def due(self, key: UnitKey) -> float:
        """The seconds after which the gang's reservation must be looked at, if it has one."""
        kept = self._state.reserved
        if kept is None or kept.key != key:
            return inf
        return max(kept.until - self._clock.monotonic(), 0.0)

    def _reserve(
        self, key: UnitKey, order: Order, unit: Unit, decider: Decider
    ) -> Reservation | None:
        now, ticks = self._clock.now(), self._clock.monotonic()
        turn = self._turns.setdefault(key, _Turn(self._patience))
        if ticks < turn.rests_until:
            return None
        plan = planned(self._state, decider, unit, now)
        if plan is None:
            turn.rests_until = ticks + AGAIN
            return None
        ahead = plan.start - now.timestamp() if plan.start is not None else 0.0
        if self._state.reserved is not None:
            self._release()
        self._state.reserved = Reservation(
            key=key,
            members=_members(unit),
            title=f"gang {key.namespace}/{key.name}",
            order=order,
            placements=plan.placements,
            gone=plan.gone,
            start=plan.start,
            until=ticks + ahead + turn.patience,
            now=now.timestamp(),
            deadlines=self._state.deadlines,
        )
        return self._state.reserved

    def _rest(self, kept: Reservation) -> None:
        turn = self._turns[kept.key]
        turn.rests_until = self._clock.monotonic() + turn.patience
        turn.patience = min(2 * turn.patience, LONGEST * self._patience)
        self._release()

    def _release(self) -> None:
        self._state.reserved = None
        self._freed()

    def _stands(self, kept: Reservation) -> bool:
        """Whether the nodes are still there, and take pods."""
        nodes = self._state.nodes
        rows = [nodes.row_of.get(name) for name in kept.nodes]
        return all(row is not None and not nodes.unschedulable[row] for row in rows)


def _members(unit: Unit) -> frozenset[str]:
    return frozenset(pod.metadata.uid for pod in unit.pods)


def _lacks_room(unit: Unit, decision: Decision) -> bool:
    """Whether all of the gang is there that must be, and nobody goes for it."""
    if unit.trouble or _evicting(decision):
        return False
    ready = sum(refusal.reason == UNSCHEDULABLE for refusal in decision.refusals)
    if unit.composite is not None:
        return ready > 0  # of how many pods, the plan finds out
    return unit.bound < unit.least <= unit.bound + ready


def _evicting(decision: Decision) -> bool:
    """Whether others go, or have gone, for the gang."""
    return bool(decision.preemptions) or any(refusal.node for refusal in decision.refusals)


def _told(kept: Reservation) -> str:
    where = f"on {len(kept.nodes)} node{'s' if len(kept.nodes) > 1 else ''}"
    if kept.start is None:
        return f"Room that gets free {where} is reserved for it."
    start = timestamp(datetime.fromtimestamp(kept.start, UTC))
    return f"Room is reserved for it {where}, expected start: {start}."


def _with(decision: Decision, text: str) -> Decision:
    refusals = tuple(_longer(refusal, text) for refusal in decision.refusals)
    return replace(decision, refusals=refusals)


def _longer(refusal: Refusal, text: str) -> Refusal:
    if refusal.reason != UNSCHEDULABLE:
        return refusal
    return replace(refusal, message=f"{refusal.message.rstrip('.')}. {text}")
