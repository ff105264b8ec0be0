"""The TrainJob controller: reads, lets `plan` decide, commits; of a job that is over, tidies up."""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.api.core import Pod, Service
from argosy.api.meta import Key
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import (
    ClusterTrainingRuntime,
    TrainingRuntime,
    TrainingRuntimeSpec,
    TrainJob,
)
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.commit import Committer, Plan
from argosy.runtime.controller import Controller, Result, Watch
from argosy.runtime.events import EventRecorder
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.training.plan import leftovers, make_plan, refused, ungrouped

NAME = "training/trainjob"


@dataclass(frozen=True)
class TrainJobs:
    """Runs TrainJobs: one gang of pods per job, restarted as a whole."""

    jobs: Informer[TrainJob]
    pods: Informer[Pod]
    groups: Informer[PodGroup]
    runtimes: Informer[TrainingRuntime]
    cluster_runtimes: Informer[ClusterTrainingRuntime]
    client: Client
    committer: Committer
    clock: Clock

    async def reconcile(self, job: TrainJob) -> Result:
        """Bring `job` one step on."""
        now, uid = self.clock.now(), job.metadata.uid
        groups, pods = self.groups.owned_by(uid), self.pods.owned_by(uid)
        plan = make_plan(job, self._runtime(job), groups, pods, now)
        try:
            await self.committer.commit(
                job, plan, refused=lambda error: refused(job, pods, error.message, now)
            )
        except StatusError as error:
            if error.code == 404 and not error.details.get("name"):  # a kind, not an object
                told = ungrouped(job, pods, now)
                await self.committer.commit(job, told, refused=lambda _: Plan())
            raise
        await self._tidy(leftovers(job, groups, pods))
        return Result(after=plan.after)

    async def _tidy(self, objects: Sequence[Pod | PodGroup]) -> None:
        """Delete the objects as they were seen; where one is another now, it is looked at again."""
        for obj in objects:
            meta, seen = obj.metadata, obj.metadata.resource_version
            await self.client.delete(
                obj.resource, meta.name, meta.namespace, uid=meta.uid, revision=seen
            )

    def _runtime(self, job: TrainJob) -> TrainingRuntimeSpec | None:
        reference = job.spec.runtime_ref
        if reference.kind == ClusterTrainingRuntime.resource.kind:
            everywhere = self.cluster_runtimes.get("", reference.name)
            return everywhere.spec if everywhere else None
        here = self.runtimes.get(job.metadata.namespace, reference.name)
        return here.spec if here else None

    def using(self, runtime: TrainingRuntime | ClusterTrainingRuntime) -> list[Key]:
        """The jobs that name this runtime."""
        kind, name = runtime.resource.kind, runtime.metadata.name
        return [
            job.key
            for job in self.jobs.items()
            if (job.spec.runtime_ref.kind, job.spec.runtime_ref.name) == (kind, name)
        ]


def train_jobs(manager: Manager) -> Controller[TrainJob]:
    """The controller, on the manager's caches."""
    jobs, pods = manager.informer(TrainJob), manager.informer(Pod)
    groups, services = manager.informer(PodGroup), manager.informer(Service)
    runtimes = manager.informer(TrainingRuntime)
    cluster_runtimes = manager.informer(ClusterTrainingRuntime)
    client = manager.client_as(NAME)
    events = EventRecorder(client, manager.clock, NAME)
    committer = Committer(client, events, (jobs, pods, groups, services))
    controller = TrainJobs(
        jobs, pods, groups, runtimes, cluster_runtimes, client, committer, manager.clock
    )
    return Controller(
        name=NAME,
        informer=jobs,
        reconcile=controller.reconcile,
        owns=(pods, groups, services),
        watches=(
            Watch(runtimes, controller.using),
            Watch(cluster_runtimes, controller.using),
        ),
    )
