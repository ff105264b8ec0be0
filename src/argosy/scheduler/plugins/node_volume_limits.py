"""NodeVolumeLimits: nodes to which as many more volumes can be attached as the pod brings along.

What a node can have of each storage driver is in its CSINode (`volumes.limits`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.state import State
from argosy.scheduler.volumes.claims import (
    claims_anything,
    claims_by_name,
    not_found,
    not_its_own,
)
from argosy.scheduler.volumes.index import Volumes
from argosy.scheduler.volumes.limits import Disk, Limits, disk_of

TOO_MANY = "node(s) exceed max volume count"


@dataclass(frozen=True, slots=True)
class LimitSurvey:
    """The rows that can have the pod's volumes too, and why the others can't."""

    mask: Mask | None
    reason: str

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """All for the same reason."""
        return {self.reason: len(rows)}

    def score(self, feasible: Mask) -> Scores | None:
        """All are alike."""
        return None


def survey(state: State, pod: Pod) -> LimitSurvey | None:
    """None for a pod whose volumes are of drivers without limits."""
    if not claims_anything(pod):
        return None
    limits, nodes = state.volumes.limits, state.nodes
    try:
        wanted = _wanted(state.volumes, pod)
    except LookupError as error:
        return LimitSurvey(np.zeros(nodes.size, dtype=np.bool_), str(error))
    mask: Mask = np.ones(nodes.size, dtype=np.bool_)
    for driver in limits.limited(wanted):
        mask &= _enough(limits, nodes, driver, wanted[driver])
    return None if mask.all() else LimitSurvey(mask, TOO_MANY)


def _wanted(volumes: Volumes, pod: Pod) -> Mapping[str, set[Disk]]:
    """The pod's volumes by driver. Raises LookupError where a claim is not there."""
    wanted: defaultdict[str, set[Disk]] = defaultdict(set)
    for name, own in claims_by_name(pod):
        claim = volumes.claim(pod.metadata.namespace, name)
        if claim is None:
            place = f"{pod.metadata.namespace}/{name}"
            raise LookupError(f"looking up PVC {place}: {not_found(name)}")
        if own and (why := not_its_own(pod, claim)):
            raise LookupError(why)
        disk = disk_of(volumes, claim)
        if disk is not None:
            wanted[disk.driver].add(disk)
    return wanted


def _enough(limits: Limits, nodes: Columns, driver: str, disks: set[Disk]) -> Mask:
    """A volume that pods of the node use already is no new one."""
    taken = limits.taken(driver, nodes)
    new = np.full(nodes.size, len(disks), dtype=np.int64)
    for disk in disks:
        new[list(limits.users(disk))] -= 1
    enough: Mask = (new == 0) | (taken + new <= limits.most(driver, nodes))
    return enough


PLUGIN = Plugin(name="NodeVolumeLimits", survey=survey)
