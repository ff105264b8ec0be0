"""The informer against a real API server: what it shows, and how it comes back."""

import asyncio
import logging

import msgspec
import pytest

from argosy.api.core import ConfigMap, Namespace
from argosy.base.errors import StatusError, expired, service_unavailable
from argosy.http.message import Request, Response
from argosy.runtime.informer import Informer
from argosy.testing.clock import settle
from tests.runtime.informerkit import begins, scene
from tests.runtime.kit import make, no_fault, owner, watches


async def test_it_shows_what_there_was_and_what_comes() -> None:
    async with scene(run=False) as it:
        await make(it.client, "before", v="1")
        task = asyncio.create_task(it.informer.run())
        await it.informer.synced.wait()
        it.informer.subscribe(it.note)
        assert it.changes == [(None, "1")]
        await make(it.client, "after", v="1")
        await it.set("before", "2")
        await it.delete("after")
        await settle()
        assert it.changes[1:] == [(None, "1"), ("1", "2"), ("1", None)]
        found = it.informer.get("default", "before")
        assert found is not None and found.data == {"v": "2"}
        assert it.informer.get("default", "after") is None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_namespace_sees_nothing_of_others() -> None:
    async with scene(namespace="default") as it:
        await it.client.create(Namespace.resource, {"metadata": {"name": "other"}})
        body = {"metadata": {"name": "there", "namespace": "other"}}
        await it.client.create(ConfigMap.resource, body)
        await make(it.client, "here")
        await settle()
        assert it.names() == ["here"]


async def test_a_late_subscriber_hears_of_all_that_is_there_once() -> None:
    async with scene() as it:
        await make(it.client, "a", v="1")
        await settle()
        it.informer.subscribe(it.note)
        it.informer.subscribe(it.note)
        assert it.changes == [(None, "1"), (None, "1")]
        await it.set("a", "2")
        await settle()
        assert it.changes[2:] == [("1", "2"), ("1", "2")]


@pytest.mark.parametrize("streams", [True, False], ids=["by a watch", "by pages"])
async def test_after_compaction_it_lists_again_and_tells_what_it_missed(streams: bool) -> None:
    async with scene(run=False) as it:
        for name in ("stays", "changes", "goes", "returns"):
            await make(it.client, name, v=name)
        old = await it.client.get(ConfigMap, "returns", "default")
        it.informer._source.streams = False

        async def meanwhile(request: Request) -> Response | None:
            if watches(request) and it.transport.count("GET", watch=True) == 1:
                it.informer._source.streams = streams
                it.informer.subscribe(it.note)
                it.changes.clear()
                await it.set("changes", "2")
                await it.delete("goes")
                await it.delete("returns")
                await make(it.client, "returns", v="again")
                it.store.compact(it.store.revision)
            return None

        it.transport.fault = meanwhile
        task = asyncio.create_task(it.informer.run())
        await settle()
        await it.clock.advance(1)
        # First what is gone, then what came; nothing of what has not changed.
        assert it.changes[0] == ("goes", None)
        assert sorted(it.changes[1:], key=str) == [("changes", "2"), ("returns", "again")]
        new = it.informer.get("default", "returns")
        assert new is not None and new.metadata.uid != old.metadata.uid
        await make(it.client, "later", v="x")
        await settle()
        assert it.changes[-1] == (None, "x")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("error", [None, ConnectionError("reset")])
async def test_a_watch_that_breaks_off_is_taken_up_again_without_loss(
    error: Exception | None,
) -> None:
    async with scene() as it:
        it.informer.subscribe(it.note)
        it.transport.cut.append(error)
        await make(it.client, "last", v="1")
        await make(it.client, "missed", v="2")
        await settle()
        await it.clock.advance(1)
        assert it.changes == [(None, "1"), (None, "2")]
        await make(it.client, "new", v="3")
        await settle()
        assert it.changes[2:] == [(None, "3")]


async def test_a_watch_that_ends_goes_on_where_it_stood_and_lists_nothing() -> None:
    async with scene() as it:
        it.transport.cut.append(None)
        await make(it.client, "a")
        await settle()
        assert it.transport.count("GET") == 0
        assert [begins(request) for request in it.transport.seen] == [True, False]


async def refuse(request: Request) -> Response | None:
    raise ConnectionError("no route")


async def test_while_the_server_is_away_the_copy_stays_and_the_pauses_grow() -> None:
    async with scene() as it:
        await make(it.client, "kept")
        await settle()
        it.transport.cut.append(ConnectionError("reset"))
        it.transport.fault = refuse
        await it.set("kept", "x")
        await settle()
        before = len(it.transport.seen)
        await it.clock.advance(600)
        tries = len(it.transport.seen) - before
        assert 20 <= tries <= 32  # every 30 seconds in the end
        assert it.names() == ["kept"]


async def test_after_a_long_outage_the_pauses_begin_anew() -> None:
    async with scene() as it:
        it.transport.cut.append(ConnectionError("reset"))
        it.transport.fault = refuse
        await make(it.client, "first")
        await it.clock.advance(600)
        it.transport.fault = no_fault
        await it.clock.advance(31)
        await make(it.client, "second")
        it.transport.cut.append(ConnectionError("reset"))
        await make(it.client, "third")
        await make(it.client, "fourth")
        await it.clock.advance(0.2)
        assert it.names() == ["first", "fourth", "second", "third"]


ENDLESS = {
    "the stream ends at once": Response(200, {}, b""),
    "the revision is always too old": Response(
        410, {}, msgspec.json.encode(expired("too old").status())
    ),
    "watching is refused": Response(
        503, {}, msgspec.json.encode(service_unavailable("busy").status())
    ),
    "the stream is not JSON": Response(200, {}, b"<html>\n"),
    "the stream tells of an object that is none": Response(
        200, {}, b'{"type":"ADDED","object":{"metadata":{"name":5}}}\n'
    ),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS.keys())
async def test_a_watch_that_fails_again_and_again_is_no_hot_loop(answer: Response) -> None:
    async with scene(run=False) as it:

        async def always(request: Request) -> Response | None:
            return answer if watches(request) else None

        it.transport.fault = always
        task = asyncio.create_task(it.informer.run())
        await it.clock.advance(120)
        assert len(it.transport.seen) < 40
        it.transport.fault = no_fault
        await make(it.client, "seen")
        await it.clock.advance(31)
        assert it.names() == ["seen"]
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_written_revision_can_be_awaited() -> None:
    async with scene() as it:
        made = await make(it.client, "a")
        await it.informer.reached(made.metadata.resource_version)
        assert it.names() == ["a"]
        await asyncio.wait_for(it.informer.reached("1"), 1)


async def test_waiting_for_a_revision_ends_when_the_copy_has_it_and_not_before() -> None:
    async with scene() as it:
        it.transport.cut.append(ConnectionError("reset"))
        it.transport.fault = refuse
        first = await make(it.client, "first")
        await it.informer.reached(first.metadata.resource_version)
        made = await make(it.client, "second")
        waiting = asyncio.create_task(it.informer.reached(made.metadata.resource_version))
        await it.clock.advance(60)
        assert not waiting.done()
        it.transport.fault = no_fault
        await it.clock.advance(31)
        assert waiting.done()
        assert it.names() == ["first", "second"]


async def test_a_kind_that_vanishes_leaves_nothing_and_may_come_back() -> None:
    async with scene() as it:
        await make(it.client, "a", v="1")
        await settle()
        it.informer.subscribe(it.note)

        async def unknown(request: Request) -> Response | None:
            return Response(404, {}, b"404 page not found")

        it.transport.fault = unknown
        it.transport.cut.append(None)
        await make(it.client, "wakes-the-cut")
        waiting = asyncio.create_task(it.informer.reached("1000000"))
        await it.clock.advance(1)
        assert it.names() == [] and waiting.done()
        assert it.changes[-2:] == [("1", None), ("", None)]
        before = len(it.transport.seen)
        await it.clock.advance(600)
        assert len(it.transport.seen) - before < 60
        it.transport.fault = no_fault
        await it.clock.advance(31)
        assert it.names() == ["a", "wakes-the-cut"]
        assert not it.informer.has_reached("1000000")


async def test_a_kind_that_was_never_there_is_one_without_objects() -> None:
    async with scene(run=False) as it:

        async def unknown(request: Request) -> Response | None:
            return Response(404, {}, b"404 page not found")

        it.transport.fault = unknown
        task = asyncio.create_task(it.informer.run())
        await it.informer.synced.wait()
        assert it.names() == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_objects_are_found_by_an_index() -> None:
    async with scene() as it:
        await make(it.client, "before", v="x")
        await settle()
        it.informer.add_index("value", lambda obj: obj.data.values())
        for name in ("b", "a"):
            await make(it.client, name, v="x")
        await it.set("before", "y")
        await settle()

        def found(value: str) -> list[str]:
            return [obj.metadata.name for obj in it.informer.by_index("value", value)]

        assert (found("x"), found("y"), found("z")) == (["a", "b"], ["before"], [])
        it.informer.add_index("value", lambda obj: ())
        assert found("y") == ["before"]


async def test_what_is_trimmed_is_not_kept_and_no_change() -> None:
    def trim(obj: ConfigMap) -> ConfigMap:
        return msgspec.structs.replace(obj, data={})

    async with scene(run=False) as it:
        informer = Informer(it.client, ConfigMap, it.clock, trim=trim)
        await make(it.client, "a", v="1")
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        await make(it.client, "b", v="1")
        await settle()
        assert [(obj.metadata.name, obj.data) for obj in informer.items()] == [("a", {}), ("b", {})]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_all_is_told_again_in_each_period() -> None:
    async with scene(run=False) as it:
        await make(it.client, "a", v="1")
        it.informer.resync(1_000)
        it.informer.resync(600)
        it.informer.resync(900)
        it.informer.subscribe(it.note)
        task = asyncio.create_task(it.informer.run())
        await it.clock.advance(1_200)
        assert it.changes == [(None, "1"), ("1", "1"), ("1", "1")]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        it.changes.clear()
        await it.clock.advance(1_200)
        assert it.changes == []


async def test_owners_are_followed_through_every_change() -> None:
    async with scene() as it:

        def owned(uid: str) -> list[str]:
            return [item.metadata.name for item in it.informer.owned_by(uid)]

        for name in ("b", "a"):
            await make(it.client, name, owner=owner("x", "uid-x"))
        await make(it.client, "c", owner=owner("x", "uid-x", controller=False))
        await settle()
        assert owned("uid-x") == ["a", "b"]
        patch = {"metadata": {"ownerReferences": [owner("y", "uid-y")]}}
        await it.client.merge(ConfigMap.resource, "a", "default", patch)
        await settle()
        assert (owned("uid-x"), owned("uid-y")) == (["b"], ["a"])
        await it.client.merge(
            ConfigMap.resource, "a", "default", {"metadata": {"ownerReferences": None}}
        )
        await it.delete("b")
        await settle()
        assert (owned("uid-x"), owned("uid-y")) == ([], [])


async def test_a_name_that_comes_again_belongs_to_its_new_owner() -> None:
    async with scene() as it:
        await make(it.client, "a", owner=owner("x", "uid-x"))
        await it.delete("a")
        await make(it.client, "a", owner=owner("x", "uid-new"))
        await settle()
        assert it.informer.owned_by("uid-x") == []
        assert [item.metadata.name for item in it.informer.owned_by("uid-new")] == ["a"]


async def test_a_trouble_that_goes_on_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    said = "no right to list"

    async def refused(_: Request) -> Response | None:
        raise StatusError(403, "Forbidden", said)

    def loud() -> list[str]:
        warnings = [item for item in caplog.records if item.levelno == logging.WARNING]
        return [getattr(item, "error", "") for item in warnings]

    async with scene(run=False) as it:
        it.transport.fault = refused
        task = asyncio.create_task(it.informer.run())
        await it.clock.advance(60)
        assert loud() == [said]
        said = "another"
        await it.clock.advance(60)
        assert loud() == ["no right to list", said]
        it.transport.fault = no_fault
        with caplog.at_level(logging.INFO):
            await it.clock.advance(60)
        assert it.informer.synced.is_set()
        assert [item.msg for item in caplog.records].count("listing works again") == 1
        it.transport.fault = refused
        it.transport.cut.append(ConnectionError("cut"))
        await make(it.client, "a")
        await it.clock.advance(60)
        assert loud()[2:] == ["cut", said]  # it had gone well meanwhile
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
