"""The cluster of the test kit."""

import asyncio

import pytest

from argosy.api.core import ConfigMap, Namespace, Pod
from argosy.api.modelversion import ModelVersion
from argosy.api.trainer import TrainJob
from argosy.base.errors import StatusError
from argosy.testing.builders import body, pod
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster
from tests.runtime.kit import make


async def test_each_is_fresh_and_has_what_every_cluster_has() -> None:
    for _ in range(2):
        async with cluster() as running:
            assert (await running.client.get(Namespace, "default")).metadata.name == "default"
            assert (await running.client.list(ConfigMap)).items == []
            await make(running.client, "a")


async def test_until_sees_what_is_there_and_what_comes() -> None:
    async with cluster(clock=FakeClock()) as running:
        await make(running.client, "a", v="1")
        found = await running.until(ConfigMap, "a", "default", lambda obj: obj.data["v"] == "1")
        assert found.data == {"v": "1"}
        later = asyncio.create_task(
            running.until(ConfigMap, "a", "default", lambda obj: obj.data["v"] == "3")
        )
        for value in ("2", "3"):
            await asyncio.sleep(0)
            patch = {"data": {"v": value}}
            await running.client.merge(ConfigMap.resource, "a", "default", patch)
        assert (await later).data == {"v": "3"}


async def test_until_fails_in_time() -> None:
    async with cluster() as running:
        with pytest.raises(TimeoutError):
            await running.until(ConfigMap, "a", "default", lambda obj: True, timeout=0.01)


async def test_a_manager_that_breaks_fails_the_test() -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        async with cluster() as running:
            running.manager.add_runner(broken)
            running.start()
            await asyncio.sleep(0.01)
    assert caught.group_contains(ValueError)


async def test_versions_are_switched_off() -> None:
    off = "trainer.kubeflow.org/v1alpha1=false"
    async with cluster(runtime_config=off) as running:
        assert (await running.client.list(ModelVersion)).items == []
        with pytest.raises(StatusError, match="could not find"):
            await running.client.list(TrainJob)


async def test_kinds_are_defined_and_objects_made() -> None:
    async with cluster(runtime_config="models.argosy.dev/v1alpha1=false") as running:
        await running.define(ModelVersion)
        spec = {
            "model": "m",
            "version": "1",
            "storageUri": "pvc://claim/path",
            "modelFormat": {"name": "onnx"},
        }
        made = await running.make(ModelVersion, body("m", spec=spec, status={"size": 3}))
        assert (made.spec.model, made.status.size) == ("m", 3)


async def test_calm_is_when_nothing_is_written_any_more() -> None:
    async with cluster(clock=FakeClock()) as running:

        async def slow() -> None:
            for number in range(20):
                for _ in range(50):
                    await asyncio.sleep(0)
                await make(running.client, f"c-{number}")

        task = asyncio.create_task(slow())
        await running.calm()
        assert len((await running.client.list(ConfigMap)).items) == 20
        await task


async def test_calm_fails_where_it_never_comes() -> None:
    async with cluster(clock=FakeClock()) as running:
        await running.make(Pod, pod())

        async def restless() -> None:
            for number in range(100_000):
                await asyncio.sleep(0)
                meta = {"annotations": {"n": str(number)}}
                await running.client.merge(Pod.resource, "pod", "default", {"metadata": meta})

        task = asyncio.create_task(restless())
        with pytest.raises(TimeoutError):
            await running.calm(timeout=0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
