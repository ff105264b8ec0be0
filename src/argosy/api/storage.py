"""Views of persistent volumes, their claims, and what drivers of storage say of themselves."""

from typing import Any, ClassVar

from argosy.api.labelselector import LabelSelector
from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources import core, storage
from argosy.api.volumes import HostPathVolume

Amounts = dict[str, str | int | float]


class ClaimResources(View, frozen=True, kw_only=True):
    """How much storage is asked for."""

    requests: Amounts = {}


class ClaimSpec(View, frozen=True, kw_only=True):
    """The storage that is asked for."""

    access_modes: tuple[str, ...] = ()
    storage_class_name: str | None = None
    volume_attributes_class_name: str | None = None
    volume_name: str = ""
    volume_mode: str = "Filesystem"
    resources: ClaimResources = ClaimResources()
    selector: LabelSelector | None = None
    data_source: dict[str, Any] | None = None


class ModifyVolumeStatus(View, frozen=True, kw_only=True):
    """The attributes that a volume is to get."""

    target_volume_attributes_class_name: str = ""


class ClaimStatus(View, frozen=True, kw_only=True):
    """Whether it was granted, and with which attributes."""

    phase: str = "Pending"
    access_modes: tuple[str, ...] = ()
    capacity: Amounts = {}
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


class VolumeNodeAffinity(View, frozen=True, kw_only=True):
    """From which nodes it can be reached: a node selector, as it is written."""

    required: dict[str, Any] | None = None


class CSISource(View, frozen=True, kw_only=True):
    """A volume of a storage driver."""

    driver: str
    volume_handle: str = ""


class VolumeSpec(View, frozen=True, kw_only=True):
    """Where the bytes are."""

    capacity: Amounts = {}
    access_modes: tuple[str, ...] = ()
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    node_affinity: VolumeNodeAffinity | None = None
    host_path: HostPathVolume | None = None
    csi: CSISource | None = None
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


class TopologyLine(View, frozen=True, kw_only=True):
    """A label of nodes, and the values that it may have."""

    key: str
    values: tuple[str, ...] = ()


class TopologyTerm(View, frozen=True, kw_only=True):
    """Nodes by their labels: all must hold."""

    match_label_expressions: tuple[TopologyLine, ...] = ()


class StorageClass(Object, frozen=True, kw_only=True):
    """A kind of storage, and who provides it."""

    resource: ClassVar[Resource] = storage.STORAGE_CLASS

    provisioner: str = ""
    reclaim_policy: str = "Delete"
    volume_binding_mode: str = "Immediate"
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool = False
    allowed_topologies: tuple[TopologyTerm, ...] = ()


class VolumeAttributesClass(Object, frozen=True, kw_only=True):
    """Attributes that a volume may have, and get while it is used."""

    resource: ClassVar[Resource] = storage.VOLUME_ATTRIBUTES_CLASS


class DriverSpec(View, frozen=True, kw_only=True):
    """What a storage driver needs; where it doesn't say, volumes are to be attached.

    `storage_capacity` tells that it publishes how much there is left.
    """

    attach_required: bool = True
    storage_capacity: bool = False


class CSIDriver(Object, frozen=True, kw_only=True):
    """A storage driver."""

    resource: ClassVar[Resource] = storage.CSI_DRIVER

    spec: DriverSpec = DriverSpec()


class NodeDriverAllocatable(View, frozen=True, kw_only=True):
    """How many volumes of a driver a node can have; None: any number."""

    count: int | None = None


class NodeDriver(View, frozen=True, kw_only=True):
    """A storage driver on a node."""

    name: str
    allocatable: NodeDriverAllocatable | None = None


class CSINodeSpec(View, frozen=True, kw_only=True):
    """The storage drivers of a node."""

    drivers: tuple[NodeDriver, ...] = ()


class CSINode(Object, frozen=True, kw_only=True):
    """What a node can do with storage drivers."""

    resource: ClassVar[Resource] = storage.CSI_NODE

    spec: CSINodeSpec = CSINodeSpec()


class CSIStorageCapacity(Object, frozen=True, kw_only=True):
    """How much of a class there is left for nodes with some labels (None: for no node)."""

    resource: ClassVar[Resource] = storage.CSI_STORAGE_CAPACITY

    storage_class_name: str = ""
    node_topology: LabelSelector | None = None
    capacity: str | int | float | None = None
    maximum_volume_size: str | int | float | None = None


class AttachmentSource(View, frozen=True, kw_only=True):
    """The volume that is attached."""

    persistent_volume_name: str = ""


class AttachmentSpec(View, frozen=True, kw_only=True):
    """Which driver attaches what, and where."""

    attacher: str = ""
    node_name: str = ""
    source: AttachmentSource = AttachmentSource()


class AttachmentError(View, frozen=True, kw_only=True):
    """Why it failed the last time."""

    message: str = ""


class AttachmentStatus(View, frozen=True, kw_only=True):
    """What the driver says of it."""

    attached: bool = False
    attach_error: AttachmentError | None = None


class VolumeAttachment(Object, frozen=True, kw_only=True):
    """A volume that is, or is to be, at a node."""

    resource: ClassVar[Resource] = storage.VOLUME_ATTACHMENT

    spec: AttachmentSpec = AttachmentSpec()
    status: AttachmentStatus = AttachmentStatus()
