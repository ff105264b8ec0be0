"""Deletes jobs some time after they have ended, with their pods, where they ask for it.

Source: kube-controller-manager's `ttlafterfinished`.
"""

from dataclasses import dataclass

from argosy.api.batch import Job
from argosy.base.clock import Clock, parse_timestamp
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/ttlafterfinished"


@dataclass(frozen=True)
class TtlAfterFinished:
    """Deletes what is due."""

    client: Client
    clock: Clock

    async def reconcile(self, job: Job) -> Result:
        """Delete the job, or look again when that is due."""
        left = self._left(job)
        if left is None:
            return DONE
        if left > 0:
            return Result(after=left)
        # Somebody may just have given it more time: what the server has counts.
        fresh = await self.client.find(Job, job.metadata.name, job.metadata.namespace)
        left = self._left(fresh) if fresh is not None else None
        if fresh is None or left is None or left > 0:
            return DONE if left is None else Result(after=left)
        await self._delete(fresh)
        return DONE

    def _left(self, job: Job) -> float | None:
        """Seconds that the job may stay; None where it may for ever, or goes already."""
        ttl, end = job.spec.ttl_seconds_after_finished, job.ended
        if ttl is None or end is None or job.metadata.deletion_timestamp is not None:
            return None
        if not end.last_transition_time:
            return None
        since = self.clock.now() - parse_timestamp(end.last_transition_time)
        return ttl - since.total_seconds()

    async def _delete(self, job: Job) -> None:
        meta = job.metadata
        await self.client.delete(
            job.resource, meta.name, meta.namespace, uid=meta.uid, propagation="Foreground"
        )


def ttl_after_finished(manager: Manager) -> Controller[Job]:
    """The controller, on the manager's caches."""
    return Controller(
        name=NAME,
        informer=manager.informer(Job),
        reconcile=TtlAfterFinished(manager.client_as(NAME), manager.clock).reconcile,
    )
