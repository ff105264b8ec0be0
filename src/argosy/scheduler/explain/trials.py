"""Dry runs: what would the scheduler decide, were the cluster a little different?

A change is made in a state of its own, the very decision that the scheduler takes is taken, and
both are undone. As many runs are made as a budget of pods to decide on allows.
"""

from collections.abc import Sequence
from dataclasses import replace

from argosy.api.core import Pod
from argosy.api.scheduling import PodGroup
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.explain.snapshot import Change, apply, undo
from argosy.scheduler.framework import Plugin
from argosy.scheduler.placement import Placement
from argosy.scheduler.state import State

MOST_DECIDED = 20_000
"""So many pods are decided on in all dry runs of one explanation."""


class Trials:
    """Tries changes for one unit of pods, of which `pod` is the one that is asked about."""

    def __init__(self, state: State, plugins: Sequence[Plugin], unit: Unit, pod: Pod) -> None:
        self.state = state
        self.unit = unit
        self.pod = pod
        # Nobody is evicted for a pod in a dry run: that would be a change of its own.
        self._decider = Decider(state, [plugin for plugin in plugins if not plugin.preemption])
        self._left = MOST_DECIDED

    @property
    def over(self) -> bool:
        """Whether there is no budget for another run."""
        return self._left < len(self.unit.pods)

    def placed(self, change: Change) -> dict[str, str] | None:
        """The nodes of the unit's pods after `change`, by uid; None where the pod gets none."""
        self._left -= len(self.unit.pods)
        apply(self.state, change)
        try:
            placements = self._decide(_changed(self.unit, change))
        finally:
            undo(self.state, change)
        nodes = {placement.pod.metadata.uid: placement.node for placement in placements}
        return nodes if self.pod.metadata.uid in nodes else None

    def alone(self, pods: Sequence[Pod]) -> tuple[Placement, ...]:
        """Where as many of `pods` as possible would go, each for itself."""
        return self._decide(Unit(pods=tuple(pods)))

    def told(self) -> str:
        """What the pod is told, where the unit finds no place."""
        refusals = self._decider.decide(self.unit).refusals
        return next(it.message for it in refusals if it.pod.metadata.uid == self.pod.metadata.uid)

    def _decide(self, unit: Unit) -> tuple[Placement, ...]:
        placements = self._decider.decide(unit).placements
        for placement in reversed(placements):
            self.state.retract(placement)
        return placements


def _changed(unit: Unit, change: Change) -> Unit:
    """The unit after `change`: its pods and its group may be others now."""
    news = {old.metadata.uid: new for old, new in change if old is not None}
    pods = (news.get(pod.metadata.uid, pod) for pod in unit.pods)
    group = unit.group
    for old, new in change:
        own = new if new is not None else old
        if isinstance(own, PodGroup) and own.metadata.name == unit.gang:
            group = new if isinstance(new, PodGroup) else None
    kept = tuple(pod for pod in pods if isinstance(pod, Pod))
    parts = tuple(_changed(part, change) for part in unit.parts)
    return replace(unit, pods=kept, group=group, parts=parts)
