"""The cluster of the test kit."""

import asyncio

import pytest

from argosy.api.core import ConfigMap, Namespace
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
