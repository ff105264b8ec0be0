"""Views of persistent volumes and their claims."""

from typing import ClassVar

from argosy.api.core import AGE, CORE, NAME, HostPathVolume
from argosy.api.meta import Object, View
from argosy.api.resource import Column, Resource


class ClaimResources(View, frozen=True, kw_only=True):
    """How much storage is asked for."""

    requests: dict[str, str | int | float] = {}


class ClaimSpec(View, frozen=True, kw_only=True):
    """The storage that is asked for."""

    access_modes: tuple[str, ...] = ()
    storage_class_name: str | None = None
    volume_name: str = ""
    resources: ClaimResources = ClaimResources()


class ClaimStatus(View, frozen=True, kw_only=True):
    """Whether it was granted."""

    phase: str = "Pending"


class PersistentVolumeClaim(Object, frozen=True, kw_only=True):
    """A wish for storage that outlives pods."""

    resource: ClassVar[Resource] = Resource(
        version="v1",
        kind="PersistentVolumeClaim",
        plural="persistentvolumeclaims",
        short_names=("pvc",),
        status=True,
        definition=CORE + "PersistentVolumeClaim",
        columns=(
            NAME,
            Column("Status", "status.phase"),
            Column("Volume", "spec.volumeName"),
            Column("Capacity", "status.capacity.storage"),
            Column("StorageClass", "spec.storageClassName"),
            AGE,
        ),
    )

    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class VolumeClaimRef(View, frozen=True, kw_only=True):
    """The claim that a volume serves."""

    namespace: str = ""
    name: str = ""
    uid: str = ""


class VolumeSpec(View, frozen=True, kw_only=True):
    """Where the bytes are."""

    host_path: HostPathVolume | None = None
    claim_ref: VolumeClaimRef | None = None
    persistent_volume_reclaim_policy: str = "Retain"


class PersistentVolume(Object, frozen=True, kw_only=True):
    """Storage of the cluster's."""

    resource: ClassVar[Resource] = Resource(
        version="v1",
        kind="PersistentVolume",
        plural="persistentvolumes",
        namespaced=False,
        short_names=("pv",),
        status=True,
        definition=CORE + "PersistentVolume",
        columns=(
            NAME,
            Column("Capacity", "spec.capacity.storage"),
            Column("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
            Column("Status", "status.phase"),
            Column("Claim", "volume-claim"),
            AGE,
        ),
    )

    spec: VolumeSpec = VolumeSpec()


class StorageClass(Object, frozen=True, kw_only=True):
    """A kind of storage, and who provides it."""

    resource: ClassVar[Resource] = Resource(
        group="storage.k8s.io",
        version="v1",
        kind="StorageClass",
        plural="storageclasses",
        namespaced=False,
        short_names=("sc",),
        definition="io.k8s.api.storage.v1.StorageClass",
        columns=(NAME, Column("Provisioner", "provisioner"), AGE),
    )

    provisioner: str = ""
