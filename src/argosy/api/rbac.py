"""Views of `rbac.authorization.k8s.io`."""

from typing import Any, ClassVar

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.resources import access


class ClusterRole(Object, frozen=True, kw_only=True):
    """Rules for the whole cluster, perhaps gathered from other cluster roles."""

    resource: ClassVar[Resource] = access.CLUSTER_ROLE

    rules: list[dict[str, Any]] | None = None
    aggregation_rule: dict[str, Any] | None = None
