"""The loop of a controller: what it calls, and what it does with what comes back."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from argosy.api.core import ConfigMap, Service
from argosy.api.meta import Key, owned
from argosy.base.errors import StatusError, TerminalError, conflict
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.pace import MOST, WINDOW_SECONDS
from argosy.runtime.queue import FIRST_DELAY, LONGEST_DELAY
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.runtime.kit import make

Outcome = Result | Exception


@dataclass
class Recorder:
    """A reconcile that notes when it was called, and does what it was told to."""

    clock: FakeClock
    outcomes: list[Outcome] = field(default_factory=list)
    calls: list[tuple[str, float]] = field(default_factory=list)
    busy: Callable[[ConfigMap], Awaitable[None]] | None = None

    async def __call__(self, obj: ConfigMap) -> Result:
        self.calls.append((obj.metadata.name, self.clock.monotonic()))
        if self.busy is not None:
            await self.busy(obj)
        outcome = self.outcomes.pop(0) if self.outcomes else DONE
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def times(self) -> list[float]:
        return [round(when, 3) for _, when in self.calls]


@asynccontextmanager
async def controlled(
    *outcomes: Outcome, watch: Callable[[Service], list[Key]] | None = None, workers: int = 4
) -> AsyncGenerator[tuple[Client, FakeClock, Recorder], None]:
    """A controller of ConfigMaps that owns Services, on a cluster of its own."""
    clock = FakeClock()
    recorder = Recorder(clock, list(outcomes))
    async with cluster(clock=clock) as running:
        services = running.manager.informer(Service)
        running.manager.add(
            Controller(
                name="tests/configmaps",
                informer=running.manager.informer(ConfigMap),
                reconcile=recorder,
                owns=() if watch else (services,),
                watches=(Watch(services, watch),) if watch else (),
                workers=workers,
            )
        )
        running.start()
        await settle()
        yield running.client, clock, recorder


async def service(client: Client, name: str, owner: ConfigMap | None = None) -> None:
    meta = {"name": name, "namespace": "default"}
    owners = {"ownerReferences": [owned(owner)]} if owner is not None else {}
    body = {"metadata": {**meta, **owners}, "spec": {"clusterIP": "None"}}
    await client.create(Service.resource, body)


async def test_each_change_of_the_object_and_of_what_it_owns_is_looked_at() -> None:
    async with controlled() as (client, _, recorder):
        obj = await make(client, "a")
        await settle()
        await client.merge(ConfigMap.resource, "a", "default", {"data": {"v": "2"}})
        await settle()
        await service(client, "s", obj)
        await settle()
        await client.delete(Service.resource, "s", "default")
        await settle()
        assert [name for name, _ in recorder.calls] == ["a"] * 4
        await service(client, "stranger")
        await client.delete(ConfigMap.resource, "a", "default")
        await settle()
        assert len(recorder.calls) == 4


async def test_objects_that_were_there_before_are_looked_at() -> None:
    clock = FakeClock()
    recorder = Recorder(clock)
    async with cluster(clock=clock) as running:
        await make(running.client, "a")
        configs = running.manager.informer(ConfigMap)
        running.manager.add(Controller(name="t", informer=configs, reconcile=recorder))
        running.start()
        await settle()
        assert [name for name, _ in recorder.calls] == ["a"]


async def test_a_watch_maps_the_old_and_the_new_object_to_keys() -> None:
    def named(service: Service) -> list[Key]:
        return [("default", name) for name in service.spec.selector.values()]

    async with controlled(watch=named) as (client, _, recorder):
        for name in ("a", "b", "c"):
            await make(client, name)
        await service(client, "s")
        await settle()
        recorder.calls.clear()
        patch = {"spec": {"selector": {"to": "a"}}}
        await client.merge(Service.resource, "s", "default", patch)
        await settle()
        await client.merge(Service.resource, "s", "default", {"spec": {"selector": {"to": "b"}}})
        await settle()
        assert [name for name, _ in recorder.calls] == ["a", "a", "b"]


RETRIED = (StatusError(500, "InternalError", "oh"), ConnectionError("reset"), ValueError("a bug"))


@pytest.mark.parametrize("error", RETRIED)
async def test_an_error_is_tried_again_after_a_growing_delay(error: Exception) -> None:
    async with controlled(error, error, error) as (client, clock, recorder):
        await make(client, "a")
        await clock.advance(100)
        delays = [0.0, FIRST_DELAY, 3 * FIRST_DELAY, 7 * FIRST_DELAY]
        assert recorder.times == [round(delay, 3) for delay in delays]


async def test_after_a_success_the_delays_begin_anew() -> None:
    bug = ValueError("a bug")
    async with controlled(bug, bug, DONE, bug) as (client, clock, recorder):
        await make(client, "a")
        await clock.advance(10)
        await client.merge(ConfigMap.resource, "a", "default", {"data": {"v": "2"}})
        await settle()
        await clock.advance(10)
        assert recorder.times[-2:] == [10.0, 10.0 + FIRST_DELAY]


async def test_an_error_that_stays_is_no_hot_loop() -> None:
    async with controlled(*[ValueError("a bug")] * 1000) as (client, clock, recorder):
        await make(client, "a")
        await clock.advance(3600)
        assert len(recorder.calls) < 3600 / LONGEST_DELAY + 15


async def test_a_terminal_error_waits_for_the_next_change() -> None:
    async with controlled(TerminalError("never")) as (client, clock, recorder):
        await make(client, "a")
        await clock.advance(3600)
        assert recorder.times == [0.0]
        await client.merge(ConfigMap.resource, "a", "default", {"data": {"v": "2"}})
        await settle()
        assert recorder.times == [0.0, 3600.0]


async def test_a_bug_is_logged_with_its_traceback_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with controlled(ValueError("a bug")) as (client, _, recorder):
        await make(client, "a")
        await settle()
        await make(client, "b")
        await settle()
        assert [name for name, _ in recorder.calls] == ["a", "b"]
        [record] = [item for item in caplog.records if item.exc_info]
        assert record.getMessage() == "reconciling failed"
        assert record.__dict__["controller"] == "tests/configmaps"
        assert record.__dict__["object"] == "default/a"


async def test_an_expected_error_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    async with controlled(conflict("configmaps", "a", "changed")) as (client, _, _recorder):
        with caplog.at_level(logging.INFO):
            await make(client, "a")
            await settle()
        levels = {record.levelno for record in caplog.records if record.name.startswith("argosy")}
        assert levels == {logging.INFO}


async def test_after_brings_the_object_back_at_its_time() -> None:
    async with controlled(Result(after=30.0), Result(after=5.0)) as (client, clock, recorder):
        await make(client, "a")
        await clock.advance(100)
        assert recorder.times == [0.0, 30.0, 35.0]


async def test_an_object_that_is_gone_is_not_looked_at_later() -> None:
    async with controlled(Result(after=30.0)) as (client, clock, recorder):
        await make(client, "a")
        await settle()
        await client.delete(ConfigMap.resource, "a", "default")
        await clock.advance(100)
        assert recorder.times == [0.0]


async def test_a_change_during_a_reconcile_is_looked_at_after_it_and_never_beside_it() -> None:
    async with controlled() as (client, clock, recorder):
        running = 0

        async def slowly(obj: ConfigMap) -> None:
            nonlocal running
            running += 1
            assert running == 1
            await clock.sleep(5)
            running -= 1

        recorder.busy = slowly
        await make(client, "a")
        await clock.advance(1)
        for value in ("2", "3"):
            await client.merge(ConfigMap.resource, "a", "default", {"data": {"v": value}})
            await settle()
        await clock.advance(60)
        assert recorder.times == [0.0, 5.0]


async def test_other_objects_do_not_wait_for_a_slow_one() -> None:
    async with controlled(workers=2) as (client, clock, recorder):

        async def slowly(obj: ConfigMap) -> None:
            if obj.metadata.name == "slow":
                await clock.sleep(60)

        recorder.busy = slowly
        await make(client, "slow")
        await settle()
        await make(client, "quick")
        await settle()
        assert recorder.calls == [("slow", 0.0), ("quick", 0.0)]


async def test_two_that_undo_each_other_are_no_hot_loop() -> None:
    """Each wants another value, and looks as soon as it has changed."""
    clock = FakeClock()
    writes: list[float] = []
    async with cluster(clock=clock) as running:
        client, maps = running.client, running.manager.informer(ConfigMap)

        def wants(value: str) -> Callable[[ConfigMap], Awaitable[Result]]:
            async def write(obj: ConfigMap) -> Result:
                meta = obj.metadata
                if (meta.labels or {}).get("mine") != value:
                    writes.append(clock.monotonic())
                    labels = {"metadata": {"labels": {"mine": value}}}
                    await client.merge(ConfigMap.resource, meta.name, meta.namespace, labels)
                return DONE

            return write

        for value in ("a", "b"):
            running.manager.add(Controller(name=value, informer=maps, reconcile=wants(value)))
        running.start()
        await make(client, "it")
        await settle(40 * MOST)
        begun = len(writes)
        assert 2 <= begun <= 2 * MOST
        await settle(40 * MOST)
        assert len(writes) == begun
        await clock.advance(WINDOW_SECONDS)
        await settle(40 * MOST)
        assert begun < len(writes) <= 4 * MOST
