"""The filter: who runs, who waits, who is asked to come back."""

import asyncio
from collections import Counter

import msgspec
import pytest

from argosy.apiserver.flowcontrol import fairness
from argosy.apiserver.flowcontrol.fairness import LEVEL_UID, SCHEMA_UID, Fairness
from argosy.apiserver.flowcontrol.narrow import FEWEST
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.base.exposition import render
from argosy.cluster.server import memory_store
from argosy.http.message import Request, Response
from argosy.store.interface import DELETE, Store
from argosy.testing.clock import FakeClock, settle
from tests.apiserver.flowcontrol.kit import Served, catalog, level, schema, stored

Answer = asyncio.Task[Response]


class Scene:
    """A server of ten seats: two of them are of the level `small`, which is alice's and bob's."""

    def __init__(self, *, seats: int = 10) -> None:
        self.store: Store = memory_store()
        self.fairness = Fairness(self.store, catalog(), FakeClock(), seats)
        self.served = Served()
        self.tasks: list[Answer] = []

    async def configured(self, **more: int | bool) -> "Scene":
        small = level("small", 20, **more)  # type: ignore[arg-type]
        await stored(
            self.store,
            small,
            level("catch-all", 80, reject=True),
            schema("ours", "small", "alice", "bob"),
        )
        self.fairness._configuration._table._unwritten.clear()  # as if all had been written once
        return self

    async def ask(
        self,
        name: str = "bob",
        path: str = "/api/v1/pods",
        query: str = "",
        *,
        method: str = "GET",
    ) -> Answer:
        user = User(name, ("system:authenticated",))
        request = Request(method, path, query)
        task = asyncio.create_task(self.fairness.governed(request, user, self.served))
        self.tasks.append(task)
        await settle(8)
        return task

    async def end(self) -> list[Response]:
        self.served.open.set()
        await settle(300)  # where flows meet, a turn comes in every seventh round
        for task in self.tasks:
            assert task.done()
        assert all(one.queues.idle for one in self.fairness.levels.by_name.values())
        return [task.result() for task in self.tasks if not task.cancelled()]

    def metrics(self) -> str:
        return render(self.fairness.families(), open_metrics=False).decode()


async def test_no_more_run_than_the_level_has_seats_and_the_others_wait() -> None:
    scene = await Scene().configured()
    for _ in range(5):
        await scene.ask()
    assert len(scene.served.running) == 2
    answers = await scene.end()
    assert [answer.status for answer in answers] == [200] * 5


async def test_answers_tell_of_schema_and_level() -> None:
    scene = await Scene().configured()
    task = await scene.ask()
    await scene.end()
    headers = task.result().headers
    assert headers[SCHEMA_UID] == "schema-ours"
    assert headers[LEVEL_UID] == "level-small"


async def test_errors_tell_of_them_too() -> None:
    scene = await Scene().configured()

    async def refuse(_: Request, __: User) -> Response:
        raise StatusError(404, "NotFound", "no")

    user = User("bob", ("system:authenticated",))
    answer = await scene.fairness.governed(Request("GET", "/api/v1/pods"), user, refuse)
    assert answer.status == 404
    assert answer.headers[SCHEMA_UID] == "schema-ours"
    await scene.end()


async def test_who_finds_the_queue_full_is_asked_to_come_back() -> None:
    scene = await Scene().configured(length=2)
    for _ in range(5):
        task = await scene.ask()
    answer = task.result()
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.headers[LEVEL_UID] == "level-small"
    assert isinstance(answer.body, bytes)
    status = msgspec.json.decode(answer.body)
    assert status["reason"] == "TooManyRequests"
    assert status["message"] == "Too many requests, please try again later."
    assert 'reason="queue-full"} 1' in scene.metrics()
    await scene.end()


async def test_without_queues_nobody_waits() -> None:
    scene = await Scene().configured(reject=True)
    tasks = [await scene.ask() for _ in range(3)]
    assert tasks[2].result().status == 429
    assert 'reason="concurrency-limit"} 1' in scene.metrics()
    await scene.end()


async def test_who_has_waited_too_long_is_asked_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fairness, "LONGEST_WAIT", 0.0)
    scene = await Scene().configured()
    tasks = [await scene.ask() for _ in range(3)]
    await asyncio.sleep(0.001)
    await settle()
    assert tasks[2].result().status == 429
    assert 'reason="time-out"} 1' in scene.metrics()
    await scene.end()


async def test_a_client_that_goes_gives_up_its_place() -> None:
    scene = await Scene().configured(length=1)
    tasks = [await scene.ask() for _ in range(3)]
    tasks[2].cancel()
    await settle()
    await scene.ask("alice")  # the only place in the queue is free again
    assert 'reason="cancelled"} 1' in scene.metrics()
    assert Counter(answer.status for answer in await scene.end()) == {200: 3}


async def test_a_client_that_goes_gives_up_its_seats() -> None:
    scene = await Scene().configured()
    tasks = [await scene.ask() for _ in range(3)]
    tasks[0].cancel()
    await settle()
    assert len(scene.served.running) == 2
    assert len(scene.served.began) == 3
    await scene.end()


async def test_one_that_goes_just_when_it_was_granted_gives_its_seats_on() -> None:
    scene = await Scene().configured()
    tasks = [await scene.ask() for _ in range(4)]
    waiting = next(iter(scene.fairness.levels.by_name["small"].queues._queues.values())).waiting
    ticket = next(iter(waiting))
    granted = ticket.granted
    assert granted is not None

    def grant() -> None:
        granted()
        tasks[2].cancel()

    ticket.granted = grant
    tasks[0].cancel()
    await settle()
    assert tasks[2].cancelled()
    assert len(scene.served.running) == 2
    await scene.end()


async def test_a_flood_lets_others_pass() -> None:
    scene = await Scene().configured(queues=64)
    for _ in range(20):
        await scene.ask("alice")
    await scene.ask("bob")
    scene.served.open.set()
    await settle(200)
    assert scene.served.began.index("bob") <= 3
    await scene.end()


async def test_where_flows_meet_each_has_few_writes_at_work() -> None:
    scene = await Scene(seats=100).configured()
    for _ in range(8):
        await scene.ask("alice", method="POST")
    assert len(scene.served.running) == 8  # alone
    await scene.ask("bob")
    for _ in range(8):
        await scene.ask("alice", method="POST")
    assert Counter(scene.served.running) == {"alice": 8, "bob": 1}
    for _ in range(3):
        await scene.ask("bob", method="POST")
    await settle()
    assert Counter(scene.served.running) == {"alice": 8, "bob": 1 + FEWEST}
    answers = await scene.end()
    assert [answer.status for answer in answers] == [200] * 20


async def test_a_write_that_waits_for_another_server_lets_its_flow_go_on() -> None:
    scene = await Scene(seats=100).configured()
    await scene.ask("bob")
    for _ in range(3):
        await scene.ask("alice", method="POST")
    assert Counter(scene.served.running)["alice"] == FEWEST
    asleep = scene.served.asleep[-1]
    assert asleep is not None
    asleep(True)
    await settle(8)
    assert Counter(scene.served.running)["alice"] == FEWEST + 1
    asleep(False)
    await scene.end()


async def test_writes_that_go_on_to_extension_servers_are_not_bounded() -> None:
    scene = await Scene(seats=100).configured()
    await scene.ask("bob")
    for _ in range(5):
        await scene.ask("alice", "/apis/metrics.example.com/v1/things", method="POST")
    assert Counter(scene.served.running)["alice"] == 5
    await scene.end()


async def test_a_flood_of_users_is_bounded() -> None:
    scene = await Scene().configured()
    for number in range(300):
        await scene.ask(f"user-{number}")
    assert len(scene.served.running) <= 10
    assert len(scene.fairness._counted) == 1
    codes = Counter(answer.status for answer in await scene.end())
    assert codes[429] >= 290


async def test_who_waits_in_a_level_that_is_deleted_is_still_served() -> None:
    scene = await Scene().configured()
    for _ in range(5):
        await scene.ask()
    for key in ("prioritylevelconfigurations/small", "flowschemas/ours"):
        await scene.store.write(f"/flowcontrol.apiserver.k8s.io/{key}", lambda *_: DELETE)
    await scene.ask()  # of no schema of its own now: it is caught by the last one
    assert "small" in scene.fairness.levels.by_name
    answers = await scene.end()
    assert [answer.status for answer in answers] == [200] * 6
    assert LEVEL_UID not in answers[-1].headers  # a default that was never written has no UID


async def test_more_seats_are_used_at_once() -> None:
    scene = await Scene().configured()
    for _ in range(5):
        await scene.ask()
    await stored(scene.store, level("small", 2000))
    await scene.ask("nobody")
    await settle()
    assert scene.served.running.count("bob") == 5
    await scene.end()


async def test_watches_give_their_seats_back_when_they_have_begun() -> None:
    scene = await Scene().configured()
    scene.served.open.set()
    bodies = []
    for _ in range(4):
        task = await scene.ask(query="watch=1")
        body = task.result().body
        assert not isinstance(body, bytes)
        assert await anext(body) == b"event"
        bodies.append(body)
    assert scene.fairness.levels.by_name["small"].queues.idle
    assert sum(scene.fairness._watchers._open.values()) == 4
    for body in bodies:
        await body.aclose()
    assert not scene.fairness._watchers._open


async def test_what_runs_for_long_is_not_counted() -> None:
    scene = await Scene().configured()
    for _ in range(5):
        await scene.ask(path="/api/v1/namespaces/a/pods/p/log")
    assert len(scene.served.running) == 5
    assert SCHEMA_UID not in (await scene.end())[0].headers


async def test_probes_are_exempt() -> None:
    scene = Scene(seats=1)
    for number in range(30):
        await scene.ask(f"u{number}", "/readyz")
    assert len(scene.served.running) == 30
    await scene.end()


async def test_metrics() -> None:
    scene = await Scene().configured()
    for _ in range(4):
        await scene.ask()
    place = '{priority_level="small",flow_schema="ours"}'
    told = scene.metrics()
    assert f"apiserver_flowcontrol_current_executing_requests{place} 2" in told
    assert f"apiserver_flowcontrol_current_inqueue_requests{place} 2" in told
    assert 'apiserver_flowcontrol_nominal_limit_seats{priority_level="small"} 2' in told
    await scene.end()
    told = scene.metrics()
    assert f"apiserver_flowcontrol_dispatched_requests_total{place} 4" in told
    assert f"apiserver_flowcontrol_current_executing_seats{place} 0" in told
    waited = "apiserver_flowcontrol_request_wait_duration_seconds_count"
    assert f'{waited}{{priority_level="small",flow_schema="ours",execute="true"}} 4' in told
