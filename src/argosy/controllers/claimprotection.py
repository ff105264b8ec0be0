"""Lets go of deleted claims of volumes once no pod uses them (`kubernetes.io/pvc-protection`).

A pod uses a claim from when it is on a node until it is gone, whether it runs or not. The rules are
those of Kubernetes' pvc-protection controller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.podusers import PodUsers
from argosy.controllers.protection import WAITING, Protection
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.manager import Manager

NAME = "controllers/claimprotection"
FINALIZER = "kubernetes.io/pvc-protection"


@dataclass(frozen=True)
class ClaimProtection:
    """Holds claims that pods use."""

    protection: Protection
    users: PodUsers

    async def reconcile(self, claim: PersistentVolumeClaim) -> Result:
        """Hold the claim, or let it go."""

        async def unused() -> bool:
            return await self.users.unused(claim, lambda pod: uses(pod, claim))

        return DONE if await self.protection.keep(claim, unused) else WAITING


def claims(pod: Pod) -> Iterator[str]:
    """The names of the claims that a pod on a node may use."""
    if not pod.spec.node_name:
        return
    for volume in pod.spec.volumes:
        if (source := volume.get("persistentVolumeClaim")) is not None:
            yield source.get("claimName", "")
        elif volume.get("ephemeral") is not None:
            yield made(pod, volume)


def uses(pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether the pod does use the claim. One that was made for the pod itself goes with it."""
    if not pod.spec.node_name or pod.metadata.namespace != claim.metadata.namespace:
        return False
    owner = claim.controller
    own = owner is not None and owner.uid == pod.metadata.uid and not _shut_down(pod)
    name = claim.metadata.name
    return any(
        (volume.get("persistentVolumeClaim") or {}).get("claimName") == name
        or (own and volume.get("ephemeral") is not None and made(pod, volume) == name)
        for volume in pod.spec.volumes
    )


def made(pod: Pod, volume: Mapping[str, Any]) -> str:
    """The name of the claim of a pod's generic ephemeral volume."""
    return f"{pod.metadata.name}-{volume.get('name')}"


def _shut_down(pod: Pod) -> bool:
    """Whether the node is done with it: its claim must not wait for what holds the pod itself."""
    meta = pod.metadata
    return meta.deletion_timestamp is not None and meta.deletion_grace_period_seconds == 0


def claim_protection(manager: Manager) -> Controller[PersistentVolumeClaim]:
    """The controller, on the manager's caches."""
    client, pods = manager.client_as(NAME), manager.informer(Pod)
    users = PodUsers(client, pods, claims)
    protection = Protection(client, PersistentVolumeClaim.resource, FINALIZER)
    controller = ClaimProtection(protection, users)
    return Controller(
        name=NAME,
        informer=manager.informer(PersistentVolumeClaim),
        reconcile=controller.reconcile,
        watches=(Watch(pods, users.keys),),
    )
