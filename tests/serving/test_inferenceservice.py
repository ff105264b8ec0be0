"""InferenceServices on a whole API server; the tests play the node's part."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Event, Pod, Service
from argosy.api.kserve import InferenceService
from argosy.api.meta import condition
from argosy.api.modelversion import ModelVersion
from argosy.client.client import Client
from argosy.serving.inferenceservice import inference_services
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.serving.builders import DIGEST, MODEL

Json = dict[str, Any]


@dataclass
class Scene:
    """A cluster whose InferenceServices are served."""

    client: Client
    clock: FakeClock

    async def make_service(self, name: str = "s", **model: Any) -> None:
        spec = {"predictor": {"model": {**MODEL, **model}}}
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        await self.client.create(InferenceService.resource, body)
        await settle()

    async def register(self, version: str = "1", digest: str = DIGEST) -> None:
        """A model version with its content known."""
        name = f"m-{version}"
        spec = {
            "model": "m",
            "version": version,
            "storageUri": f"pvc://models/{version}.onnx",
            "modelFormat": {"name": "onnx"},
        }
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        await self.client.create(ModelVersion.resource, body)
        patch = {"status": {"digest": digest}}
        await self.client.merge(ModelVersion.resource, name, "default", patch, subresource="status")
        await settle()

    async def pods(self) -> list[str]:
        await settle()
        return [pod.metadata.name for pod in (await self.client.list(Pod, "default")).items]

    async def report(self, name: str, **status: Any) -> None:
        patch = {"status": status}
        await self.client.merge(Pod.resource, name, "default", patch, subresource="status")
        await settle()

    async def answers(self, name: str, ip: str) -> None:
        ready = [{"type": "Ready", "status": "True"}]
        await self.report(name, phase="Running", podIP=ip, conditions=ready)

    async def service(self, name: str = "s") -> InferenceService:
        await settle()
        return await self.client.get(InferenceService, name, "default")

    async def told(self, name: str = "s") -> tuple[str, str, str]:
        found = condition((await self.service(name)).status.conditions, "Ready")
        assert found is not None
        return (found.status, found.reason, found.message)


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        running.manager.add(inference_services(running.manager))
        running.start()
        await settle()
        yield Scene(running.client, clock)


async def test_from_a_missing_version_to_answering() -> None:
    async with scene() as it:
        await it.make_service()
        assert (await it.told())[:2] == ("False", "ModelNotFound")
        assert await it.pods() == []
        await it.register()
        [name] = await it.pods()
        assert (await it.told())[:2] == ("False", "Loading")
        await it.answers(name, "10.0.0.5")
        assert (await it.told())[0] == "True"
        found = await it.service()
        assert found.status.url == "http://10.0.0.5:8080"
        assert found.status.model_status.transition_status == "UpToDate"
        assert await it.client.get(Service, "s-predictor", "default")
        reasons = sorted(item.reason for item in (await it.client.list(Event)).items)
        assert reasons == ["InferenceServiceReady", "ModelNotFound"]


async def test_another_version_takes_over_when_it_answers() -> None:
    async with scene() as it:
        await it.register("1")
        await it.register("2", "sha256:" + "b" * 64)
        await it.make_service()
        [old] = await it.pods()
        await it.answers(old, "10.0.0.1")
        model = {"model": {**MODEL, "storageUri": "model-registry://m/2"}}
        patch = {"spec": {"predictor": model}}
        await it.client.merge(InferenceService.resource, "s", "default", patch)
        names = await it.pods()
        assert old in names and len(names) == 2
        assert (await it.service()).status.url == "http://10.0.0.1:8080"
        [new] = set(names) - {old}
        await it.answers(new, "10.0.0.2")
        assert await it.pods() == [new]
        assert (await it.service()).status.url == "http://10.0.0.2:8080"


async def test_a_pod_that_goes_or_ends_comes_back() -> None:
    async with scene() as it:
        await it.register()
        await it.make_service()
        [name] = await it.pods()
        first = await it.client.get(Pod, name, "default")
        await it.client.delete(Pod.resource, name, "default", grace=0)
        second = await it.client.get(Pod, (await it.pods())[0], "default")
        assert second.metadata.uid != first.metadata.uid
        await it.report(name, phase="Failed", message="refused by the node")
        assert (await it.client.get(Pod, name, "default")).metadata.uid == second.metadata.uid
        await it.clock.advance(11)
        third = await it.client.get(Pod, name, "default")
        assert third.metadata.uid != second.metadata.uid
        assert third.status.phase == "Pending"


async def test_a_load_failure_is_shown_with_its_exit_code() -> None:
    async with scene() as it:
        await it.register()
        await it.make_service()
        [name] = await it.pods()
        end = {"terminated": {"exitCode": 3, "message": "another digest"}}
        status = {"name": "kserve-container", "ready": False, "restartCount": 1}
        known = {"image": "host", "imageID": "", "state": end}
        await it.report(name, containerStatuses=[{**status, **known}])
        assert await it.told() == ("False", "ModelLoadFailed", "another digest")
        failure = (await it.service()).status.model_status.last_failure_info
        assert failure is not None and failure.exit_code == 3


async def test_what_the_api_refuses_is_told_and_is_no_hot_loop() -> None:
    async with scene() as it:
        await it.register()
        await it.make_service("s" * 60)
        told = await it.told("s" * 60)
        assert told[:2] == ("False", "FailedCreate") and "is invalid" in told[2]
        before = (await it.service("s" * 60)).metadata.resource_version
        await it.clock.advance(600)
        assert (await it.service("s" * 60)).metadata.resource_version == before
        assert [item.count for item in (await it.client.list(Event)).items] == [1]


async def test_it_rests_when_there_is_nothing_to_do() -> None:
    async with scene() as it:
        await it.register()
        await it.make_service()
        [name] = await it.pods()
        await it.answers(name, "10.0.0.1")
        await it.clock.advance(1)
        before = (await it.client.list(Pod)).metadata.resource_version
        await it.clock.advance(3600)
        assert (await it.client.list(Pod)).metadata.resource_version == before


async def test_the_first_of_versions_with_one_address_is_served() -> None:
    async with scene() as it:
        await it.make_service()
        await it.register()
        spec: Json = {
            "model": "m",
            "version": "1",
            "storageUri": "pvc://models/other.onnx",
            "modelFormat": {"name": "onnx"},
        }
        body = {"metadata": {"name": "z", "namespace": "default"}, "spec": spec}
        before = await it.pods()
        await it.client.create(ModelVersion.resource, body)
        assert await it.pods() == before
