"""Pod groups go with their last pod."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Pod
from argosy.api.scheduling import PodGroup
from argosy.controllers.podgroupprotection import pod_group_protection
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]


@asynccontextmanager
async def protecting() -> AsyncGenerator[Scene, None]:
    async with controlled(
        lambda manager: manager.add(pod_group_protection(manager, PodGroup.resource)),
        protected=True,
    ) as it:
        body = {
            "metadata": {"name": "g", "namespace": "default"},
            "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}},
        }
        await it.client.create(PodGroup.resource, body)
        for name in ("p", "q"):
            spec = {
                "containers": [{"name": "c", "image": "i"}],
                "schedulingGroup": {"podGroupName": "g"},
            }
            meta = {"name": name, "namespace": "default"}
            await it.client.create(Pod.resource, {"metadata": meta, "spec": spec})
        await settle()
        yield it


async def gone(it: Scene) -> bool:
    await settle()
    return await it.client.find(PodGroup, "g", "default") is None


async def test_a_group_waits_for_its_pods_to_end_or_go() -> None:
    async with protecting() as it:
        await it.client.delete(PodGroup.resource, "g", "default")
        assert not await gone(it)
        await it.end("p", "Failed")
        assert not await gone(it)
        await it.client.delete(Pod.resource, "q", "default", grace=0)
        assert await gone(it)


async def test_a_group_of_ended_pods_goes_at_once() -> None:
    async with protecting() as it:
        for name in ("p", "q"):
            await it.end(name)
        await it.client.delete(PodGroup.resource, "g", "default")
        assert await gone(it)


async def test_a_group_may_be_freed_by_hand() -> None:
    async with protecting() as it:
        free = {"metadata": {"finalizers": None}}
        await it.client.merge(PodGroup.resource, "g", "default", free)
        await settle()
        await it.client.delete(PodGroup.resource, "g", "default")
        assert await gone(it)
