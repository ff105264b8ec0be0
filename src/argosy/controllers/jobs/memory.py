"""What the job controller knows beside what is written: it may be lost, and is then found anew."""

from collections.abc import Iterable

from argosy.api.batch import Job, JobStatus
from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.controllers.jobs.backoff import Backoff
from argosy.runtime.informer import Informer


class Memory:
    """Failures of jobs that run, and pods that are gone before the cache says so.

    Made before the informers run; what is over or gone is forgotten.
    """

    def __init__(self, jobs: Informer[Job], pods: Informer[Pod]) -> None:
        self._backoffs: dict[str, Backoff] = {}
        self._vanished: dict[Key, str] = {}
        self._own: dict[str, str] = {}
        jobs.subscribe(self._job_changed)
        pods.subscribe(self._pod_changed)

    def backoff(self, job: Job) -> Backoff:
        """What is known of the job's failures."""
        return self._backoffs.get(job.metadata.uid, Backoff())

    def remember(self, job: Job, backoff: Backoff) -> None:
        """What is known from now on."""
        if backoff.failures:
            self._backoffs[job.metadata.uid] = backoff
        else:
            self._backoffs.pop(job.metadata.uid, None)

    def vanished(self, pod: Pod) -> None:
        """The pod is gone: it must not be counted again while the cache has it."""
        self._vanished[pod.key] = pod.metadata.uid

    def wrote(self, job: Job, revision: str) -> None:
        """This is how the job is now; whoever else wrote to it, the cache has what led to it."""
        self._own[job.metadata.uid] = revision

    def sure(self, job: Job) -> bool:
        """Whether nobody else has counted pods of this job since the cache was sure to have them.

        Another instance may have let go a pod, and counted it, that the cache shows as held.
        """
        return job.status == JobStatus() or (
            self._own.get(job.metadata.uid) == job.metadata.resource_version
        )

    def present(self, pods: Iterable[Pod]) -> list[Pod]:
        """Those that are not known to be gone."""
        return [pod for pod in pods if self._vanished.get(pod.key) != pod.metadata.uid]

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        if old is not None and (new is None or new.ended is not None):
            self._backoffs.pop(old.metadata.uid, None)
            self._own.pop(old.metadata.uid, None)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and new is None:
            self._vanished.pop(old.key, None)
