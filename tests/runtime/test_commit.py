"""The one write of a reconcile: what it does, in which order, and what it never touches."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from argosy.api.core import ConfigMap, Event, Service
from argosy.api.meta import owned
from argosy.api.modelversion import ModelVersion, ModelVersionStatus
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response
from argosy.runtime.commit import Desired, Plan
from argosy.runtime.events import Note
from argosy.testing.clock import settle
from tests.runtime.commitkit import SPEC, Scene, scene, state
from tests.runtime.kit import config_map, no_fault


async def test_deletes_come_before_objects_before_the_status() -> None:
    async with scene() as it:
        await it.client.create(ConfigMap.resource, config_map("old", owner=owned(it.owner)))
        old = await it.client.get(ConfigMap, "old", "default")
        plan = Plan(
            delete=[old],
            apply=[it.wanted("b"), it.wanted("a")],
            status=state(),
            notes=[Note("Told", "all of it")],
        )
        await it.commit(plan)
        assert it.writes() == [
            ("DELETE", "configmaps/old"),
            ("POST", "configmaps"),
            ("POST", "configmaps"),
            ("PATCH", "modelversions/v/status"),
            ("POST", "events"),
        ]
        names = [item.metadata.name for item in (await it.client.list(ConfigMap)).items]
        assert names == ["a", "b"]


async def test_an_empty_plan_writes_nothing() -> None:
    async with scene() as it:
        await it.commit(Plan())
        assert it.writes() == []


async def test_a_status_that_is_there_is_not_written_again() -> None:
    async with scene() as it:
        await it.commit(Plan(status=state()))
        await it.reread()
        assert it.owner.status == state()
        await it.commit(Plan(status=state()))
        assert len(it.writes()) == 1
        await it.commit(Plan(status=state("True")))
        assert len(it.writes()) == 2


async def test_an_object_that_took_the_name_is_not_deleted() -> None:
    async with scene() as it:
        await it.client.create(ConfigMap.resource, config_map("a"))
        old = await it.client.get(ConfigMap, "a", "default")
        await it.client.delete(ConfigMap.resource, "a", "default")
        await it.client.create(ConfigMap.resource, config_map("a", v="new"))
        await it.commit(Plan(delete=[old]))
        assert (await it.client.get(ConfigMap, "a", "default")).data == {"v": "new"}


async def test_a_status_is_not_written_to_an_object_that_took_the_name() -> None:
    async with scene() as it:
        await it.client.delete(ModelVersion.resource, "v", "default")
        body = {"metadata": {"name": "v", "namespace": "default"}, "spec": SPEC}
        await it.client.create(ModelVersion.resource, body)
        with pytest.raises(StatusError) as caught:
            await it.commit(Plan(status=state()))
        assert caught.value.code == 409
        new = await it.client.get(ModelVersion, "v", "default")
        assert new.status == ModelVersionStatus()


async def test_what_it_owns_is_brought_back_to_what_it_shall_be() -> None:
    async with scene() as it:
        await it.commit(Plan(apply=[it.wanted("a", v="1")]))
        patch = {"data": {"v": "other", "more": "x"}}
        await it.client.merge(ConfigMap.resource, "a", "default", patch)
        await settle()
        await it.commit(Plan(apply=[it.wanted("a", v="1")]))
        found = await it.client.get(ConfigMap, "a", "default")
        assert found.data == {"v": "1", "more": "x"}


async def test_what_is_as_it_shall_be_comes_to_rest() -> None:
    async with scene() as it:
        for _ in range(2):
            await it.commit(Plan(apply=[it.wanted("a", v="1")]))
        before = await it.client.get(ConfigMap, "a", "default")
        await it.commit(Plan(apply=[it.wanted("a", v="1")]))
        after = await it.client.get(ConfigMap, "a", "default")
        assert before.metadata.resource_version == after.metadata.resource_version


@pytest.mark.parametrize("owner", [None, "another"])
async def test_what_belongs_to_others_is_not_taken_over(owner: str | None) -> None:
    async with scene() as it:
        theirs = {**owned(it.owner), "uid": owner, "name": owner} if owner else None
        await it.client.create(ConfigMap.resource, config_map("a", owner=theirs, v="theirs"))
        await settle()
        with pytest.raises(StatusError) as caught:
            await it.commit(Plan(apply=[it.wanted("a", v="mine")], status=state()))
        assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")
        found = await it.client.get(ConfigMap, "a", "default")
        assert found.data == {"v": "theirs"}
        assert [item.uid for item in found.metadata.owner_references] == ([owner] if owner else [])
        await it.reread()
        assert it.owner.status == ModelVersionStatus()


async def test_it_returns_when_the_caches_have_what_it_wrote() -> None:
    async with scene() as it:
        await it.commit(Plan(apply=[it.wanted("a", v="1")], status=state()))
        configs = it.running.manager.informer(ConfigMap)
        versions = it.running.manager.informer(ModelVersion)
        assert configs.get("default", "a") is not None
        version = versions.get("default", "v")
        assert version is not None and version.status == state()


async def test_it_waits_for_a_cache_that_lags() -> None:
    async with scene() as it:
        other = it.running.manager.informer(ConfigMap)
        reached = asyncio.Event()
        original = other.reached

        async def late(revision: str) -> None:
            await reached.wait()
            await original(revision)

        other.reached = late  # type: ignore[method-assign]
        task = asyncio.create_task(it.commit(Plan(apply=[it.wanted("a")], status=state())))
        await settle()
        assert not task.done()
        assert ("PATCH", "modelversions/v/status") not in it.writes()
        reached.set()
        await task


def bad_service(owner: ModelVersion) -> Desired:
    meta = {"name": "s", "namespace": "default", "ownerReferences": [owned(owner)]}
    return Desired(Service.resource, {"metadata": meta, "spec": {"type": "LoadBalancer"}})


async def test_what_the_api_refuses_is_told_in_its_own_words_and_raised() -> None:
    async with scene() as it:

        def refused(error: StatusError) -> Plan:
            return Plan(status=state(message=error.message), notes=[Note("Bad", error.message)])

        plan = Plan(
            apply=[it.wanted("a"), bad_service(it.owner), it.wanted("b")],
            status=state("True"),
            notes=[Note("Fine", "all is well")],
        )
        with pytest.raises(StatusError) as caught:
            await it.commit(plan, refused)
        assert caught.value.code == 422
        await it.reread()
        assert it.owner.status == state(message=caught.value.message)
        events = (await it.client.list(Event, "default")).items
        assert [(event.reason, event.message) for event in events] == [
            ("Bad", caught.value.message)
        ]
        configs = (await it.client.list(ConfigMap, "default")).items
        assert [item.metadata.name for item in configs] == ["a"]  # what was done stays done


@pytest.mark.parametrize("code", [404, 429, 500, 503])
async def test_an_answer_that_is_no_judgement_is_raised_and_not_told(code: int) -> None:
    async with scene() as it:

        async def answer(request: Request) -> Response | None:
            body = msgspec.json.encode(StatusError(code, "Unknown", "no").status())
            return Response(code, {}, body) if request.method == "POST" else None

        it.transport.fault = answer
        told: list[StatusError] = []

        def refused(error: StatusError) -> Plan:
            told.append(error)
            return Plan()

        with pytest.raises(StatusError):
            await it.commit(Plan(apply=[it.wanted("a")]), refused)
        assert told == []


class Blind:
    """A cache of ConfigMaps that shows nothing that was not waited for."""

    resource = ConfigMap.resource

    def __init__(self, it: Scene) -> None:
        self._inner = it.running.manager.informer(ConfigMap)
        self._sees = False
        it.committer = replace(it.committer, informers=(cast(Any, self),))

    def get(self, namespace: str, name: str) -> ConfigMap | None:
        return self._inner.get(namespace, name) if self._sees else None

    async def reached(self, revision: str) -> None:
        await self._inner.reached(revision)
        self._sees = True


@pytest.mark.parametrize("done", [True, False])
async def test_a_plan_made_without_an_object_whose_answer_was_lost_is_made_anew(done: bool) -> None:
    """The owner goes by what it has made: the next attempt's group, say."""
    async with scene() as it:
        Blind(it)

        async def losing(request: Request) -> Response | None:
            if request.method == "POST" and request.path.endswith("/configmaps"):
                if done:
                    await it.transport.inner.send(request)
                raise ConnectionError("reset")
            return None

        it.transport.fault = losing
        with pytest.raises(ConnectionError):
            await it.commit(Plan(apply=[it.wanted("second-attempt")]))
        it.transport.fault = no_fault
        if done:
            with pytest.raises(StatusError, match="not known for sure"):
                await it.commit(Plan(apply=[it.wanted("of-the-first-attempt")]))
        await it.commit(Plan(apply=[it.wanted("x")]))
        names = [item.metadata.name for item in (await it.client.list(ConfigMap)).items]
        assert names == (["second-attempt", "x"] if done else ["x"])
