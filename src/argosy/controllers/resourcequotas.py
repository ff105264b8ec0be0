"""Recounts what is used of each ResourceQuota, and corrects its status where that says otherwise.

The API server writes the status with every write that it admits. This is for what it could not
know: that it was killed between a deletion and the status, or that somebody else wrote one. A quota
that limits something new is recounted at once, the others every few minutes. Source: upstream's
resource quota controller.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from argosy.api.amounts import shown
from argosy.api.meta import Key, Object
from argosy.api.quotas import counted, counting, covers, usage
from argosy.api.resource import Resource
from argosy.api.resources.core import RESOURCE_QUOTA
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.runtime.controller import Controller, Result
from argosy.runtime.manager import Manager

Json = dict[str, Any]
NAME = "controllers/resourcequotas"
RECOUNT_SECONDS = 300.0


class ResourceQuota(Object, frozen=True, kw_only=True):
    """A quota, as far as it is read here."""

    resource: ClassVar[Resource] = RESOURCE_QUOTA

    spec: Json = {}
    status: Json = {}


@dataclass(frozen=True)
class ResourceQuotas:
    """Counts. `resources` are the kinds that live in namespaces, by `plural.group`."""

    client: Client
    clock: Clock
    resources: dict[str, Resource]
    counted_at: dict[Key, float] = field(default_factory=dict)

    async def reconcile(self, quota: ResourceQuota) -> Result:
        """Count again, if it is time to."""
        hard, now = quota.spec.get("hard") or {}, self.clock.now().timestamp()
        since = now - self.counted_at.get(quota.key, 0.0)
        if since < RECOUNT_SECONDS and quota.status.get("hard") == hard:
            return Result(RECOUNT_SECONDS - since)
        used = await self._used(quota, tuple(hard))
        self.counted_at[quota.key] = now
        status = {"hard": hard, "used": {name: shown(name, used[name]) for name in hard}}
        if quota.status != status:
            meta = quota.metadata
            # With the revision: what was admitted meanwhile is counted by whoever admitted it.
            patch = {
                "metadata": {"resourceVersion": meta.resource_version},
                "status": _replacing(quota.status, status),
            }
            await self.client.merge(
                RESOURCE_QUOTA, meta.name, meta.namespace, patch, subresource="status"
            )
        return Result(RECOUNT_SECONDS)

    async def _used(self, quota: ResourceQuota, names: tuple[str, ...]) -> dict[str, Decimal]:
        total = dict.fromkeys(names, Decimal(0))
        for qualified in counting(names):
            resource = self.resources.get(qualified)
            if resource is None:
                continue
            path = resource.path("", quota.metadata.namespace)
            listed = msgspec.json.decode(await self.client.call("GET", path))
            for obj in listed["items"]:
                if covers(quota.spec, qualified, obj):
                    taken = usage(qualified, obj)
                    for name in counted(qualified, names):
                        total[name] += taken.get(name, Decimal(0))
        return total


def _replacing(before: Json, after: Json) -> Json:
    """A merge patch that leaves of `before` nothing that `after` doesn't say."""
    return {
        part: {**dict.fromkeys(before.get(part) or {}), **amounts}
        for part, amounts in after.items()
    }


def resource_quotas(manager: Manager, resources: Iterable[Resource]) -> Controller[ResourceQuota]:
    """The controller, for those of `resources` that live in namespaces."""
    inside = {one.qualified: one for one in resources if one.namespaced and "list" in one.verbs}
    controller = ResourceQuotas(manager.client_as(NAME), manager.clock, inside)
    return Controller(
        name=NAME,
        informer=manager.informer(ResourceQuota),
        reconcile=controller.reconcile,
    )
