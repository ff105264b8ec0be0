"""Gated fields of pods, wherever a pod's spec stands.

Not in these tables: values of a field that a gate allows or not (an operator, a policy), which are
for `api.validation` to say.
"""

from argosy.api.gated.fields import Fields, Json

ALL_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLERS = ("lifecycle.postStart", "lifecycle.preStop", *PROBES)
AFFINITIES = tuple(
    f"affinity.{side}.{terms}"
    for side in ("podAffinity", "podAntiAffinity")
    for terms in (
        "requiredDuringSchedulingIgnoredDuringExecution[]",
        "preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm",
    )
)
FILES = ("secret", "configMap", "downwardAPI")


def _containers(*paths: str) -> tuple[str, ...]:
    return tuple(f"{each}[].{path}" for each in ALL_CONTAINERS for path in paths)


def _statuses(*paths: str) -> tuple[str, ...]:
    return tuple(f"status.{each}[].{path}" for each in STATUSES for path in paths)


def _image_volumes(spec: Json) -> None:
    """A volume of which nothing else is known goes whole, and with it where it is mounted."""
    volumes = spec["volumes"]
    gone = {volume["name"] for volume in volumes if volume.get("image") is not None}
    _keep(spec, "volumes", [volume for volume in volumes if volume["name"] not in gone])
    for each in ALL_CONTAINERS:
        for container in spec.get(each) or ():
            mounts = container.get("volumeMounts") or ()
            _keep(container, "volumeMounts", [item for item in mounts if item["name"] not in gone])


def _keep(owner: Json, name: str, items: list[Json]) -> None:
    if items:
        owner[name] = items
    else:
        owner.pop(name, None)


_USERS = (
    *(f"volumes[].{source}.defaultUser" for source in (*FILES, "projected")),
    *(f"volumes[].{source}.items[].user" for source in FILES),
    *(f"volumes[].projected.sources[].{source}.items[].user" for source in FILES),
    *(
        f"volumes[].projected.sources[].{source}.user"
        for source in ("serviceAccountToken", "clusterTrustBundle", "podCertificate")
    ),
)
_RESIZE = ("containers[].resizePolicy", "initContainers[].resizePolicy")
_READ_ONLY = _containers("volumeMounts[].recursiveReadOnly")
_GROUPS = ("securityContext.supplementalGroupsPolicy",)

SPEC: tuple[Fields, ...] = (
    Fields("UserNamespacesSupport", ("hostUsers",)),
    Fields("SupplementalGroupsPolicy", _GROUPS),
    Fields("PodLevelResources", ("resources",), used=("resources.requests", "resources.limits")),
    Fields("ProcMountType", _containers("securityContext.procMount!=Default")),
    Fields(
        "NodeInclusionPolicyInPodTopologySpread", ("topologySpreadConstraints[].nodeTaintsPolicy",)
    ),
    Fields(
        "NodeInclusionPolicyInPodTopologySpread",
        ("topologySpreadConstraints[].nodeAffinityPolicy",),
    ),
    Fields("MatchLabelKeysInPodTopologySpread", ("topologySpreadConstraints[].matchLabelKeys",)),
    Fields(
        "MatchLabelKeysInPodAffinity",
        tuple(
            f"{term}.{name}"
            for term in AFFINITIES
            for name in ("matchLabelKeys", "mismatchLabelKeys")
        ),
    ),
    Fields(
        "DynamicResourceAllocation",
        ("resourceClaims", *_containers("resources.claims")),
        used=("resourceClaims",),
    ),
    Fields("ClusterTrustBundleProjection", ("volumes[].projected.sources[].clusterTrustBundle",)),
    Fields("PodCertificateRequest", ("volumes[].projected.sources[].podCertificate",)),
    Fields("GenericWorkload", ("schedulingGroup",)),
    Fields("EvictionRequestAPI", ("evictionResponders",)),
    Fields("PodSchedulingReadiness", ("schedulingGates",)),
    Fields("InPlacePodVerticalScaling", _containers("resizePolicy"), used=_RESIZE),
    Fields(
        "SidecarContainers",
        ("initContainers[].restartPolicy",),
        used=("initContainers[].restartPolicy=Always",),
    ),
    Fields(
        "ContainerRestartRules",
        (
            "initContainers[].restartPolicy!=Always",
            *(f"{each}[].restartPolicy" for each in ("containers", "ephemeralContainers")),
            *_containers("restartPolicyRules"),
        ),
        used=(
            "initContainers[].restartPolicy!=Always",
            "initContainers[].restartPolicyRules",
            "containers[].restartPolicy",
        ),
    ),
    Fields("RecursiveReadOnlyMounts", _READ_ONLY),
    Fields("HostnameOverride", ("hostnameOverride",)),
    Fields("EnvFiles", _containers("env[].valueFrom.fileKeyRef")),
    Fields(
        "PodLifecycleSleepAction",
        _containers("lifecycle?.preStop?.sleep", "lifecycle?.postStart?.sleep"),
    ),
    Fields("ImageVolume", ("volumes[].image",), take=_image_volumes),
    Fields("SELinuxChangePolicy", ("securityContext.seLinuxChangePolicy",)),
    Fields("ContainerStopSignals", _containers("lifecycle?.stopSignal")),
    Fields("AtomicWriteVolumeUserFields", _USERS),
    Fields("EmptyDirVolumeMode", ("volumes[].emptyDir.mode",)),
    Fields("VolumeBindMountOptions", _containers("volumeMounts[].bindMountOptions")),
    Fields("H2CContainerProbe", _containers(*(f"{each}.httpGet.protocol" for each in HANDLERS))),
    Fields("GRPCContainerProbeTLS", _containers(*(f"{each}.grpc.mode" for each in PROBES))),
)
"""Below a pod's spec."""

STATUS: tuple[Fields, ...] = (
    Fields(
        "InPlacePodLevelResourcesVerticalScaling",
        ("status.resources", "status.allocatedResources"),
    ),
    Fields(
        "InPlacePodVerticalScaling",
        _statuses("resources", "allocatedResources"),
        used=tuple(f"spec.{path}" for path in _RESIZE),
    ),
    Fields(
        "DynamicResourceAllocation",
        ("status.resourceClaimStatuses",),
        used=("spec.resourceClaims",),
    ),
    Fields("DRAExtendedResource", ("status.extendedResourceClaimStatus",)),
    Fields("DRANodeAllocatableResources", ("status.nodeAllocatableResourceClaimStatuses",)),
    Fields(
        "RecursiveReadOnlyMounts",
        _statuses("volumeMounts"),
        used=tuple(f"spec.{path}" for path in _READ_ONLY),
    ),
    Fields("ResourceHealthStatus", _statuses("allocatedResourcesStatus")),
    Fields(
        "ResourceHealthStatusMessage", _statuses("allocatedResourcesStatus[].resources[].message")
    ),
    Fields(
        "SupplementalGroupsPolicy",
        _statuses("user"),
        used=tuple(f"spec.{path}" for path in _GROUPS),
    ),
    Fields(
        "PodObservedGenerationTracking",
        ("status.observedGeneration", "status.conditions[].observedGeneration"),
    ),
    Fields("ImageVolumeWithDigest", _statuses("volumeMounts[].volumeStatus")),
    Fields("CSIVolumeHealth", ("status.volumeHealth",)),
)
"""In a pod, beside its spec."""

TEMPLATES = {
    "CronJob": "spec.jobTemplate.spec.template.spec",
    "DaemonSet": "spec.template.spec",
    "Deployment": "spec.template.spec",
    "Job": "spec.template.spec",
    "Pod": "spec",
    "PodTemplate": "template.spec",
    "ReplicaSet": "spec.template.spec",
    "ReplicationController": "spec.template.spec",
    "StatefulSet": "spec.template.spec",
}
"""Where in which kind a pod's spec stands."""
