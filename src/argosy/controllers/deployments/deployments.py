"""Runs Deployments: carries out what `plan` decides, one step at a look.

ReplicaSets are changed only as they were seen: where the cache lags, the server refuses (409), and
the look is taken again. A set that is to be made has the name that its template gives it, so that
none is made twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.api.replicas import Deployment, DeploymentStatus, ReplicaSet
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.claiming import ByNamespace, Claims, adopters, orphans
from argosy.controllers.deployments.conditions import NOT_CREATED
from argosy.controllers.deployments.plan import Plan, collided, make_plan, refused
from argosy.controllers.deployments.revisions import REVISION, identity
from argosy.controllers.doubts import Doubts
from argosy.controllers.podcontrol import WORKERS, namespace_going
from argosy.controllers.statuses import status_body, write_status
from argosy.runtime.controller import Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/deployments"
COMPONENT = "deployment-controller"
PATIENCE = 5.0
"""Seconds for which a first status waits for the first set's: many at once take some."""


@dataclass(frozen=True)
class Deployments:
    """Replaces pods of one template by those of another."""

    client: Client
    clock: Clock
    deployments: Informer[Deployment]
    sets: Informer[ReplicaSet]
    pods: Informer[Pod]
    free: ByNamespace[ReplicaSet]
    events: EventRecorder
    doubts: Doubts[ReplicaSet]
    """What another set gets would come on top of what one may have got already."""

    async def reconcile(self, deployment: Deployment) -> Result:
        """Take the next step."""
        await self.doubts.settle(deployment.metadata.uid)
        sets = await self._sets(deployment)
        plan = make_plan(
            deployment,
            sets,
            lambda item: self.pods.owned_by(item.metadata.uid),
            self.clock.now(),
        )
        await self._make(deployment, plan)
        await self._change(deployment, plan)
        for note in plan.notes:
            await self.events.record(deployment, note)
        if self._begins(deployment, plan, sets):
            return Result(after=PATIENCE)
        await self._tell(deployment, plan.status, plan.revision)
        return Result(after=plan.after)

    def _begins(self, deployment: Deployment, plan: Plan, sets: Sequence[ReplicaSet]) -> bool:
        """Whether its first pods are about to be made: its first status tells of them."""
        if deployment.status.observed_generation:
            return False
        newest = self.clock.now() - timedelta(seconds=PATIENCE)
        return plan.create is not None or any(
            item.spec.replicas
            and not item.status.observed_generation
            and (item.metadata.creation_timestamp or "") > timestamp(newest)
            for item in sets
        )

    async def _sets(self, deployment: Deployment) -> list[ReplicaSet]:
        """The Deployment's own, after adopting and releasing."""
        meta = deployment.metadata
        candidates = [*self.sets.owned_by(meta.uid), *self.free.within(meta.namespace)]
        return await Claims(self.client).claim(deployment, deployment.selected, candidates)

    async def _make(self, deployment: Deployment, plan: Plan) -> None:
        """Make the newest set. Raises StatusError and ConnectionError where that can't be."""
        if plan.create is None:
            return
        try:
            written = await self.client.create(ReplicaSet.resource, plan.create)
        except (StatusError, ConnectionError) as error:
            name, owner = plan.create["metadata"]["name"], deployment.metadata
            self.doubts.note(owner.uid, name, owner.namespace, error)
            if isinstance(error, StatusError):
                await self._not_made(deployment, name, error)
            raise
        await self._reached(written)

    async def _not_made(self, deployment: Deployment, name: str, error: StatusError) -> None:
        """Tell why; a name that another template has is given up for good."""
        if namespace_going(error):
            return
        if error.reason == "AlreadyExists":
            if not await self._made(deployment, name):
                await self._tell(deployment, collided(deployment))
            return
        answer = error.message
        status = refused(deployment, name, answer, self.clock.now())
        await self._tell(deployment, status)
        text = f'Failed to create new replica set "{name}": {answer}'
        await self.events.record(deployment, Note(NOT_CREATED, text, "Warning"))

    async def _made(self, deployment: Deployment, name: str) -> bool:
        """Whether the set of that name is the one that was to be made; the cache has it then."""
        found = await self.client.find(ReplicaSet, name, deployment.metadata.namespace)
        if found is None:
            return True  # it is gone again: there is nothing to give way to
        owner = found.controller
        template = identity(bytes(deployment.spec.template))
        if owner is None or owner.uid != deployment.metadata.uid:
            return False
        if identity(bytes(found.spec.template)) != template:
            return False
        await self.sets.reached(found.metadata.resource_version)
        return True

    async def _change(self, deployment: Deployment, plan: Plan) -> None:
        for item, body in plan.change:
            meta = item.metadata
            try:
                patched = await self.client.merge(item.resource, meta.name, meta.namespace, body)
            except (StatusError, ConnectionError) as error:
                self.doubts.note(deployment.metadata.uid, meta.name, meta.namespace, error)
                raise
            await self._reached(patched)
        for item in plan.delete:
            meta = item.metadata
            await self.client.delete(item.resource, meta.name, meta.namespace, uid=meta.uid)

    async def _tell(
        self, deployment: Deployment, status: DeploymentStatus, revision: str | None = None
    ) -> None:
        if status == deployment.status and revision is None:
            return
        noted = {REVISION: revision} if revision is not None else None
        written = await write_status(self.client, deployment, status_body(status), noted)
        await self.deployments.reached(written["metadata"]["resourceVersion"])

    async def _reached(self, written: dict[str, Any]) -> None:
        await self.sets.reached(written["metadata"]["resourceVersion"])

    def waiting(self, pod: Pod) -> Iterable[Key]:
        """The Deployment that may wait until the pod is gone."""
        owner = pod.controller
        if owner is None or owner.kind != ReplicaSet.resource.kind:
            return
        item = self.sets.get(pod.metadata.namespace, owner.name)
        above = item.controller if item is not None else None
        if above is None or above.kind != Deployment.resource.kind:
            return
        found = self.deployments.get(pod.metadata.namespace, above.name)
        if found is not None and found.spec.strategy.type == "Recreate":
            yield found.key


def deployments(manager: Manager) -> Controller[Deployment]:
    """The controller, on the manager's caches."""
    client, sets = manager.client_as(NAME), manager.informer(ReplicaSet)
    controller = Deployments(
        client,
        manager.clock,
        manager.informer(Deployment),
        sets,
        manager.informer(Pod),
        orphans(sets),
        EventRecorder(client, manager.clock, COMPONENT),
        Doubts(client, ReplicaSet, sets),
    )
    controller.deployments.subscribe(controller.doubts.forget)
    watches: Sequence[Watch] = (
        Watch(sets, adopters(controller.deployments, lambda item: item.selected)),
        Watch(controller.pods, controller.waiting),
    )
    return Controller(
        name=NAME,
        informer=controller.deployments,
        reconcile=controller.reconcile,
        workers=WORKERS,
        owns=(sets,),
        watches=tuple(watches),
    )
