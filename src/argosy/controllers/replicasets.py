"""Keeps as many pods as a ReplicaSet or a ReplicationController asks for.

Each look counts the pods that are the set's own, makes or deletes what is missing or too much, and
tells the counts. It does neither before the cache has shown what an earlier look wrote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from argosy.api.core import Pod
from argosy.api.replicas import ReplicaSet, ReplicaStatus, ReplicationController
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.controllers.claiming import adopters
from argosy.controllers.podcontrol import RECHECK, WORKERS, PodControl, pod_control, pod_from
from argosy.controllers.podstates import active, ready, terminating
from argosy.controllers.replicaplan import look_again, next_step, status_of
from argosy.controllers.statuses import status_body, write_status
from argosy.runtime.controller import Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

R = TypeVar("R", ReplicaSet, ReplicationController)


@dataclass(frozen=True)
class ReplicaSets(Generic[R]):
    """Runs sets of one kind. ReplicationControllers don't tell how many pods are `terminating`."""

    control: PodControl
    sets: Informer[R]
    clock: Clock
    tells_terminating: bool = True

    async def reconcile(self, owner: R) -> Result:
        """Make or delete pods, and tell how many there are."""
        if not await self.control.settled(owner):
            return Result(after=RECHECK)  # what the cache shows would be counted wrongly
        mine = await self._mine(owner)
        begins = self._begins(owner)
        failure = await self._step(owner, mine)
        if failure is None and begins:
            if not await self.control.shown(owner, self.clock):
                return Result(after=RECHECK)
            mine = await self._mine(owner)
        status = await self._tell(owner, mine, failure)
        if failure is not None:
            raise failure
        expected, uid = self.control.expectations, owner.metadata.uid
        if expected.doubtful(uid) or not expected.met(uid):
            return Result(after=RECHECK)
        return Result(after=look_again(owner, status, mine, self.clock.now()))

    async def _mine(self, owner: R) -> list[Pod]:
        """Its own pods that have not ended, after adopting and releasing."""
        candidates = [pod for pod in self.control.candidates(owner) if active(pod)]
        return await self.control.claim(owner, owner.selected, candidates)

    async def _step(self, owner: R, pods: list[Pod]) -> StatusError | ConnectionError | None:
        """Make or delete; what went wrong is returned, so that it can be told."""
        step = next_step(owner, pods, self._related(owner), self.clock.now())
        try:
            if step.create:
                body = pod_from(msgspec.json.decode(owner.spec.template), owner)
                await self.control.create(owner, [body] * step.create)
            # One that is not ready yet is chosen first; it may have become ready meanwhile.
            await self.control.delete(owner, step.delete, spare=lambda pod: not ready(pod))
        except (StatusError, ConnectionError) as error:
            return error
        return None

    def _begins(self, owner: R) -> bool:
        """Whether its first pods are still to be seen: its first status tells of them."""
        untold = owner.spec.replicas and not owner.status.observed_generation
        return bool(untold) and not self.control.pods_of(owner)

    def _related(self, owner: R) -> Iterator[Pod]:
        """The pods of all sets that have the same controller."""
        if owner.controller is None:
            return
        for item in self.sets.owned_by(owner.controller.uid):
            yield from self.control.pods_of(item)

    async def _tell(
        self, owner: R, pods: list[Pod], failure: StatusError | ConnectionError | None
    ) -> ReplicaStatus:
        leaving = self._leaving(owner) if self.tells_terminating else None
        status = status_of(owner, pods, leaving, failure, self.clock.now())
        if status != owner.status:
            body = {**status_body(status), "replicas": status.replicas}
            await write_status(self.control.claims.client, owner, body)
        return status

    def _leaving(self, owner: R) -> int:
        selector = owner.selected
        return sum(
            terminating(pod) and selector.matches(pod.metadata.labels)
            for pod in self.control.pods_of(owner)
        )


def replica_sets(manager: Manager) -> Controller[ReplicaSet]:
    """The controller of ReplicaSets, on the manager's caches."""
    control = pod_control(manager, "controllers/replicasets", "replicaset-controller")
    return _controller(ReplicaSets(control, manager.informer(ReplicaSet), manager.clock))


def replication_controllers(manager: Manager) -> Controller[ReplicationController]:
    """The controller of ReplicationControllers, on the manager's caches."""
    control = pod_control(manager, "controllers/replicationcontrollers", "replication-controller")
    sets = manager.informer(ReplicationController)
    return _controller(ReplicaSets(control, sets, manager.clock, tells_terminating=False))


def _controller(replicas: ReplicaSets[R]) -> Controller[R]:
    control, sets = replicas.control, replicas.sets
    control.expectations.follow(sets)
    return Controller(
        name=control.claims.client.manager,
        informer=sets,
        reconcile=replicas.reconcile,
        workers=WORKERS,
        owns=(control.pods,),
        watches=(Watch(control.pods, adopters(sets, lambda owner: owner.selected)),),
    )
