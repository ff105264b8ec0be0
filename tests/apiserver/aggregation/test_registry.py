"""Tests of who serves what, as it is right now."""

import msgspec
import pytest

from argosy.apiserver.aggregation.registry import PREFIX, Registry
from argosy.store.interface import DELETE
from argosy.store.memory import MemoryStore
from tests.apiserver.aggregation.kit import registration


async def put(store: MemoryStore, place: str, *, local: bool = False, **spec: int) -> None:
    group, version = place.split("/")
    body = registration(group, version, 443, **spec)
    if local:
        del body["spec"]["service"]
    await store.write(f"{PREFIX}{version}.{group}", lambda old, new: msgspec.json.encode(body))


async def names(registry: Registry) -> list[str]:
    return [api.metadata.name for api in registry.all]


async def test_a_route_begins_and_ends_with_a_write() -> None:
    store = MemoryStore()
    registry = Registry(store, {("apps", "v1")})
    assert not registry.present
    await put(store, "a/v1")
    edition = registry.edition
    found = registry.find(("a", "v1"))
    assert found is not None
    assert found.metadata.name == "v1.a"
    await store.write(f"{PREFIX}v1.a", lambda old, new: DELETE)
    assert registry.find(("a", "v1")) is None
    assert registry.edition > edition
    await store.close()


async def test_what_is_served_here_leads_nowhere() -> None:
    store = MemoryStore()
    registry = Registry(store, {("apps", "v1")})
    await put(store, "apps/v1")
    await put(store, "example.com/v1", local=True)
    assert not registry.present
    await put(store, "example.com/v1")
    assert registry.present
    await put(store, "example.com/v1", local=True)
    assert not registry.present
    await store.close()


@pytest.mark.parametrize("compacted", [False, True])
async def test_nothing_is_missed(compacted: bool) -> None:
    store = MemoryStore()
    registry = Registry(store, ())
    assert not registry.present
    for number in range(20):
        await put(store, f"g{number}/v1")
    if compacted:
        store.compact(store.revision)
    assert len(registry.all) == 20
    await store.close()


async def test_groups_and_versions_stand_by_their_priorities() -> None:
    store = MemoryStore()
    registry = Registry(store, ())
    await put(store, "low/v1", groupPriorityMinimum=1)
    await put(store, "two/v1beta1", groupPriorityMinimum=5)
    await put(store, "two/v1", groupPriorityMinimum=900)
    await put(store, "two/v2", groupPriorityMinimum=5, versionPriority=1)
    await put(store, "top/v1", groupPriorityMinimum=901)
    assert await names(registry) == ["v1.top", "v1.two", "v1beta1.two", "v2.two", "v1.low"]
    await store.close()
