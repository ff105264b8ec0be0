"""Lets go of deleted pod groups once their pods have ended, or are gone.

The finalizer is `scheduling.k8s.io/podgroup-protection`, the rule that of Kubernetes' controller of
the same name: unlike claims, groups that lost their finalizer do not get it back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.api.scheduling import PodGroup
from argosy.controllers.podusers import PodUsers
from argosy.controllers.protection import WAITING, Protection
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.manager import Manager

NAME = "controllers/podgroupprotection"
FINALIZER = "scheduling.k8s.io/podgroup-protection"


@dataclass(frozen=True)
class PodGroupProtection:
    """Holds groups with pods that have not ended."""

    protection: Protection
    users: PodUsers

    async def reconcile(self, group: PodGroup) -> Result:
        """Hold the group, or let it go."""

        async def unused() -> bool:
            return await self.users.unused(group, lambda pod: group.metadata.name in groups(pod))

        return DONE if await self.protection.keep(group, unused) else WAITING


def groups(pod: Pod) -> Iterator[str]:
    """The group of a pod that has not ended."""
    group = pod.spec.scheduling_group
    if group is not None and group.pod_group_name and not pod.finished:
        yield group.pod_group_name


def pod_group_protection(manager: Manager, resource: Resource) -> Controller[PodGroup]:
    """The controller, on the manager's caches, for groups in the version that is served."""
    client, pods = manager.client_as(NAME), manager.informer(Pod)
    users = PodUsers(client, pods, groups)
    protection = Protection(client, resource, FINALIZER, restored=False)
    controller = PodGroupProtection(protection, users)
    return Controller(
        name=NAME,
        informer=manager.informer(PodGroup, resource),
        reconcile=controller.reconcile,
        watches=(Watch(pods, users.keys),),
    )
