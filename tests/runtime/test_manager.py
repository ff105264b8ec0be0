"""The manager: one informer a kind, run together with whatever stands on them."""

import asyncio

import pytest

from argosy.api.core import ConfigMap, Pod, Service
from argosy.api.meta import PartialObject
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.runtime.kit import make


async def test_an_informer_is_shared_by_all_who_ask_for_its_kind() -> None:
    async with cluster() as running:
        manager = running.manager
        assert manager.informer(Pod) is manager.informer(Pod)
        metadata = manager.informer(PartialObject, Pod.resource)
        assert metadata is manager.informer(PartialObject, Pod.resource)
        assert metadata is not manager.informer(PartialObject, Service.resource)


async def test_metadata_of_a_kind_can_be_followed_alone() -> None:
    async with cluster(clock=FakeClock()) as running:
        informer = running.manager.informer(PartialObject, ConfigMap.resource)
        await make(running.client, "a")
        running.start()
        await informer.synced.wait()
        found = informer.get("default", "a")
        assert type(found) is PartialObject and found.metadata.name == "a"


async def test_what_is_applied_under_a_name_is_that_names() -> None:
    async with cluster() as running:
        client = running.manager.client_as("tests/me")
        assert client.manager == "tests/me"
        assert client.transport is running.manager.client.transport


async def test_controllers_and_runners_run_until_the_manager_is_cancelled() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.client, clock)
        seen: list[str] = []
        ended = asyncio.Event()

        async def reconcile(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            return DONE

        async def runner() -> None:
            try:
                await clock.sleep(3600)
            finally:
                ended.set()

        configs = manager.informer(ConfigMap)
        manager.add(Controller(name="t", informer=configs, reconcile=reconcile))
        manager.add_runner(runner)
        task = asyncio.create_task(manager.run())
        await make(running.client, "a")
        await settle()
        assert seen == ["a"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()


async def test_a_runner_that_breaks_ends_the_manager() -> None:
    async with cluster(clock=FakeClock()) as running:

        async def broken() -> None:
            raise ValueError("a bug")

        running.manager.informer(ConfigMap)
        running.manager.add_runner(broken)
        with pytest.raises(ExceptionGroup) as caught:
            await running.manager.run()
        assert caught.group_contains(ValueError, match="a bug")
