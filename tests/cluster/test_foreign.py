"""The platform's controllers on a cluster that may lack their kinds, and several of them."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from argosy.api.core import Pod, Service
from argosy.api.kserve import InferenceService
from argosy.api.leases import Lease
from argosy.api.meta import condition
from argosy.api.modelversion import ModelVersion
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import TrainingRuntime, TrainJob
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.cluster.foreign import LOOK_SECONDS, Foreign, Wanted, chosen, served
from argosy.cluster.rights import NAME
from argosy.http.message import Request, Response
from argosy.scheduler.profiles import Profile, Setup
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import faulty
from tests.scheduler.test_loop import make_node
from tests.training.builders import runtime_json

OFF = ",".join(
    f"{group}=false"
    for group in (
        "trainer.kubeflow.org/v1alpha1",
        "serving.kserve.io/v1beta1",
        "models.argosy.dev/v1alpha1",
    )
)
JOB = {
    "metadata": {"name": "j", "namespace": "default"},
    "spec": {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}},
}
RUNTIME = {"metadata": {"name": "r", "namespace": "default"}, "spec": runtime_json(nodes=2)}


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.01)


class Run:
    """Controllers on a cluster, and what they tell."""

    def __init__(self, client: Client, clock: Clock, *only: str, **more: Any) -> None:
        self.told: list[str] = []
        wanted = Wanted(kinds=chosen(only), **more)
        self._foreign = Foreign(client, clock, wanted, self.told.append)
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Run":
        self.task = asyncio.create_task(self._foreign.run())
        await until(lambda: bool(self.told) or self.ended)
        return self

    @property
    def ended(self) -> bool:
        return self.task is not None and self.task.done()

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def test_nothing_of_the_server_is_needed() -> None:
    """Nor what only the scheduler takes."""
    modules = "foreign, install, uninstall, chart"
    shown = f"from argosy.cluster import {modules}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "argosy.cluster.foreign" in loaded
    assert not loaded & {"argosy.apiserver", "argosy.store", "argosy.cluster.server", "numpy"}


def test_which_operators_there_are() -> None:
    assert [kind.kind for kind in chosen(())] == ["TrainJob", "ModelVersion", "InferenceService"]
    assert chosen(("inferenceservices", "trainjobs")) == (
        TrainJob.resource,
        InferenceService.resource,
    )
    with pytest.raises(ValueError, match="unknown operator 'pods': there are trainjobs, modelv"):
        chosen(("pods",))


async def test_discovery_says_what_is_served() -> None:
    async with cluster(runtime_config=OFF) as running:
        wanted = (PodGroup.resource, TrainJob.resource, ModelVersion.resource)
        assert await served(running.client, wanted) == {PodGroup.resource}
        await running.define(ModelVersion)
        assert await served(running.client, wanted) == {PodGroup.resource, ModelVersion.resource}


async def test_a_kind_that_is_missing_begins_when_it_is_defined() -> None:
    clock = FakeClock()
    async with cluster(runtime_config=OFF) as running:
        async with Run(running.client, clock, "modelversions") as run:
            assert run.told == [
                "running: nothing yet",
                "waiting: the cluster serves no modelversions.models.argosy.dev (v1alpha1)",
                "hint: argosy install brings the definition",
            ]
            await running.define(ModelVersion)
            await clock.advance(LOOK_SECONDS)
            await until(lambda: run.told[-1] == "running: modelversions")
            spec = {
                "model": "m",
                "version": "1",
                "storageUri": "pvc://c/p",
                "modelFormat": {"name": "onnx"},
            }
            meta = {"name": "v", "namespace": "default"}
            await running.client.create(ModelVersion.resource, {"metadata": meta, "spec": spec})
            await running.until(Pod, "v-digest", "default", lambda _: True)
            await running.client.delete(
                CUSTOM_RESOURCE_DEFINITION, "modelversions.models.argosy.dev"
            )


async def test_a_cluster_without_pod_groups_is_told_of_and_jobs_say_so() -> None:
    async with cluster(runtime_config="scheduling.k8s.io/v1beta1=false") as running:
        async with Run(running.client, FakeClock(), "trainjobs") as run:
            assert "warning: trainjobs need podgroups.scheduling.k8s.io (v1beta1)" in run.told[1]
            assert run.told[2] == "hint: its feature gate GenericWorkload must be open"
            await running.client.create(TrainingRuntime.resource, RUNTIME)
            await running.client.create(TrainJob.resource, JOB)

            def told(job: TrainJob) -> bool:
                known = condition(job.status.conditions, "Scheduled")
                return known is not None and known.reason == "PodGroupsNotServed"

            await running.until(TrainJob, "j", "default", told)
            assert not run.ended


async def test_a_server_that_is_away_is_asked_again() -> None:
    clock = FakeClock()
    async with cluster() as running:
        client, transport = faulty(running)

        async def away(_: object) -> None:
            raise ConnectionError("refused")

        async with Run(client, clock, "modelversions") as run:
            transport.fault, before = away, transport.fault
            await clock.advance(2 * LOOK_SECONDS)
            assert run.told[1:] == ["the cluster can't be asked what it serves: refused"]
            transport.fault = before
            await clock.advance(LOOK_SECONDS)
            await until(lambda: run.told[-1] == "the cluster answers again")


async def test_who_cannot_ask_at_the_start_ends() -> None:
    async with cluster() as running:
        client, transport = faulty(running)

        async def away(_: object) -> None:
            raise ConnectionError("refused")

        transport.fault = away
        async with Run(client, FakeClock()) as run:
            assert run.task is not None
            with pytest.raises(ConnectionError, match="refused"):
                await run.task


@dataclass(frozen=True)
class Elsewhere:
    """A web server that is no API server: whatever is asked, this is its answer."""

    body: bytes

    async def send(self, request: Request) -> Response:
        return Response(200, {}, self.body)

    async def close(self) -> None: ...


@pytest.mark.parametrize("body", [b"<html>Welcome", b"{}", b"[]", b'{"resources": [5]}', b"\xff"])
async def test_who_is_no_api_server_is_told_of(body: bytes) -> None:
    with pytest.raises(ConnectionError, match="not the answer of an API server"):
        await served(Client(Elsewhere(body)), (TrainJob.resource,))


async def test_a_door_that_cannot_be_opened_ends_it() -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with taken, cluster() as running:
        async with Run(running.client, FakeClock(), doors=(("127.0.0.1", port),)) as run:
            assert run.task is not None
            with pytest.raises(OSError, match="address already in use"):
                await run.task


async def test_two_instances_without_election_come_to_the_same() -> None:
    clock = FakeClock()
    async with cluster() as running:
        async with Run(running.client, clock) as one, Run(running.client, clock) as two:
            await running.client.create(TrainingRuntime.resource, RUNTIME)
            await running.client.create(TrainJob.resource, JOB)
            for attempt in (0, 1):
                names = [f"j-node-0-{rank}-{attempt}" for rank in (0, 1)]
                for name in names:
                    await running.until(Pod, name, "default", lambda _: True)
                phase = "Failed" if attempt == 0 else "Succeeded"
                for name in names[: 1 + attempt]:
                    patch = {"status": {"phase": phase}}
                    await running.client.merge(
                        Pod.resource, name, "default", patch, subresource="status"
                    )

            def done(job: TrainJob) -> bool:
                known = condition(job.status.conditions, "Complete")
                return known is not None and known.status == "True"

            await running.until(TrainJob, "j", "default", done)
            await settle()
            assert not one.ended and not two.ended
        pods = (await running.client.list(Pod, "default")).items
        assert [pod.metadata.name for pod in pods] == ["j-node-0-0-1", "j-node-0-1-1"]
        groups = (await running.client.list(PodGroup, "default")).items
        assert [group.metadata.name for group in groups] == ["j-1"]
        assert [it.key for it in (await running.client.list(Service)).items] == [("default", "j")]


async def test_of_two_that_stand_for_election_the_second_follows() -> None:
    clock = FakeClock()
    async with cluster() as running:
        two = Run(running.client, clock, namespace="default")
        async with Run(running.client, clock, namespace="default") as one:
            await until_held(running, "")
            await until(lambda: one.told[-1] == "elected")
            first = await holder(running)
            await two.__aenter__()
            await clock.advance(10)
            assert await holder(running) == first
        assert one.told[1:] == ["elected", "no longer elected"]
        await clock.advance(10)
        await until_held(running, first)
        await running.client.create(TrainingRuntime.resource, RUNTIME)
        await running.client.create(TrainJob.resource, JOB)
        await running.until(Pod, "j-node-0-1-0", "default", lambda _: True)
        await two.__aexit__()


async def holder(running: Cluster) -> str:
    """Who holds the lease, if there is one."""
    lease = await running.client.find(Lease, NAME, "default")
    return lease.spec.holder_identity if lease is not None else ""


async def until_held(running: Cluster, before: str) -> None:
    """Wait until somebody else than before does."""
    async with asyncio.timeout(5):
        while await holder(running) in ("", before):
            await asyncio.sleep(0.01)


async def scheduled(running: Cluster, name: str, scheduler: str) -> None:
    """A pod that names the scheduler, once it is on the node."""
    containers = [{"name": "c", "image": "i"}]
    spec = {"schedulerName": scheduler, "containers": containers}
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    await running.client.create(Pod.resource, body)
    await running.until(Pod, name, "default", lambda pod: pod.spec.node_name == "n1")


async def test_the_scheduler_places_pods_of_all_its_profiles() -> None:
    clock = FakeClock()
    async with cluster() as running:
        await make_node(running.client, "n1")
        setup = Setup(profiles=(Profile("one"), Profile("two")))
        more = {"scheduler": "one, two", "setup": setup}
        async with Run(running.client, clock, "modelversions", **more) as run:
            assert run.told == ["running: modelversions, scheduler one, two"]
            for name in ("one", "two"):
                await scheduled(running, name, name)


async def test_the_scheduler_does_without_what_an_older_cluster_lacks() -> None:
    clock = FakeClock()
    without = "scheduling.k8s.io/v1beta1=false"
    async with cluster(runtime_config=without) as running:
        await make_node(running.client, "n1")
        async with Run(running.client, clock, "modelversions", scheduler="argosy") as run:
            assert run.told == [
                "running: modelversions, scheduler argosy",
                "warning: the scheduler does without podgroups.scheduling.k8s.io (v1beta1), which "
                "the cluster does not serve",
            ]
            await scheduled(running, "p", "argosy")
