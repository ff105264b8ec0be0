"""Tests of kinds whose versions a webhook converts: reads, writes, watches, apply."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.resource import Resource
from tests.apiserver.extensions.converter import (
    DEFINITIONS,
    NAME,
    V1,
    V2,
    converting,
    create,
    restored,
    review,
    turned,
)
from tests.apiserver.kit import MERGE, Api

WIDGETS = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")


def stored(api: Api, name: str = "a") -> dict[str, Any]:
    """An object as it lies in the store."""
    store = api.cluster.plane.server._objects.store
    record = store.get(WIDGETS.key("default", name))
    assert record is not None
    found: dict[str, Any] = msgspec.json.decode(record.value)
    return found


async def test_an_object_is_had_in_both_versions(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        made = await create(api)
        assert (await api.get(f"{V1}/a")).body["spec"] == {"hostPort": "a:1"}
        assert hook.asked == []
        found = await api.get(f"{V2}/a")
        assert (found.status, found.body["apiVersion"]) == (200, "example.com/v2")
        assert found.body["spec"] == {"host": "a", "port": "1"}
        assert found.body["metadata"] == made.body["metadata"]
        asked = hook.asked[0]["request"]
        assert asked["desiredAPIVersion"] == "example.com/v2"
        assert asked["objects"] == [made.body]
        assert (await api.get(f"{V2}/a")).body == found.body
        assert (await api.table(V2)).body["rows"][0]["cells"][0] == "a"
        assert len(hook.asked) == 1


async def test_what_is_written_in_another_version_is_stored_in_that_of_the_store(
    tmp_path: Path,
) -> None:
    async with converting(tmp_path) as (api, hook):
        made = await create(api, where=V2, host="b", port="2")
        assert made.body["spec"] == {"host": "b", "port": "2"}
        inside = stored(api)
        assert (inside["apiVersion"], inside["spec"]) == ("example.com/v1", {"hostPort": "b:2"})
        assert inside["metadata"] == made.body["metadata"]
        assert "resourceVersion" not in hook.asked[0]["request"]["objects"][0]["metadata"]
        asked = len(hook.asked)
        assert (await api.get(f"{V2}/a")).body == made.body
        assert len(hook.asked) == asked
        sent = {**made.body, "spec": {"host": "c", "port": "3"}}
        put = await api.ask("PUT", f"{V2}/a", sent)
        assert (put.status, put.body["spec"], put.meta["generation"]) == (200, sent["spec"], 2)
        patch = {"spec": {"port": "4"}}
        patched = await api.ask("PATCH", f"{V2}/a", patch, kind=MERGE)
        assert (patched.status, stored(api)["spec"]) == (200, {"hostPort": "c:4"})
        assert patched.version == stored(api)["metadata"]["resourceVersion"]
        gone = await api.ask("DELETE", f"{V2}/a")
        assert gone.status == 200
        assert (await api.get(f"{V1}/a")).status == 404


async def test_a_list_is_asked_about_in_one_question_and_once(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        for at in range(7):
            await create(api, f"w{at}", hostPort=f"h{at}:1")
        listed = await api.get(V2)
        assert [item["spec"]["host"] for item in listed.body["items"]] == [
            f"h{at}" for at in range(7)
        ]
        assert {item["apiVersion"] for item in listed.body["items"]} == {"example.com/v2"}
        assert hook.asked_of() == [7]
        assert (await api.get(V2)).body == listed.body
        await api.ask("PATCH", f"{V1}/w3", {"spec": {"hostPort": "new:1"}}, kind=MERGE)
        again = await api.get(V2)
        assert again.body["items"][3]["spec"] == {"host": "new", "port": "1"}
        assert hook.asked_of() == [7, 1]


async def test_pages_are_of_one_moment_and_asked_about_apart(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        for at in range(5):
            await create(api, f"w{at}")
        first = await api.get(V2, limit="2")
        await create(api, "w00")
        second = await api.get(V2, limit="9", **{"continue": first.meta["continue"]})
        names = [item["metadata"]["name"] for item in second.body["items"]]
        assert names == ["w2", "w3", "w4"]
        assert hook.asked_of() == [2, 3]
        wanted = await api.get(V2, limit="1", labelSelector="a=b")
        assert wanted.body["items"] == []


async def test_many_objects_are_asked_about_in_bounded_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.apiserver.extensions.conversions.MOST_OBJECTS", 2)
    async with converting(tmp_path) as (api, hook):
        for at in range(23):
            await create(api, f"w{at:02}", hostPort=f"h{at}:1")
        listed = await api.get(V2)
        assert [item["spec"]["host"] for item in listed.body["items"]] == [
            f"h{at}" for at in range(23)
        ]
        assert sorted(hook.asked_of()) == [1, *[2] * 11]


async def test_a_list_is_whole_where_little_is_remembered(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        api.cluster.plane.server.converting().most_kept = 600
        for at in range(9):
            await create(api, f"w{at}")
        assert len((await api.get(V2)).body["items"]) == 9
        assert hook.asked_of() == [9]


async def test_a_watch_of_the_other_version_sees_all_in_order(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api, "old")
        async with asyncio.timeout(5):
            events = api.watch(V2, sendInitialEvents="true", resourceVersionMatch="NotOlderThan")
            first = await anext(events)
            assert (first["type"], first["object"]["spec"]["host"]) == ("ADDED", "a")
            assert (await anext(events))["type"] == "BOOKMARK"
            await create(api, "new", hostPort="n:1")
            await api.ask("PATCH", f"{V1}/old", {"spec": {"hostPort": "c:2"}}, kind=MERGE)
            await api.ask("DELETE", f"{V1}/old")
            told = [await anext(events) for _ in range(3)]
            await events.aclose()
        seen = [(one["type"], one["object"]["spec"]["host"]) for one in told]
        assert seen == [("ADDED", "n"), ("MODIFIED", "c"), ("DELETED", "c")]
        assert {one["object"]["apiVersion"] for one in told} == {"example.com/v2"}
        assert told[2]["object"]["metadata"]["name"] == "old"


async def test_who_watches_at_once_asks_once(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        async with asyncio.timeout(5):
            streams = [api.watch(V2, resourceVersion="1") for _ in range(5)]
            waits = [asyncio.ensure_future(anext(stream)) for stream in streams]
            await create(api)
            told = await asyncio.gather(*waits)
            for stream in streams:
                await stream.aclose()
        assert {one["object"]["spec"]["host"] for one in told} == {"a"}
        assert hook.asked_of() == [1]


async def test_selectors_see_the_version_that_is_asked_for(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):

        def labelled(request: dict[str, Any]) -> dict[str, Any]:
            objects = [turned(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
            for obj in objects:
                obj["metadata"]["labels"] = {"host": obj["spec"].get("host", "none")}
            return review(request, objects)

        hook.answer = labelled
        await create(api, "a", hostPort="x:1")
        await create(api, "b", hostPort="y:1")
        found = await api.get(V2, labelSelector="host=y")
        assert [item["metadata"]["name"] for item in found.body["items"]] == ["b"]


async def test_apply_works_in_both_versions(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        body = {"kind": "Widget", "metadata": {"name": "a"}}
        two = {**body, "apiVersion": "example.com/v2", "spec": {"host": "h", "port": "1"}}
        made = await api.apply(f"{V2}/a", two)
        assert (made.status, made.body["spec"]) == (201, two["spec"])
        assert stored(api)["spec"] == {"hostPort": "h:1"}
        one = {**body, "apiVersion": "example.com/v1", "spec": {"color": "red"}}
        other = await api.apply(f"{V1}/a", one, manager="other")
        assert (other.status, other.body["spec"]) == (200, {"hostPort": "h:1", "color": "red"})
        again = await api.apply(f"{V2}/a", two)
        assert again.body["spec"] == {"host": "h", "port": "1", "color": "red"}
        assert again.version == other.version
        entries = {item["manager"]: item["apiVersion"] for item in again.meta["managedFields"]}
        assert entries == {"me": "example.com/v2", "other": "example.com/v1"}


async def test_the_status_and_dry_runs_are_converted(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        dry = await api.ask("POST", V2, {"metadata": {"name": "d"}, "spec": {}}, dryRun="All")
        assert dry.status == 201
        await create(api)
        patch = {"spec": {"port": "9"}}
        tried = await api.ask("PATCH", f"{V2}/a", patch, kind=MERGE, dryRun="All")
        assert (tried.status, tried.body["spec"]) == (200, {"host": "a", "port": "9"})
        assert stored(api)["spec"] == {"hostPort": "a:1"}


async def test_an_old_object_is_stored_anew_by_a_write_of_nothing(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        await restored(api, "v2")
        assert stored(api)["apiVersion"] == "example.com/v1"
        assert (await api.get(f"{V1}/a")).body["spec"] == {"hostPort": "a:1"}
        assert hook.asked == []
        found = await api.get(f"{V2}/a")
        put = await api.ask("PUT", f"{V2}/a", found.body)
        assert put.status == 200
        inside = stored(api)
        assert (inside["apiVersion"], inside["spec"]) == (
            "example.com/v2",
            {"host": "a", "port": "1"},
        )
        assert put.version == inside["metadata"]["resourceVersion"] != found.version
        status = (await api.get(f"{DEFINITIONS}/{NAME}")).body["status"]
        assert status["storedVersions"] == ["v1", "v2"]


async def test_a_write_waits_for_who_was_first(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await create(api)
        patches = [
            api.ask("PATCH", f"{V2}/a", {"metadata": {"labels": {f"l{at}": "x"}}}, kind=MERGE)
            for at in range(4)
        ]
        codes = [one.status for one in await asyncio.gather(*patches)]
        assert codes == [200] * 4
        labels = stored(api)["metadata"]["labels"]
        assert labels == {f"l{at}": "x" for at in range(4)}


async def test_who_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        gate = asyncio.Event()
        hook.before = lambda: _wait(gate)
        await create(api)
        reading = asyncio.create_task(api.get(f"{V2}/a"))
        async with asyncio.timeout(5):
            while not hook.asked:
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            other = asyncio.create_task(api.get(f"{V2}/a"))
            await asyncio.sleep(0)
            gate.set()
            assert (await other).status == 200
        assert len(hook.asked) == 1


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


async def test_the_older_review_is_spoken(tmp_path: Path) -> None:
    async with converting(tmp_path, conversionReviewVersions=["v9", "v1beta1"]) as (api, hook):
        await create(api)
        assert (await api.get(f"{V2}/a")).status == 200
        assert hook.asked[0]["apiVersion"] == "apiextensions.k8s.io/v1beta1"


def applied(version: str, **spec: str) -> dict[str, Any]:
    head = {"kind": "Widget", "metadata": {"name": "a"}, "apiVersion": f"example.com/{version}"}
    return {**head, "spec": spec}


async def test_who_owns_a_field_owns_it_in_every_version(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await api.apply(f"{V1}/a", applied("v1", hostPort="h:1"))
        refused = await api.apply(f"{V2}/a", applied("v2", host="x"), manager="other")
        assert refused.status == 409
        assert [path for path, _ in refused.causes] == [".spec.hostPort"]
        same = await api.apply(f"{V2}/a", applied("v2", host="h", port="1"), manager="other")
        assert same.status == 200
        forced = await api.apply(
            f"{V2}/a", applied("v2", host="x", port="1"), manager="other", force="true"
        )
        assert (forced.status, stored(api)["spec"]) == (200, {"hostPort": "x:1"})
        owners = {item["manager"]: item["fieldsV1"] for item in forced.meta["managedFields"]}
        assert owners == {"other": {"f:spec": {"f:host": {}, "f:port": {}}}}


async def test_an_update_in_another_version_takes_what_it_changes(tmp_path: Path) -> None:
    async with converting(tmp_path) as (api, hook):
        await api.apply(f"{V1}/a", applied("v1", hostPort="h:1", color="red"))
        patch = {"spec": {"port": "2"}}
        changed = await api.ask("PATCH", f"{V2}/a", patch, kind=MERGE, fieldManager="other")
        owners = {item["manager"]: item["fieldsV1"] for item in changed.meta["managedFields"]}
        assert owners == {
            "me": {"f:spec": {"f:color": {}}},
            "other": {"f:spec": {"f:port": {}}},
        }


async def test_what_is_applied_no_more_goes_unless_another_version_holds_it(
    tmp_path: Path,
) -> None:
    async with converting(tmp_path) as (api, hook):
        await api.apply(f"{V1}/a", applied("v1", hostPort="h:1", color="red"))
        await api.apply(f"{V2}/a", applied("v2", host="h", port="1"), manager="other")
        left = await api.apply(f"{V1}/a", applied("v1", color="red"))
        assert (left.status, left.body["spec"]) == (200, {"hostPort": "h:1", "color": "red"})
        moved = await api.apply(f"{V2}/a", applied("v2", color="blue"))
        assert (moved.status, moved.body["spec"]) == (
            200,
            {"host": "h", "port": "1", "color": "blue"},
        )
        gone = await api.apply(f"{V2}/a", applied("v2"), manager="other")
        assert (gone.status, gone.body["spec"]) == (200, {"color": "blue"})
        assert stored(api)["spec"] == {"color": "blue"}
