"""The shipped rights: all that the controllers do is granted, and nothing else is.

One story in which the controllers do all that they can, run as the account, under RBAC.
"""

import asyncio
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.kserve import InferenceService
from argosy.api.meta import condition
from argosy.api.modelversion import ModelVersion
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.api.storage import PersistentVolumeClaim
from argosy.api.trainer import TrainingRuntime, TrainJob
from argosy.api.volumebinding import SELECTED_NODE
from argosy.client.client import Client
from argosy.cluster.foreign import Wanted, chosen
from argosy.cluster.manifests import Settings
from argosy.cluster.rights import cluster_rules
from argosy.scheduler.foreigngroups import COSCHEDULING, VOLCANO
from argosy.scheduler.kinds import FOREIGN
from argosy.testing.cluster import Cluster, cluster
from tests.cluster.operatorskit import SYSTEM, AsAccount, Used, grant, granted, operating
from tests.scheduler.builders import (
    claim,
    device_class,
    exactly,
    group,
    node,
    pod_body,
    resource_slice,
    shared_gpu,
)
from tests.scheduler.test_loop import make as make_view
from tests.scheduler.test_loop import make_pod, placed
from tests.scheduler.volumes.kit import claim as volume_claim
from tests.scheduler.volumes.kit import storage, user, volume
from tests.serving.builders import MODEL
from tests.training.builders import runtime_json

Json = dict[str, Any]
ALPHA = "scheduling.k8s.io/v1alpha3=true"
COMPOSITES = "GenericWorkload=true,TopologyAwareWorkloadScheduling=true,CompositePodGroup=true"
REPORT = '{"digest": "sha256:' + "a" * 64 + '", "size": 42}'

CHECKED_ELSEWHERE = {
    ("update", "models.argosy.dev", "modelversions/finalizers"),
    ("update", "serving.kserve.io", "inferenceservices/finalizers"),
    ("update", "trainer.kubeflow.org", "trainjobs/finalizers"),
}
"""By OwnerReferencesPermissionEnforcement, on clusters that have it."""


async def make(running: Cluster, kind: Any, name: str, spec: Json) -> None:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    await running.client.create(kind.resource, body)


async def report(running: Cluster, name: str, **status: Any) -> None:
    """What the node says of a pod, once there is one."""
    await running.until(Pod, name, "default", lambda _: True)
    await running.client.merge(
        Pod.resource, name, "default", {"status": status}, subresource="status"
    )


async def gone(running: Cluster, name: str) -> None:
    async with asyncio.timeout(5):
        while await running.client.find(Pod, name, "default") is not None:
            await asyncio.sleep(0.01)


def is_true(kind: str) -> Any:
    def check(obj: Any) -> bool:
        found = condition(obj.status.conditions, kind)
        return found is not None and found.status == "True"

    return check


async def trained(running: Cluster) -> None:
    """A job that fails once, and then ends well."""
    job = {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}}
    await make(running, TrainingRuntime, "r", runtime_json(nodes=1))
    await make(running, TrainJob, "j", job)
    await report(running, "j-node-0-0-0", phase="Failed")
    await gone(running, "j-node-0-0-0")
    await report(running, "j-node-0-0-1", phase="Running")
    await report(running, "j-node-0-0-1", phase="Succeeded")
    await running.until(TrainJob, "j", "default", is_true("Complete"))


async def registered(running: Cluster) -> None:
    spec = {
        "model": "m",
        "version": "1",
        "storageUri": "pvc://models/1.onnx",
        "modelFormat": {"name": "onnx"},
    }
    await make(running, ModelVersion, "m-1", spec)
    end = {"name": "digest", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    end["state"] = {"terminated": {"exitCode": 0, "message": REPORT}}
    await report(running, "m-1-digest", phase="Succeeded", containerStatuses=[end])
    await running.until(ModelVersion, "m-1", "default", is_true("Ready"))
    await gone(running, "m-1-digest")


async def answers(running: Cluster, ready: str) -> str:
    """The service's newest pod is ready, or not; its name."""
    async with asyncio.timeout(5):
        while not (pods := await serving(running)):
            await asyncio.sleep(0.01)
    told = [{"type": "Ready", "status": ready}]
    await report(running, pods[-1], phase="Running", podIP="127.64.0.1", conditions=told)
    await running.until(
        InferenceService, "s", "default", lambda it: is_true("Ready")(it) == (ready == "True")
    )
    return pods[-1]


async def serving(running: Cluster) -> list[str]:
    listed = (await running.client.list(Pod, "default")).items
    listed.sort(key=lambda pod: int(pod.metadata.resource_version))
    return [pod.metadata.name for pod in listed if "-predictor-" in pod.metadata.name]


async def served(running: Cluster) -> None:
    """A service that is ready twice, so that its event is counted."""
    spec: Json = {"predictor": {"model": {**MODEL, "env": []}}}
    await make(running, InferenceService, "s", spec)
    for ready in ("True", "False", "True"):
        await answers(running, ready)


async def changed(running: Cluster) -> None:
    """The service gets a new pod; the old one goes. The event of readiness is one of before."""
    old = await answers(running, "False")
    spec = {"predictor": {"model": {"env": [{"name": "A", "value": "b"}]}}}
    await running.client.merge(InferenceService.resource, "s", "default", {"spec": spec})
    async with asyncio.timeout(5):
        while len(await serving(running)) < 2:
            await asyncio.sleep(0.01)
    await answers(running, "True")
    await gone(running, old)


async def all_of_it(running: Cluster) -> AsAccount:
    async with operating(running) as (way, _):
        await trained(running)
        await registered(running)
        await served(running)
    async with operating(running, old=True) as (again, _):
        await changed(running)
    again.used |= way.used
    again.refused += way.refused
    return again


async def test_what_is_granted_is_what_is_used() -> None:
    async with cluster() as running:
        given = await grant(running.client)
        way = await all_of_it(running)
    assert way.refused == []
    assert way.used <= given
    assert given - way.used == CHECKED_ELSEWHERE


RARELY = {
    ("patch", "resource.k8s.io", "resourceclaims/binding"),  # checked where a gate is open
    ("get", "", "pods"),  # after a bind that nobody knows the end of
    ("get", "", "persistentvolumes"),  # after a conflict
    ("get", "", "persistentvolumeclaims"),
    ("delete", "", "pods"),  # that have to go for one of higher priority
    ("get", "", "events"),  # of an earlier process
    ("patch", "", "events"),  # told again
}


async def test_what_is_granted_to_the_scheduler_is_what_it_uses() -> None:
    wanted = Wanted(kinds=(), namespace=SYSTEM, scheduler="argosy")
    async with cluster(runtime_config=ALPHA, feature_gates=COMPOSITES) as running:
        client = running.client
        given = await grant(client, settings=Settings(kinds=(), scheduler=True))
        await scheduled(client, node("n1"), device_class(), resource_slice([shared_gpu()]))
        ours = {"schedulerName": "argosy"}
        async with operating(running, wanted=wanted) as (way, _):
            await make_pod(client, "big", requests={"cpu": "1000"}, spec=ours)
            await running.until(Pod, "big", "default", lambda pod: bool(pod.status.conditions))
            await scheduled(client, claim("c", [exactly()]), group("g", 2))
            await make_pod(client, "small", gang="g", claims={"gpu": "c"}, spec=ours)
            await make_pod(client, "other", gang="g", spec=ours)
            await running.until(Pod, "small", "default", placed)
            await running.until(PodGroup, "g", "default", is_true("PodGroupInitiallyScheduled"))
            await scheduled(client, storage(), storage("made", "example.com/disks"))
            await scheduled(client, volume(hostPath={"path": "/d"}), volume_claim("there"))
            await scheduled(client, volume_claim("made", storage="made"))
            volumes = user("stored", "there", "made").spec.volumes
            await make_pod(client, "stored", spec={**ours, "volumes": list(volumes)})
            await running.until(PersistentVolumeClaim, "made", "default", selected)
            for kind in FOREIGN:
                if kind is not CompositePodGroup:
                    await running.define(kind)
            await nested(client, ours)
            placed_as_whole = is_true("CompositePodGroupInitiallyScheduled")
            await running.until(CompositePodGroup, "all", "default", placed_as_whole)
            await labelled(client, "one", {"labels": {COSCHEDULING: "g"}}, ours)
            await labelled(client, "two", {"annotations": {VOLCANO: "g"}}, ours)
            await make_pod(client, "theirs")
        async with operating(running, wanted=wanted, old=True) as (again, _):
            await make_pod(client, "next", spec=ours)
            await running.until(Pod, "next", "default", placed)
            await make_pod(client, "more", gang="one", spec=ours)
            await running.until(Pod, "more", "default", placed)
            theirs = await client.get(Pod, "theirs", "default")
    assert not placed(theirs)
    assert way.refused == again.refused == []
    assert given - way.used - again.used == RARELY


async def nested(client: Client, spec: Json) -> None:
    """Make a group of groups with one pod."""
    part = {"workloadRef": {"workloadName": "w", "templateName": "t"}}
    policy = {"schedulingPolicy": {"gang": {"minGroupCount": 1}}}
    below = {"parentCompositePodGroupName": "all"}
    for kind, name, rest in (
        (CompositePodGroup, "all", policy),
        (PodGroup, "one", {"schedulingPolicy": {"gang": {"minCount": 1}}, **below}),
    ):
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": {**part, **rest}}
        await client.create(kind.resource, body)
    await make_pod(client, "below", gang="one", spec=spec)


async def labelled(client: Client, name: str, words: Json, spec: Json) -> None:
    """Make a pod that names a pod group of others, and wait until it is told of it."""
    body = pod_body(name, spec=spec)
    body["metadata"] = {"name": name, "namespace": "default", **words}
    await client.create(Pod.resource, {**body, "status": {}})
    async with asyncio.timeout(5):
        while not (await client.get(Pod, name, "default")).status.conditions:
            await asyncio.sleep(0.01)


def selected(claim: PersistentVolumeClaim) -> bool:
    return SELECTED_NODE in claim.metadata.annotations


async def scheduled(client: Client, *views: Any) -> None:
    """Make what the scheduler goes by."""
    for view in views:
        await make_view(client, view)


@pytest.mark.parametrize(
    "without",
    [
        ("create", "", "pods"),
        ("patch", "trainer.kubeflow.org", "trainjobs/status"),
        ("watch", "trainer.kubeflow.org", "trainingruntimes"),
        ("create", "scheduling.k8s.io", "podgroups"),
        ("get", "coordination.k8s.io", "leases"),
    ],
)
async def test_without_a_right_something_is_refused(without: Used) -> None:
    async with cluster() as running:
        await grant(running.client, without)
        async with operating(running) as (way, _):
            await make(running, TrainingRuntime, "r", runtime_json(nodes=1))
            job = {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}}
            await make(running, TrainJob, "j", job)
            async with asyncio.timeout(5):
                while without not in way.refused:
                    await asyncio.sleep(0.01)


async def test_a_refused_pod_is_told_by_its_job() -> None:
    async with cluster() as running:
        await grant(running.client, ("create", "", "pods"))
        async with operating(running):
            await make(running, TrainingRuntime, "r", runtime_json(nodes=1))
            job = {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}}
            await make(running, TrainJob, "j", job)

            def told(found: TrainJob) -> bool:
                known = condition(found.status.conditions, "Scheduled")
                return known is not None and 'cannot create resource "pods"' in known.message

            await running.until(TrainJob, "j", "default", told)


@pytest.mark.parametrize("only", ["trainjobs", "modelversions", "inferenceservices"])
def test_one_operator_alone_needs_less(only: str) -> None:
    everything = granted(cluster_rules(chosen(())))
    assert granted(cluster_rules(chosen((only,)))) < everything
