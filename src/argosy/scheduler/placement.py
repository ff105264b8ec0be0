"""A pod's place, and what of claims goes with it."""

from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.dra import Allocation, ResourceClaim
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.scheduler.occupants import Occupant


@dataclass(frozen=True, slots=True)
class Grant:
    """A claim for a pod; `allocation` is None where the claim was allocated before."""

    claim: ResourceClaim
    allocation: Allocation | None = None


@dataclass(frozen=True, slots=True)
class VolumeGrant:
    """What a volume claim without a volume gets: `volume`, or one that is made for the pod's node
    (None). Within `patience` seconds it must be there.
    """

    claim: PersistentVolumeClaim
    volume: PersistentVolume | None
    patience: float


@dataclass(frozen=True, slots=True)
class Placement:
    """A pod's place, and what it will be there for others."""

    pod: Pod
    node: str
    occupant: Occupant
    grants: tuple[Grant, ...] = ()
    volumes: tuple[VolumeGrant, ...] = ()
