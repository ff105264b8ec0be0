"""A pod that was to be evicted and was not says so no longer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Condition, condition
from argosy.controllers.disruptiontargets import PATIENCE, TARGET, disruption_targets
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty, no_fault

Json = dict[str, Any]
SINCE = "2026-01-01T00:00:00Z"


@asynccontextmanager
async def watching() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(disruption_targets(manager))) as it:
        yield it


async def doom(it: Scene, **facts: Any) -> None:
    await it.make_pod("p")
    target = {"type": TARGET, "status": "True", "lastTransitionTime": SINCE, "message": "m"}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": SINCE}
    told = {"conditions": [{**target, "reason": "EvictionByEvictionAPI", **facts}, ready]}
    patch = {"status": {"phase": "Running", **told}}
    await it.client.merge(Pod.resource, "p", "default", patch, subresource="status")
    await settle()


async def target(it: Scene) -> Condition:
    found = await it.client.get(Pod, "p", "default")
    assert condition(found.status.conditions, "Ready") is not None
    said = condition(found.status.conditions, TARGET)
    assert said is not None
    return said


async def test_it_is_taken_back_after_two_minutes() -> None:
    async with watching() as it:
        await doom(it)
        await it.clock.advance(PATIENCE - 1)
        assert (await target(it)).status == "True"
        await it.clock.advance(2)
        found = await target(it)
        assert (found.status, found.reason, found.message) == ("False", "", "")
        assert found.last_transition_time == "2026-01-01T00:02:00Z"


@pytest.mark.parametrize(
    ("facts", "phase"),
    [({"reason": "TerminationByKubelet"}, "Running"), ({}, "Failed"), ({"status": "False"}, "")],
)
async def test_what_stays(facts: Json, phase: str) -> None:
    async with watching() as it:
        await doom(it, **facts)
        if phase == "Failed":
            await it.end("p", phase)
        before = await target(it)
        await it.clock.advance(PATIENCE * 2)
        assert await target(it) == before


async def test_who_evicts_it_just_now_is_right() -> None:
    """Between the look and the write the pod is told again that it goes."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        it = Scene(running.client, clock, running.manager)
        manager = Manager(client, clock)
        manager.add(disruption_targets(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await doom(it)

        async def late(request: Request) -> Response | None:
            if request.method == "PATCH":
                transport.fault = no_fault
                again = {"type": TARGET, "status": "True", "reason": "Again"}
                again["lastTransitionTime"] = "2026-01-01T00:02:00Z"
                ready = {"type": "Ready", "status": "True"}
                patch = {"status": {"conditions": [again, ready]}}
                await it.client.merge(Pod.resource, "p", "default", patch, subresource="status")
            return None

        transport.fault = late
        await clock.advance(PATIENCE + 1)
        assert (await target(it)).status == "True"
        await clock.advance(PATIENCE)
        assert (await target(it)).status == "False"
