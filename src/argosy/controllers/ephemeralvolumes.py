"""Makes the claims of pods' generic ephemeral volumes, which go with their pods.

Source: kube-controller-manager's `volume/ephemeral`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.api.core import Pod
from argosy.api.meta import Key, owned
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.claimprotection import made
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME: Final = "controllers/ephemeralvolumes"
COMPONENT: Final = "ephemeral_volume"
KEPT: Final = ("labels", "annotations")


@dataclass(frozen=True)
class EphemeralVolumes:
    """Makes what is missing; nobody else's claim is taken in its place."""

    client: Client
    claims: Informer[PersistentVolumeClaim]
    events: EventRecorder

    async def reconcile(self, pod: Pod) -> Result:
        """Make the pod's claims. Raises StatusError where one can't be had, of which it tells."""
        if pod.metadata.deletion_timestamp is not None or pod.finished:
            return DONE
        for volume in pod.spec.volumes:
            if volume.get("ephemeral") is None:
                continue
            try:
                await self._make(pod, volume)
            except StatusError as error:
                text = f"ephemeral volume {volume.get('name')}: {error.message}"
                await self.events.record(pod, Note("FailedBinding", text, "Warning"))
                raise
        return DONE

    async def _make(self, pod: Pod, volume: Mapping[str, Any]) -> None:
        name, namespace = made(pod, volume), pod.metadata.namespace
        claim = self.claims.get(namespace, name)
        if claim is None:
            # A claim of a pod that is gone is collected, and would be made again and again.
            live = await self.client.find(Pod, pod.metadata.name, namespace)
            if live is None or live.metadata.uid != pod.metadata.uid:
                return
            try:
                await self.client.create(PersistentVolumeClaim.resource, _body(pod, volume))
                return
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    refused = f"create PVC {name}: {error.message}"
                    raise StatusError(error.code, error.reason, refused) from error
            claim = await self.client.get(PersistentVolumeClaim, name, namespace)
        if claim.controller is None or claim.controller.uid != pod.metadata.uid:
            whose = f"{namespace}/{pod.metadata.name} (pod is not owner)"
            strange = f"PVC {namespace}/{name} was not created for pod {whose}"
            raise StatusError(409, "Conflict", strange)


def _body(pod: Pod, volume: Mapping[str, Any]) -> dict[str, Any]:
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
    given = template.get("metadata") or {}
    meta = {
        "name": made(pod, volume),
        "namespace": pod.metadata.namespace,
        "ownerReferences": [owned(pod)],
        **{name: given[name] for name in KEPT if given.get(name)},
    }
    return {"metadata": meta, "spec": template.get("spec") or {}}


def _concerns(pod: Pod) -> bool:
    return any(volume.get("ephemeral") is not None for volume in pod.spec.volumes)


def _owner(claim: PersistentVolumeClaim) -> Iterable[Key]:
    """The pod that the claim was made for: it is made anew if somebody deletes it."""
    owner = claim.controller
    if owner is not None and owner.kind == Pod.resource.kind:
        yield (claim.metadata.namespace, owner.name)


def ephemeral_volumes(manager: Manager) -> Controller[Pod]:
    """The controller, on the manager's caches."""
    client = manager.client_as(NAME)
    claims = manager.informer(PersistentVolumeClaim)
    events = EventRecorder(client, manager.clock, COMPONENT)
    return Controller(
        name=NAME,
        informer=manager.informer(Pod),
        reconcile=EphemeralVolumes(client, claims, events).reconcile,
        watches=(Watch(claims, _owner),),
        concerns=_concerns,
    )
