"""Who adopts and releases what."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.meta import owned
from argosy.api.replicas import ReplicaSet
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.claiming import Claims, adopters, orphans
from argosy.runtime.informer import Informer
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.controllers.replicakit import LABELS, Json, body, template


@dataclass
class Scenery:
    """A ReplicaSet, pods, and what was told of writes."""

    running: Cluster
    told: list[str] = field(default_factory=list)

    @property
    def client(self) -> Client:
        return self.running.client

    async def owner(self, **meta: Any) -> ReplicaSet:
        given = body(replicas=0)
        given["metadata"].update(meta)
        await self.client.create(ReplicaSet.resource, given)
        return await self.client.get(ReplicaSet, "web", "default")

    async def pod(self, **meta: Any) -> Pod:
        made = {"metadata": {"name": "p", "namespace": "default", "labels": LABELS, **meta}}
        await self.client.create(Pod.resource, {**made, "spec": template()["spec"]})
        return await self.read()

    async def again(self, **meta: Any) -> Pod:
        """Another pod of the same name."""
        await self.client.delete(Pod.resource, "p", "default")
        return await self.pod(**meta)

    async def read(self) -> Pod:
        return await self.client.get(Pod, "p", "default")

    async def claim(self, owner: ReplicaSet, pod: Pod, **given: Any) -> bool:
        def wrote(uid: str, written: Any) -> None:
            self.told.append(uid)

        claims = Claims(self.client, wrote)
        return await claims.claim(owner, owner.selected, [pod], **given) == [pod]


OTHER: Json = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "o"}


async def test_an_orphan_is_adopted_beside_its_other_owners() -> None:
    async with cluster() as running:
        it = Scenery(running)
        owner, pod = await it.owner(), await it.pod(ownerReferences=[OTHER], finalizers=["a.b/c"])
        assert await it.claim(owner, pod, finalizers=["x.y/z"])
        found = await it.read()
        assert {ref.uid for ref in found.metadata.owner_references} == {"o", owner.metadata.uid}
        assert found.controller is not None and found.controller.uid == owner.metadata.uid
        assert set(found.metadata.finalizers) == {"a.b/c", "x.y/z"}
        assert it.told == [owner.metadata.uid]
        assert await it.claim(owner, pod)  # the cache has it as an orphan still: no harm
        assert len((await it.read()).metadata.owner_references) == 2


async def test_what_does_not_match_is_released() -> None:
    async with cluster() as running:
        it = Scenery(running)
        owner = await it.owner()
        pod = await it.pod(
            labels={"app": "other"}, ownerReferences=[OTHER, owned(owner)], finalizers=["x.y/z"]
        )
        assert not await it.claim(owner, pod, finalizers=["x.y/z"])
        found = await it.read()
        assert [ref.uid for ref in found.metadata.owner_references] == ["o"]
        assert found.metadata.finalizers == ()
        assert not await it.claim(owner, pod)  # once more, of the same old view


async def test_an_owner_that_goes_keeps_what_it_has_and_changes_nothing() -> None:
    async with cluster() as running:
        it = Scenery(running)
        stale = await it.owner(finalizers=["example.com/x"])
        await it.client.delete(ReplicaSet.resource, "web", "default")
        going = await it.client.get(ReplicaSet, "web", "default")
        free = await it.pod()
        assert not await it.claim(going, free)
        assert not await it.claim(stale, free)  # the cache does not know that it goes
        mine = await it.again(ownerReferences=[owned(going)])
        assert await it.claim(going, mine)
        unlike = await it.again(labels={"app": "other"}, ownerReferences=[owned(going)])
        assert not await it.claim(going, unlike)
        assert (await it.read()).controller is not None
        assert it.told == []


async def test_the_server_is_asked_before_an_adoption() -> None:
    """The cache has the owner still, which is gone, or another by that name."""
    async with cluster() as running:
        it = Scenery(running)
        owner, pod = await it.owner(), await it.pod()
        await it.client.delete(ReplicaSet.resource, "web", "default")
        assert not await it.claim(owner, pod)
        await it.owner()
        assert not await it.claim(owner, pod)
        assert (await it.read()).controller is None


async def test_what_is_gone_is_no_failure() -> None:
    async with cluster() as running:
        it = Scenery(running)
        owner, free = await it.owner(), await it.pod()
        unlike = await it.again(labels={"app": "other"}, ownerReferences=[owned(owner)])
        await it.client.delete(Pod.resource, "p", "default")
        assert not await it.claim(owner, free)
        assert not await it.claim(owner, unlike)


async def test_a_namesake_is_not_taken() -> None:
    async with cluster() as running:
        it = Scenery(running)
        owner, old = await it.owner(), await it.pod()
        await it.again()
        with pytest.raises(StatusError) as raised:
            await it.claim(owner, old)
        assert raised.value.code == 409
        assert (await it.read()).controller is None


async def test_one_failure_does_not_keep_the_others_back() -> None:
    async with cluster() as running:
        it = Scenery(running)
        owner, old = await it.owner(), await it.pod()
        new = await it.again()
        with pytest.raises(StatusError):
            await Claims(it.client).claim(owner, owner.selected, [old, new])
        assert (await it.read()).controller is not None


@pytest.mark.parametrize(
    "meta",
    [
        {"ownerReferences": [{**OTHER, "controller": True}]},
        {"labels": {"app": "other"}},
        {"namespace": "elsewhere"},
        {"deletionTimestamp": "2026-01-01T00:00:00Z"},
    ],
)
async def test_what_is_not_for_it(meta: Json) -> None:
    async with cluster() as running:
        it = Scenery(running)
        given = {"name": "p", "namespace": "default", "labels": LABELS, **meta}
        pod = msgspec.convert({"metadata": given}, Pod)
        assert not await it.claim(await it.owner(), pod)  # nothing is asked: there is no such pod
        assert it.told == []


async def test_orphans_and_who_may_adopt_them() -> None:
    async with cluster() as running:
        it = Scenery(running)
        clock = FakeClock()
        pods = Informer(it.client, Pod, clock)
        sets = Informer(it.client, ReplicaSet, clock)
        free, keys = orphans(pods), adopters(sets, lambda owner: owner.selected)
        tasks = [asyncio.create_task(informer.run()) for informer in (pods, sets)]
        owner = await it.owner()
        pod = await it.pod()
        await settle()
        assert free.within("default") == [pod] and free.within("other") == []
        assert list(keys(pod)) == [("default", "web")]
        assert await it.claim(owner, pod)
        await settle()
        taken = await it.read()
        assert free.within("default") == []
        assert list(keys(taken)) == []
        unlike = await it.again(labels={"app": "other"})
        await settle()
        assert list(keys(unlike)) == []
        await it.client.delete(Pod.resource, "p", "default")
        await settle()
        assert free.within("default") == []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
