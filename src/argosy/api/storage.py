"""Views of persistent volumes and their claims."""

from typing import ClassVar

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources import core, storage
from argosy.api.volumes import HostPathVolume


class ClaimResources(View, frozen=True, kw_only=True):
    """How much storage is asked for."""

    requests: dict[str, str | int | float] = {}


class ClaimSpec(View, frozen=True, kw_only=True):
    """The storage that is asked for."""

    access_modes: tuple[str, ...] = ()
    storage_class_name: str | None = None
    volume_attributes_class_name: str | None = None
    volume_name: str = ""
    resources: ClaimResources = ClaimResources()


class ModifyVolumeStatus(View, frozen=True, kw_only=True):
    """The attributes that a volume is to get."""

    target_volume_attributes_class_name: str = ""


class ClaimStatus(View, frozen=True, kw_only=True):
    """Whether it was granted, and with which attributes."""

    phase: str = "Pending"
    current_volume_attributes_class_name: str | None = None
    modify_volume_status: ModifyVolumeStatus | None = None


class PersistentVolumeClaim(Object, frozen=True, kw_only=True):
    """A wish for storage that outlives pods."""

    resource: ClassVar[Resource] = core.PERSISTENT_VOLUME_CLAIM

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
    volume_attributes_class_name: str | None = None


class VolumeStatus(View, frozen=True, kw_only=True):
    """Whether it is taken."""

    phase: str = "Pending"


class PersistentVolume(Object, frozen=True, kw_only=True):
    """Storage of the cluster's."""

    resource: ClassVar[Resource] = core.PERSISTENT_VOLUME

    spec: VolumeSpec = VolumeSpec()
    status: VolumeStatus = VolumeStatus()


class StorageClass(Object, frozen=True, kw_only=True):
    """A kind of storage, and who provides it."""

    resource: ClassVar[Resource] = storage.STORAGE_CLASS

    provisioner: str = ""


class VolumeAttributesClass(Object, frozen=True, kw_only=True):
    """Attributes that a volume may have, and get while it is used."""

    resource: ClassVar[Resource] = storage.VOLUME_ATTRIBUTES_CLASS
