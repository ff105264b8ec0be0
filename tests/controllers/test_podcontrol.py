"""Pods as controllers make them: never twice, and not on and on where they are refused."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.replicas import ReplicaSet
from argosy.base.errors import StatusError, forbidden
from argosy.client.client import MERGE, Client
from argosy.controllers.podcontrol import (
    MOMENT,
    MOST_AT_ONCE,
    WIDEST,
    PodControl,
    namespace_going,
    pod_control,
    pod_from,
)
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle
from tests.controllers.faults import LAG, Counting, Lagging, with_faults
from tests.controllers.kit import Scene
from tests.controllers.replicakit import body, pods, template, told, turn


class Refusing(Counting):
    """Only so many pods are taken; how many writes of them are under way at once is noted."""

    left = 10**6
    under_way = 0
    most = 0
    broken = False
    answer: int | None = None

    async def send(self, request: Request) -> Response:
        if request.method not in ("POST", "DELETE") or "/pods" not in request.path:
            return await super().send(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await settle(1)
        self.under_way -= 1
        self.left -= 1
        if self.left < 0:
            status = forbidden("no more of them").status()
            return Response(403, {}, msgspec.json.encode(status))
        done = await super().send(request)
        if not self.broken:
            return done
        if self.answer is None:
            raise ConnectionError("the connection broke")
        return Response(self.answer, {}, b"{}")


@asynccontextmanager
async def controlling() -> AsyncGenerator[tuple[Scene, Refusing, PodControl, ReplicaSet], None]:
    """Pod control for a ReplicaSet that nobody else acts on."""
    made: list[PodControl] = []

    def add(manager: Manager) -> None:
        made.append(pod_control(manager, "test", "tester"))
        made[0].expectations.follow(manager.informer(ReplicaSet))

    async with with_faults(Refusing, add) as (it, way):
        await it.client.create(ReplicaSet.resource, body(replicas=0))
        await turn(it)
        yield it, way, made[0], await it.client.get(ReplicaSet, "web", "default")


def bodies(owner: ReplicaSet, count: int) -> list[dict[str, Any]]:
    return [pod_from(template(), owner)] * count


async def test_pods_are_made_and_shown() -> None:
    async with controlling() as (it, way, control, owner):
        uid = owner.metadata.uid
        assert control.expectations.met(uid)
        await control.create(owner, bodies(owner, 300))
        assert len(await pods(it)) == 300
        assert way.most == WIDEST
        assert control.expectations.met(uid)
        assert len(control.pods_of(owner)) == 300
        assert 10 <= len(await told(it, "SuccessfulCreate")) <= 25


async def test_of_all_owners_pods_so_many_are_made_or_deleted_at_once() -> None:
    async with controlling() as (it, way, control, owner):
        many = [control.create(owner, bodies(owner, 2 * WIDEST)) for _ in range(8)]
        await asyncio.gather(*many)
        made = await pods(it)
        assert len(made) == 16 * WIDEST
        assert way.most == MOST_AT_ONCE
        way.most = 0
        await asyncio.gather(*[control.delete(owner, made[at::8]) for at in range(8)])
        assert way.most == MOST_AT_ONCE and not await pods(it)


async def test_a_refusal_ends_it_after_its_batch() -> None:
    async with controlling() as (it, way, control, owner):
        way.left = 5  # of the batches of 1, 2, 4 and 8 the third has two that are refused
        with pytest.raises(StatusError, match="no more of them"):
            await control.create(owner, bodies(owner, 100))
        assert len(await pods(it)) == 5
        assert way.left == -2
        [event] = await told(it, "FailedCreate")
        assert (event.type, event.message) == ("Warning", "Error creating: no more of them")
        assert event.count == 2


async def test_what_was_written_is_expected_until_the_cache_shows_it() -> None:
    async with controlling() as (it, _, control, owner):
        uid = owner.metadata.uid
        expected = control.expectations
        await control.create(owner, bodies(owner, 2))
        [first, _] = await pods(it)
        assert expected.met(uid)
        meta = {"metadata": {"resourceVersion": str(10**9)}}
        expected.wrote(uid, meta)
        expected.wrote(uid, {"metadata": {"resourceVersion": "1"}})  # an older one counts no more
        assert not expected.met(uid) and expected.met("another")
        expected.forget(uid)
        assert expected.met(uid)
        expected.deleted(uid, first)
        assert not expected.met(uid)
        await control.delete(owner, [first])
        await settle()
        assert expected.met(uid)


async def test_a_cache_that_is_on_time_shows_in_a_moment_what_was_written() -> None:
    async with controlling() as (it, _, control, owner):
        assert not await control.shown(owner, it.clock)  # nothing was written
        await control.create(owner, bodies(owner, 3))
        assert await control.shown(owner, it.clock)
        assert len(control.pods_of(owner)) == 3
        control.expectations.came_to(owner.metadata.uid, str(10**9))
        waiting = asyncio.create_task(control.shown(owner, it.clock))
        await settle()
        assert not waiting.done()
        await it.clock.advance(MOMENT)
        assert not await waiting
        control.expectations.doubt(owner.metadata.uid)
        assert not await control.shown(owner, it.clock)  # at once: the server is asked first


async def test_nothing_is_remembered_of_an_owner_that_is_gone() -> None:
    async with controlling() as (it, _, control, owner):
        uid = owner.metadata.uid
        control.expectations.wrote(uid, {"metadata": {"resourceVersion": str(10**9)}})
        control.expectations.doubt(uid)
        labels = {"metadata": {"labels": {"a": "b"}}}
        await it.client.merge(ReplicaSet.resource, "web", "default", labels)
        await turn(it)
        assert control.expectations.doubtful(uid) and not control.expectations.met(uid)
        await it.client.delete(ReplicaSet.resource, "web", "default")
        await turn(it)
        assert not control.expectations.doubtful(uid) and control.expectations.met(uid)


async def test_a_pod_that_goes_slowly_is_no_longer_expected_to() -> None:
    async with controlling() as (it, _, control, owner):
        await control.create(owner, bodies(owner, 1))
        [pod] = await pods(it)
        held = {"metadata": {"finalizers": ["example.com/keep"]}}
        path = Pod.resource.path(pod.metadata.name, "default")
        await it.client.call("PATCH", path, {}, held, content_type=MERGE)
        await settle()
        await control.delete(owner, [pod])
        await settle()
        assert control.expectations.met(owner.metadata.uid)
        assert len(await pods(it)) == 1


@pytest.mark.parametrize("answer", [None, 504])
async def test_a_delete_that_may_have_been_done_is_asked_for(answer: int | None) -> None:
    async with controlling() as (it, way, control, owner):
        await control.create(owner, bodies(owner, 2))
        [gone, _] = await pods(it)
        way.broken = True
        way.answer = answer
        with pytest.raises((ConnectionError, StatusError)):
            await control.delete(owner, [gone])
        assert control.expectations.doubtful(owner.metadata.uid)
        way.broken = False
        assert await control.settled(owner)
        assert len(control.pods_of(owner)) == 1


async def test_a_pod_that_is_spared_stays_where_it_has_changed() -> None:
    async with controlling() as (it, _, control, owner):
        uid = owner.metadata.uid
        await control.create(owner, bodies(owner, 2))
        seen = await pods(it)
        changed, same = seen
        body = {"metadata": {"labels": {"new": "label"}}}
        path = Pod.resource.path(changed.metadata.name, "default")
        await it.client.call("PATCH", path, {}, body, content_type=MERGE)
        await control.delete(owner, seen, spare=lambda pod: True)
        assert control.expectations.doubtful(uid)
        assert [pod.metadata.name for pod in await pods(it)] == [changed.metadata.name]
        assert await control.settled(owner)
        await control.delete(owner, [changed], spare=lambda pod: False)
        assert not control.expectations.doubtful(uid)
        assert await pods(it) == []


async def test_what_the_server_lacks_is_expected_to_go_and_what_was_let_go_is_not() -> None:
    made: list[PodControl] = []
    async with with_faults(Lagging, lambda one: made.append(pod_control(one, "a", "b"))) as (it, _):
        await it.client.create(ReplicaSet.resource, body(replicas=0))
        owner = await it.client.get(ReplicaSet, "web", "default")
        [control] = made
        await control.create(owner, bodies(owner, 3))
        await it.clock.advance(2 * LAG)
        [gone, free, _] = await pods(it)
        meta = {"metadata": {"ownerReferences": None}}
        await it.client.merge(Pod.resource, free.metadata.name, "default", meta)
        await it.client.delete(Pod.resource, gone.metadata.name, "default")
        control.expectations.doubt(owner.metadata.uid)
        assert len(control.pods_of(owner)) == 3
        assert not await control.settled(owner)
        await it.clock.advance(2 * LAG)
        assert await control.settled(owner)
        assert len(control.pods_of(owner)) == 1


async def test_one_that_has_left_is_awaited_though_the_cache_shows_it_going() -> None:
    """Whoever took it for going would count it again."""
    made: list[PodControl] = []
    async with with_faults(Lagging, lambda one: made.append(pod_control(one, "a", "b"))) as (it, _):
        await it.client.create(ReplicaSet.resource, body(replicas=0))
        owner = await it.client.get(ReplicaSet, "web", "default")
        [control] = made
        [wanted] = bodies(owner, 1)
        wanted["metadata"]["finalizers"] = ["example.com/keep"]
        await control.create(owner, [wanted])
        [pod] = await pods(it)
        await control.delete(owner, [pod])
        await it.clock.advance(2 * LAG)
        [known] = control.pods_of(owner)
        assert known.metadata.deletion_timestamp is not None
        free = {"metadata": {"finalizers": None}}
        await it.client.merge(Pod.resource, pod.metadata.name, "default", free)
        assert await pods(it) == []
        control.expectations.doubt(owner.metadata.uid)
        assert not await control.settled(owner)
        await it.clock.advance(2 * LAG)
        assert await control.settled(owner)


async def test_one_that_came_after_the_list_is_not_expected_to_go() -> None:
    async with controlling() as (it, _, control, owner):

        class Slow(Client):
            async def list(self, *args: Any, **options: Any) -> Any:
                listed = await super().list(*args, **options)
                await control.create(owner, bodies(owner, 1))
                await settle()
                return listed

        claims = replace(control.claims, client=Slow(it.client.transport))
        control.expectations.doubt(owner.metadata.uid)
        assert await replace(control, claims=claims).settled(owner)
        assert len(control.pods_of(owner)) == 1


async def test_deletes_that_fail_are_told_and_the_others_done() -> None:
    async with controlling() as (it, way, control, owner):
        await control.create(owner, bodies(owner, 100))
        found = await pods(it)
        way.left, way.most = 90, 0
        with pytest.raises(StatusError, match="unable to delete pods: no more of them"):
            await control.delete(owner, found)
        assert len(await pods(it)) == 10
        assert way.most == WIDEST
        [event] = await told(it, "FailedDelete")
        assert event.message == "Error deleting: no more of them"
        way.left = 10
        await control.delete(owner, found[:3])  # what is gone already is no failure


def test_pods_are_named_after_their_owner() -> None:
    for name, prefix in (("web", "web-"), ("x" * 252, "x" * 252 + "-"), ("x" * 253, "x" * 253)):
        owner = msgspec.convert({"metadata": {"name": name, "namespace": "a"}}, ReplicaSet)
        made = pod_from(template(), owner)
        assert made["metadata"]["generateName"] == prefix
        assert made["metadata"]["namespace"] == "a"


def test_a_namespace_that_goes_says_so() -> None:
    going = StatusError(
        403, "Forbidden", "", details={"causes": [{"reason": "NamespaceTerminating"}]}
    )
    assert namespace_going(going)
    assert not namespace_going(forbidden("no"))
    assert not namespace_going(ConnectionError("gone"))
