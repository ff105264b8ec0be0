"""A quota's status is mended where it says what is not so."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from argosy.api.resource import Resource
from argosy.api.resources.core import CONFIG_MAP, POD, RESOURCE_QUOTA
from argosy.controllers.resourcequotas import RECOUNT_SECONDS, ResourceQuota, resource_quotas
from argosy.store.interface import Record
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.controllers.kit import Json

INSIDE: tuple[Resource, ...] = (CONFIG_MAP, POD)
CONTAINERS = {"containers": [{"name": "a", "image": "x"}]}


@asynccontextmanager
async def counting(hard: Json, **spec: object) -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """A cluster with a quota, and one pod that was there before it."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        running.manager.add(resource_quotas(running.manager, INSIDE))
        running.start()
        await settle()
        meta = {"name": "q", "namespace": "default"}
        pod = {"metadata": {**meta, "name": "pod"}, "spec": CONTAINERS}
        await running.client.create(POD, pod)
        quota = {"metadata": meta, "spec": {"hard": hard, **spec}}
        await running.client.create(RESOURCE_QUOTA, quota)
        await settle()
        yield running, clock


async def status(running: Cluster) -> Json:
    await settle()
    return (await running.client.get(ResourceQuota, "q", "default")).status


async def lie(running: Cluster, used: Json) -> None:
    """Something else stands in the store than any write by way of admission would leave there."""

    def change(record: Record | None, revision: int) -> bytes:
        assert record is not None
        quota = json.loads(record.value)
        quota["metadata"]["resourceVersion"] = str(revision)
        quota["status"] = {"hard": quota["spec"]["hard"], "used": used}
        return json.dumps(quota).encode()

    store = running.plane.server._objects.store
    await store.write(RESOURCE_QUOTA.key("default", "q"), change)
    await settle()


@pytest.mark.parametrize(
    ("spec", "number"), [({}, "1"), ({"scopes": ["BestEffort"]}, "1"), ({"scopes": []}, "1")]
)
async def test_a_lie_is_found_after_a_while(spec: Json, number: str) -> None:
    async with counting({"pods": "3"}, **spec) as (running, clock):
        right = {"hard": {"pods": "3"}, "used": {"pods": number}}
        assert await status(running) == right
        await lie(running, {"pods": "7", "cpu": "1"})
        assert (await status(running))["used"] == {"pods": "7", "cpu": "1"}
        await clock.advance(RECOUNT_SECONDS + 1)
        assert await status(running) == right


async def test_what_is_outside_of_the_scope_does_not_count() -> None:
    async with counting({"pods": "3"}, scopes=["NotBestEffort"]) as (running, clock):
        await lie(running, {"pods": "1"})
        await clock.advance(RECOUNT_SECONDS + 1)
        assert (await status(running))["used"] == {"pods": "0"}


async def test_what_is_unknown_counts_nothing() -> None:
    async with counting({"count/robots.example.com": "3"}) as (running, _):
        assert (await status(running))["used"] == {"count/robots.example.com": "0"}
