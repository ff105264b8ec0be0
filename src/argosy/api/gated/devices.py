"""Gated fields of devices, claims and gangs: `resource.k8s.io` and `scheduling.k8s.io`."""

from argosy.api.gated.fields import Fields

_BINDING = "DRADeviceBindingConditions,DRAResourceClaimDeviceStatus"
_REQUESTS = ("devices.requests[].exactly", "devices.requests[].firstAvailable[]")
_RESULTS = "status.allocation.devices.results[]"
_LISTS = ("ints", "bools", "strings", "versions")

_ADMIN = ("devices.requests[].exactly.adminAccess",)
_CAPACITY = (
    *(f"{request}.capacity" for request in _REQUESTS),
    "devices.constraints[].distinctAttribute",
)
CLAIM: tuple[Fields, ...] = (
    Fields("DRAPrioritizedList", ("devices.requests[].firstAvailable",)),
    Fields("DRADeviceTaints", tuple(f"{request}.tolerations" for request in _REQUESTS)),
    Fields("DRAAdminAccess", _ADMIN),
    Fields("DRAConsumableCapacity", _CAPACITY),
)
"""Below a claim's spec."""


def _also(fields: tuple[str, ...], *status: str) -> tuple[str, ...]:
    """In use if the spec has the fields, or the status."""
    return (*(f"spec.{path}" for path in fields), *status)


_ADMITTED = (f"{_RESULTS}.adminAccess",)
_CONSUMED = (
    f"{_RESULTS}.shareID",
    f"{_RESULTS}.consumedCapacity",
    "status.devices[].shareID",
)
CLAIM_STATUS: tuple[Fields, ...] = (
    Fields("DRAResourceClaimDeviceStatus", ("status.devices",)),
    Fields("DRAAdminAccess", _ADMITTED, used=_also(_ADMIN, *_ADMITTED)),
    Fields("DRAConsumableCapacity", _CONSUMED, used=_also(_CAPACITY, *_CONSUMED)),
    Fields(
        "DRADeviceBindingConditions",
        (f"{_RESULTS}.bindingConditions", f"{_RESULTS}.bindingFailureConditions"),
    ),
    Fields("DRAOptionalNodeOperations", (f"{_RESULTS}.skipNodeOperations",)),
)
SLICE: tuple[Fields, ...] = (
    Fields("DRADeviceTaints", ("spec.devices[].taints",)),
    Fields(
        "DRAPartitionableDevices",
        (
            "spec.sharedCounters",
            "spec.perDeviceNodeSelection",
            *(
                f"spec.devices[].{name}"
                for name in ("consumesCounters", "nodeName", "nodeSelector", "allNodes")
            ),
        ),
    ),
    Fields(
        _BINDING,
        tuple(
            f"spec.devices[].{name}"
            for name in ("bindingConditions", "bindingFailureConditions", "bindsToNode")
        ),
    ),
    Fields(
        "DRAConsumableCapacity",
        ("spec.devices[].allowMultipleAllocations", "spec.devices[].capacity{}.requestPolicy"),
    ),
    Fields(
        "DRANodeAllocatableResources",
        (
            "spec.devices[].nodeAllocatableResourceMappings",
            "spec.devices[].nodeAllocatableResources",
        ),
    ),
    Fields(
        "DRAListTypeAttributes", tuple(f"spec.devices[].attributes{{}}.{name}" for name in _LISTS)
    ),
    Fields("DRAPartitionableDevicesType", ("spec.partitionTypeAttribute",)),
    Fields("DRAOptionalNodeOperations", ("spec.skipNodeOperations",)),
)

_COMPOSITE: tuple[Fields, ...] = (
    Fields("TopologyAwareWorkloadScheduling", ("schedulingConstraints",)),
    Fields("PodGroupPreemptionPolicy", ("preemptionPolicy",)),
)
_GROUP: tuple[Fields, ...] = (
    *_COMPOSITE,
    Fields("DRAWorkloadResourceClaims", ("resourceClaims",)),
)


def _below(rows: tuple[Fields, ...], prefix: str) -> tuple[Fields, ...]:
    return tuple(row.below(prefix) for row in rows)


GATED: dict[str, tuple[Fields, ...]] = {
    "CompositePodGroup": _below(_COMPOSITE, "spec"),
    "DeviceClass": (Fields("DRAExtendedResource", ("spec.extendedResourceName",)),),
    "PodGroup": (
        *_below(_GROUP, "spec"),
        Fields("CompositePodGroup", ("spec.parentCompositePodGroupName",)),
        Fields(
            "DRAWorkloadResourceClaims",
            ("status.resourceClaimStatuses",),
            used=("spec.resourceClaims",),
        ),
    ),
    "ResourceClaim": (*_below(CLAIM, "spec"), *CLAIM_STATUS),
    "ResourceClaimTemplate": _below(CLAIM, "spec.spec"),
    "ResourcePoolStatusRequest": (
        Fields("DRAPartitionableDevicesType", ("spec.defaultPartitionTypeAttribute",)),
    ),
    "ResourceSlice": SLICE,
    "Workload": (
        *_below(_GROUP, "spec.podGroupTemplates[]"),
        Fields("CompositePodGroup", ("spec.compositePodGroupTemplates",)),
        *_below(_COMPOSITE, "spec.compositePodGroupTemplates[]"),
    ),
}
