"""The claims of a pod, told apart by what is to be done about them.

A claim that has its volume must be near it; one of a class that waits for a pod gets a volume with
the pod's node; all others must have theirs before the pod can be placed. Source: Kubernetes'
"Persistent Volumes" and "Ephemeral Volumes".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.storage import PersistentVolumeClaim
from argosy.api.volumebinding import WAIT, claim_class, fully_bound
from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.state import State
from argosy.scheduler.volumes.index import Volumes


@dataclass(frozen=True, slots=True)
class Claims:
    """Those that have their volumes, and those that wait for the pod's node; each once."""

    bound: tuple[PersistentVolumeClaim, ...]
    waiting: tuple[PersistentVolumeClaim, ...]


def claims_anything(pod: Pod) -> bool:
    """Whether the pod uses a claim at all; most don't."""
    for volume in pod.spec.volumes:
        if "persistentVolumeClaim" in volume or "ephemeral" in volume:
            return True
    return False


def named_claims(pod: Pod) -> list[str]:
    """The claims that the pod names, but for those that are made for it alone; each once."""
    sources = (volume.get("persistentVolumeClaim") for volume in pod.spec.volumes)
    return list(dict.fromkeys(str(source.get("claimName", "")) for source in sources if source))


def claims_of(state: State, pod: Pod) -> Claims:
    """The pod's claims. Raises UnschedulableError where one can't be used yet."""
    bound, waiting = [], []
    for claim in list(_usable(state, pod)):  # what is wrong with one goes first
        if fully_bound(claim):
            bound.append(claim)
        elif waits(state.volumes, claim):
            waiting.append(claim)
        else:
            raise nowhere(state, "pod has unbound immediate PersistentVolumeClaims")
    return Claims(tuple(bound), tuple(waiting))


def waits(volumes: Volumes, claim: PersistentVolumeClaim) -> bool:
    """Whether the claim gets its volume with a pod's node."""
    storage = volumes.classes.get(claim_class(claim))
    delayed = storage is not None and storage.volume_binding_mode == WAIT
    return delayed and not claim.spec.volume_name


def nowhere(state: State, why: str) -> UnschedulableError:
    """What no node can help."""
    count = state.nodes.count
    if count == 0:
        return UnschedulableError("no nodes available to schedule pods")
    return UnschedulableError(f"0/{count} nodes are available: {why}.")


def not_found(name: str) -> str:
    """As an API server says it."""
    return f'persistentvolumeclaim "{name}" not found'


def not_its_own(pod: Pod, claim: PersistentVolumeClaim) -> str:
    """Why a claim of this name is not the one that was made for the pod; empty where it is."""
    owner = claim.controller
    if owner is not None and owner.uid == pod.metadata.uid:
        return ""
    names = f"PVC {'/'.join(claim.key)} was not created for pod {'/'.join(pod.key)}"
    return f"{names} (pod is not owner)"


def _usable(state: State, pod: Pod) -> Iterator[PersistentVolumeClaim]:
    namespace, seen = pod.metadata.namespace, set()
    for name, own in claims_by_name(pod):
        if name in seen:
            continue
        seen.add(name)
        claim = state.volumes.claim(namespace, name)
        if claim is None:
            waiting = "waiting for ephemeral volume controller to create the persistentvolumeclaim"
            raise nowhere(state, f'{waiting} "{name}"' if own else not_found(name))
        if why := _refusal(pod, claim, own):
            raise nowhere(state, why)
        yield claim


def claims_by_name(pod: Pod) -> Iterator[tuple[str, bool]]:
    """The pod's claims, and whether each is made for it alone."""
    for volume in pod.spec.volumes:
        if source := volume.get("persistentVolumeClaim"):
            yield str(source.get("claimName", "")), False
        elif "ephemeral" in volume:
            yield f"{pod.metadata.name}-{volume['name']}", True


def _refusal(pod: Pod, claim: PersistentVolumeClaim, own: bool) -> str:
    """Why the claim is of no use to the pod; empty where it is."""
    name = claim.metadata.name
    if claim.status.phase == "Lost":
        volume = claim.spec.volume_name
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if claim.metadata.deletion_timestamp:
        return f'persistentvolumeclaim "{name}" is being deleted'
    return not_its_own(pod, claim) if own else ""
