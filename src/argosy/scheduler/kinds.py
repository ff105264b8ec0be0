"""What the scheduler reads of a cluster: one list, for its caches, its rights and its explanations.

It takes nothing to know it: who only gives out rights need not wait for NumPy.
"""

from argosy.api.batch import Job
from argosy.api.core import Namespace, Node, Pod, Service
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.meta import Object
from argosy.api.podgroups import SchedulerPluginsPodGroup, VolcanoPodGroup
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)

READ: tuple[type[Object], ...] = (
    *(Namespace, Node, Pod, PodDisruptionBudget),
    *(Service, ReplicaSet, StatefulSet, ReplicationController),
    *(DeviceClass, ResourceClaim, ResourceSlice, PodGroup, Job),
    *(PersistentVolumeClaim, PersistentVolume, StorageClass),
    *(CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment),
)
"""All kinds. Who runs the scheduler must have caches of them before it begins."""

OPTIONAL: tuple[type[Object], ...] = (
    *(DeviceClass, ResourceClaim, ResourceSlice, PodGroup, PodDisruptionBudget),
    *(ReplicaSet, StatefulSet, ReplicationController, Job),
)
"""What a cluster may not serve, or not in this version; the scheduler does without it then."""

FOREIGN: tuple[type[Object], ...] = (SchedulerPluginsPodGroup, VolcanoPodGroup, CompositePodGroup)
"""What is read besides, once a pod or a pod group names a group of such a kind, served or not."""
