"""Gives aggregated cluster roles the rules of those that their selectors choose.

Any change of a cluster role may concern any aggregated one, so all of these are looked at: they are
few. Source: kube-controller-manager's clusterrole-aggregation.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.meta import Key
from argosy.api.rbac import ClusterRole
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.security.rbac.aggregation import aggregated

NAME = "controllers/clusterroleaggregation"


@dataclass(frozen=True)
class ClusterRoleAggregation:
    """Writes the rules of one aggregated role."""

    client: Client
    roles: Informer[ClusterRole]

    async def reconcile(self, role: ClusterRole) -> Result:
        """Apply the rules that it should have."""
        if role.aggregation_rule is None:
            return DONE
        wanted = aggregated(_json(role), map(_json, self.roles.items()))
        if wanted is not None and wanted != (role.rules or []):
            body = {"metadata": {"name": role.metadata.name}, "rules": wanted}
            await self.client.apply(role.resource, body)
        return DONE

    def all_aggregated(self, _: ClusterRole) -> list[Key]:
        """Whom a change of any role may concern."""
        return [role.key for role in self.roles.items() if role.aggregation_rule is not None]


def _json(role: ClusterRole) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(role)
    return found


def cluster_role_aggregation(manager: Manager) -> Controller[ClusterRole]:
    """The controller, on the manager's caches."""
    roles = manager.informer(ClusterRole)
    controller = ClusterRoleAggregation(manager.client_as(NAME), roles)
    return Controller(
        name=NAME,
        informer=roles,
        reconcile=controller.reconcile,
        watches=(Watch(roles, controller.all_aggregated),),
        workers=1,
    )
