"""What the tests of jobs share: a cluster with the controllers, and pods played by hand."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.batch import Job
from argosy.api.core import Event, Pod
from argosy.client.client import Client
from argosy.controllers.jobs.job import jobs
from argosy.controllers.jobs.orphans import job_orphans
from argosy.controllers.jobs.pods import INDEX
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from tests.controllers.kit import controlled

Json = dict[str, Any]


def job_body(
    name: str = "j", *, policy: str = "Never", labels: Json | None = None, **spec: Any
) -> Json:
    """A job as a client writes it; `policy` and `labels` are its pods'."""
    containers = [{"name": "c", "image": "i"}]
    template: Json = {"spec": {"containers": containers, "restartPolicy": policy}}
    template["metadata"] = {"labels": labels or {}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": template, **spec},
    }


@dataclass
class Work:
    """A cluster with jobs in it."""

    client: Client
    clock: FakeClock
    manager: Manager

    async def start(self, name: str = "j", **spec: Any) -> Job:
        """Create a job, and let the controller see it."""
        await self.client.create(Job.resource, job_body(name, **spec))
        return await self.job(name)

    async def job(self, name: str = "j") -> Job:
        """The job, once all is quiet."""
        await self.quiet()
        return await self.client.get(Job, name, "default")

    async def pods(self, *phases: str) -> list[Pod]:
        """The pods, in the phases where some are given; by index, then as they were made."""
        await self.quiet()
        found = (await self.client.list(Pod, "default")).items
        wanted = [pod for pod in found if not phases or pod.status.phase in phases]
        return sorted(wanted, key=_order)

    async def end(self, pod: Pod, phase: str = "Succeeded", **status: Any) -> None:
        """The pod comes to its end."""
        await self.say(pod, phase=phase, **status)

    async def exit(self, pod: Pod, code: int, container: str = "c") -> None:
        """The pod fails, or succeeds, with an exit code; as the node would say it."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        state = {"terminated": {"exitCode": code, "finishedAt": now, "startedAt": now}}
        told = {"name": container, "image": "i", "imageID": "", "ready": False, "restartCount": 0}
        phase = "Failed" if code else "Succeeded"
        await self.say(pod, phase=phase, containerStatuses=[{**told, "state": state}])

    async def say(self, pod: Pod, **status: Any) -> None:
        """The pod's status has this."""
        meta = pod.metadata
        patch = {"status": status}
        await self.client.merge(
            Pod.resource, meta.name, meta.namespace, patch, subresource="status"
        )
        await self.quiet()

    async def change(self, name: str = "j", **spec: Any) -> Job:
        """Change the job's spec."""
        await self.client.merge(Job.resource, name, "default", {"spec": spec})
        return await self.job(name)

    async def gone(self, pod: Pod) -> None:
        """The node has stopped a pod that was deleted."""
        meta = pod.metadata
        await self.client.delete(pod.resource, meta.name, meta.namespace, uid=meta.uid, grace=0)
        await self.quiet()

    async def told(self, kind: str = "Job") -> list[str]:
        """The reasons of all events."""
        await self.quiet()
        return sorted(event.reason for event in (await self.client.list(Event, "default")).items)

    async def quiet(self) -> None:
        """Let all that can be done be done."""
        await settle(200)


def _order(pod: Pod) -> tuple[int, int]:
    index = pod.metadata.annotations.get(INDEX, "0")
    return (int(index), int(pod.metadata.resource_version))


def add_jobs(manager: Manager) -> None:
    """The controllers of jobs."""
    manager.add(jobs(manager))
    manager.add(job_orphans(manager))


@asynccontextmanager
async def working() -> AsyncGenerator[Work, None]:
    """A cluster with the controllers of jobs."""
    async with controlled(add_jobs) as it:
        yield Work(it.client, it.clock, it.manager)


def states(job: Job) -> dict[str, str]:
    """The reasons of the conditions that are true."""
    return {item.type: item.reason for item in job.status.conditions if item.status == "True"}
