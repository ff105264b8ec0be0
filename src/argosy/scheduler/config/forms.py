"""The fields of a KubeSchedulerConfiguration, kubescheduler.config.k8s.io/v1: no others are taken.

A field that is not there has the value that kube-scheduler gives it, or None where that depends on
others. What plugins are told (`args`) is read by the plugins.
"""

from typing import Annotated, Any

import msgspec

API_VERSION = "kubescheduler.config.k8s.io/v1"
KIND = "KubeSchedulerConfiguration"

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Every part: these fields and no others."""


class PluginRef(Part, frozen=True, kw_only=True):
    """A plugin by its name; the weight is that of its scores, 0 for the usual one."""

    name: str = ""
    weight: Int32 = 0


class PluginSet(Part, frozen=True, kw_only=True):
    """What is asked at one extension point beside, or instead of, the defaults."""

    enabled: tuple[PluginRef, ...] = ()
    disabled: tuple[PluginRef, ...] = ()


class Plugins(Part, frozen=True, kw_only=True):
    """By extension point; `multi_point` is all that a plugin has a function for."""

    pre_enqueue: PluginSet = PluginSet()
    queue_sort: PluginSet = PluginSet()
    pre_filter: PluginSet = PluginSet()
    filter: PluginSet = PluginSet()
    post_filter: PluginSet = PluginSet()
    pre_score: PluginSet = PluginSet()
    score: PluginSet = PluginSet()
    reserve: PluginSet = PluginSet()
    permit: PluginSet = PluginSet()
    pre_bind: PluginSet = PluginSet()
    bind: PluginSet = PluginSet()
    post_bind: PluginSet = PluginSet()
    multi_point: PluginSet = PluginSet()
    placement_generate: PluginSet = PluginSet()
    placement_score: PluginSet = PluginSet()


class PluginConfig(Part, frozen=True, kw_only=True):
    """What one plugin is told."""

    name: str = ""
    args: dict[str, Any] = {}


class KubeSchedulerProfile(Part, frozen=True, kw_only=True):
    """One profile. Its name may be left out where it is the only one."""

    scheduler_name: str | None = None
    percentage_of_nodes_to_score: Int32 | None = None
    plugins: Plugins = Plugins()
    plugin_config: tuple[PluginConfig, ...] = ()


class LeaderElection(Part, frozen=True, kw_only=True):
    """Durations as Go writes them."""

    leader_elect: bool = True
    lease_duration: str = "15s"
    renew_deadline: str = "10s"
    retry_period: str = "2s"
    resource_lock: str = "leases"
    resource_name: str = "kube-scheduler"
    resource_namespace: str = "kube-system"


class ClientConnection(Part, frozen=True, kw_only=True):
    """How kube-scheduler speaks to the API server."""

    kubeconfig: str = ""
    accept_content_types: str = ""
    content_type: str = ""
    qps: float = 50
    burst: Int32 = 100


class ManagedResource(Part, frozen=True, kw_only=True):
    """A resource whose pods are an extender's; ignored: nodes' amounts of it don't count."""

    name: str = ""
    ignored_by_scheduler: bool = False


class TLSConfig(Part, frozen=True, kw_only=True):
    """Whom an extender must be, and who we are to it. Data go before files."""

    insecure: bool = False
    server_name: str = ""
    cert_file: str = ""
    key_file: str = ""
    ca_file: str = ""
    cert_data: bytes = b""
    key_data: bytes = b""
    ca_data: bytes = b""


class Extender(Part, frozen=True, kw_only=True):
    """A server that is asked for what no plugin knows."""

    url_prefix: str = ""
    filter_verb: str = ""
    preempt_verb: str = ""
    prioritize_verb: str = ""
    weight: Int64 = 0
    bind_verb: str = ""
    enable_https: bool = msgspec.field(name="enableHTTPS", default=False)
    tls_config: TLSConfig | None = None
    http_timeout: str = "5s"
    node_cache_capable: bool = False
    managed_resources: tuple[ManagedResource, ...] = ()
    ignorable: bool = False


class KubeSchedulerConfiguration(Part, frozen=True, kw_only=True):
    """The whole file."""

    api_version: str = ""
    kind: str = ""
    parallelism: Int32 = 16
    leader_election: LeaderElection | None = None
    client_connection: ClientConnection | None = None
    enable_profiling: bool | None = None
    enable_contention_profiling: bool | None = None
    percentage_of_nodes_to_score: Int32 | None = None
    pod_initial_backoff_seconds: Int64 = 1
    pod_max_backoff_seconds: Int64 = 10
    profiles: tuple[KubeSchedulerProfile, ...] = ()
    extenders: tuple[Extender, ...] = ()
    delay_cache_until_active: bool = False
