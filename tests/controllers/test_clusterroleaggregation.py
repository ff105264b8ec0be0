"""Aggregated cluster roles: they have the rules of those that they choose, and follow them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.rbac import ClusterRole
from argosy.controllers.clusterroleaggregation import cluster_role_aggregation
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
RESOURCE = ClusterRole.resource
CHOSEN: Json = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}


@asynccontextmanager
async def aggregating() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(cluster_role_aggregation(manager))) as it:
        yield it


def rule(resource: str) -> Json:
    return {"verbs": ["get"], "apiGroups": [""], "resources": [resource]}


def role(name: str, *resources: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": labels}, "rules": list(map(rule, resources))}


async def rules(it: Scene, name: str) -> list[Json]:
    await settle()
    return (await it.client.get(ClusterRole, name)).rules or []


async def test_the_rules_follow_those_that_are_chosen() -> None:
    async with aggregating() as it:
        whole = {"metadata": {"name": "all"}, "aggregationRule": CHOSEN, "rules": [rule("nodes")]}
        await it.client.create(RESOURCE, whole)
        assert await rules(it, "all") == []
        await it.client.create(RESOURCE, role("b", "pods", "secrets", to="all"))
        await it.client.create(RESOURCE, role("a", "events", "pods", to="all"))
        await it.client.create(RESOURCE, role("c", "services", to="none"))
        assert await rules(it, "all") == [rule("events"), rule("pods"), rule("secrets")]
        await it.client.merge(RESOURCE, "c", "", {"metadata": {"labels": {"to": "all"}}})
        await it.client.delete(RESOURCE, "b")
        assert await rules(it, "all") == [rule("events"), rule("pods"), rule("services")]


async def test_what_is_gathered_may_be_gathered_again() -> None:
    async with aggregating() as it:
        outer = {"clusterRoleSelectors": [{"matchLabels": {"outer": "yes"}}]}
        await it.client.create(RESOURCE, {**role("outer"), "aggregationRule": outer})
        inner = {**role("inner", outer="yes"), "aggregationRule": CHOSEN}
        await it.client.create(RESOURCE, inner)
        await it.client.create(RESOURCE, role("leaf", "pods", to="all"))
        assert await rules(it, "inner") == [rule("pods")]
        assert await rules(it, "outer") == [rule("pods")]


async def test_others_are_left_alone() -> None:
    async with aggregating() as it:
        made = await it.client.create(RESOURCE, role("plain", "pods", to="all"))
        await it.client.create(RESOURCE, role("other", "pods", to="all"))
        await settle()
        found = await it.client.get(ClusterRole, "plain")
        assert found.metadata.resource_version == made["metadata"]["resourceVersion"]
