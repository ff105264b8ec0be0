"""Who owns a pod's claims, and thereby what becomes of them when the pod or the set goes.

Pure, as upstream's `persistentVolumeClaimRetentionPolicy` has it: `whenDeleted: Delete` makes the
set the owner of its pods' claims, `whenScaled: Delete` the pod that is about to go. The garbage
collector does the rest. Owners of an earlier life (same name, other uid) stop everything: nobody
knows whose data it is.
"""

from collections.abc import Callable

from argosy.api.core import Pod
from argosy.api.meta import Object, OwnerReference
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.statefulsets.identity import ordinal, wanted

References = tuple[OwnerReference, ...]


def stale(claim: PersistentVolumeClaim, name: str, uid: str) -> bool:
    """Whether the claim is owned by an earlier pod of this name, and goes with it."""
    found = next((ref for ref in claim.metadata.owner_references if _is_pod(ref, name)), None)
    return found is not None and found.uid != uid


def conflicting(owner: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether somebody else controls the claim, so that the policy can't be kept."""
    policy = owner.spec.persistent_volume_claim_retention_policy
    if policy.when_scaled == policy.when_deleted == "Retain":
        return False
    return any(_foreign(ref, owner, pod) for ref in claim.metadata.owner_references)


def references(owner: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> References | None:
    """The owners that the claim shall have; None where it has them."""
    there = claim.metadata.owner_references
    if _is_stale(there, owner, pod):
        return None
    others = tuple(ref for ref in there if not _ours(ref, owner, pod))
    shall = others
    if not conflicting(owner, pod, claim):
        shall += _by_policy(owner, pod)
    return None if _same(there, shall) else shall


def _by_policy(owner: StatefulSet, pod: Pod) -> References:
    policy = owner.spec.persistent_volume_claim_retention_policy
    leaving = ordinal(pod) not in wanted(owner)
    if policy.when_scaled == "Delete" and leaving:
        return (_reference(pod),)
    return (_reference(owner),) if policy.when_deleted == "Delete" else ()


def _same(one: References, other: References) -> bool:
    def by_owner(refs: References) -> set[tuple[str, bool]]:
        return {(ref.uid, ref.controller) for ref in refs}

    return by_owner(one) == by_owner(other)


def _reference(obj: Object) -> OwnerReference:
    return OwnerReference(
        api_version=obj.resource.api_version,
        kind=obj.resource.kind,
        name=obj.metadata.name,
        uid=obj.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )


def _foreign(ref: OwnerReference, owner: StatefulSet, pod: Pod) -> bool:
    for obj, names in _either(owner, pod):
        if names(ref):
            return ref.uid != obj.metadata.uid
    return ref.controller


def _ours(ref: OwnerReference, owner: StatefulSet, pod: Pod) -> bool:
    return any(names(ref) for _, names in _either(owner, pod))


def _is_stale(refs: References, owner: StatefulSet, pod: Pod) -> bool:
    for obj, names in _either(owner, pod):
        found = next((ref for ref in refs if names(ref)), None)
        if found is not None and found.uid != obj.metadata.uid:
            return True
    return False


def _either(
    owner: StatefulSet, pod: Pod
) -> tuple[tuple[Object, Callable[[OwnerReference], bool]], ...]:
    """The set and the pod, each with what tells a reference that has its name."""

    def is_set(ref: OwnerReference) -> bool:
        here = (owner.resource.api_version, owner.resource.kind, owner.metadata.name)
        return (ref.api_version, ref.kind, ref.name) == here

    return ((owner, is_set), (pod, lambda ref: _is_pod(ref, pod.metadata.name)))


def _is_pod(ref: OwnerReference, name: str) -> bool:
    return (ref.api_version, ref.kind, ref.name) == ("v1", "Pod", name)
