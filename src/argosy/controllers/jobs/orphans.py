"""Lets pods go that no job will count: those of jobs that are over or gone, and those of nobody.

Without this a pod whose job was deleted with `--cascade=orphan` could never be deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.api.meta import Key, OwnerReference
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.claiming import REMOVED_FINALIZERS, STRATEGIC
from argosy.controllers.jobs.pods import FINALIZER, tracked
from argosy.controllers.podcontrol import has_left
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/jobs-orphans"


@dataclass(frozen=True)
class Orphans:
    """Takes the finalizer off."""

    client: Client
    jobs: Informer[Job]

    async def reconcile(self, pod: Pod) -> Result:
        """Let the pod go, unless a job is to count it."""
        if tracked(pod) and not await self._awaited(pod):
            await let_go(self.client, pod)
        return DONE

    async def _awaited(self, pod: Pod) -> bool:
        owner = pod.controller
        if owner is None:
            return False
        if (owner.kind, owner.api_version) != (Job.resource.kind, Job.resource.api_version):
            return True  # somebody else's pod: what it has is theirs
        job = await self._job(owner, pod.metadata.namespace)
        return job is not None and (job.foreign or job.ended is None)

    async def _job(self, owner: OwnerReference, namespace: str) -> Job | None:
        job = self.jobs.get(namespace, owner.name)
        if job is None or job.metadata.uid != owner.uid:
            # The cache may know less than the pod: only the server can say that there is none.
            job = await self.client.find(Job, owner.name, namespace)
        return job if job is not None and job.metadata.uid == owner.uid else None


async def let_go(client: Client, pod: Pod) -> dict[str, Any] | None:
    """Take the finalizer off the pod; as it is then, None where it was gone."""
    meta = pod.metadata
    body = {"metadata": {"uid": meta.uid, REMOVED_FINALIZERS: [FINALIZER]}}
    path = pod.resource.path(meta.name, meta.namespace)
    query = {"fieldManager": client.manager}
    try:
        answer = await client.call("PATCH", path, query, body, content_type=STRATEGIC)
    except StatusError as error:
        if not await has_left(client, pod, error):
            raise
        return None
    written: dict[str, Any] = msgspec.json.decode(answer)
    now = written["metadata"]
    waits = now.get("finalizers") or now.get("deletionGracePeriodSeconds")
    # Where it waits for nothing it has gone with its finalizer, at a revision that nobody tells.
    return None if now.get("deletionTimestamp") and not waits else written


def job_orphans(manager: Manager) -> Controller[Pod]:
    """The controller, on the manager's caches."""
    jobs, pods = manager.informer(Job), manager.informer(Pod)

    def let_down(job: Job) -> Iterable[Key]:
        """Pods that wait for a job that is over, or of which this is the last that is told."""
        now = jobs.get(*job.key)
        if now is not None and now.metadata.uid == job.metadata.uid and now.ended is None:
            return
        for pod in pods.owned_by(job.metadata.uid):
            if tracked(pod):
                yield pod.key

    controller = Orphans(manager.client_as(NAME), jobs)
    return Controller(
        name=NAME,
        informer=pods,
        reconcile=controller.reconcile,
        watches=(Watch(jobs, let_down),),
        concerns=tracked,
    )
