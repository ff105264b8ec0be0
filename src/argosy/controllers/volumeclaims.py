"""Binds claims of the `standard` StorageClass to folders of this machine, made on demand."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.meta import Key
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/volumeclaims"


@dataclass(frozen=True)
class VolumeClaims:
    """One volume per claim: a folder below `root`, which the node makes when a pod mounts it.

    Volumes are kept when their claim goes (`Retain`): the data is the user's.
    """

    client: Client
    claims: Informer[PersistentVolumeClaim]
    classes: Informer[StorageClass]
    root: Path
    provisioner: str

    async def reconcile(self, claim: PersistentVolumeClaim) -> Result:
        """Bind a pending claim, unless it names a volume that is not made here."""
        if claim.status.phase == "Bound" or claim.metadata.deletion_timestamp:
            return DONE
        storage = self.classes.get("", claim.spec.storage_class_name or "")
        if storage is None or storage.provisioner != self.provisioner:
            return DONE
        volume = f"pvc-{claim.metadata.uid}"
        if claim.spec.volume_name not in ("", volume):
            return DONE
        await self.client.apply(PersistentVolume.resource, self._volume(claim, volume))
        await self._patch(claim, {"spec": {"volumeName": volume}})
        phase = {"status": {"phase": "Bound"}}
        await self.client.merge(PersistentVolume.resource, volume, "", phase, subresource="status")
        # Last, as a bound claim is not looked at again.
        status = {
            "phase": "Bound",
            "accessModes": list(claim.spec.access_modes),
            "capacity": dict(claim.spec.resources.requests),
        }
        await self._patch(claim, {"status": status}, subresource="status")
        return DONE

    async def _patch(
        self, claim: PersistentVolumeClaim, patch: dict[str, Any], *, subresource: str = ""
    ) -> None:
        """Patch this very claim, and none that took its name."""
        meta = claim.metadata
        body = {"metadata": {"uid": meta.uid}, **patch}
        await self.client.merge(
            claim.resource, meta.name, meta.namespace, body, subresource=subresource
        )

    def of_class(self, storage: StorageClass) -> list[Key]:
        """The claims of this class."""
        name = storage.metadata.name
        return [claim.key for claim in self.claims.items() if claim.spec.storage_class_name == name]

    def _volume(self, claim: PersistentVolumeClaim, name: str) -> dict[str, Any]:
        meta = claim.metadata
        folder = self.root / re.sub(r"[^-a-z0-9.]", "-", f"{meta.namespace}-{meta.name}-{meta.uid}")
        return {
            "metadata": {"name": name},
            "spec": {
                "capacity": dict(claim.spec.resources.requests),
                "accessModes": list(claim.spec.access_modes),
                "storageClassName": claim.spec.storage_class_name,
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": meta.namespace,
                    "name": meta.name,
                    "uid": meta.uid,
                },
            },
        }


def volume_claims(
    manager: Manager, root: Path, provisioner: str
) -> Controller[PersistentVolumeClaim]:
    """The controller, on the manager's caches; volumes lie below `root`."""
    claims, classes = manager.informer(PersistentVolumeClaim), manager.informer(StorageClass)
    client = manager.client_as(NAME)
    controller = VolumeClaims(client, claims, classes, root, provisioner)
    return Controller(
        name=NAME,
        informer=claims,
        reconcile=controller.reconcile,
        watches=(Watch(classes, controller.of_class),),
    )
