"""Views of Kubernetes' core kinds: what scheduler, node and controllers read of them."""

from functools import lru_cache
from typing import Any, ClassVar

import msgspec

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources import core as table

LONGEST_SHARED = 4096
"""Bytes of a pod's volumes, encoded, up to which equal ones are kept once."""


class KeyRef(View, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool = False


class NamedRef(View, frozen=True, kw_only=True):
    """A ConfigMap or Secret as a whole."""

    name: str = ""
    optional: bool = False


class FieldRef(View, frozen=True, kw_only=True):
    """A field of the pod itself."""

    field_path: str = ""


class EnvSource(View, frozen=True, kw_only=True):
    """Where a variable's value comes from. Forms without a field here are refused by the node."""

    field_ref: FieldRef | None = None
    config_map_key_ref: KeyRef | None = None
    resource_field_ref: dict[str, Any] | None = None
    secret_key_ref: KeyRef | None = None
    file_key_ref: dict[str, Any] | None = None


class EnvVar(View, frozen=True, kw_only=True):
    """One environment variable."""

    name: str
    value: str = ""
    value_from: EnvSource | None = None


class EnvFrom(View, frozen=True, kw_only=True):
    """All keys of a ConfigMap or Secret as variables."""

    prefix: str = ""
    config_map_ref: NamedRef | None = None
    secret_ref: NamedRef | None = None


class VolumeMount(View, frozen=True, kw_only=True):
    """A volume inside a container."""

    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""
    read_only: bool = False


class HTTPGet(View, frozen=True, kw_only=True):
    """An HTTP probe's request."""

    port: int | str
    path: str = "/"
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[dict[str, str], ...] = ()


class TCPSocket(View, frozen=True, kw_only=True):
    """A TCP probe's address."""

    port: int | str
    host: str = ""


class Probe(View, frozen=True, kw_only=True):
    """How to ask whether a container is ready or alive; times in seconds."""

    http_get: HTTPGet | None = None
    tcp_socket: TCPSocket | None = None
    exec: dict[str, Any] | None = None
    grpc: dict[str, Any] | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3


class ContainerPort(View, frozen=True, kw_only=True):
    """A port that a container says it listens on."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = msgspec.field(name="hostIP", default="")


class ClaimRef(View, frozen=True, kw_only=True):
    """A resource claim of the pod that a container uses."""

    name: str
    request: str = ""


class ResourceRequirements(View, frozen=True, kw_only=True):
    """What a container asks for; quantities as text or number."""

    requests: dict[str, str | int | float] = {}
    limits: dict[str, str | int | float] = {}
    claims: tuple[ClaimRef, ...] = ()


class RestartRule(View, frozen=True, kw_only=True):
    """What happens when a container ends in some way."""

    action: str = ""


class Container(View, frozen=True, kw_only=True):
    """One container of a pod."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: tuple[VolumeMount, ...] = ()
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: dict[str, Any] | None = None
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"
    security_context: dict[str, Any] = {}
    restart_policy_rules: tuple[RestartRule, ...] = ()
    stdin: bool = False
    tty: bool = False


class Toleration(View, frozen=True, kw_only=True):
    """A taint that a pod accepts."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class PodResourceClaim(View, frozen=True, kw_only=True):
    """A claim that the pod uses: one that exists, or one made from a template."""

    name: str
    resource_claim_name: str = ""
    resource_claim_template_name: str = ""


class SchedulingGroup(View, frozen=True, kw_only=True):
    """The pod group that a pod is scheduled with."""

    pod_group_name: str = ""


class NamedObject(View, frozen=True, kw_only=True):
    """Something of which only the name is read."""

    name: str


class InitContainer(NamedObject, frozen=True, kw_only=True):
    """One that runs before the others, or beside them (a sidecar: restarted always)."""

    image: str = ""
    restart_policy: str = ""
    restart_policy_rules: tuple[RestartRule, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()


class PodSpec(View, frozen=True, kw_only=True):
    """What a pod shall be.

    `volumes` stay plain: their forms are many (see node.volumes). Pods share those that are equal:
    the token's volume would take more than all the rest of a view. Nobody may change them. The same
    goes for the spread constraints, which only the scheduler reads (see scheduler.spreading).
    """

    containers: tuple[Container, ...] = ()
    init_containers: tuple[InitContainer, ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    service_account_name: str = ""
    node_name: str = ""
    node_selector: dict[str, str] = {}
    affinity: dict[str, Any] | None = None
    topology_spread_constraints: tuple[dict[str, Any], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    scheduler_name: str = "default-scheduler"
    scheduling_gates: tuple[NamedObject, ...] = ()
    scheduling_group: SchedulingGroup | None = None
    resource_claims: tuple[PodResourceClaim, ...] = ()
    priority: int = 0
    preemption_policy: str = "PreemptLowerPriority"
    resources: ResourceRequirements = ResourceRequirements()
    overhead: dict[str, str | int | float] = {}
    restart_policy: str = "Always"
    runtime_class_name: str = ""
    termination_grace_period_seconds: int = 30
    active_deadline_seconds: int | None = None
    hostname: str = ""
    subdomain: str = ""
    host_network: bool = False
    host_users: bool | None = None
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    host_ipc: bool = msgspec.field(name="hostIPC", default=False)
    share_process_namespace: bool = False
    security_context: dict[str, Any] = {}
    host_aliases: tuple[dict[str, Any], ...] = ()
    dns_config: dict[str, Any] | None = None
    readiness_gates: tuple[dict[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.volumes and len(encoded := msgspec.json.encode(self.volumes)) <= LONGEST_SHARED:
            msgspec.structs.force_setattr(self, "volumes", _shared(encoded))
        if spread := self.topology_spread_constraints:
            if len(encoded := msgspec.json.encode(spread)) <= LONGEST_SHARED:
                msgspec.structs.force_setattr(self, "topology_spread_constraints", _shared(encoded))


@lru_cache
def _shared(encoded: bytes) -> tuple[dict[str, Any], ...]:
    return tuple(msgspec.json.decode(encoded))


class ContainerStateRunning(View, frozen=True, kw_only=True):
    """Since when it runs."""

    started_at: str | None = None


class ContainerStateWaiting(View, frozen=True, kw_only=True):
    """Why it does not run."""

    reason: str = ""
    message: str = ""


class ContainerStateTerminated(View, frozen=True, kw_only=True):
    """How it ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(View, frozen=True, kw_only=True):
    """One of the three."""

    running: ContainerStateRunning | None = None
    waiting: ContainerStateWaiting | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(View, frozen=True, kw_only=True):
    """How a container is; `resources` are those that it really has, `allocated_resources` those
    that its node has set aside."""

    name: str
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    container_id: str = msgspec.field(name="containerID", default="")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, str | int | float] = {}


class PodClaimStatus(View, frozen=True, kw_only=True):
    """The claim that was made for the pod's entry `name`."""

    name: str
    resource_claim_name: str = ""


class PodIP(View, frozen=True, kw_only=True):
    """One of a pod's addresses."""

    ip: str


class PodStatus(View, frozen=True, kw_only=True):
    """How a pod is."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    pod_ips: tuple[PodIP, ...] = msgspec.field(name="podIPs", default=())
    host_ip: str = msgspec.field(name="hostIP", default="")
    start_time: str | None = None
    nominated_node_name: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, str | int | float] = {}
    resource_claim_statuses: tuple[PodClaimStatus, ...] = ()


class Pod(Object, frozen=True, kw_only=True):
    """A group of containers on one node."""

    resource: ClassVar[Resource] = table.POD

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def finished(self) -> bool:
        """Whether it has run to its end."""
        return self.status.phase in ("Succeeded", "Failed")


class Taint(View, frozen=True, kw_only=True):
    """What keeps pods from a node."""

    key: str
    value: str = ""
    effect: str = ""


class NodeSpec(View, frozen=True, kw_only=True):
    """What the scheduler must respect."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeCondition(Condition, frozen=True, kw_only=True):
    """One observation of a node, and when the node last said so."""

    last_heartbeat_time: str | None = None


class AttachedVolume(View, frozen=True, kw_only=True):
    """A volume that is at a node."""

    name: str


class NodeImage(View, frozen=True, kw_only=True):
    """An image that a node has, under all names that it goes by."""

    names: tuple[str, ...] = ()
    size_bytes: int = 0


class NodeStatus(View, frozen=True, kw_only=True):
    """What a node has. Nodes share the images that are equal: many have the same fifty."""

    capacity: dict[str, str | int | float] = {}
    allocatable: dict[str, str | int | float] = {}
    conditions: tuple[NodeCondition, ...] = ()
    volumes_in_use: tuple[str, ...] = ()
    volumes_attached: tuple[AttachedVolume, ...] = ()
    images: tuple[NodeImage, ...] = ()
    declared_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images:
            images = tuple(_shared_image(image.names, image.size_bytes) for image in self.images)
            msgspec.structs.force_setattr(self, "images", images)


@lru_cache(maxsize=8192)
def _shared_image(names: tuple[str, ...], size_bytes: int) -> NodeImage:
    return NodeImage(names=names, size_bytes=size_bytes)


class Node(Object, frozen=True, kw_only=True):
    """A machine that runs pods."""

    resource: ClassVar[Resource] = table.NODE

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Namespace(Object, frozen=True, kw_only=True):
    """A room for names."""

    resource: ClassVar[Resource] = table.NAMESPACE


class ConfigMap(Object, frozen=True, kw_only=True):
    """Named texts; `binary_data` values are base64."""

    resource: ClassVar[Resource] = table.CONFIG_MAP

    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}


class Secret(Object, frozen=True, kw_only=True):
    """What not everybody may read; values are base64."""

    resource: ClassVar[Resource] = table.SECRET

    data: dict[str, str] = {}


class ServicePort(View, frozen=True, kw_only=True):
    """A port of a service. `target_port` is the pod's: a number, or a name that it gives one."""

    name: str = ""
    port: int
    protocol: str = "TCP"
    target_port: int | str = 0
    app_protocol: str | None = None


class ServiceSpec(View, frozen=True, kw_only=True):
    """Which pods stand behind a name."""

    type: str = "ClusterIP"
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    ip_families: tuple[str, ...] = ()
    traffic_distribution: str = ""
    cluster_ip: str = msgspec.field(name="clusterIP", default="")
    publish_not_ready_addresses: bool = False


class Service(Object, frozen=True, kw_only=True):
    """A name for a set of pods."""

    resource: ClassVar[Resource] = table.SERVICE

    spec: ServiceSpec = ServiceSpec()


class Event(Object, frozen=True, kw_only=True):
    """Something that happened to an object."""

    resource: ClassVar[Resource] = table.EVENT

    reason: str = ""
    message: str = ""
    type: str = ""
    count: int = 1
