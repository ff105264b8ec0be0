"""The manager: one informer a kind, run with what stands on them, and how all of it ends."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from argosy.api.core import ConfigMap, Pod, PodSpec, Service
from argosy.api.meta import PartialObject
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.runtime.kit import make


def bare(pod: Pod) -> Pod:
    return replace(pod, spec=PodSpec())


async def test_an_informer_is_shared_by_all_who_ask_for_its_kind() -> None:
    async with cluster() as running:
        manager = running.manager
        assert manager.informer(Pod) is manager.informer(Pod)
        metadata = manager.informer(PartialObject, Pod.resource)
        assert metadata is manager.informer(PartialObject, Pod.resource)
        assert metadata is not manager.informer(PartialObject, Service.resource)
        nodes = manager.informer(Pod, fields="spec.nodeName=a")
        assert manager.informer(Pod, trim=bare) is manager.informer(Pod, trim=bare)
        assert len({nodes, manager.informer(Pod), manager.informer(Pod, trim=bare)}) == 3


async def test_metadata_of_a_kind_can_be_followed_alone() -> None:
    async with cluster(clock=FakeClock()) as running:
        informer = running.manager.informer(PartialObject, ConfigMap.resource)
        await make(running.client, "a")
        running.start()
        await informer.synced.wait()
        found = informer.get("default", "a")
        assert type(found) is PartialObject and found.metadata.name == "a"


async def test_what_is_applied_under_a_name_is_that_names() -> None:
    async with cluster() as running:
        client = running.manager.client_as("tests/me")
        assert client.manager == "tests/me"
        assert client.transport is running.manager.client.transport


async def test_controllers_and_runners_run_until_the_manager_is_cancelled() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.client, clock)
        seen: list[str] = []
        ended = asyncio.Event()

        async def reconcile(obj: ConfigMap) -> Result:
            seen.append(obj.metadata.name)
            return DONE

        async def runner() -> None:
            try:
                await clock.sleep(3600)
            finally:
                ended.set()

        configs = manager.informer(ConfigMap)
        manager.add(Controller(name="t", informer=configs, reconcile=reconcile))
        manager.add_runner(runner)
        task = asyncio.create_task(manager.run())
        await make(running.client, "a")
        await settle()
        assert seen == ["a"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()


async def test_a_runner_that_breaks_ends_the_manager() -> None:
    async with cluster(clock=FakeClock()) as running:

        async def broken() -> None:
            raise ValueError("a bug")

        running.manager.informer(ConfigMap)
        running.manager.add_runner(broken)
        with pytest.raises(ExceptionGroup) as caught:
            await running.manager.run()
        assert caught.group_contains(ValueError, match="a bug")


@dataclass
class Slow:
    """A reconcile that takes 10 s, and notes what became of it."""

    clock: FakeClock
    seen: list[str] = field(default_factory=list)

    async def __call__(self, obj: ConfigMap) -> Result:
        self.seen.append(f"began {obj.metadata.name}")
        try:
            await self.clock.sleep(10)
        except asyncio.CancelledError:
            self.seen.append(f"cut {obj.metadata.name}")
            raise
        self.seen.append(f"ended {obj.metadata.name}")
        return DONE


@dataclass
class Leadership:
    """An election whose terms are given and ended by hand."""

    given: asyncio.Event = field(default_factory=asyncio.Event)
    taken: asyncio.Event = field(default_factory=asyncio.Event)

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        await self.given.wait()
        working = asyncio.ensure_future(work())
        lost = asyncio.ensure_future(self.taken.wait())
        try:
            await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, lost):
                task.cancel()
            await asyncio.gather(working, lost, return_exceptions=True)

    async def elect(self) -> None:
        self.taken.clear()
        self.given.set()
        await settle()

    async def depose(self) -> None:
        self.given.clear()
        self.taken.set()
        await settle()


@asynccontextmanager
async def managed(
    grace: float = 0.0, election: Leadership | None = None, workers: int = 1
) -> AsyncGenerator[tuple[Manager, Client, Slow, "asyncio.Task[None]"], None]:
    """A manager that runs a slow controller."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.client, clock, grace=grace, election=election)
        slow = Slow(clock)
        configs = manager.informer(ConfigMap)
        manager.add(Controller(name="slow", informer=configs, reconcile=slow, workers=workers))
        task = asyncio.create_task(manager.run())
        try:
            yield manager, running.client, slow, task
        finally:
            task.cancel()
            await clock.advance(100)
            await asyncio.gather(task, return_exceptions=True)


async def test_without_a_grace_what_was_begun_is_cut_at_once() -> None:
    async with managed() as (_, client, slow, task):
        await make(client, "a")
        await settle()
        task.cancel()
        await settle()
        assert task.cancelled()
        assert slow.seen == ["began a", "cut a"]


async def test_with_a_grace_what_was_begun_ends_and_nothing_more_begins() -> None:
    async with managed(grace=30) as (_, client, slow, task):
        for name in ("a", "b"):
            await make(client, name)
        await settle()
        task.cancel()
        await slow.clock.advance(9)
        assert not task.done()
        await slow.clock.advance(1)
        assert task.cancelled()
        assert slow.seen == ["began a", "ended a"]


async def test_what_takes_longer_than_the_grace_is_cut() -> None:
    async with managed(grace=5) as (_, client, slow, task):
        await make(client, "a")
        await settle()
        task.cancel()
        await slow.clock.advance(5)
        assert task.cancelled()
        assert slow.seen == ["began a", "cut a"]


async def test_a_second_cancel_ends_the_grace() -> None:
    async with managed(grace=30) as (_, client, slow, task):
        await make(client, "a")
        await settle()
        task.cancel()
        await settle()
        task.cancel()
        await settle()
        assert task.cancelled()
        assert slow.seen == ["began a", "cut a"]


async def test_where_nothing_runs_the_end_takes_no_time() -> None:
    async with managed(grace=30) as (_, _client, slow, task):
        await settle()
        task.cancel()
        await settle()
        assert task.cancelled()
        assert slow.clock.monotonic() == 0


async def test_caches_go_on_while_what_was_begun_ends() -> None:
    async with managed(grace=30) as (manager, client, slow, task):
        await make(client, "a")
        await settle()
        task.cancel()
        await settle()
        await make(client, "b")
        await settle()
        assert manager.informer(ConfigMap).get("default", "b") is not None
        await slow.clock.advance(10)
        assert slow.seen == ["began a", "ended a"]


async def test_controllers_work_only_while_the_manager_leads_and_caches_always() -> None:
    election = Leadership()
    async with managed(election=election) as (manager, client, slow, _):
        await make(client, "a")
        await settle()
        assert manager.informer(ConfigMap).get("default", "a") is not None
        assert slow.seen == []
        await election.elect()
        assert slow.seen == ["began a"]
        await election.depose()
        assert slow.seen == ["began a", "cut a"]
        await make(client, "b")
        await settle()
        assert len(slow.seen) == 2


async def test_a_new_term_begins_with_all_objects() -> None:
    election = Leadership()
    async with managed(election=election, workers=4) as (_, client, slow, _task):
        await make(client, "a")
        await election.elect()
        await slow.clock.advance(10)
        await election.depose()
        await make(client, "b")
        await settle()
        slow.seen.clear()
        await election.elect()
        await slow.clock.advance(10)
        assert sorted(slow.seen) == ["began a", "began b", "ended a", "ended b"]
        await make(client, "c")
        await settle()
        assert slow.seen[-1] == "began c"


async def test_a_lost_term_has_no_grace_and_an_end_while_leading_has() -> None:
    election = Leadership()
    async with managed(grace=30, election=election) as (_, client, slow, task):
        await make(client, "a")
        await election.elect()
        await election.depose()
        assert slow.seen == ["began a", "cut a"]
        await election.elect()
        slow.seen.clear()
        task.cancel()
        await slow.clock.advance(10)
        assert task.cancelled()
        assert slow.seen == ["ended a"]


async def test_a_runner_that_is_always_to_run_needs_no_leadership() -> None:
    async with cluster(clock=FakeClock()) as running:
        manager = Manager(running.client, FakeClock(), election=Leadership())
        ran: list[str] = []

        def noting(name: str) -> Callable[[], Awaitable[None]]:
            async def run() -> None:
                ran.append(name)

            return run

        manager.add_runner(noting("leading"))
        manager.add_runner(noting("always"), always=True)
        task = asyncio.create_task(manager.run())
        await settle()
        assert ran == ["always"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_tells_what_is_not_read_yet() -> None:
    async with cluster(clock=FakeClock()) as running:
        for kind in (Service, ConfigMap, Pod):
            running.manager.informer(kind)
        assert running.manager.unsynced == ["configmaps", "pods", "services"]
        running.start()
        await settle()
        assert running.manager.unsynced == []


@dataclass
class Away:
    """A server that can't be reached until `back`; then it refuses to list services once more."""

    inner: Transport
    clock: FakeClock
    back: float
    refused: int = 0

    async def send(self, request: Request) -> Response:
        if self.clock.monotonic() < self.back:
            raise ConnectionError("nobody listens")
        if request.path.endswith("/services") and not self.refused:
            self.refused += 1
            raise ConnectionError("the request was lost")
        return await self.inner.send(request)

    async def close(self) -> None:
        await self.inner.close()


async def test_caches_come_back_together() -> None:
    """Who lags behind the others has controllers undo what others have done."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client = running.plane.client("argosy")
        way = Away(client.transport, clock, back=10.0)
        manager = Manager(dataclasses.replace(client, transport=way), clock)
        for kind in (ConfigMap, Pod, Service):
            manager.informer(kind)
        running.tasks.append(asyncio.create_task(manager.run()))
        await clock.advance(12.6)  # they ask after 6.3 s, and after 12.7
        assert len(manager.unsynced) == 3
        await clock.advance(0.3)
        assert manager.unsynced == [] and way.refused == 1
