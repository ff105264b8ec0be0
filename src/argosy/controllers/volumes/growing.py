"""How a bound claim that asks for more gets it, where its volume is a folder of this machine.

A folder's size is not enforced, so that growing is telling: first the volume, then the claim. Who
may ask is admission's affair: classes say so (`allowVolumeExpansion`). Pure functions.
"""

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import size
from argosy.controllers.volumes.binding import Write


def lacks(claim: PersistentVolumeClaim) -> bool:
    """Whether the claim asks for more than it has."""
    has, asked = claim.status, claim.spec.resources.requests
    return has.phase == "Bound" and size(asked) > size(has.capacity)


def next_growth(
    volume: PersistentVolume, claim: PersistentVolumeClaim
) -> Write[PersistentVolume] | Write[PersistentVolumeClaim] | None:
    """What is to be written first until the claim has what it asks for."""
    if not lacks(claim):
        return None
    amount = {"capacity": {"storage": claim.spec.resources.requests["storage"]}}
    if size(volume.spec.capacity) < size(claim.spec.resources.requests):
        return Write(volume, {"spec": amount})
    return Write(claim, {"status": amount}, "status")
