"""The view of ControllerRevisions: what a workload was, so that it can be so again."""

from typing import Any, ClassVar

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.resources import workloads


class ControllerRevision(Object, frozen=True, kw_only=True):
    """One state of a workload's template. `data` is a strategic merge patch that restores it."""

    resource: ClassVar[Resource] = workloads.CONTROLLER_REVISION

    data: dict[str, Any] = {}
    revision: int = 0
