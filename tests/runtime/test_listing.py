"""How an informer learns of all: by a watch that begins with it, by pages, and from odd servers."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from argosy.api.core import ConfigMap
from argosy.api.meta import PartialObject
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.runtime.informer import Informer
from argosy.testing.clock import FakeClock, settle
from tests.runtime.informerkit import Change, begins, scene, value_of
from tests.runtime.kit import Faulty, make, watches

OTHERWISE = {
    "it does not know such watches": Response(422, {}, b""),
    "it does not like them": Response(400, {}, b""),
    "it forbids to watch": Response(403, {}, b""),
    "they end before their end": Response(200, {}, b'{"type":"ADDED","object":{}}\n'),
    "they are garbage": Response(200, {}, b"<html>\n"),
    "the end has no revision": Response(
        200,
        {},
        b'{"type":"BOOKMARK","object":{"metadata":'
        b'{"annotations":{"k8s.io/initial-events-end":"true"}}}}\n',
    ),
}


@pytest.mark.parametrize("answer", OTHERWISE.values(), ids=OTHERWISE.keys())
async def test_where_the_server_streams_no_lists_there_are_pages(answer: Response) -> None:
    async with scene(run=False) as it:
        await make(it.client, "a")

        async def without(request: Request) -> Response | None:
            return answer if begins(request) else None

        it.transport.fault = without
        task = asyncio.create_task(it.informer.run())
        await settle()
        assert it.names() == ["a"]
        assert len(it.transport.seen) == 3
        await make(it.client, "b")
        await settle()
        assert it.names() == ["a", "b"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("code", "asked"), [(422, 1), (403, 2)])
async def test_who_does_not_know_such_watches_is_not_asked_again(code: int, asked: int) -> None:
    async with scene(run=False) as it:

        async def without(request: Request) -> Response | None:
            return Response(code, {}, b"") if begins(request) else None

        it.transport.fault = without
        task = asyncio.create_task(it.informer.run())
        await settle()
        it.transport.cut.append(ConnectionError("reset"))
        await make(it.client, "a")
        await it.clock.advance(1)
        assert sum(map(begins, it.transport.seen)) == asked
        assert it.names() == ["a"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_bookmark_that_does_not_come_is_not_awaited_for_ever() -> None:
    async with scene(run=False) as it:
        await make(it.client, "a")
        closed = asyncio.Event()

        async def silent() -> AsyncGenerator[bytes, None]:
            try:
                yield b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'
                await asyncio.Event().wait()
            finally:
                closed.set()

        async def older(request: Request) -> Response | None:
            return Response(200, {}, silent()) if begins(request) else None

        it.transport.fault = older
        task = asyncio.create_task(it.informer.run())
        await it.clock.advance(59)
        assert not it.informer.synced.is_set()
        await it.clock.advance(2)
        assert it.names() == ["a"] and closed.is_set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_restarts_in_the_middle_of_a_list_is_asked_again() -> None:
    async with scene(run=False) as it:
        for name in ("a", "b"):
            await make(it.client, name)
        tries = 0

        async def half() -> AsyncGenerator[bytes, None]:
            yield b'{"type":"ADDED","object":{"metadata":{"name":"ghost","resourceVersion":"1"}}}\n'
            raise ConnectionError("reset")

        async def restarting(request: Request) -> Response | None:
            nonlocal tries
            tries += 1
            return Response(200, {}, half()) if tries == 1 else None

        it.transport.fault = restarting
        it.informer.subscribe(it.note)
        task = asyncio.create_task(it.informer.run())
        await settle()
        assert it.names() == [] and not it.informer.synced.is_set()
        await it.clock.advance(0.2)
        assert it.names() == ["a", "b"] and it.changes == [(None, ""), (None, "")]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_of_metadata_nothing_more_is_sent() -> None:
    async with scene(run=False) as it:
        await make(it.client, "a", v="1" * 100)
        transport = Faulty(it.client.transport)
        informer = Informer(Client(transport), PartialObject, it.clock, resource=ConfigMap.resource)
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        await make(it.client, "b", v="1" * 100)
        await settle()
        assert [obj.metadata.name for obj in informer.items()] == ["a", "b"]
        (request,) = transport.seen
        assert request.headers["accept"].startswith("application/json;as=PartialObjectMetadata;")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lists(*objects: tuple[str, str, str], revision: str) -> Response:
    """A list of ConfigMaps: names, revisions, values."""
    items = [
        {
            "metadata": {"name": name, "namespace": "default", "resourceVersion": at},
            "data": {"v": value},
        }
        for name, at, value in objects
    ]
    body = {"metadata": {"resourceVersion": revision}, "items": items}
    return Response(200, {}, msgspec.json.encode(body))


async def test_what_a_restored_server_lists_counts_whatever_the_revisions() -> None:
    answers = [
        lists(("same", "5", "x"), ("other", "7", "old"), ("lost", "9", "z"), revision="9"),
        lists(("same", "5", "x"), ("other", "7", "new"), revision="8"),
    ]

    class Restored:
        async def send(self, request: Request) -> Response:
            if begins(request):
                return Response(422, {}, b"")
            if watches(request) and answers:
                raise ConnectionError("reset")
            if watches(request):
                await asyncio.Event().wait()
            return answers.pop(0)

        async def close(self) -> None:
            """There is nothing to let go of."""

    clock, changes = FakeClock(), list[Change]()
    informer = Informer(Client(Restored()), ConfigMap, clock)
    informer.subscribe(lambda old, new: changes.append((value_of(old), value_of(new))))
    task = asyncio.create_task(informer.run())
    await settle()
    waiting = asyncio.create_task(informer.reached("12"))
    changes.clear()
    await clock.advance(1)
    assert changes == [("z", None), ("old", "new")]
    assert waiting.done() and informer.has_reached("9")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_revision_that_is_no_number_is_garbage() -> None:
    async with scene() as it:
        event = b'{"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":"new"}}}\n'

        async def odd(request: Request) -> Response | None:
            return Response(200, {}, event) if watches(request) and not begins(request) else None

        it.transport.fault = odd
        it.transport.cut.append(None)
        await make(it.client, "wakes-the-cut")
        await it.clock.advance(1)
        assert it.names() == ["wakes-the-cut"]


async def test_an_end_of_what_nobody_knew_is_no_news() -> None:
    async with scene() as it:
        it.informer.subscribe(it.note)
        ghost = b'{"type":"DELETED","object":{"metadata":{"name":"x","resourceVersion":"99"}}}\n'

        async def odd(request: Request) -> Response | None:
            return Response(200, {}, ghost) if watches(request) and not begins(request) else None

        it.transport.fault = odd
        it.transport.cut.append(None)
        await make(it.client, "wakes-the-cut")
        await it.clock.advance(0.1)
        assert it.changes == [(None, "")]
