"""What the AI platform's controllers may do on a cluster: the least that they do.

A test records what they ask of an API server, and compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Event, Pod, Service
from argosy.api.dra import ResourceClaim
from argosy.api.kserve import InferenceService
from argosy.api.modelversion import ModelVersion
from argosy.api.resource import Resource
from argosy.api.resources.control import LEASE
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.trainer import ClusterTrainingRuntime, TrainingRuntime, TrainJob
from argosy.scheduler.kinds import FOREIGN, READ

NAME = "argosy-operators"
"""Of the account, its roles, what runs as it, and the lease that it stands for."""
FOLLOW = ("list", "watch")


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on a resource, or on one of its subresources."""

    resource: Resource
    verbs: tuple[str, ...]
    subresource: str = ""

    @property
    def named(self) -> str:
        """`pods`, or `trainjobs/status`: as rules name it."""
        return "/".join(filter(None, (self.resource.plural, self.subresource)))


def _own(kind: Resource) -> tuple[Right, ...]:
    """On a controller's own kind, and for telling what happens."""
    return (
        Right(kind, FOLLOW),
        Right(kind, ("patch",), "status"),
        Right(kind, ("update",), "finalizers"),
        Right(Event.resource, ("create", "get", "patch")),
    )


RIGHTS: Mapping[Resource, tuple[Right, ...]] = {
    TrainJob.resource: (
        *_own(TrainJob.resource),
        Right(ClusterTrainingRuntime.resource, FOLLOW),
        Right(TrainingRuntime.resource, FOLLOW),
        Right(Pod.resource, (*FOLLOW, "create", "delete")),
        Right(PodGroup.resource, (*FOLLOW, "create", "delete")),
        Right(Service.resource, (*FOLLOW, "create", "patch")),
    ),
    ModelVersion.resource: (
        *_own(ModelVersion.resource),
        Right(TrainJob.resource, FOLLOW),
        Right(Pod.resource, (*FOLLOW, "create", "delete")),
    ),
    InferenceService.resource: (
        *_own(InferenceService.resource),
        Right(ModelVersion.resource, FOLLOW),
        Right(Pod.resource, (*FOLLOW, "create", "delete")),
        Right(Service.resource, (*FOLLOW, "create", "patch")),
    ),
}
"""By the kind whose controller needs them.

Nobody asks for `update` on `finalizers`, but some clusters (OpenShift) admit references to blocking
owners only from who may set those owners' finalizers: OwnerReferencesPermissionEnforcement.
"""


SCHEDULING: tuple[Right, ...] = (
    *(Right(kind.resource, FOLLOW) for kind in (*READ, *FOREIGN)),
    Right(PersistentVolumeClaim.resource, ("get", "patch")),
    Right(PersistentVolume.resource, ("get", "patch")),
    Right(ResourceClaim.resource, ("patch",), "status"),
    Right(ResourceClaim.resource, ("patch",), "binding"),
    Right(PodGroup.resource, ("patch",), "status"),
    Right(CompositePodGroup.resource, ("patch",), "status"),
    Right(Pod.resource, ("get", "delete")),
    Right(Pod.resource, ("patch",), "status"),
    Right(Pod.resource, ("create",), "binding"),
    Right(Event.resource, ("create", "get", "patch")),
)
"""What the scheduler needs. Nobody asks for `binding` of claims either: it is checked where the
feature gate DRAResourceClaimGranularStatusAuthorization is open.
"""


def cluster_rules(kinds: Iterable[Resource], *, scheduler: bool = False) -> list[dict[str, Any]]:
    """The rules of a ClusterRole for the controllers of `kinds`, and the scheduler."""
    verbs: dict[tuple[str, str], set[str]] = {}
    rights = [right for kind in kinds for right in RIGHTS[kind]]
    for right in (*rights, *SCHEDULING * scheduler):
        verbs.setdefault((right.resource.group, right.named), set()).update(right.verbs)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, named), some in sorted(verbs.items()):
        together.setdefault((group, tuple(sorted(some))), []).append(named)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(some)}
        for (group, some), resources in sorted(together.items())
    ]


def lease_rules() -> list[dict[str, Any]]:
    """The rules of a Role for standing for election."""
    what = {"apiGroups": [LEASE.group], "resources": [LEASE.plural]}
    return [
        {**what, "verbs": ["create"]},  # no rule can say under which name
        {**what, "resourceNames": [NAME], "verbs": ["get", "update"]},
    ]
