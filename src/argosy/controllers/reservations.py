"""Takes pods that have ended, or are gone, off the resource claims that were reserved for them.

It looks at the claims, not at the pods: a pod may be gone before anybody has seen its end. With
the last consumer a claim's devices are free again. Source: KEP-4381.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.dra import Consumer, ResourceClaim
from argosy.api.meta import Key
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/reservations"


@dataclass(frozen=True)
class Reservations:
    """Keeps `reservedFor` to pods that may still use the claim."""

    client: Client
    pods: Informer[Pod]

    async def reconcile(self, claim: ResourceClaim) -> Result:
        """Drop the consumers that are done."""
        reserved = claim.status.reserved_for
        namespace = claim.metadata.namespace
        left = [item for item in reserved if await self._uses(item, namespace)]
        if len(left) == len(reserved):
            return DONE
        status: dict[str, Any] = {"reservedFor": msgspec.to_builtins(left) or None}
        if not left:
            status["allocation"] = None
        meta = claim.metadata
        # With the revision: what others reserved meanwhile must not be lost.
        patch = {"metadata": {"resourceVersion": meta.resource_version}, "status": status}
        await self.client.merge(claim.resource, meta.name, namespace, patch, subresource="status")
        return DONE

    async def _uses(self, consumer: Consumer, namespace: str) -> bool:
        """Whether the consumer may use the claim; one that is no pod is not judged."""
        if consumer.resource != "pods":
            return True
        pod = self.pods.get(namespace, consumer.name)
        if pod is None or pod.metadata.uid != consumer.uid:
            # The cache may lag behind the scheduler's.
            pod = await self.client.find(Pod, consumer.name, namespace)
        return pod is not None and pod.metadata.uid == consumer.uid and not pod.finished


def used_by(pod: Pod) -> list[Key]:
    """The claims that the pod names, or that were made for it."""
    named = [entry.resource_claim_name for entry in pod.spec.resource_claims]
    made = [status.resource_claim_name for status in pod.status.resource_claim_statuses]
    return [(pod.metadata.namespace, name) for name in (*named, *made) if name]


def reservations(manager: Manager) -> Controller[ResourceClaim]:
    """The controller, on the manager's caches."""
    pods, claims = manager.informer(Pod), manager.informer(ResourceClaim)
    controller = Reservations(manager.client_as(NAME), pods)
    return Controller(
        name=NAME,
        informer=claims,
        reconcile=controller.reconcile,
        watches=(Watch(pods, used_by),),
    )
