"""Objects that the server names, and those that the plan dropped: never one too many."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from argosy.api.core import ConfigMap
from argosy.api.meta import owned
from argosy.api.modelversion import ModelVersion
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response
from argosy.runtime.commit import Desired, Plan
from argosy.testing.clock import settle
from tests.runtime.commitkit import Scene, scene
from tests.runtime.kit import config_map, no_fault


def more(owner: ModelVersion, **data: str) -> Desired:
    """One more ConfigMap, which the server names."""
    body = config_map("", owner=owned(owner), **data)
    body["metadata"] = {**body["metadata"], "generateName": "v-"}
    del body["metadata"]["name"]
    return Desired(ConfigMap.resource, body)


async def names(it: Scene) -> list[str]:
    return [item.metadata.name for item in (await it.client.list(ConfigMap, "default")).items]


class Lagging:
    """The cache of ConfigMaps; while it is held it shows what it showed then."""

    resource = ConfigMap.resource

    def __init__(self, it: Scene) -> None:
        self._inner = it.running.manager.informer(ConfigMap)
        self._shown: list[ConfigMap] | None = None
        self._fresh = asyncio.Event()
        self._fresh.set()
        it.committer = replace(it.committer, informers=(cast(Any, self),))

    def owned_by(self, uid: str) -> list[ConfigMap]:
        return self._inner.owned_by(uid) if self._shown is None else self._shown

    async def reached(self, revision: str) -> None:
        await self._fresh.wait()
        await self._inner.reached(revision)

    def hold(self, it: Scene) -> None:
        self._shown = self._inner.owned_by(it.owner.metadata.uid)
        self._fresh.clear()

    def go_on(self) -> None:
        self._shown = None
        self._fresh.set()


async def topped_up(it: Scene, count: int, cache: Lagging) -> None:
    """A reconcile that wants so many objects, and counts those that the cache shows."""
    there = cache.owned_by(it.owner.metadata.uid)
    await it.commit(Plan(apply=[more(it.owner) for _ in range(count - len(there))]))


async def test_what_the_server_is_to_name_is_created_each_time_and_counted_by_the_cache() -> None:
    async with scene() as it:
        cache = Lagging(it)
        for count in (2, 3, 3):
            await topped_up(it, count, cache)
        found = await names(it)
        assert len(found) == 3 and all(name.startswith("v-") for name in found)


@pytest.mark.parametrize("answer", [None, 500, 504])
async def test_a_create_whose_answer_is_lost_is_not_done_twice_while_the_cache_lags(
    answer: int | None,
) -> None:
    async with scene() as it:
        cache = Lagging(it)
        cache.hold(it)

        async def losing(request: Request) -> Response | None:
            if request.method != "POST" or not request.path.endswith("/configmaps"):
                return None
            await it.transport.inner.send(request)
            if answer is None:
                raise ConnectionError("reset")
            return Response(answer, {}, msgspec.json.encode(StatusError(answer, "", "").status()))

        it.transport.fault = losing
        with pytest.raises((ConnectionError, StatusError)):
            await topped_up(it, 1, cache)
        it.transport.fault = no_fault
        second = asyncio.create_task(topped_up(it, 1, cache))
        await settle()
        assert not second.done()  # it waits for the cache
        cache.go_on()
        with pytest.raises(StatusError) as caught:
            await second
        assert caught.value.code == 409
        await topped_up(it, 1, cache)
        assert len(await names(it)) == 1


async def test_a_create_that_was_not_done_is_done_at_the_next_time() -> None:
    async with scene() as it:
        cache = Lagging(it)

        async def down(request: Request) -> Response | None:
            raise ConnectionError("refused")

        it.transport.fault = down
        with pytest.raises(ConnectionError):
            await topped_up(it, 1, cache)
        it.transport.fault = no_fault
        await topped_up(it, 1, cache)
        assert len(await names(it)) == 1


async def test_a_reconcile_that_is_cut_while_it_waits_for_the_cache_creates_nothing_twice() -> None:
    async with scene() as it:
        cache = Lagging(it)
        cache.hold(it)
        first = asyncio.create_task(topped_up(it, 1, cache))
        await settle()
        assert not first.done()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(topped_up(it, 1, cache))
        await settle()
        cache.go_on()
        with pytest.raises(StatusError):
            await second
        await topped_up(it, 1, cache)
        assert len(await names(it)) == 1


async def test_a_refusal_leaves_no_doubt() -> None:
    async with scene() as it:
        bad = more(it.owner)
        body = {**bad.body, "metadata": {**bad.body["metadata"], "labels": {"-": "-"}}}
        with pytest.raises(StatusError) as caught:
            await it.commit(Plan(apply=[Desired(ConfigMap.resource, body)]))
        assert caught.value.code == 422
        before = it.transport.count("GET")
        await topped_up(it, 1, Lagging(it))
        assert it.transport.count("GET") == before


async def test_what_the_plan_dropped_is_deleted_of_the_kinds_that_it_prunes() -> None:
    async with scene() as it:
        await it.commit(Plan(apply=[it.wanted(name) for name in ("a", "b", "c")]))
        theirs = {**owned(it.owner), "uid": "another", "name": "another"}
        await it.client.create(ConfigMap.resource, config_map("theirs", owner=theirs))
        await it.client.create(ConfigMap.resource, config_map("nobodys"))
        await settle()
        await it.commit(Plan(apply=[it.wanted("b")]))
        assert await names(it) == ["a", "b", "c", "nobodys", "theirs"]
        it.transport.seen.clear()
        await it.commit(Plan(apply=[it.wanted("b")], prune=[ConfigMap.resource]))
        assert await names(it) == ["b", "nobodys", "theirs"]
        deletes = [item for item in it.transport.seen if item.method == "DELETE"]
        assert all(b'"uid"' in item.body for item in deletes) and len(deletes) == 2


async def test_what_is_being_deleted_is_not_pruned_again() -> None:
    async with scene() as it:
        held = it.wanted("a")
        body = {**held.body, "metadata": {**held.body["metadata"], "finalizers": ["example.com/x"]}}
        await it.commit(Plan(apply=[Desired(ConfigMap.resource, body)]))
        for _ in range(2):
            await it.commit(Plan(prune=[ConfigMap.resource]))
            await settle()
        assert it.transport.count("DELETE") == 1
