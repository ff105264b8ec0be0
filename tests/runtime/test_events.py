"""Events: told once, counted after that, and never in the way of work."""

import asyncio

import msgspec
import pytest

from argosy.api.core import ConfigMap, Event, Node
from argosy.api.meta import Object
from argosy.base.errors import StatusError, forbidden
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.runtime import events
from argosy.runtime.events import PAUSE, TRIES, EventRecorder, Note
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.runtime.kit import faulty, make

NOTE = Note("Placed", "it is there now")


async def tell(recorder: EventRecorder, obj: Object, note: Note = NOTE) -> None:
    await recorder.record(obj, note)
    await recorder.flushed()


async def told(client: Client, namespace: str = "default") -> list[Event]:
    return (await client.list(Event, namespace)).items


async def test_the_same_note_raises_the_count_and_the_time() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        obj = await make(running.client, "a")
        recorder = EventRecorder(running.client, clock, "tests")
        for _ in range(3):
            await tell(recorder, obj)
            await clock.advance(60)
        [event] = await told(running.client)
        assert (event.reason, event.message, event.type) == ("Placed", "it is there now", "Normal")
        assert event.count == 3
        raw = await running.client.call("GET", Event.resource.path(event.metadata.name, "default"))
        body = msgspec.json.decode(raw)
        assert body["firstTimestamp"] == "2026-01-01T00:00:00Z"
        assert body["lastTimestamp"] == "2026-01-01T00:02:00Z"
        assert body["involvedObject"]["uid"] == obj.metadata.uid
        assert body["source"] == {"component": "tests"}


async def test_another_note_object_or_teller_is_another_event() -> None:
    async with cluster() as running:
        client, clock = running.client, FakeClock()
        first, second = await make(client, "a"), await make(client, "b")
        recorder = EventRecorder(client, clock, "tests")
        await tell(recorder, first)
        await tell(recorder, second)
        await tell(recorder, first, Note("Placed", "it is elsewhere now"))
        await tell(recorder, first, Note("Placed", "it is there now", "Warning"))
        await tell(EventRecorder(client, clock, "others"), first)
        assert [event.count for event in await told(client)] == [1] * 5


async def test_an_object_without_a_namespace_is_told_of_in_default() -> None:
    async with cluster() as running:
        await running.client.create(Node.resource, {"metadata": {"name": "n1"}})
        node = await running.client.get(Node, "n1")
        await tell(EventRecorder(running.client, FakeClock(), "tests"), node)
        assert len(await told(running.client)) == 1


@pytest.mark.parametrize(
    "name", ["a" * 199 + "-" + "b" * 20, "a" * 199 + ".b" + "c" * 40, "a" * 253]
)
async def test_a_long_name_is_cut_to_one_that_the_server_takes(name: str) -> None:
    async with cluster() as running:
        obj = await make(running.client, name)
        await tell(EventRecorder(running.client, FakeClock(), "tests"), obj)
        assert len(await told(running.client)) == 1


async def test_a_long_message_is_cut() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        note = Note("Placed", "x" * 5000)
        await tell(EventRecorder(running.client, FakeClock(), "tests"), obj, note)
        [event] = await told(running.client)
        assert event.message == "x" * 1024


async def test_an_event_that_is_refused_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        client, transport = faulty(running)

        async def refuse(request: Request) -> Response | None:
            body = msgspec.json.encode(forbidden("no events for you").status())
            return Response(403, {}, body) if request.method == "POST" else None

        transport.fault = refuse
        await tell(EventRecorder(client, FakeClock(), "tests"), obj)
        assert await told(running.client) == []
        assert "telling an event failed" in caplog.text


async def test_an_event_that_goes_before_it_is_counted_is_told_anew() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        client, transport = faulty(running)
        recorder = EventRecorder(client, FakeClock(), "tests")
        await tell(recorder, obj)

        async def expire(request: Request) -> Response | None:
            if request.method == "PATCH":
                [event] = await told(running.client)
                await running.client.delete(Event.resource, event.metadata.name, "default")
            return None

        transport.fault = expire
        await tell(recorder, obj)
        assert [event.count for event in await told(running.client)] == [2]


async def test_a_lost_connection_is_waited_out() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        client, transport = faulty(running)
        fixed = transport.fault

        async def reset(request: Request) -> Response | None:
            raise ConnectionError("reset")

        clock = FakeClock()
        recorder = EventRecorder(client, clock, "tests")
        transport.fault = reset
        await recorder.record(obj, NOTE)
        await clock.advance(3 * PAUSE)
        assert await told(running.client) == []
        transport.fault = fixed
        await clock.advance(PAUSE)
        await recorder.flushed()
        assert [event.count for event in await told(running.client)] == [1]


async def test_a_connection_that_stays_lost_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        client, transport = faulty(running)
        fixed = transport.fault

        async def reset(request: Request) -> Response | None:
            raise ConnectionError("reset")

        clock = FakeClock()
        recorder = EventRecorder(client, clock, "tests")
        transport.fault = reset
        for _ in range(30):  # more than the object is granted
            await recorder.record(obj, NOTE)
            await clock.advance(TRIES * PAUSE)
            await recorder.flushed()
        assert "telling an event failed" in caplog.text
        transport.fault = fixed
        await tell(recorder, obj)
        assert [event.count for event in await told(running.client)] == [1]


async def test_nobody_waits_for_an_event_and_notes_that_wait_are_one() -> None:
    async with cluster() as running:
        obj, other = await make(running.client, "a"), await make(running.client, "b")
        client, transport = faulty(running)
        gate = asyncio.Event()
        sent: list[str] = []

        async def held(request: Request) -> Response | None:
            sent.append(request.method)
            await gate.wait()
            return None

        transport.fault = held
        recorder = EventRecorder(client, FakeClock(), "tests")
        await recorder.record(other, NOTE)
        await settle()
        for _ in range(5):
            await recorder.record(obj, NOTE)
        gate.set()
        await recorder.flushed()
        assert sent == ["POST", "POST"]
        assert sorted(event.count for event in await told(running.client)) == [1, 5]


async def test_of_too_many_that_wait_the_last_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 2)
    async with cluster() as running:
        recorder = EventRecorder(running.client, FakeClock(), "tests")
        objects = {name: await make(running.client, name) for name in "abc"}
        for name in "abc":
            await recorder.record(objects[name], NOTE)
        await recorder.flushed()
        assert len(await told(running.client)) == 2


async def test_an_object_that_is_gone_can_still_be_told_of() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        await running.client.delete(ConfigMap.resource, "a", "default")
        with pytest.raises(StatusError):
            await running.client.get(ConfigMap, "a", "default")
        await tell(EventRecorder(running.client, FakeClock(), "tests"), obj)
        assert len(await told(running.client)) == 1


async def test_a_process_that_starts_anew_counts_on() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        for _ in range(3):
            recorder = EventRecorder(running.client, FakeClock(), "tests")
            await tell(recorder, obj)
            await tell(recorder, obj)
        assert [event.count for event in await told(running.client)] == [6]


async def test_an_object_that_was_written_meanwhile_is_the_same() -> None:
    async with cluster() as running:
        obj = await make(running.client, "a")
        recorder = EventRecorder(running.client, FakeClock(), "tests")
        await tell(recorder, obj)
        await running.client.merge(ConfigMap.resource, "a", "default", {"data": {"k": "v"}})
        await tell(recorder, await running.client.get(ConfigMap, "a", "default"))
        assert [event.count for event in await told(running.client)] == [2]


async def test_ever_different_messages_become_one_event_and_then_none() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        obj = await make(running.client, "a")
        recorder = EventRecorder(running.client, clock, "tests")
        for number in range(40):
            await tell(recorder, obj, Note("Failed", f"try {number} failed", "Warning"))
        events = await told(running.client)
        assert len(events) == 10
        [combined] = [event for event in events if event.message.startswith("(combined")]
        assert combined.message == "(combined from similar events): try 24 failed"
        assert combined.count == 16
        await clock.advance(300)
        await tell(recorder, obj, Note("Failed", "try 40 failed", "Warning"))
        events = await told(running.client)
        [combined] = [event for event in events if event.message.startswith("(combined")]
        assert combined.message == "(combined from similar events): try 40 failed"
        assert (len(events), combined.count) == (10, 32)  # those that were not told count, too
