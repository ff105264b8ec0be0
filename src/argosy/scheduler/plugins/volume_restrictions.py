"""VolumeRestrictions: what two pods must not have at the same time.

A claim that is for one pod alone (ReadWriteOncePod) keeps every other pod off all nodes; disks of
old kinds can be used by pods of one node only as long as all of them read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.occupants import Disk, disks
from argosy.scheduler.state import State
from argosy.scheduler.volumes.claims import named_claims, not_found, nowhere

ALONE = "ReadWriteOncePod"
DISK_TAKEN = "node(s) had no available disk"
CLAIM_TAKEN = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
    "in-use by another pod"
)
_RESTRICTED = frozenset(
    ("persistentVolumeClaim", "gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")
)


@dataclass(frozen=True, slots=True)
class RestrictionSurvey:
    """The rows on which a disk is taken; and whether a claim is, for all of them."""

    disk_taken: Mask
    claim_taken: bool

    @property
    def mask(self) -> Mask | None:
        """The rows where nothing is taken."""
        return np.zeros_like(self.disk_taken) if self.claim_taken else ~self.disk_taken

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """Disks first."""
        taken = int(self.disk_taken[rows].sum())
        return +Counter({DISK_TAKEN: taken, CLAIM_TAKEN: len(rows) - taken})

    def score(self, feasible: Mask) -> Scores | None:
        """All are alike."""
        return None


def survey(state: State, pod: Pod) -> RestrictionSurvey | None:
    """What others have of what the pod needs. Raises UnschedulableError for a missing claim."""
    if not _restricted(pod):
        return None
    claim_taken = _claim_taken(state, pod)
    rows = set(_rows_of_disks(state, pod))
    if not claim_taken and not rows:
        return None
    disk_taken: Mask = np.zeros(state.nodes.size, dtype=np.bool_)
    disk_taken[list(rows)] = True
    return RestrictionSurvey(disk_taken, claim_taken)


def _restricted(pod: Pod) -> bool:
    """Whether the pod has anything that others may not have too; most don't."""
    for volume in pod.spec.volumes:
        if not _RESTRICTED.isdisjoint(volume):
            return True
    return False


def _claim_taken(state: State, pod: Pod) -> bool:
    """Whether another pod has a claim that is for one pod alone."""
    taken = False
    for name in named_claims(pod):
        claim = state.volumes.claim(pod.metadata.namespace, name)
        if claim is None:
            raise nowhere(state, not_found(name))
        taken = taken or (ALONE in claim.spec.access_modes and _named(state.nodes, claim.key))
    return taken


def _named(nodes: Columns, claim: Key) -> bool:
    """Whether a pod on a node names the claim; the one for which it was made does not."""
    users = nodes.tallies.carried("claim").get(claim)
    occupants = (o for row in users.rows for o in nodes.pods_on(nodes.names[row])) if users else ()
    namespace, name = claim
    return any(o.identity.namespace == namespace and name in named_claims(o.pod) for o in occupants)


def _rows_of_disks(state: State, pod: Pod) -> Iterator[int]:
    """The rows whose pods have a disk of the pod's, in a way that does not go together."""
    carried = state.nodes.tallies.carried("disk")
    for disk in disks(pod):
        for theirs in _conflicting(disk):
            if theirs in carried:
                yield from carried[theirs].rows


def _conflicting(disk: Disk) -> Iterator[Disk]:
    yield disk._replace(read_only=False)
    if not disk.read_only:
        yield disk._replace(read_only=True)


PLUGIN = Plugin(name="VolumeRestrictions", survey=survey)
