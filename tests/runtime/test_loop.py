"""The loop of a controller beyond single calls: priority, deadline, spans, counts, bad weather."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from argosy.api.core import ConfigMap, Event, Service
from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.meta import PartialObject, owned
from argosy.api.resource import Resource
from argosy.base.errors import StatusError, TerminalError, conflict, forbidden, not_found
from argosy.client.client import Client
from argosy.controllers.customresources import custom_resources
from argosy.http.message import Request, Response
from argosy.runtime.commit import Committer, Desired, Plan
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.manager import Manager
from argosy.runtime.queue import LONGEST_DELAY
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.api.extensions.kit import kind
from tests.runtime.kit import Faulty, config_map, faulty, make

Reconcile = Callable[[ConfigMap], Awaitable[Result]]
PORT = {"port": 80}


@dataclass
class Spans:
    """A tracer that notes its spans as they end."""

    ended: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    @contextmanager
    def start_as_current_span(self, name: str, *, attributes: Mapping[str, str]) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.ended.append((name, dict(attributes), type(error).__name__))
            raise
        self.ended.append((name, dict(attributes), ""))


@dataclass
class Scene:
    """A manager of its own, over requests that can fail."""

    running: Cluster
    clock: FakeClock
    manager: Manager
    transport: Faulty
    client: Client

    def control(self, reconcile: Reconcile, **options: Any) -> None:
        """Run a controller of ConfigMaps."""
        configs = self.manager.informer(ConfigMap)
        self.manager.add(Controller(name="t", informer=configs, reconcile=reconcile, **options))
        self.running.manager.add_runner(self.manager.run)
        self.running.start()

    def metric(self, name: str) -> dict[tuple[str, ...], Any]:
        [found] = [item for item in self.manager.metrics.families() if item.name == name]
        return dict(found.samples)


@asynccontextmanager
async def scene(**options: Any) -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock, **options)
        yield Scene(running, clock, manager, transport, running.client)


async def test_what_was_there_at_the_start_waits_for_what_changes() -> None:
    async with scene() as it:
        seen: list[str] = []

        async def slowly(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            await it.clock.sleep(1)
            return DONE

        for at in range(5):
            await make(it.client, f"old{at}")
        it.control(slowly, workers=1)
        await settle()
        await make(it.client, "new")
        await it.client.merge(ConfigMap.resource, "old4", "default", {"data": {"v": "2"}})
        await it.clock.advance(20)
        assert seen == ["old0", "new", "old4", "old1", "old2", "old3"]


async def test_what_an_informer_only_repeats_waits_for_what_changes() -> None:
    async with scene() as it:
        seen: list[str] = []
        pause = 0.0

        async def noted(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            await it.clock.sleep(pause)
            return DONE

        it.manager.informer(ConfigMap).resync(64)
        for name in ("a", "b"):
            await make(it.client, name)
        it.control(noted, workers=1)
        await settle()
        pause = 100.0
        await make(it.client, "slow")
        await it.clock.advance(99)  # both were told of again meanwhile
        await make(it.client, "new")
        pause, seen[:] = 0.0, []
        await it.clock.advance(2)
        assert seen[0] == "new" and {"a", "b"} <= set(seen)


async def test_objects_without_anything_to_do_are_not_looked_at() -> None:
    async with scene() as it:
        seen: list[str] = []

        async def noted(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            return DONE

        await make(it.client, "old-idle")
        await make(it.client, "old", v="1")
        services = it.manager.informer(Service)
        named = Watch(services, lambda service: [service.key])
        it.control(noted, concerns=lambda obj: "v" in obj.data, watches=(named,))
        await settle()
        await make(it.client, "idle")
        await make(it.client, "new", v="1")
        await settle()
        assert seen == ["old", "new"]
        await it.client.merge(ConfigMap.resource, "idle", "default", {"data": {"v": "1"}})
        await settle()
        assert seen == ["old", "new", "idle"]
        body = {"metadata": {"name": "old-idle", "namespace": "default"}, "spec": {"ports": [PORT]}}
        await it.client.create(Service.resource, body)
        await settle()
        assert seen[3:] == ["old-idle"]  # who is named by others is looked at all the same


async def test_an_owner_of_the_same_kind_in_another_group_is_another() -> None:
    async with scene() as it:
        seen: list[str] = []

        async def noted(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            return DONE

        it.control(noted, owns=(it.manager.informer(Service),))
        obj = await make(it.client, "a")
        await settle()
        seen.clear()
        for name, version in (("theirs", "example.com/v1"), ("ours", "v1")):
            meta = {"name": name, "namespace": "default"}
            owners = [{**owned(obj), "apiVersion": version}]
            body = {"metadata": {**meta, "ownerReferences": owners}, "spec": {"clusterIP": "None"}}
            await it.client.create(Service.resource, body)
            await settle()
            assert seen == ["a"] * (name == "ours")


async def test_what_takes_longer_than_the_deadline_is_cut_and_tried_again() -> None:
    async with scene() as it:
        calls: list[float] = []

        async def slow(obj: ConfigMap) -> Result:
            calls.append(it.clock.monotonic())
            await it.clock.sleep(1 if len(calls) > 1 else 3600)
            return DONE

        it.control(slow, deadline=5.0)
        await make(it.client, "a")
        await it.clock.advance(100)
        assert [round(call, 2) for call in calls] == [0.0, 5.05]
        assert it.metric("controller_runtime_reconcile_timeouts_total") == {("t",): 1}
        assert it.metric("controller_runtime_reconcile_panics_total") == {("t",): 0}
        assert it.metric("controller_runtime_active_workers") == {("t",): 0}


async def test_each_reconcile_is_a_span_where_there_is_a_tracer() -> None:
    spans = Spans()
    async with scene(tracer=spans) as it:

        async def reconcile(obj: ConfigMap) -> Result:
            if obj.metadata.name == "b":
                raise TerminalError("never")
            return DONE

        it.control(reconcile)
        for name in ("a", "b"):
            await make(it.client, name)
            await settle()
        attributes = [{"controller": "t", "object": f"default/{name}"} for name in "ab"]
        assert spans.ended == [
            ("reconcile", attributes[0], ""),
            ("reconcile", attributes[1], "TerminalError"),
        ]


async def test_outcomes_are_counted_each_in_its_place() -> None:
    outcomes: dict[str, Result | Exception] = {
        "done": DONE,
        "later": Result(after=1000),
        "refused": forbidden("no"),
        "cut": ConnectionError("reset"),
        "never": TerminalError("never"),
        "bug": ValueError("a bug"),
    }
    async with scene() as it:

        async def reconcile(obj: ConfigMap) -> Result:
            await it.clock.sleep(0.3)
            outcome = outcomes[obj.metadata.name]
            if isinstance(outcome, Exception):
                outcomes[obj.metadata.name] = DONE
                raise outcome
            return outcome

        it.control(reconcile, workers=6)
        for name in outcomes:
            await make(it.client, name)
        await settle()
        assert it.metric("controller_runtime_active_workers") == {("t",): 6}
        assert it.metric("controller_runtime_max_concurrent_reconciles") == {("t",): 6}
        await it.clock.advance(0.31)
        results = it.metric("controller_runtime_reconcile_total")
        expected = {"success": 1, "requeue_after": 1, "error": 4, "requeue": 0}
        assert results == {("t", result): count for result, count in expected.items()}
        for name, count in (("errors", 4), ("terminal_reconcile_errors", 1), ("panics", 1)):
            full = name if name.startswith("terminal") else f"reconcile_{name}"
            assert it.metric(f"controller_runtime_{full}_total") == {("t",): count}
        took = it.metric("controller_runtime_reconcile_time_seconds")
        assert sum(took[("t",)][0]) == 6 and round(took[("t",)][1], 1) == 1.8
        assert it.metric("workqueue_retries_total") == {("t", "t"): 4}


def refusing(error: StatusError, method: str, part: str) -> Callable[[Request], Awaitable[Any]]:
    """A fault: the answer to all such requests."""
    body = msgspec.json.encode(error.status())

    async def fault(request: Request) -> Response | None:
        matches = request.method == method and part in request.path
        return Response(error.code, {}, body) if matches else None

    return fault


REFUSED = (
    StatusError(422, "Invalid", "the template is invalid"),
    forbidden("admission webhook denied the request: no"),
    StatusError(500, "InternalError", "failed calling webhook: connection refused"),
    conflict("services", "s", "the object has been modified"),
)


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: error.reason)
async def test_what_the_server_refuses_for_ever_is_no_hot_loop_and_told_once(
    error: StatusError,
) -> None:
    async with scene() as it:
        events = EventRecorder(it.manager.client, it.clock, "test")
        committer = Committer(it.manager.client, events, (it.manager.informer(Service),))
        calls: list[float] = []

        async def reconcile(obj: ConfigMap) -> Result:
            calls.append(it.clock.monotonic())
            meta = {"name": "s", "namespace": "default", "ownerReferences": [owned(obj)]}
            wanted = Desired(Service.resource, {"metadata": meta, "spec": {}})

            def refused(error: StatusError) -> Plan:
                return Plan(notes=[Note("FailedCreate", error.message, "Warning")])

            await committer.commit(obj, Plan(apply=[wanted]), refused=refused)
            return DONE

        it.transport.fault = refusing(error, "POST", "/services")
        it.control(reconcile)
        await make(it.client, "a")
        await it.clock.advance(3600)
        assert len(calls) < 3600 / LONGEST_DELAY + 15
        told = (await it.client.list(Event, "default")).items
        assert [event.reason for event in told] == ["FailedCreate"] * (error.code < 500)
        posts = sum(1 for item in it.transport.seen if item.method == "POST")
        assert posts <= len(calls) + 1


async def test_a_storm_of_conflicts_among_many_objects_ends_soon_after_it_is_over() -> None:
    async with scene() as it:
        done: set[str] = set()
        calls = 0

        async def reconcile(obj: ConfigMap) -> Result:
            nonlocal calls
            calls += 1
            if it.clock.monotonic() < 30:
                raise conflict("configmaps", obj.metadata.name, "modified")
            done.add(obj.metadata.name)
            return DONE

        for at in range(50):
            await make(it.client, f"c{at}")
        it.control(reconcile)
        await it.clock.advance(30)
        assert calls < 50 * 12
        await it.clock.advance(LONGEST_DELAY)
        assert len(done) == 50


async def test_a_kind_that_is_served_no_more_costs_little_and_its_controller_goes_on() -> None:
    async with scene() as it:
        seen: list[str] = []

        async def reconcile(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            return DONE

        it.control(reconcile, owns=(it.manager.informer(Service),))
        await make(it.client, "a")
        await settle()
        it.transport.fault = refusing(not_found("services", ""), "GET", "/services")
        it.transport.cut.append(None)
        await it.client.create(Service.resource, _service("s"))
        await it.clock.advance(1)
        before = len(it.transport.seen)
        await it.clock.advance(600)
        assert len(it.transport.seen) - before < 2 * 600 / 30 + 20
        await make(it.client, "b")
        await settle()
        assert seen == ["a", "b"]


async def test_a_kind_that_is_deleted_and_defined_anew_is_worked_on_again() -> None:
    widgets = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")
    definitions = CustomResourceDefinition.resource
    async with scene() as it:
        seen: list[str] = []

        async def reconcile(obj: PartialObject) -> Result:
            seen.append(obj.metadata.name)
            return Result(after=5)

        it.running.manager.add(custom_resources(it.running.manager, it.running.plane.resources))
        informer = it.manager.informer(PartialObject, widgets)
        it.manager.add(Controller(name="widgets", informer=informer, reconcile=reconcile))
        it.running.manager.add_runner(it.manager.run)
        it.running.start()
        for turn in ("first", "second"):
            await it.client.create(definitions, kind())
            await it.client.create(widgets, {"metadata": {"name": turn, "namespace": "default"}})
            await it.clock.advance(60)
            assert turn in seen
            await it.client.delete(definitions, "widgets.example.com")
            await it.clock.advance(60)
            assert informer.get("default", turn) is None
            seen.clear()
            before = len(it.transport.seen)
            await it.clock.advance(600)
            assert seen == []
            assert len(it.transport.seen) - before < 600 / 30 * 2 + 10


def _service(name: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default"}
    return {"metadata": meta, "spec": {"clusterIP": "None"}}


async def test_an_object_that_is_written_while_it_is_reconciled_is_looked_at_again_once() -> None:
    async with scene() as it:
        calls = 0

        async def reconcile(obj: ConfigMap) -> Result:
            nonlocal calls
            calls += 1
            await it.client.merge(
                ConfigMap.resource, "a", "default", {"metadata": {"labels": {"seen": "yes"}}}
            )
            return DONE

        it.control(reconcile)
        await it.client.create(ConfigMap.resource, config_map("a"))
        await it.clock.advance(60)
        assert calls == 2
