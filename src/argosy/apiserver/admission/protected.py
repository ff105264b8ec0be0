"""What may not be deleted, by name: a cluster could not be without it."""

from collections.abc import Mapping

from argosy.api.resource import Resource
from argosy.base.errors import StatusError

PROTECTED: Mapping[str, tuple[frozenset[str], str]] = {
    "namespaces": (
        frozenset({"default", "kube-public", "kube-system"}),
        "this namespace may not be deleted",
    ),
    "priorityclasses.scheduling.k8s.io": (
        frozenset({"system-cluster-critical", "system-node-critical"}),
        "this is a system priority class and cannot be deleted",
    ),
}


def deletable(resource: Resource, name: str) -> None:
    """Raises StatusError 403 for what must stay."""
    names, why = PROTECTED.get(resource.qualified, (frozenset(), ""))
    if name in names:
        raise refused(resource, name, why)


def refused(resource: Resource, name: str, why: str) -> StatusError:
    """403 for one object, and the reason."""
    return StatusError(
        403,
        "Forbidden",
        f'{resource.qualified} "{name}" is forbidden: {why}',
        details={"name": name, "group": resource.group, "kind": resource.plural},
    )
