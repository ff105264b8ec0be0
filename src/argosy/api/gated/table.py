"""Which fields of which kind a closed gate keeps out: `dropper` makes a function of it.

Upstream's strategies do the same, kind by kind, under the name of dropping disabled fields. What a
gate that is open guards, or one of a later minor, costs nothing: its rows are left out.
"""

from argosy.api.gated import devices, pods
from argosy.api.gated.fields import Drop, Fields, Json, compiled
from argosy.api.gates import Gates, gate

_DIRECTIONS = ("scaleDown", "scaleUp")
_NEW_REPLICAS = (
    Fields("DeploymentReplicaSetTerminatingReplicas", ("status.terminatingReplicas",)),
)
_SCHEDULED = Fields("WorkloadWithJob", ("spec.scheduling",))

GATED: dict[str, tuple[Fields, ...]] = {
    **devices.GATED,
    "CSIDriver": (
        Fields("SELinuxMountReadWriteOncePod", ("spec.seLinuxMount",)),
        Fields("MutableCSINodeAllocatableCount", ("spec.nodeAllocatableUpdatePeriodSeconds",)),
        Fields("CSIServiceAccountTokenSecrets", ("spec.serviceAccountTokenInSecrets",)),
        Fields("VolumeLimitScaling", ("spec.preventPodSchedulingIfMissing",)),
    ),
    "CSINode": (Fields("CSIVolumeHealth", ("status.storageHealth",)),),
    "CronJob": (_SCHEDULED.below("spec.jobTemplate"),),
    "Deployment": _NEW_REPLICAS,
    "EndpointSlice": (Fields("PreferSameTrafficDistribution", ("endpoints[].hints.forNodes",)),),
    "HorizontalPodAutoscaler": (
        Fields(
            "HPAConfigurableTolerance",
            tuple(f"spec.behavior.{each}.tolerance" for each in _DIRECTIONS),
        ),
    ),
    "Job": (
        Fields("JobManagedBy", ("spec.managedBy",)),
        Fields("JobSuccessPolicy", ("spec.successPolicy",)),
        Fields("JobBackoffLimitPerIndex", ("spec.backoffLimitPerIndex",)),
        Fields("JobBackoffLimitPerIndex", ("spec.maxFailedIndexes",)),
        Fields("JobPodReplacementPolicy", ("spec.podReplacementPolicy",)),
        _SCHEDULED,
    ),
    "Lease": (
        Fields("CoordinatedLeaderElection", ("spec.strategy",)),
        Fields("CoordinatedLeaderElection", ("spec.preferredHolder",)),
    ),
    "Node": (
        Fields("RecursiveReadOnlyMounts|UserNamespacesSupport", ("status.runtimeHandlers",)),
        Fields("SupplementalGroupsPolicy", ("status.features",)),
        Fields("NodeDeclaredFeatures", ("status.declaredFeatures",)),
        Fields("InPlacePodVerticalScalingSchedulerPreemption", ("spec.podPreemptionPolicy",)),
    ),
    "PersistentVolume": (Fields("VolumeAttributesClass", ("spec.volumeAttributesClassName",)),),
    "PersistentVolumeClaim": (
        Fields("VolumeAttributesClass", ("spec.volumeAttributesClassName",)),
        Fields("AnyVolumeDataSource", ("spec.dataSourceRef",)),
        Fields(
            "CrossNamespaceVolumeDataSource",
            ("spec.dataSourceRef",),
            used=("spec.dataSourceRef",),
            when=("spec.dataSourceRef.namespace",),
        ),
        Fields("VolumeAttributesClass", ("status.currentVolumeAttributesClassName",)),
        Fields("VolumeAttributesClass", ("status.modifyVolumeStatus",)),
        Fields("RecoverVolumeExpansionFailure", ("status.allocatedResources",)),
        Fields("RecoverVolumeExpansionFailure", ("status.allocatedResourceStatuses",)),
        Fields("CSIVolumeHealth", ("status.healthStatus",)),
    ),
    "Pod": pods.STATUS,
    "ReplicaSet": _NEW_REPLICAS,
    "StatefulSet": (
        Fields("MaxUnavailableStatefulSet", ("spec.updateStrategy.rollingUpdate.maxUnavailable",)),
    ),
    "VolumeAttachment": (
        Fields("MutableCSINodeAllocatableCount", ("status.attachError.errorCode",)),
        Fields("MutableCSINodeAllocatableCount", ("status.detachError.errorCode",)),
    ),
}
"""By kind; what a pod's spec has is in `gated.pods`."""


def dropper(kind: str, gates: Gates) -> Drop:
    """What takes from an object of `kind` the fields whose gates are closed."""
    rows = [row for row in GATED.get(kind, ()) if _closed(row, gates)]
    if prefix := pods.TEMPLATES.get(kind):
        rows += [row.below(prefix) for row in pods.SPEC if _closed(row, gates)]
    return compiled(rows) if rows else nothing


def nothing(_new: Json, _old: Json | None) -> None:
    """For a kind without such fields."""


def _closed(row: Fields, gates: Gates) -> bool:
    """A gate that the minor does not have yet guards nothing: neither has it the field."""
    ways = [way.split(",") for way in row.gates.split("|")]
    there = any(gate(name).at(gates.minor) is not None for way in ways for name in way)
    return there and not any(all(gates.open(name) for name in way) for way in ways)
