"""Whatever happens on the way, endpoints and budgets are right in the end.

Each seed changes pods and services, cheats on slices, and lets requests of the controllers fail,
before the server has seen them or after it has done what they ask.
"""

import random
from typing import Any

import pytest

from argosy.api.core import Node, Pod, Service
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.endpoints import Endpoints, EndpointSlice
from argosy.api.meta import condition
from argosy.controllers.disruptionbudgets import disruption_budgets
from argosy.controllers.endpoints.controllers import add_endpoints
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.endpoints.scene import ZONED, run, said, say, serve
from tests.controllers.kit import Scene
from tests.runtime.kit import faulty, watches

SEEDS = range(20)
NAMES = [f"p{i}" for i in range(6)]


@pytest.mark.parametrize("seed", SEEDS)
async def test_all_is_right_in_the_end(seed: int) -> None:
    chance, clock = random.Random(seed), FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)

        async def fault(request: Request) -> Response | None:
            if watches(request) or chance.random() > 0.3:
                return None
            if chance.random() < 0.5:
                await transport.inner.send(request)
            if chance.random() < 0.2:
                transport.cut.append(ConnectionError("gone"))
            raise ConnectionError("lost")

        transport.fault = fault
        manager = Manager(client, clock)
        add_endpoints(manager)
        manager.add(disruption_budgets(manager))
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        await begin(it)
        for _ in range(25):
            await chance.choice((ready, ready, remove, relabel, cheat))(it, chance)
            await clock.advance(chance.choice((0, 0, 0.1, 3)))
        transport.fault = nothing
        transport.cut.clear()
        await clock.advance(200)
        await check(it)


async def nothing(_: Request) -> Response | None:
    return None


async def begin(it: Scene) -> None:
    await it.client.create(Node.resource, {"metadata": ZONED})
    await serve(it)
    spec = {"selector": {"matchLabels": {"app": "a"}}, "minAvailable": 2}
    body = {"metadata": {"name": "b", "namespace": "default"}, "spec": spec}
    await it.client.create(PodDisruptionBudget.resource, body)


def ip(name: str) -> str:
    return f"10.0.0.{NAMES.index(name) + 1}"


async def ready(it: Scene, chance: random.Random) -> None:
    name, well = chance.choice(NAMES), chance.random() < 0.7
    if await it.client.find(Pod, name, "default") is None:
        await run(it, name, ip(name), ready=well)
    else:
        await say(it, name, ip(name), ready=well)


async def remove(it: Scene, chance: random.Random) -> None:
    await it.client.delete(Pod.resource, chance.choice(NAMES), "default", grace=0)


async def relabel(it: Scene, chance: random.Random) -> None:
    labels = {"x": str(chance.randrange(3))}
    await it.client.merge(Service.resource, "s", "default", {"metadata": {"labels": labels}})


async def cheat(it: Scene, chance: random.Random) -> None:
    kind: Any = chance.choice((EndpointSlice, Endpoints))
    for one in (await it.client.list(kind, "default")).items:
        if chance.random() < 0.5:
            await it.client.delete(one.resource, one.metadata.name, "default")


async def check(it: Scene) -> None:
    await settle()
    pods = (await it.client.list(Pod, "default")).items
    told = {one.status.pod_ip: condition(one.status.conditions, "Ready") for one in pods}
    expected = {ip: found is not None and found.status == "True" for ip, found in told.items()}
    found: dict[str, bool | None] = {}
    pieces = (await it.client.list(EndpointSlice, "default")).items
    for piece in pieces:
        assert not found.keys() & said(piece).keys()
        found |= said(piece)
    assert found == expected and len(pieces) == 1
    legacy = await it.client.get(Endpoints, "s", "default")
    listed = {one.ip: True for part in legacy.subsets for one in part.addresses}
    listed |= {one.ip: False for part in legacy.subsets for one in part.not_ready_addresses}
    assert listed == expected
    labels = (await it.client.get(Service, "s", "default")).metadata.labels
    assert labels.items() <= pieces[0].metadata.labels.items()
    assert labels.items() <= legacy.metadata.labels.items()
    status = (await it.client.get(PodDisruptionBudget, "b", "default")).status
    healthy = sum(expected.values())
    assert (status.current_healthy, status.expected_pods) == (healthy, len(expected))
    assert status.disruptions_allowed == (max(healthy - 2, 0) if expected else 0)
