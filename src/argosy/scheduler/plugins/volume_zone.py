"""VolumeZone: nodes in the zone and the region that the labels of a pod's volumes tell.

A node without any such label is no worse than others. Several zones stand in one label of a volume,
with two underscores between them; the old names of the labels are understood too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import claim_class
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.state import State
from argosy.scheduler.volumes.claims import (
    claims_anything,
    named_claims,
    not_found,
    nowhere,
    waits,
)

ELSEWHERE = "node(s) had no available volume zone"
_NEW = "topology.kubernetes.io"
_OLD = "failure-domain.beta.kubernetes.io"
_LABELS = {
    f"{_OLD}/zone": f"{_NEW}/zone",
    f"{_OLD}/region": f"{_NEW}/region",
    f"{_NEW}/zone": f"{_NEW}/zone",
    f"{_NEW}/region": f"{_NEW}/region",
}
"""The labels of places, each with its new name."""


@dataclass(frozen=True, slots=True)
class ZoneSurvey:
    """The rows that are where the volumes are."""

    mask: Mask | None

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """All for the same reason."""
        return {ELSEWHERE: len(rows)}

    def score(self, feasible: Mask) -> Scores | None:
        """All are alike."""
        return None


def survey(state: State, pod: Pod) -> ZoneSurvey | None:
    """None for a pod whose volumes tell nothing of zones. Raises UnschedulableError."""
    if not claims_anything(pod):
        return None
    places = [place for volume in _volumes(state, pod) for place in _places(volume)]
    if not places:
        return None
    nodes = state.nodes
    somewhere: Mask = np.zeros(nodes.size, dtype=np.bool_)
    for label in _LABELS:
        somewhere |= nodes.domains(label) != 0
    mask: Mask = np.ones(nodes.size, dtype=np.bool_)
    for label, values in places:
        mask &= _inside(nodes, label, values)
    return ZoneSurvey(mask | ~somewhere)


def _volumes(state: State, pod: Pod) -> Iterator[PersistentVolume]:
    """The volumes that the pod's claims have; those that wait for a node have none yet."""
    for name in named_claims(pod):
        if not name:
            raise nowhere(state, "PersistentVolumeClaim had no name")
        claim = state.volumes.claim(pod.metadata.namespace, name)
        if claim is None:
            raise nowhere(state, not_found(name))
        if not claim.spec.volume_name:
            if not waits(state.volumes, claim):
                raise nowhere(state, _unbound(state, claim))
            continue
        volume = state.volumes.volume(claim.spec.volume_name)
        if volume is None:
            raise nowhere(state, f'persistentvolume "{claim.spec.volume_name}" not found')
        yield volume


def _unbound(state: State, claim: PersistentVolumeClaim) -> str:
    name = claim_class(claim)
    if not name:
        return "PersistentVolumeClaim had no pv name and storageClass name"
    if name not in state.volumes.classes:
        return f'storageclass.storage.k8s.io "{name}" not found'
    return "PersistentVolume had no name"


def _places(volume: PersistentVolume) -> Iterator[tuple[str, list[str]]]:
    """Labels of places, and the values that a node may have; nonsense tells nothing."""
    for label in _LABELS:
        told = volume.metadata.labels.get(label)
        if told is None:
            continue
        values = [value.strip() for value in told.split("__")]
        if all(values):
            yield label, values


def _inside(nodes: Columns, label: str, values: list[str]) -> Mask:
    has = nodes.domains(label)
    has = np.where(has == 0, nodes.domains(_LABELS[label]), has)
    inside: Mask = np.isin(has, [nodes.label_id(value) for value in values])
    return inside


PLUGIN = Plugin(name="VolumeZone", survey=survey, lasting=True)
