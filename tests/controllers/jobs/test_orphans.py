"""Pods that no job will count lose what holds them; others keep it."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.base.errors import StatusError, conflict
from argosy.controllers.jobs.orphans import let_go
from argosy.controllers.jobs.pods import FINALIZER
from argosy.http.message import Request, Response
from tests.controllers.jobs.kit import Work, working
from tests.runtime.kit import Faulty

Json = dict[str, Any]


async def make_pod(it: Work, owner: Json | None) -> list[str]:
    """The finalizers that a pod of this owner keeps."""
    meta = {
        "name": "alone",
        "namespace": "default",
        "finalizers": [FINALIZER, "a.example/b"],
        "ownerReferences": [owner] if owner else [],
    }
    spec = {"containers": [{"name": "c", "image": "i"}]}
    await it.client.create(Pod.resource, {"metadata": meta, "spec": spec})
    await it.quiet()
    return list((await it.client.get(Pod, "alone", "default")).metadata.finalizers)


def owner(kind: str, uid: str, api: str = "batch/v1") -> Json:
    return {"apiVersion": api, "kind": kind, "name": "j", "uid": uid, "controller": True}


@pytest.mark.parametrize(
    ("reference", "held"),
    [
        (None, False),
        (owner("Job", "nobody"), False),
        (owner("Job", "nobody", "example.com/v1"), True),
        (owner("Other", "nobody"), True),
    ],
)
async def test_owners_that_are_not_there(reference: Json | None, held: bool) -> None:
    async with working() as it:
        kept = [FINALIZER] * held + ["a.example/b"]
        assert await make_pod(it, reference) == kept


@pytest.mark.parametrize("managed", [True, False])
async def test_of_a_job_that_goes_on_or_is_somebody_elses(managed: bool) -> None:
    async with working() as it:
        spec = {"managedBy": "example.com/other"} if managed else {"suspend": False}
        job = await it.start(**spec)
        reference = owner("Job", job.metadata.uid)
        if managed:
            assert FINALIZER in await make_pod(it, reference)
        else:
            assert all(FINALIZER in pod.metadata.finalizers for pod in await it.pods())


async def test_of_a_job_that_is_over() -> None:
    async with working() as it:
        job = await it.start(completions=0)
        assert await make_pod(it, owner("Job", job.metadata.uid)) == ["a.example/b"]


async def test_a_conflict_is_not_the_end_of_a_pod() -> None:
    async with working() as it:
        await it.start()
        (pod,) = await it.pods()

        async def stormy(request: Request) -> Response | None:
            if request.method != "PATCH":
                return None
            error = conflict("pods", pod.metadata.name, "the object has been modified")
            return Response(409, {}, msgspec.json.encode(error.status()))

        client = replace(it.client, transport=Faulty(it.client.transport, stormy))
        with pytest.raises(StatusError, match="modified"):
            await let_go(client, pod)
        meta = msgspec.structs.replace(pod.metadata, uid="another")
        assert await let_go(client, msgspec.structs.replace(pod, metadata=meta)) is None
        assert await let_go(it.client, pod) is not None


async def test_a_job_that_is_deleted_with_its_pods() -> None:
    async with working() as it:
        job = await it.start(parallelism=2)
        await it.client.delete(Job.resource, "j", "default", propagation="Background")
        await it.quiet()
        assert await it.client.find(Job, "j", "default") is None
        for pod in await it.pods():
            assert pod.metadata.finalizers == ()
            assert pod.controller is not None and pod.controller.uid == job.metadata.uid
