"""Volumes that are folders of this machine, below one folder of the cluster's own.

The node makes a volume's folder when a pod mounts it. It is removed with what is in it when the
volume's class said so (`Delete`): first it is moved aside, at once and as a whole, so that nobody
finds half of it, then emptied. Removed is only what was made here: the path is worked out anew from
the claim, whose uid is in it, no link is followed on the way, and links that are in the folder are
removed, not followed.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BOUND_BY_CONTROLLER, YES, reference_of
from argosy.controllers.volumes.removal import opened, remove
from argosy.controllers.volumes.words import (
    FINALIZER,
    PROVISIONED_BY,
)

Json = dict[str, Any]

_UID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Of a claim. Part of another claim's must not do: with the rest in the name the folder is that
claim's."""
LONGEST_STEM = 200
"""Of the claim's namespace and name together; a file's name has at most 255 bytes."""


@dataclass(frozen=True, slots=True)
class LocalVolumes:
    """Folders below `root`, for classes of this `provisioner`."""

    root: Path
    provisioner: str

    def refusal(self, claim: PersistentVolumeClaim, storage: StorageClass) -> str | None:
        """Why no volume can be made for the claim."""
        spec, name = claim.spec, storage.metadata.name
        if spec.data_source is not None:
            return (
                f'plugin "{self.provisioner}" is not a CSI plugin. Only CSI plugin can provision a '
                "claim with a datasource"
            )
        if storage.mount_options:
            given = " ".join(storage.mount_options)
            return (
                "Mount options are not supported by the provisioner but StorageClass "
                f'"{name}" has mount options [{given}]'
            )
        lacking = {
            "block volumes": spec.volume_mode == "Block",
            "volumeAttributesClassName": bool(spec.volume_attributes_class_name),
            "selectors": spec.selector is not None,
        }
        for what, asked in lacking.items():
            if asked:
                why = f"{self.provisioner} does not support {what}"
                return f'Failed to provision volume with StorageClass "{name}": {why}'
        return None

    def volume(self, claim: PersistentVolumeClaim, storage: StorageClass) -> Json:
        """The volume that is made for the claim, and is the claim's from the first moment on."""
        meta, spec = claim.metadata, claim.spec
        said = {BOUND_BY_CONTROLLER: YES, PROVISIONED_BY: self.provisioner}
        about: Json = {"name": f"pvc-{meta.uid}", "annotations": said}
        if storage.reclaim_policy == "Delete":
            about["finalizers"] = [FINALIZER]
        folder = self.root / _folder(meta.namespace, meta.name, meta.uid)
        return {
            "metadata": about,
            "spec": {
                "capacity": {"storage": spec.resources.requests["storage"]},
                "accessModes": list(spec.access_modes),
                "storageClassName": storage.metadata.name,
                "volumeMode": spec.volume_mode,
                "persistentVolumeReclaimPolicy": storage.reclaim_policy,
                "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"},
                "claimRef": reference_of(claim),
            },
        }

    def remove(self, volume: PersistentVolume) -> None:
        """Remove the volume's folder and all that is in it; one that is gone is fine.

        Raises ValueError for a volume that was not made here, and OSError.
        """
        name, aside = self._name(volume), f".{volume.metadata.name}"
        if not self.root.exists():
            return
        with opened(self.root) as root:
            if _mode(aside, root) is not None:  # what an earlier try left
                remove(aside, root)
            mode = _mode(name, root)
            if mode is None:
                return
            if not stat.S_ISDIR(mode):
                raise ValueError(f"{self.root / name} is not a directory")
            os.rename(name, aside, src_dir_fd=root, dst_dir_fd=root)
            remove(aside, root)

    def _name(self, volume: PersistentVolume) -> str:
        reference, place = volume.spec.claim_ref, volume.spec.host_path
        if reference is not None and place is not None:
            name = _folder(reference.namespace, reference.name, reference.uid)
            made = f"pvc-{reference.uid}" == volume.metadata.name
            if made and _UID.fullmatch(reference.uid) and place.path == str(self.root / name):
                return name
        raise ValueError(
            f'volume "{volume.metadata.name}" is no folder that was made for its claim'
        )


def _folder(namespace: str, claim: str, uid: str) -> str:
    stem = f"{namespace}-{claim}"[:LONGEST_STEM]
    return re.sub(r"[^-a-z0-9.]", "-", f"{stem}-{uid}")


def _mode(name: str, folder: int) -> int | None:
    """What something in the open folder is; None where there is nothing of the name."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
