"""Places pods one by one, each on the best node for it, and takes them back where that is told."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

from argosy.api.core import Pod
from argosy.scheduler.framework import BusyError, UnschedulableError
from argosy.scheduler.gangs.within import Within
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import NoRoomError, Placer
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State


@dataclass(frozen=True, slots=True)
class Failure:
    """A pod that found no place `within` a domain, if in one; `room` tells that others stand in
    its way."""

    pod: Pod
    text: str
    room: bool
    within: Within | None = None


@dataclass(slots=True)
class Filled:
    """What was placed, and assumed; and what was not. `busy`: ask again soon."""

    placements: list[Placement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    busy: bool = False


class Filler:
    """Fills nodes with pods by a placer; whatever it assumes can be taken back."""

    def __init__(self, state: State, placer: Placer) -> None:
        self._state = state
        self._placer = placer

    def fill(
        self,
        pods: Sequence[Pod],
        exempt: Collection[str] = (),
        within: Within | None = None,
        *,
        least: int = 0,
    ) -> Filled:
        """Place as many of `pods` as there is room for, in their order; none of the rest is tried
        once `least` can't be had any more."""
        found = Filled()
        hopeless: dict[Hashable, str] = {}
        try:
            for pod in pods:
                if len(pods) - len(found.failures) < least:
                    break
                self._one(pod, hopeless, exempt, within, found)
        except BaseException:
            # A plugin's fault: nothing of the unit may stay assumed.
            self.retract(found.placements)
            raise
        return found

    def assume(self, placements: Sequence[Placement]) -> None:
        """Count again as placed what was taken back, where nothing else has changed since."""
        for placement in placements:
            self._state.assume(placement)

    def retract(self, placements: Sequence[Placement]) -> None:
        """Take back what was assumed last."""
        for placement in reversed(placements):
            self._state.retract(placement)

    def _one(
        self,
        pod: Pod,
        hopeless: dict[Hashable, str],
        exempt: Collection[str],
        within: Within | None,
        found: Filled,
    ) -> None:
        try:
            placement = self._placer.place(pod, hopeless, exempt, within)
        except UnschedulableError as error:
            room = isinstance(error, NoRoomError)
            found.failures.append(Failure(pod, str(error), room, within))
            found.busy = found.busy or isinstance(error, BusyError)
        else:
            self._state.assume(placement)
            found.placements.append(placement)


def largest_first(pods: Sequence[Pod]) -> list[Pod]:
    """What is hard to place comes first; among equals by name."""

    def size(pod: Pod) -> tuple[int, int, str]:
        try:
            amounts = dict(shape_of(pod).request.amounts)
        except ValueError:  # told when the pod's turn comes
            amounts = {}
        return (-amounts.get("cpu", 0), -amounts.get("memory", 0), pod.metadata.name)

    return sorted(pods, key=size) if len(pods) > 1 else list(pods)
