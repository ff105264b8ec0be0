"""`scheduling.k8s.io`, `resource.k8s.io`, `node.k8s.io` and `lifecycle.k8s.io`.

Gangs and evictions are off by default upstream; here they are on, for much of Argosy stands on
them.
"""

from argosy.api.resource import AGE, NAME, Column
from argosy.api.resources.built_in import also, blank, built_in, wide

SCHEDULING = "scheduling.k8s.io"
DEVICES = "resource.k8s.io"
LIFECYCLE = "lifecycle.k8s.io"

RUNTIME_CLASS = built_in(
    "RuntimeClass",
    "runtimeclasses",
    NAME,
    Column("Handler", "handler"),
    AGE,
    group="node.k8s.io",
    namespaced=False,
)

PRIORITY_CLASS = built_in(
    "PriorityClass",
    "priorityclasses",
    NAME,
    Column("Value", "value", "integer", empty=0),
    Column("Global-Default", "globalDefault", "boolean", empty=False),
    AGE,
    wide("PreemptionPolicy", "preemptionPolicy", empty=""),
    group=SCHEDULING,
    namespaced=False,
    short_names=("pc",),
)
POD_GROUP = built_in(
    "PodGroup",
    "podgroups",
    NAME,
    Column("Policy", "group-policy"),
    Column("Workload", "spec.workloadRef.workloadName"),
    Column("Status", "group-status"),
    AGE,
    group=SCHEDULING,
    version="v1beta1",
    status=True,
    on=True,
    gate="GenericWorkload",
)
WORKLOAD = built_in(
    "Workload",
    "workloads",
    NAME,
    AGE,
    group=SCHEDULING,
    version="v1beta1",
    on=True,
    gate="GenericWorkload",
)
COMPOSITE_POD_GROUP = built_in(
    "CompositePodGroup",
    "compositepodgroups",
    NAME,
    AGE,
    group=SCHEDULING,
    version="v1alpha3",
    status=True,
    gate="CompositePodGroup",
)

DEVICE_CLASS = built_in("DeviceClass", "deviceclasses", NAME, AGE, group=DEVICES, namespaced=False)
DEVICE_TAINT_RULE = built_in(
    "DeviceTaintRule",
    "devicetaintrules",
    NAME,
    blank("Key", "spec.taint.key"),
    blank("Value", "spec.taint.value"),
    blank("Effect", "spec.taint.effect"),
    Column("TimeAdded", "spec.taint.timeAdded", "date", empty=""),
    AGE,
    group=DEVICES,
    namespaced=False,
    status=True,
)
RESOURCE_CLAIM = built_in(
    "ResourceClaim",
    "resourceclaims",
    NAME,
    Column("State", "claim-state"),
    AGE,
    group=DEVICES,
    status=True,
)
RESOURCE_CLAIM_TEMPLATE = built_in(
    "ResourceClaimTemplate", "resourceclaimtemplates", NAME, AGE, group=DEVICES
)
RESOURCE_SLICE = built_in(
    "ResourceSlice",
    "resourceslices",
    NAME,
    blank("Node", "spec.nodeName"),
    blank("Driver", "spec.driver"),
    blank("Pool", "spec.pool.name"),
    AGE,
    group=DEVICES,
    namespaced=False,
)
RESOURCE_POOL_STATUS_REQUEST = built_in(
    "ResourcePoolStatusRequest",
    "resourcepoolstatusrequests",
    NAME,
    blank("Driver", "spec.driver"),
    Column("Total", "pool-total"),
    Column("Available", "pool-available"),
    Column("Allocated", "pool-allocated"),
    Column("Unavailable", "pool-unavailable"),
    Column("Errors", "pool-errors"),
    Column("Pools", "status.poolCount", "integer", empty=0),
    Column("Status", "pool-status"),
    Column("Completed", "pool-completed"),
    group=DEVICES,
    version="v1alpha3",
    namespaced=False,
    status=True,
)

EVICTION = built_in(
    "Eviction",
    "evictions",
    NAME,
    AGE,
    group=LIFECYCLE,
    version="v1alpha1",
    status=True,
    on=True,
    gate="EvictionRequestAPI",
)
EVICTION_REQUEST = built_in(
    "EvictionRequest",
    "evictionrequests",
    NAME,
    AGE,
    group=LIFECYCLE,
    version="v1alpha1",
    status=True,
    on=True,
    gate="EvictionRequestAPI",
)

DEVICES_V1 = (
    DEVICE_CLASS,
    DEVICE_TAINT_RULE,
    RESOURCE_CLAIM,
    RESOURCE_CLAIM_TEMPLATE,
    RESOURCE_SLICE,
)

PLACEMENT = (
    RUNTIME_CLASS,
    *DEVICES_V1,
    *(also(resource, "v1beta2") for resource in DEVICES_V1),
    also(DEVICE_TAINT_RULE, "v1alpha3"),
    RESOURCE_POOL_STATUS_REQUEST,
    PRIORITY_CLASS,
    POD_GROUP,
    WORKLOAD,
    COMPOSITE_POD_GROUP,
    also(POD_GROUP, "v1alpha3"),
    also(WORKLOAD, "v1alpha3"),
    EVICTION,
    EVICTION_REQUEST,
)
