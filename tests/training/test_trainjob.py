"""TrainJobs on a whole API server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from argosy.api.core import Node, Pod, Service
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import ClusterTrainingRuntime, TrainingRuntime, TrainJob
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError
from argosy.cluster.operators import add_kubernetes
from argosy.runtime.commit import Committer
from argosy.runtime.events import EventRecorder
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from argosy.training import pods as made
from argosy.training.plan import PLACED, finished
from argosy.training.trainjob import NAME, TrainJobs, train_jobs
from tests.training.builders import runtime, runtime_json
from tests.training.kit import Scene, scene

Json = dict[str, Any]

A, B = "j-node-0-0-0", "j-node-0-1-0"
A1, B1 = "j-node-0-0-1", "j-node-0-1-1"


def exited(code: int, message: str = "") -> Json:
    end = {"exitCode": code, "message": message}
    status = {"name": "node", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    return {"containerStatuses": [{**status, "state": {"terminated": end}}]}


async def test_from_failure_to_complete() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job()
        assert await it.pods() == [A, B]
        service = await it.client.get(Service, "j", "default")
        assert service.spec.publish_not_ready_addresses
        await it.bind(A, B)
        for name in (A, B):
            await it.report(name, "Running")
        await it.report(B, "Failed", **exited(1, "ValueError: no data"))
        assert await it.pods() == [A + "!"]  # what has failed goes at once, what runs is stopped
        [first, second] = (await it.client.list(PodGroup, "default")).items
        assert (first.metadata.name, second.metadata.name) == ("j-0", "j-1")
        await it.gone(A)
        assert await it.pods() == [A1, B1]
        [group] = (await it.client.list(PodGroup, "default")).items
        assert group.metadata.name == "j-1"
        for name in (A1, B1):
            await it.report(name, "Succeeded")
        assert await it.told("Complete") == ("True", "JobsCompleted", "all 2 pods succeeded")
        assert await it.events() == [("JobsCompleted", 1), ("Restarting", 1)]
        assert await it.pods() == [A1, B1]  # for their logs


async def test_beyond_its_restarts_a_job_fails_and_stays_failed() -> None:
    async with scene() as it:
        await it.make_runtime(restarts=0)
        await it.make_job()
        await it.report(A, "Failed", **exited(2))
        failed = await it.told("Failed")
        assert failed is not None and failed[1] == "FailedJobs"
        assert await it.pods() == [A]
        before = await it.job()
        await it.gone(A)
        await it.client.delete(TrainingRuntime.resource, "r", "default")
        patch = {"spec": {"suspend": True}}
        await it.client.merge(TrainJob.resource, "j", "default", patch)
        await it.clock.advance(600)
        assert (await it.job()).status == before.status
        assert await it.pods() == []


async def test_a_pod_that_comes_after_the_end_by_somebody_who_is_late_goes() -> None:
    async with scene() as it:
        await it.make_runtime(restarts=0)
        await it.make_job()
        await it.report(A, "Failed", **exited(2))
        assert await it.pods() == [A]
        [_, late] = made.pods(await it.job(), runtime(), 0, 2)
        await it.client.create(Pod.resource, late.body)
        assert await it.pods() == [A]


@dataclass(frozen=True)
class Old:
    """A cache that is behind."""

    objects: tuple[Pod, ...] = ()

    def owned_by(self, uid: str) -> tuple[Pod, ...]:
        return self.objects


async def test_after_the_end_pods_that_ended_stay_though_the_cache_does_not_know_yet() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job()
        seen: Any = Old(tuple((await it.client.list(Pod, "default")).items))
        for name in (A, B):
            await it.report(name, "Succeeded")
        job, nothing, client = await it.job(), cast(Any, Old()), it.client
        assert finished(job)
        runtimes = it.running.manager.informer(TrainingRuntime)
        committer = Committer(client, EventRecorder(client, it.clock, NAME), ())
        late = TrainJobs(nothing, seen, nothing, runtimes, nothing, client, committer, it.clock)
        with pytest.raises(StatusError) as raised:
            await late.reconcile(job)
        assert raised.value.code == 409
        assert await it.pods() == [A, B]


async def test_a_job_rests_when_there_is_nothing_to_do() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job()
        await it.bind(A, B)
        await it.report(A, "Running")
        await it.clock.advance(10)
        revision = (await it.client.list(Pod)).metadata.resource_version
        await it.clock.advance(3600)
        assert (await it.client.list(Pod)).metadata.resource_version == revision


async def test_suspend_and_resume() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job(suspend=True)
        assert await it.pods() == []
        assert await it.told("Suspended") == ("True", "Suspended", "TrainJob is suspended")

        async def suspend(value: bool) -> None:
            patch = {"spec": {"suspend": value}}
            await it.client.merge(TrainJob.resource, "j", "default", patch)
            await settle()

        await suspend(False)
        assert await it.pods() == [A, B]
        resumed = await it.told("Suspended")
        assert resumed is not None and resumed[:2] == ("False", "Resumed")
        await it.bind(A, B)
        await suspend(True)
        assert await it.pods() == [A + "!", B + "!"]
        [group] = (await it.client.list(PodGroup)).items  # its pods hold it
        assert group.metadata.deletion_timestamp
        await suspend(False)
        assert await it.pods() == [A + "!", B + "!"]
        for name in (A, B):
            await it.gone(name)
        assert await it.pods() == [A1, B1]
        assert [item.metadata.name for item in (await it.client.list(PodGroup)).items] == ["j-1"]


async def test_resumed_at_once_it_begins_anew() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job()
        now = timestamp(it.clock.now())
        placed = {"type": PLACED, "status": "True", "reason": "x", "lastTransitionTime": now}
        patch = {"status": {"conditions": [placed]}}
        await it.client.merge(PodGroup.resource, "j-0", "default", patch, subresource="status")
        for value in (True, False):  # pods that are on no node are gone at once, their group is not
            body = {"spec": {"suspend": value}}
            await it.client.merge(TrainJob.resource, "j", "default", body)
        assert await it.pods() == [A, B]
        assert ("Restarting", 1) not in await it.events()


async def test_the_runtime_may_go_and_come_back() -> None:
    async with scene() as it:
        await it.make_runtime()
        await it.make_job(suspend=True)
        await it.client.delete(TrainingRuntime.resource, "r", "default")
        await it.client.merge(TrainJob.resource, "j", "default", {"spec": {"suspend": False}})
        told = await it.told("Scheduled")
        assert told is not None and told[1] == "TrainingRuntimeNotFound"
        await it.make_runtime()
        assert await it.pods() == [A, B]


async def test_a_runtime_of_the_whole_cluster() -> None:
    async with scene() as it:
        body = {"metadata": {"name": "c"}, "spec": runtime_json()}
        await it.client.create(ClusterTrainingRuntime.resource, body)
        await it.make_job(runtimeRef={"name": "c"})
        assert await it.pods() == [A, B]


async def test_pods_that_the_api_refuses_are_told_with_its_words_and_tried_ever_later() -> None:
    async with scene() as it:
        await it.make_runtime()
        # Nothing is wrong with the template by itself: the job's name makes the hostname too long.
        name = "j" * 60
        await it.make_job(name)
        told = await it.told("Scheduled", name)
        assert told is not None and told[:2] == ("False", "FailedCreate")
        assert told[2].startswith(f'Pod "{name}-node-0-0-0" is invalid: spec.hostname: ')
        assert await it.events() == [("FailedCreate", 1)]
        before = (await it.job(name)).metadata.resource_version
        await it.clock.advance(600)
        assert (await it.job(name)).metadata.resource_version == before
        assert await it.events() == [("FailedCreate", 1)]


async def test_once_the_api_takes_the_pods_the_job_goes_on() -> None:
    async with scene() as it:
        await it.make_runtime()
        stranger = {"metadata": {"name": A, "namespace": "default"}}
        pod = {**stranger, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        await it.client.create(Pod.resource, pod)
        await it.make_job()
        told = await it.told("Scheduled")
        assert told == ("False", "FailedCreate", f'pods "{A}" already exists')
        assert await it.pods() == [A]
        await it.gone(A)
        await it.clock.advance(120)
        assert await it.pods() == [A, B]
        told = await it.told("Scheduled")
        assert told is not None and told[1] == "Waiting"


async def test_a_service_of_somebody_else_is_not_taken_over() -> None:
    async with scene() as it:
        await it.make_runtime()
        spec = {"clusterIP": "None", "selector": {"app": "web"}}
        body = {"metadata": {"name": "j", "namespace": "default"}, "spec": spec}
        await it.client.create(Service.resource, body)
        await it.make_job()
        assert (await it.client.get(Service, "j", "default")).spec.selector == {"app": "web"}
        assert await it.told("Scheduled") == (
            "False",
            "FailedCreate",
            'services "j" already exists',
        )


async def test_a_job_made_again_under_its_name_runs_again() -> None:
    async with scene(collect=True) as it:
        await it.make_runtime()
        await it.make_job()
        for name in (A, B):
            await it.report(name, "Succeeded")
        assert await it.told("Complete") is not None
        await it.client.delete(TrainJob.resource, "j", "default")
        await it.make_job()
        await it.clock.advance(60)
        assert await it.told("Complete") is None
        uid = (await it.job()).metadata.uid
        pods = (await it.client.list(Pod, "default")).items
        assert [pod.metadata.name for pod in pods] == [A, B]
        assert {pod.status.phase for pod in pods} == {"Pending"}
        assert {pod.controller.uid for pod in pods if pod.controller} == {uid}


async def test_with_the_real_scheduler_a_gang_waits_for_room_and_says_so(tmp_path: Path) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        running.manager.add(train_jobs(running.manager))
        add_kubernetes(running.manager, tmp_path, running.plane.resources)
        running.start()
        it = Scene(running, clock)
        node: Json = {"metadata": {"name": "n1"}}
        room = {"cpu": "1", "memory": "1Gi", "pods": "10"}
        await it.client.create(Node.resource, node)
        await it.client.merge(
            Node.resource, "n1", "", {"status": {"allocatable": room}}, subresource="status"
        )
        await it.make_runtime(container={"resources": {"requests": {"cpu": "800m"}}})
        await it.make_job()
        for _ in range(5):
            await clock.advance(1)
        told = await it.told("Scheduled")
        assert told is not None and told[0] == "False" and "Insufficient cpu" in told[2]
        more = {"status": {"allocatable": {**room, "cpu": "2"}}}
        await it.client.merge(Node.resource, "n1", "", more, subresource="status")
        for _ in range(5):
            await clock.advance(1)
        told = await it.told("Scheduled")
        assert told is not None and told[0] == "True"
        for name in (A, B):
            assert (await it.client.get(Pod, name, "default")).spec.node_name == "n1"
            await it.report(name, "Succeeded")
        assert await it.told("Complete") is not None
