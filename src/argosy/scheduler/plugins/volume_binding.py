"""VolumeBinding: nodes that can have all of a pod's claims.

A claim that has its volume must be near it. One that waits for the pod's node gets a volume that is
there and can be had on the node (`volumes.choosing`), or one is made there, where its class has a
provisioner, allows the node, and has room. What the claims get on the chosen node is granted with
the placement, and written before the pod is bound (`volumes.binding`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.storage import PersistentVolumeClaim
from argosy.api.volumebinding import claim_class, size
from argosy.scheduler.columns import Columns, Flags
from argosy.scheduler.framework import Mask, Plugin, Scores, UnschedulableError
from argosy.scheduler.placement import VolumeGrant
from argosy.scheduler.state import State
from argosy.scheduler.volumes.choosing import choice_of
from argosy.scheduler.volumes.claims import claims_anything, claims_of
from argosy.scheduler.volumes.index import Volumes
from argosy.scheduler.volumes.reach import allowed, reachable, rules_for

PATIENCE = 600.0
"""Seconds within which claims must be bound, as kube-scheduler's `bindTimeoutSeconds`."""

NO_PROVISIONER = "kubernetes.io/no-provisioner"
TOO_FAR = "node(s) didn't match PersistentVolume's node affinity"
NONE_FOUND = "node(s) didn't find available persistent volumes to bind"
NO_ROOM = "node(s) did not have enough free storage"
VOLUME_GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass(frozen=True, slots=True)
class ClaimSurvey:
    """Why rows can't have the pod's claims; one may have several reasons."""

    mask: Mask | None
    reasons: Mapping[str, Flags]

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """All reasons of each row."""
        return +Counter({text: int(refused[rows].sum()) for text, refused in self.reasons.items()})

    def score(self, feasible: Mask) -> Scores | None:
        """All are alike."""
        return None


def survey(state: State, pod: Pod) -> ClaimSurvey | None:
    """Where the pod's claims can be had. Raises UnschedulableError where one can't be used yet."""
    if not claims_anything(pod):
        return None
    claims = claims_of(state, pod)
    reasons = _near(state, claims.bound)
    if claims.waiting:
        try:
            reasons |= _waiting(state, claims.waiting)
        except ValueError as error:  # a broken size
            raise UnschedulableError(str(error)) from error
    refused: Mask = np.logical_or.reduce(list(reasons.values()))
    return ClaimSurvey(~refused, reasons) if refused.any() else None


def granted(
    state: State, pod: Pod, node: str, *, patience: float = PATIENCE
) -> tuple[VolumeGrant, ...]:
    """What the pod's waiting claims get on `node`."""
    waiting = claims_of(state, pod).waiting if claims_anything(pod) else ()
    if not waiting:
        return ()
    pinned, searching = _apart(state.volumes, waiting)
    choice = choice_of(state.volumes, state.nodes, searching)
    found = choice.at(state.nodes.row_of[node])
    made = (VolumeGrant(claim, None, patience) for claim, _ in pinned)
    chosen = (
        VolumeGrant(need.claim, volume, patience)
        for need, volume in zip(choice.needs, found, strict=True)
    )
    return (*made, *chosen)


def _near(state: State, claims: Sequence[PersistentVolumeClaim]) -> dict[str, Flags]:
    """The rows that are too far from a volume that a claim has."""
    nodes = state.nodes
    near: Flags = np.ones(nodes.size, dtype=np.bool_)
    for claim in claims:
        volume = state.volumes.volume(claim.spec.volume_name)
        if volume is None:
            return {TOO_FAR: ~near, VOLUME_GONE: near}
        near &= reachable(nodes, rules_for(volume))
    return {TOO_FAR: ~near}


Pinned = tuple[PersistentVolumeClaim, str]
"""A claim, and the node for which its volume is being made."""


def _apart(
    volumes: Volumes, claims: Sequence[PersistentVolumeClaim]
) -> tuple[list[Pinned], list[PersistentVolumeClaim]]:
    """The claims whose node was chosen before, and those that look for a volume."""
    pinned, searching = [], []
    for claim in claims:
        node = volumes.node_for(claim)
        if node is None:
            searching.append(claim)
        else:
            pinned.append((claim, node))
    return pinned, searching


def _waiting(state: State, claims: Sequence[PersistentVolumeClaim]) -> dict[str, Flags]:
    """The rows on which a waiting claim gets nothing. Raises ValueError for a broken size."""
    volumes, nodes = state.volumes, state.nodes
    pinned, searching = _apart(volumes, claims)
    none: Flags = np.zeros(nodes.size, dtype=np.bool_)
    elsewhere = none.copy()
    for _, node in pinned:
        here = none.copy()
        if node in nodes.row_of:
            here[nodes.row_of[node]] = True
        elsewhere |= ~here
    choice = choice_of(volumes, nodes, searching)
    made = [(claim, ~none) for claim, _ in pinned]
    made += [(n.claim, ~found) for n, found in zip(choice.needs, choice.found(), strict=True)]
    no_room = none.copy()
    for claim, missing in made:
        left = missing & ~elsewhere & ~no_room
        if not left.any():
            continue
        may, has_room = _makeable(volumes, nodes, claim)
        elsewhere |= left & ~may
        no_room |= left & may & ~has_room
    return {NONE_FOUND: elsewhere, NO_ROOM: no_room}


def _makeable(
    volumes: Volumes, nodes: Columns, claim: PersistentVolumeClaim
) -> tuple[Flags, Flags]:
    """The rows for which the claim's class makes volumes, and those for which there is room."""
    storage = volumes.classes[claim_class(claim)]
    if storage.provisioner in ("", NO_PROVISIONER):
        none: Flags = np.zeros(nodes.size, dtype=np.bool_)
        return none, none
    may = allowed(nodes, storage.allowed_topologies)
    driver = volumes.drivers.get(storage.provisioner)
    asked = claim.spec.resources.requests
    if driver is None or not driver.spec.storage_capacity or "storage" not in asked:
        return may, np.ones_like(may)
    return may, volumes.room.largest(storage.metadata.name, nodes) >= size(asked)


def make_plugin(patience: float = PATIENCE) -> Plugin:
    """The plugin; claims must be bound within `patience` seconds."""
    volumes = partial(granted, patience=patience)
    return Plugin(name="VolumeBinding", survey=survey, lasting=True, volumes=volumes)


def configured(args: Mapping[str, Any]) -> Plugin:
    """The plugin with the arguments of a profile. Raises ValueError."""
    seconds = args.get("bindTimeoutSeconds", PATIENCE)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        why = "invalid BindTimeoutSeconds, should not be a negative value"
        raise ValueError(f"bindTimeoutSeconds: Invalid value: {seconds!r}: {why}")
    return make_plugin(seconds)


PLUGIN = make_plugin()
