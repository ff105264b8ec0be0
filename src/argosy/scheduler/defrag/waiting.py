"""The pods that wait: those that fit now take their room first, the others may fit afterwards."""

from collections.abc import Sequence

from argosy.api.core import Pod
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.defrag.movable import SERVED
from argosy.scheduler.explain.snapshot import Snapshot
from argosy.scheduler.foreigngroups import FAMILIES
from argosy.scheduler.framework import Plugin
from argosy.scheduler.state import State

MOST_UNITS = 200
"""So many pods or gangs that don't fit are tried again, those of the highest priority."""
MOST_TRIED = 2_000
"""So many are tried at all."""


class Waiting:
    """Decides on pods and gangs by the scheduler's own decision; nobody is evicted for them."""

    def __init__(self, state: State, plugins: Sequence[Plugin], snapshot: Snapshot) -> None:
        self._decider = Decider(state, [plugin for plugin in plugins if not plugin.preemption])
        self._units = _units(snapshot)
        self._left: list[Unit] = []
        self.count = sum(len(unit.pods) for unit in self._units)

    def settle(self) -> None:
        """Place those that fit; they stay where they are placed."""
        for unit in self._units[:MOST_TRIED]:
            if len(self._left) >= MOST_UNITS:
                break
            if not self._decider.decide(unit).placements:
                self._left.append(unit)

    def helped(self) -> list[Pod]:
        """Those that did not fit, and do now; they stay where they are placed."""
        return [
            placement.pod
            for unit in self._left
            for placement in self._decider.decide(unit).placements
        ]


def _units(snapshot: Snapshot) -> list[Unit]:
    """What waits for a place, the most important first."""
    backlog = Backlog(SERVED)
    for group in snapshot.of(PodGroup).values():
        backlog.put_group(None, group)
    for composite in snapshot.of(CompositePodGroup).values():
        backlog.put_composite(None, composite)
    keys: dict[UnitKey, None] = {}
    for pod in snapshot.of(Pod).values():
        backlog.put(None, pod)
        if not pod.spec.node_name:
            keys[backlog.top(unit_of(pod))] = None
    for key in keys:
        foreign = FAMILIES[key.family].kind if key.family in FAMILIES else None
        if foreign is not None:
            backlog.put_minimum(key, snapshot.of(foreign).get((key.namespace, key.name)))
    found = sorted(keys, key=lambda key: (-backlog.priority(key), key))
    units = (backlog.unit(key) for key in found)
    return [unit for unit in units if unit is not None]
