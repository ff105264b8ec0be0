"""`storage.k8s.io` and `storagemigration.k8s.io`."""

from argosy.api.resource import AGE, NAME, Column
from argosy.api.resources.built_in import also, blank, built_in

GROUP = "storage.k8s.io"


def _flag(name: str, path: str, *, default: bool = False) -> Column:
    return Column(name, path, "boolean", empty=default)


CSI_DRIVER = built_in(
    "CSIDriver",
    "csidrivers",
    NAME,
    _flag("AttachRequired", "spec.attachRequired", default=True),
    _flag("PodInfoOnMount", "spec.podInfoOnMount"),
    _flag("StorageCapacity", "spec.storageCapacity"),
    Column("TokenRequests", "csidriver-audiences"),
    _flag("RequiresRepublish", "spec.requiresRepublish"),
    Column("Modes", "csidriver-modes"),
    AGE,
    group=GROUP,
    namespaced=False,
)
CSI_NODE = built_in(
    "CSINode",
    "csinodes",
    NAME,
    Column("Drivers", "csinode-drivers", "integer"),
    AGE,
    group=GROUP,
    namespaced=False,
)
CSI_STORAGE_CAPACITY = built_in(
    "CSIStorageCapacity",
    "csistoragecapacities",
    NAME,
    blank("StorageClassName", "storageClassName"),
    Column("Capacity", "capacity", empty="<unset>"),
    group=GROUP,
)
STORAGE_CLASS = built_in(
    "StorageClass",
    "storageclasses",
    Column("Name", "class-name"),
    Column("Provisioner", "provisioner"),
    Column("ReclaimPolicy", "reclaimPolicy", empty="Delete"),
    Column("VolumeBindingMode", "volumeBindingMode", empty="Immediate"),
    Column("AllowVolumeExpansion", "allowVolumeExpansion", empty=False),
    AGE,
    group=GROUP,
    namespaced=False,
    short_names=("sc",),
)
VOLUME_ATTACHMENT = built_in(
    "VolumeAttachment",
    "volumeattachments",
    NAME,
    Column("Attacher", "spec.attacher"),
    blank("PV", "spec.source.persistentVolumeName"),
    blank("Node", "spec.nodeName"),
    _flag("Attached", "status.attached"),
    AGE,
    group=GROUP,
    namespaced=False,
    status=True,
)
VOLUME_ATTRIBUTES_CLASS = built_in(
    "VolumeAttributesClass",
    "volumeattributesclasses",
    NAME,
    blank("DriverName", "driverName"),
    AGE,
    group=GROUP,
    namespaced=False,
    short_names=("vac",),
)
STORAGE_VERSION_MIGRATION = built_in(
    "StorageVersionMigration",
    "storageversionmigrations",
    NAME,
    Column("Resource", "migrated-resource"),
    Column("Status", "migration-status"),
    group="storagemigration.k8s.io",
    namespaced=False,
    status=True,
    gate="StorageVersionMigrator",
)

STORAGE = (
    CSI_DRIVER,
    CSI_NODE,
    CSI_STORAGE_CAPACITY,
    STORAGE_CLASS,
    VOLUME_ATTACHMENT,
    VOLUME_ATTRIBUTES_CLASS,
    also(VOLUME_ATTRIBUTES_CLASS, "v1beta1"),
    STORAGE_VERSION_MIGRATION,
    also(STORAGE_VERSION_MIGRATION, "v1beta1"),
)
