"""Safety of the garbage collector: on random graphs of owners, under random deletes, with the news
of each kind coming late and in any order, what is left is what a small model of ownership leaves.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import ConfigMap, Node, Service
from argosy.api.meta import Object
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.controllers.garbage import GarbageCollector
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import watches

Json = dict[str, Any]
KINDS: tuple[type[Object], ...] = (ConfigMap, Service, Node)
GHOST = "ghost"
POLICIES = ("Background", "Foreground", "Orphan")


@dataclass
class Model:
    """Who is there, and by whom each is owned."""

    owners: dict[str, set[str]]

    def __post_init__(self) -> None:
        self._collect()

    def delete(self, name: str, policy: str) -> None:
        if self.owners.pop(name, None) is None:
            return
        if policy == "Orphan":
            for owners in self.owners.values():
                owners.discard(name)
        self._collect()

    def _collect(self) -> None:
        """Whoever has owners, and none that is there, goes; then owners that went are forgotten."""
        there = self.owners
        while lost := [
            name for name, owners in there.items() if owners and not owners & set(there)
        ]:
            for name in lost:
                del there[name]
        for owners in there.values():
            owners &= set(there)


@dataclass
class Late:
    """Holds each piece of a watch back until it is let go."""

    inner: Transport
    gates: list[asyncio.Event] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        response = await self.inner.send(request)
        if watches(request) and not isinstance(response.body, bytes):
            return replace(response, body=self._held(response.body))
        return response

    async def _held(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for piece in body:
            gate = asyncio.Event()
            self.gates.append(gate)
            await gate.wait()
            yield piece

    async def close(self) -> None:
        await self.inner.close()

    async def drain(self, clock: FakeClock, draw: Any) -> None:
        """Let go one piece after another, in an order that is drawn, until nothing happens."""
        while True:
            await settle(30)
            if not self.gates:
                await clock.advance(120)
            if not self.gates:
                return
            place = draw(st.integers(0, len(self.gates) - 1))
            self.gates.pop(place).set()


@dataclass
class Garden:
    """A cluster with objects 0, 1, 2, …, of kinds that follow from their numbers."""

    running: Cluster
    late: Late
    clock: FakeClock
    objects: dict[str, Object] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    collector: GarbageCollector | None = None

    def restart(self) -> None:
        """A new collector, which knows nothing; what is held back for the old one is lost."""
        for task in self.tasks:
            task.cancel()
        self.late.gates.clear()
        manager = Manager(Client(self.late, "test"), self.clock)
        self.collector = GarbageCollector(manager, [kind.resource for kind in KINDS])
        self.tasks.append(asyncio.create_task(self.collector.run()))

    async def make(self, name: str, kind: type[Object]) -> None:
        meta = {"name": f"o{name}"} | ({"namespace": "default"} if kind is not Node else {})
        spec = {"spec": {"clusterIP": "None"}} if kind is Service else {}
        await self.running.client.create(kind.resource, {"metadata": meta, **spec})
        where = meta.get("namespace", "")
        self.objects[name] = await self.running.client.get(kind, meta["name"], where)

    async def own(self, name: str, owners: dict[str, bool]) -> None:
        """Let the object belong to `owners`, which block their deletion or don't."""
        obj = self.objects[name]
        references = [
            {**self._identity(owner), "blockOwnerDeletion": blocking}
            for owner, blocking in owners.items()
        ]
        patch = {"metadata": {"ownerReferences": references}}
        await self.running.client.merge(
            obj.resource, obj.metadata.name, obj.metadata.namespace, patch
        )

    def _identity(self, name: str) -> Json:
        if name == GHOST:
            return {"apiVersion": "v1", "kind": "Node", "name": GHOST, "uid": "uid-of-a-ghost"}
        obj = self.objects[name]
        known = {"apiVersion": "v1", "kind": obj.resource.kind}
        return {**known, "name": obj.metadata.name, "uid": obj.metadata.uid}

    async def delete(self, name: str, policy: str) -> None:
        obj = self.objects[name]
        meta = obj.metadata
        if await self.running.client.find(type(obj), meta.name, meta.namespace) is None:
            return
        path = obj.resource.path(meta.name, meta.namespace)
        await self.running.client.call("DELETE", path, {}, {"propagationPolicy": policy})

    async def state(self) -> dict[str, set[str]]:
        """Who is there, and by whom each is owned."""
        names = {obj.metadata.uid: name for name, obj in self.objects.items()}
        found: dict[str, set[str]] = {}
        for kind in KINDS:
            for obj in (await self.running.client.list(kind)).items:
                if obj.metadata.uid in names:
                    owners = {names.get(item.uid, GHOST) for item in obj.metadata.owner_references}
                    found[names[obj.metadata.uid]] = owners
        return found

    def kept(self) -> set[str]:
        """Whom the collector keeps in mind."""
        assert self.collector is not None
        names = {obj.metadata.uid: name for name, obj in self.objects.items()}
        return {names.get(uid, GHOST) for uid in self.collector._graph.nodes}


@st.composite
def plantings(draw: st.DrawFn) -> tuple[list[int], list[dict[str, bool]]]:
    """The kinds of a few objects, and their owners; those of a cluster are not in namespaces."""
    kinds = draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=2, max_size=6))
    owners = []
    for kind in kinds:
        others = [
            str(place)
            for place, other in enumerate(kinds)
            if KINDS[kind] is not Node or KINDS[other] is Node
        ]
        candidates = st.sampled_from([*others, GHOST])
        owners.append(draw(st.dictionaries(candidates, st.booleans(), max_size=3)))
    return kinds, owners


STEPS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(POLICIES), st.booleans()), max_size=4)


@settings(max_examples=25)
@given(plantings(), STEPS, st.booleans(), st.data())
async def test_what_is_left_is_what_belongs_to_somebody(
    planting: tuple[list[int], list[dict[str, bool]]],
    steps: list[tuple[int, str, bool]],
    early: bool,
    data: st.DataObject,
) -> None:
    kinds, owners = planting
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        garden = Garden(running, Late(running.client.transport), clock)
        try:
            if early:
                garden.restart()
            for place, kind in enumerate(kinds):
                await garden.make(str(place), KINDS[kind])
            for place, whose in enumerate(owners):
                await garden.own(str(place), whose)
            if not early:
                garden.restart()
            await garden.late.drain(clock, data.draw)
            model = Model({str(place): set(whose) for place, whose in enumerate(owners)})
            assert await garden.state() == model.owners
            for place, policy, anew in steps:
                name = str(place % len(kinds))
                await garden.delete(name, policy)
                model.delete(name, policy)
                if anew:
                    garden.restart()
                await garden.late.drain(clock, data.draw)
                assert await garden.state() == model.owners
            owning = set().union(*model.owners.values())
            assert garden.kept() == owning | {name for name, by in model.owners.items() if by}
        finally:
            for task in garden.tasks:
                task.cancel()
            await asyncio.gather(*garden.tasks, return_exceptions=True)
