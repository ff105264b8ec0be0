"""The core group. Source of columns, names and subresources: kube-apiserver 1.36 and 1.37."""

from argosy.api.resource import AGE, NAME, VERBS, Column
from argosy.api.resources.built_in import blank, built_in, count, wide

ALL = ("all",)
TEMPLATE = (
    Column("Containers", "template-containers", priority=1),
    Column("Images", "template-images", priority=1),
)
SELECTOR = wide("Selector", "label-selector")
CREATED = Column("Created At", "metadata.creationTimestamp")

BINDING = built_in("Binding", "bindings", NAME, AGE, verbs=("create",))
COMPONENT_STATUS = built_in(
    "ComponentStatus",
    "componentstatuses",
    NAME,
    Column("Status", "component-status"),
    Column("Message", "component-message"),
    Column("Error", "component-error"),
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
)
CONFIG_MAP = built_in(
    "ConfigMap", "configmaps", NAME, Column("Data", "configmap-data"), AGE, short_names=("cm",)
)
ENDPOINTS = built_in(
    "Endpoints", "endpoints", NAME, Column("Endpoints", "endpoints"), AGE, short_names=("ep",)
)
EVENT = built_in(
    "Event",
    "events",
    Column("Last Seen", "event-last"),
    blank("Type", "type"),
    blank("Reason", "reason"),
    Column("Object", "event-object"),
    wide("Subobject", "event-part"),
    wide("Source", "event-source"),
    Column("Message", "event-message"),
    wide("First Seen", "event-first"),
    wide("Count", "event-count"),
    wide("Name", "metadata.name"),
    short_names=("ev",),
)
LIMIT_RANGE = built_in(
    "LimitRange",
    "limitranges",
    NAME,
    CREATED,
    short_names=("limits",),
)
NAMESPACE = built_in(
    "Namespace",
    "namespaces",
    NAME,
    blank("Status", "status.phase"),
    AGE,
    namespaced=False,
    short_names=("ns",),
    verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
    status=True,
    subresources=("finalize",),
)
NODE = built_in(
    "Node",
    "nodes",
    NAME,
    Column("Status", "node-status"),
    Column("Roles", "node-roles"),
    AGE,
    blank("Version", "status.nodeInfo.kubeletVersion"),
    wide("Internal-IP", "node-internal-ip"),
    wide("External-IP", "node-external-ip"),
    wide("OS-Image", "status.nodeInfo.osImage", empty="<unknown>"),
    wide("Kernel-Version", "node-kernel"),
    wide("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", empty="<unknown>"),
    namespaced=False,
    short_names=("no",),
    status=True,
    subresources=("proxy",),
)
PERSISTENT_VOLUME_CLAIM = built_in(
    "PersistentVolumeClaim",
    "persistentvolumeclaims",
    NAME,
    Column("Status", "volume-phase"),
    blank("Volume", "spec.volumeName"),
    Column("Capacity", "claim-capacity"),
    Column("Access Modes", "claim-access-modes"),
    Column("StorageClass", "storage-class"),
    Column("VolumeAttributesClass", "spec.volumeAttributesClassName", empty="<unset>"),
    AGE,
    wide("VolumeMode", "spec.volumeMode", empty="<unset>"),
    short_names=("pvc",),
    status=True,
)
PERSISTENT_VOLUME = built_in(
    "PersistentVolume",
    "persistentvolumes",
    NAME,
    Column("Capacity", "spec.capacity.storage", empty="0"),
    Column("Access Modes", "volume-access-modes"),
    blank("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
    Column("Status", "volume-phase"),
    Column("Claim", "volume-claim"),
    Column("StorageClass", "storage-class"),
    Column("VolumeAttributesClass", "spec.volumeAttributesClassName", empty="<unset>"),
    blank("Reason", "status.reason"),
    AGE,
    wide("VolumeMode", "spec.volumeMode", empty="<unset>"),
    namespaced=False,
    short_names=("pv",),
    status=True,
)
POD = built_in(
    "Pod",
    "pods",
    NAME,
    Column("Ready", "pod-ready"),
    Column("Status", "pod-status"),
    Column("Restarts", "pod-restarts"),
    AGE,
    wide("IP", "pod-ip"),
    wide("Node", "spec.nodeName"),
    wide("Nominated Node", "status.nominatedNodeName"),
    wide("Readiness Gates", "pod-readiness-gates"),
    short_names=("po",),
    categories=ALL,
    status=True,
    subresources=(
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
    ),
)
POD_TEMPLATE = built_in(
    "PodTemplate",
    "podtemplates",
    NAME,
    Column("Containers", "template-containers"),
    Column("Images", "template-images"),
    Column("Pod Labels", "template-labels"),
)
REPLICATION_CONTROLLER = built_in(
    "ReplicationController",
    "replicationcontrollers",
    NAME,
    count("Desired", "spec.replicas"),
    count("Current", "status.replicas"),
    count("Ready", "status.readyReplicas"),
    AGE,
    *TEMPLATE,
    wide("Selector", "label-map"),
    short_names=("rc",),
    categories=ALL,
    status=True,
    subresources=("scale",),
)
RESOURCE_QUOTA = built_in(
    "ResourceQuota",
    "resourcequotas",
    NAME,
    Column("Request", "quota-requests"),
    Column("Limit", "quota-limits"),
    AGE,
    short_names=("quota",),
    status=True,
)
SECRET = built_in(
    "Secret", "secrets", NAME, blank("Type", "type"), Column("Data", "configmap-data"), AGE
)
SERVICE_ACCOUNT = built_in(
    "ServiceAccount", "serviceaccounts", NAME, AGE, short_names=("sa",), subresources=("token",)
)
SERVICE = built_in(
    "Service",
    "services",
    NAME,
    blank("Type", "spec.type"),
    Column("Cluster-IP", "spec.clusterIP"),
    Column("External-IP", "service-external-ip"),
    Column("Port(s)", "service-ports"),
    AGE,
    wide("Selector", "label-map"),
    short_names=("svc",),
    categories=ALL,
    status=True,
    subresources=("proxy",),
)

CORE = (
    BINDING,
    COMPONENT_STATUS,
    CONFIG_MAP,
    ENDPOINTS,
    EVENT,
    LIMIT_RANGE,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    PERSISTENT_VOLUME,
    POD,
    POD_TEMPLATE,
    REPLICATION_CONTROLLER,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE_ACCOUNT,
    SERVICE,
)
