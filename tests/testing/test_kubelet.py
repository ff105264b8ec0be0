"""Tests of the playing kubelet."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.batch import Job
from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.api.replicas import Deployment
from argosy.api.statefulsets import StatefulSet
from argosy.testing.builders import body, deployment, node, pod
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from argosy.testing.kubelet import Kubelet
from argosy.testing.workloads import add_workloads

NEVER: dict[str, Any] = {"spec": {**pod()["spec"], "restartPolicy": "Never"}}


@asynccontextmanager
async def scene(
    make: Callable[[Cluster], Kubelet] = lambda running: Kubelet(running.manager, everywhere=True),
) -> AsyncGenerator[tuple[Cluster, Kubelet], None]:
    async with cluster(clock=FakeClock()) as running:
        kubelet = make(running)
        add_workloads(running.manager, running.plane.resources)
        running.manager.add(kubelet.controller())
        running.start()
        yield running, kubelet


def ready(found: Pod) -> str:
    told = condition(found.status.conditions, "Ready")
    return told.status if told else ""


async def read(running: Cluster, name: str = "pod") -> Pod:
    await running.calm()
    return await running.client.get(Pod, name, "default")


async def test_pods_with_a_node_run() -> None:
    async with scene(lambda running: Kubelet(running.manager)) as (running, _):
        await running.make(Node, node("n"))
        await running.make(Pod, pod())
        found = await read(running)
        assert (found.status.phase, ready(found)) == ("Pending", "")
        await running.client.bind("pod", "default", "n")
        found = await read(running)
        assert (found.status.phase, ready(found)) == ("Running", "True")
        assert found.status.container_statuses[0].ready
        assert found.status.pod_ip.startswith("10.244.")


async def test_each_has_an_address_of_its_own() -> None:
    async with scene() as (running, _):
        await running.make(Deployment, deployment(replicas=30))
        await running.calm()
        pods = (await running.client.list(Pod, "default")).items
        assert len({found.status.pod_ip for found in pods}) == 30
        web = await running.client.get(Deployment, "web", "default")
        assert web.status.ready_replicas == 30


async def test_pods_that_are_not_to_get_ready() -> None:
    def picky(running: Cluster) -> Kubelet:
        return Kubelet(running.manager, everywhere=True, ready=lambda pod: pod.key[1] != "db-1")

    async with scene(picky) as (running, _):
        template = {"metadata": {"labels": {"app": "db"}}, "spec": pod()["spec"]}
        selector = {"matchLabels": {"app": "db"}}
        spec = {"replicas": 3, "selector": selector, "template": template, "serviceName": "db"}
        await running.make(StatefulSet, body("db", spec=spec))
        await running.calm()
        pods = (await running.client.list(Pod, "default")).items
        told = {found.metadata.name: ready(found) for found in pods}
        assert told == {"db-0": "True", "db-1": "False"}


async def test_pods_of_jobs_end_when_told_to() -> None:
    async with scene() as (running, kubelet):
        await running.make(Job, body("job", spec={"template": NEVER, "backoffLimit": 0}))
        await running.calm()
        (found,) = (await running.client.list(Pod, "default")).items
        assert found.status.phase == "Running"
        await kubelet.finish(found, exit_code=3)
        found = await read(running, found.metadata.name)
        ended = found.status.container_statuses[0].state.terminated
        assert (found.status.phase, ready(found)) == ("Failed", "False")
        assert ended is not None and ended.exit_code == 3
        job = await running.client.get(Job, "job", "default")
        assert job.ended is not None and job.ended.type == "Failed"


async def test_pods_of_jobs_end_by_themselves() -> None:
    def quick(running: Cluster) -> Kubelet:
        return Kubelet(running.manager, everywhere=True, finishes=True)

    async with scene(quick) as (running, _):
        await running.make(Pod, pod())
        await running.make(Job, body("job", spec={"template": NEVER, "completions": 3}))
        await running.calm()
        assert (await running.client.get(Job, "job", "default")).status.succeeded == 3
        assert (await read(running)).status.phase == "Running"


async def test_what_is_deleted_goes() -> None:
    async with scene() as (running, _):
        made = await running.make(Pod, pod(nodeName="n"))
        await running.calm()
        await running.client.delete(Pod.resource, "pod", "default")
        await running.calm()
        assert await running.client.find(Pod, made.metadata.name, "default") is None
