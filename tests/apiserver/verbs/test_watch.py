"""watch: what happens, as it happens, to whom it concerns."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from argosy.testing.clock import FakeClock
from tests.apiserver.kit import MERGE, TABLE, Api, binding, body, path, serving

Json = dict[str, Any]
Events = AsyncGenerator[Json, None]

MAPS = path("ConfigMap")
MAP = path("ConfigMap", "it")
PATIENCE = 1.0


async def nexts(events: Events, count: int) -> list[Json]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(events) for _ in range(count)]


async def told(events: Events, count: int) -> list[tuple[str, str]]:
    """The next events: what happened, and to whom."""
    return [
        (event["type"], event["object"]["metadata"]["name"]) for event in await nexts(events, count)
    ]


async def ended(events: Events) -> bool:
    async with asyncio.timeout(PATIENCE):
        return await anext(events, None) is None


def labelled(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": labels}}


async def merge(api: Api, where: str, sent: Json) -> Json:
    changed: Json = (await api.ask("PATCH", where, sent, kind=MERGE)).body
    return changed


async def test_a_life_from_a_version_on(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch(MAPS, resourceVersion=since)
    created = await api.create("ConfigMap")
    changed = await merge(api, MAP, {"data": {"color": "blue"}})
    await api.ask("DELETE", MAP)

    added, modified, deleted = await nexts(events, 3)
    await events.aclose()

    assert added == {"type": "ADDED", "object": created.body}
    assert modified == {"type": "MODIFIED", "object": changed}
    assert deleted["type"] == "DELETED"
    last = deleted["object"]["metadata"]
    assert int(last["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])
    assert deleted["object"]["data"] == {"color": "blue"}


async def test_a_watch_goes_on_from_where_another_ended(api: Api) -> None:
    await api.create("ConfigMap", labelled("a"))
    b = await api.create("ConfigMap", labelled("b"))
    await api.create("ConfigMap", labelled("c"))
    async with aclosing(api.watch(MAPS, resourceVersion=b.version)) as events:
        assert await told(events, 1) == [("ADDED", "c")]


async def test_the_version_of_a_delete_is_one_to_go_on_from(api: Api) -> None:
    since = (await api.create("ConfigMap")).version
    await api.ask("DELETE", MAP)
    async with aclosing(api.watch(MAPS, resourceVersion=since)) as events:
        (deleted,) = await nexts(events, 1)
    await api.create("ConfigMap", labelled("next"))

    later = deleted["object"]["metadata"]["resourceVersion"]
    async with aclosing(api.watch(MAPS, resourceVersion=later)) as events:
        assert await told(events, 1) == [("ADDED", "next")]


@pytest.mark.parametrize("version", [None, "", "0"])
async def test_a_watch_from_nowhere_begins_with_what_there_is(
    api: Api, version: str | None
) -> None:
    await api.create("ConfigMap", labelled("a"))
    query = {} if version is None else {"resourceVersion": version}
    async with aclosing(api.watch(MAPS, **query)) as events:
        assert await told(events, 1) == [("ADDED", "a")]
        await api.create("ConfigMap", labelled("b"))
        assert await told(events, 1) == [("ADDED", "b")]


async def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    created = await api.create("ConfigMap")
    query = {
        "sendInitialEvents": "true",
        "allowWatchBookmarks": "true",
        "resourceVersionMatch": "NotOlderThan",
    }
    async with aclosing(api.watch(MAPS, **query)) as events:
        added, bookmark = await nexts(events, 2)
        await api.create("ConfigMap", labelled("b"))
        later = await told(events, 1)

    assert added == {"type": "ADDED", "object": created.body}
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["kind"] == "ConfigMap"
    assert bookmark["object"]["apiVersion"] == "v1"
    meta = bookmark["object"]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert meta["resourceVersion"] == created.version
    assert later == [("ADDED", "b")]


async def test_a_quiet_watch_is_told_how_far_it_has_come(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.apiserver.verbs.watch.BOOKMARK_SECONDS", 0.01)
    since = (await api.get(MAPS)).version
    other = await api.create("Namespace")
    query = {"resourceVersion": since, "allowWatchBookmarks": "true"}
    async with aclosing(api.watch(MAPS, **query)) as events:
        (bookmark,) = await nexts(events, 1)
    meta = bookmark["object"]["metadata"]
    assert bookmark["type"] == "BOOKMARK" and "annotations" not in meta
    assert meta["resourceVersion"] == other.version


async def test_no_initial_events_where_none_are_wanted(api: Api) -> None:
    await api.create("ConfigMap", labelled("a"))
    query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}
    async with aclosing(api.watch(MAPS, **query)) as events:
        first = asyncio.create_task(told(events, 1))
        await asyncio.sleep(0)
        await api.create("ConfigMap", labelled("b"))
        assert await first == [("ADDED", "b")]


async def test_what_comes_to_match_is_added_and_what_ceases_to_is_deleted(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch(MAPS, resourceVersion=since, labelSelector="color=red")
    await api.create("ConfigMap", labelled("it", color="blue"))
    await merge(api, MAP, labelled("it", color="red"))
    await merge(api, MAP, labelled("it", color="red", size="big"))
    left = await merge(api, MAP, labelled("it", color="blue"))
    await merge(api, MAP, labelled("it", color="green"))
    await merge(api, MAP, labelled("it", color="red"))
    await api.ask("DELETE", MAP)

    seen = await nexts(events, 5)
    await events.aclose()

    assert [event["type"] for event in seen] == [
        "ADDED",
        "MODIFIED",
        "DELETED",
        "ADDED",
        "DELETED",
    ]
    assert seen[2]["object"]["metadata"]["resourceVersion"] == left["metadata"]["resourceVersion"]


async def test_fields_select_too(api: Api) -> None:
    since = (await api.get(path("Pod"))).version
    events = api.watch(path("Pod"), resourceVersion=since, fieldSelector="spec.nodeName=here")
    await api.create("Pod", body("Pod", "a"))
    await api.create("Pod", body("Pod", "b"))
    await api.ask("POST", path("Pod", "b", "binding"), binding("b"))

    assert await told(events, 1) == [("ADDED", "b")]
    await events.aclose()


@pytest.mark.parametrize("kind", ["ConfigMap", "Node"])
async def test_one_object_may_be_watched(api: Api, kind: str) -> None:
    async with aclosing(api.watch(path(kind, "it"), resourceVersion="")) as events:
        first = asyncio.create_task(told(events, 2))
        await asyncio.sleep(0)
        await api.create(kind, body(kind, "it-not"))
        await api.create(kind)
        await api.ask("DELETE", path(kind, "it"))

        assert await first == [("ADDED", "it"), ("DELETED", "it")]


async def test_a_watch_is_of_its_kind_and_namespace(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch(MAPS, resourceVersion=since)
    await api.create("Pod")
    await api.ask("POST", path("ConfigMap", namespace="kube-system"), labelled("other"))
    await api.create("ConfigMap")

    assert await told(events, 1) == [("ADDED", "it")]
    await events.aclose()


async def test_all_namespaces_may_be_watched(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch("/api/v1/configmaps", resourceVersion=since)
    await api.ask("POST", path("ConfigMap", namespace="kube-system"), labelled("other"))
    await api.create("ConfigMap")

    assert await told(events, 2) == [("ADDED", "other"), ("ADDED", "it")]
    await events.aclose()


async def test_history_that_is_gone_is_told_of(api: Api) -> None:
    old = await api.create("ConfigMap")
    for color in ("blue", "green"):
        await merge(api, MAP, {"data": {"color": color}})
    store: Any = api.cluster.plane.server._objects
    store = store.store
    store.compact(store.revision)

    events = api.watch(MAPS, resourceVersion=old.version)
    (event,) = await nexts(events, 1)

    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert f"too old resource version: {old.version}" in status["message"]
    assert await ended(events)


@pytest.mark.parametrize("version", ["abc", "-1", "9" * 5000])
async def test_versions_that_are_none(api: Api, version: str) -> None:
    assert (await api.get(MAPS, watch="1", resourceVersion=version)).status == 400


@pytest.mark.parametrize("seconds", ["soon", "-1", "9" * 5000])
async def test_times_that_are_none(api: Api, seconds: str) -> None:
    assert (await api.get(MAPS, watch="1", timeoutSeconds=seconds)).status == 400


async def test_a_version_from_the_future_is_refused(api: Api) -> None:
    answer = await api.get(MAPS, watch="1", resourceVersion="999999")

    assert (answer.status, answer.body["reason"]) == (504, "Timeout")


@pytest.mark.parametrize("flag", ["1", "true", "True", ""])
async def test_ways_to_say_watch(api: Api, flag: str) -> None:
    assert (await api.get(MAPS, watch=flag)).body == {}  # a stream


@pytest.mark.parametrize("flag", ["0", "false", "False"])
async def test_ways_not_to(api: Api, flag: str) -> None:
    assert (await api.get(MAPS, watch=flag)).body["kind"] == "ConfigMapList"


async def test_a_watch_ends_when_its_time_is_up() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        events = api.watch(MAPS, timeoutSeconds="5")
        first = asyncio.create_task(told(events, 1))
        await asyncio.sleep(0)
        await clock.advance(5)
        await api.create("ConfigMap")

        assert await first == [("ADDED", "it")]
        assert await ended(events)


async def test_a_watch_ends_with_the_server(api: Api) -> None:
    events = api.watch(MAPS)
    end = asyncio.create_task(ended(events))
    await asyncio.sleep(0)
    store: Any = api.cluster.plane.server._objects
    await store.store.close()

    assert await end


async def test_many_watch_the_same(api: Api) -> None:
    since = (await api.get(MAPS)).version
    watches = [api.watch(MAPS, resourceVersion=since) for _ in range(10)]
    for i in range(5):
        await api.create("ConfigMap", labelled(f"m{i}"))

    for events in watches:
        assert await told(events, 5) == [("ADDED", f"m{i}") for i in range(5)]
        await events.aclose()


async def test_a_watch_may_come_as_tables(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch(MAPS, accept=TABLE, resourceVersion=since)
    await api.create("ConfigMap", body("ConfigMap", "a"))
    await api.create("ConfigMap", body("ConfigMap", "b"))
    await api.ask("DELETE", path("ConfigMap", "a"))

    seen = await nexts(events, 3)
    await events.aclose()

    assert [event["type"] for event in seen] == ["ADDED", "ADDED", "DELETED"]
    assert {event["object"]["kind"] for event in seen} == {"Table"}
    assert [event["object"]["rows"][0]["cells"][0] for event in seen] == ["a", "b", "a"]
    heads = [len(event["object"]["columnDefinitions"] or ()) for event in seen]
    assert heads == [3, 0, 0]  # kubectl prints the head once


async def test_a_watcher_that_reads_late_misses_nothing(api: Api) -> None:
    since = (await api.get(MAPS)).version
    events = api.watch(MAPS, resourceVersion=since)
    await api.create("ConfigMap")
    assert await told(events, 1) == [("ADDED", "it")]
    for i in range(100):
        await merge(api, MAP, {"data": {"n": str(i)}})

    numbers = [event["object"]["data"]["n"] for event in await nexts(events, 100)]
    await events.aclose()
    assert numbers == [str(i) for i in range(100)]
