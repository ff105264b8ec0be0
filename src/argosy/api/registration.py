"""Views of `apiregistration.k8s.io`: where each group's version of the API is served.

Also the order in which groups stand in discovery. Source: the priorities that kube-apiserver gives
its own groups, and those of the kinds that users define.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from argosy.api.meta import Condition, Object, View, condition
from argosy.api.resource import Resource
from argosy.api.resources.extensions import API_SERVICE

Place = tuple[str, str]
"""A group, and one of its versions."""

MANAGED: Final = "kube-aggregator.kubernetes.io/automanaged"
"""The label of those that nobody but the server writes: `onstart` or `true`."""
DEFINED: Final = (1000, 100)
"""The priorities of what users define."""
GROUPS: Final[Mapping[str, int]] = {
    "": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "resource.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
    "internal.apiserver.k8s.io": 16000,
    "storagemigration.k8s.io": 15800,
    "lifecycle.k8s.io": 15700,
}
"""The higher, the earlier."""
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES: Mapping[str | None, int] = {"alpha": 0, "beta": 1, None: 2}


class ServiceReference(View, frozen=True, kw_only=True):
    """Who serves it."""

    namespace: str = ""
    name: str = ""
    port: int = 443


class APIServiceSpec(View, frozen=True, kw_only=True):
    """What is served, by whom, and whom to trust for it. `ca_bundle` is base64 of PEM."""

    group: str = ""
    version: str = ""
    service: ServiceReference | None = None
    ca_bundle: str = ""
    insecure_skip_tls_verify: bool = msgspec.field(default=False, name="insecureSkipTLSVerify")
    group_priority_minimum: int = 0
    version_priority: int = 0


class APIServiceStatus(View, frozen=True, kw_only=True):
    """Whether it is there."""

    conditions: tuple[Condition, ...] = ()


class APIService(Object, frozen=True, kw_only=True):
    """Says who serves one version of a group."""

    resource: ClassVar[Resource] = API_SERVICE

    spec: APIServiceSpec = APIServiceSpec()
    status: APIServiceStatus = APIServiceStatus()

    @property
    def place(self) -> Place:
        """What it is about."""
        return (self.spec.group, self.spec.version)

    @property
    def available(self) -> bool:
        """Whether requests get through."""
        found = condition(self.status.conditions, "Available")
        return found is not None and found.status == "True"


def local_priorities(group: str, version: str) -> tuple[int, int]:
    """The priorities of a group and version that this server serves itself."""
    if group not in GROUPS:
        return DEFINED
    # Upstream's numbers differ a little from group to group; their order is this one.
    stage, number, minor = version_order(version)
    if stage < 0:
        return GROUPS[group], 1
    return GROUPS[group], (max(minor, 1), 8 + minor, 15 * number)[stage]


def version_order(version: str) -> tuple[int, int, int]:
    """A key that sorts versions as Kubernetes does, the best last: (stage, number, minor).

    Stable ones stand after beta, those after alpha, and names that tell none of it come first.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return (-1, 0, 0)
    return (_STAGES[found[2]], int(found[1][:9]), int((found[3] or "0")[:9]))
