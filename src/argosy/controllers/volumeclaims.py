"""Binds claims of the `standard` StorageClass to folders of this machine, made on demand."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/volumeclaims"


@dataclass(frozen=True)
class VolumeClaims:
    """One volume per claim: a folder below `root`, which the node makes when a pod mounts it.

    Volumes are kept when their claim goes (`Retain`): the data is the user's.
    """

    client: Client
    root: Path
    provisioner: str

    async def reconcile(self, claim: PersistentVolumeClaim) -> Result:
        """Bind a pending claim."""
        if claim.status.phase == "Bound" or claim.metadata.deletion_timestamp:
            return DONE
        name = claim.spec.storage_class_name or ""
        storage = await self.client.find(StorageClass, name) if name else None
        if storage is None or storage.provisioner != self.provisioner:
            return DONE
        volume = claim.spec.volume_name or f"pvc-{claim.metadata.uid}"
        await self.client.apply(PersistentVolume.resource, self._volume(claim, volume))
        meta = claim.metadata
        bound = {"spec": {"volumeName": volume}}
        await self.client.merge(claim.resource, meta.name, meta.namespace, bound)
        status = {
            "phase": "Bound",
            "accessModes": list(claim.spec.access_modes),
            "capacity": dict(claim.spec.resources.requests),
        }
        await self.client.merge(
            claim.resource, meta.name, meta.namespace, {"status": status}, subresource="status"
        )
        await self.client.merge(
            PersistentVolume.resource,
            volume,
            "",
            {"status": {"phase": "Bound"}},
            subresource="status",
        )
        return DONE

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
    claims = manager.informer(PersistentVolumeClaim)
    controller = VolumeClaims(manager.client_as(NAME), root, provisioner)
    return Controller(name=NAME, informer=claims, reconcile=controller.reconcile)
