"""Makes pods' resource claims from templates, and deletes them when the pods have ended.

Source: KEP-4381, the resource claim controller.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Pod, PodResourceClaim
from argosy.api.dra import ResourceClaim, ResourceClaimTemplate
from argosy.api.meta import Key, owned
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/resourceclaims"
COMPONENT = "resource_claim"
ENTRY = "resource.kubernetes.io/pod-claim-name"
WORKERS = 50
"""As upstream: each waits for the disk twice, and pods come by the hundred."""


@dataclass(frozen=True)
class ResourceClaims:
    """One claim per pod and template entry; none for a pod that is done."""

    client: Client
    pods: Informer[Pod]
    templates: Informer[ResourceClaimTemplate]
    claims: Informer[ResourceClaim]
    events: EventRecorder

    async def reconcile(self, pod: Pod) -> Result:
        """Make what the pod lacks, or release what it held."""
        if not pod.spec.resource_claims:
            return DONE
        if pod.finished:
            await self._release(pod)
        elif not pod.metadata.deletion_timestamp:
            await self._make(pod)
        return DONE

    async def _make(self, pod: Pod) -> None:
        known = {status.name for status in pod.status.resource_claim_statuses}
        wanted = [
            entry
            for entry in pod.spec.resource_claims
            if entry.resource_claim_template_name and entry.name not in known
        ]
        made = {entry.name: name for entry in wanted if (name := await self._claim(pod, entry))}
        if not made:
            return
        meta = pod.metadata
        statuses = [msgspec.to_builtins(status) for status in pod.status.resource_claim_statuses]
        statuses += [{"name": entry, "resourceClaimName": name} for entry, name in made.items()]
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": {"resourceClaimStatuses": statuses},
        }
        await self.client.apply(pod.resource, body, subresource="status")

    async def _claim(self, pod: Pod, entry: PodResourceClaim) -> str:
        """The claim of one entry, made if need be; '' where the template or the pod is gone."""
        meta = pod.metadata
        name = claim_name(pod, entry.name)
        made = self.claims.get(meta.namespace, name)
        if made is not None and made.controller and made.controller.uid == meta.uid:
            return name
        template = self.templates.get(meta.namespace, entry.resource_claim_template_name)
        if template is None:
            message = f'resource claim template "{entry.resource_claim_template_name}" not found'
            await self.events.record(pod, Note("FailedResourceClaimCreation", message, "Warning"))
            return ""
        if not await self._lives(pod):
            return ""
        spec: dict[str, Any] = msgspec.json.decode(template.spec)
        given = spec.get("metadata") or {}
        body = {
            "metadata": {
                "name": name,
                "namespace": meta.namespace,
                "labels": given.get("labels") or {},
                "annotations": {**(given.get("annotations") or {}), ENTRY: entry.name},
                "ownerReferences": [owned(pod)],
            },
            "spec": spec["spec"],
        }
        try:
            await self.client.create(ResourceClaim.resource, body)
        except StatusError as error:
            if error.reason != "AlreadyExists" or not await self._made(pod, name):
                raise
        return name

    async def _made(self, pod: Pod, name: str) -> bool:
        """Whether the claim of that name, which the cache lacks yet, is the pod's."""
        found = await self.client.find(ResourceClaim, name, pod.metadata.namespace)
        owner = found.controller if found is not None else None
        return owner is not None and owner.uid == pod.metadata.uid

    async def _lives(self, pod: Pod) -> bool:
        """Whether the server has it too: a claim of one that is gone is collected, and would be
        made again and again while the cache lags.
        """
        live = await self.client.find(Pod, pod.metadata.name, pod.metadata.namespace)
        return live is not None and live.metadata.uid == pod.metadata.uid

    async def _release(self, pod: Pod) -> None:
        for status in pod.status.resource_claim_statuses:
            claim = self.claims.get(pod.metadata.namespace, status.resource_claim_name)
            if claim is not None and claim.controller and claim.controller.uid == pod.metadata.uid:
                meta = claim.metadata
                await self.client.delete(claim.resource, meta.name, meta.namespace, uid=meta.uid)

    def waiting_for(self, template: ResourceClaimTemplate) -> list[Key]:
        """The pods that name this template."""
        namespace, name = template.key
        return [
            pod.key
            for pod in self.pods.items()
            if pod.metadata.namespace == namespace
            and any(e.resource_claim_template_name == name for e in pod.spec.resource_claims)
        ]


def claim_name(pod: Pod, entry: str) -> str:
    """The name of the claim that is made for an entry: the same one, however often it is asked."""
    suffix = hashlib.sha256(f"{pod.metadata.uid}/{entry}".encode()).hexdigest()[:5]
    return f"{pod.metadata.name[:150]}-{entry}-{suffix}"


def resource_claims(manager: Manager) -> Controller[Pod]:
    """The controller, on the manager's caches."""
    pods, claims = manager.informer(Pod), manager.informer(ResourceClaim)
    templates = manager.informer(ResourceClaimTemplate)
    client = manager.client_as(NAME)
    events = EventRecorder(client, manager.clock, COMPONENT)
    controller = ResourceClaims(client, pods, templates, claims, events)
    return Controller(
        name=NAME,
        informer=pods,
        reconcile=controller.reconcile,
        owns=(claims,),
        workers=WORKERS,
        watches=(Watch(templates, controller.waiting_for),),
        concerns=lambda pod: bool(pod.spec.resource_claims),
    )
