"""Budgets are counted right, and never give back what an eviction took."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.disruption import BudgetStatus, PodDisruptionBudget
from argosy.api.resources.core import EVENT
from argosy.api.resources.workloads import REPLICA_SET
from argosy.base.clock import parse_timestamp
from argosy.base.errors import StatusError
from argosy.controllers.disruptionbudgets import (
    RETRY_SECONDS,
    disruption_budgets,
    disruptions,
    scaled,
    shown,
)
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.controllers.test_podscales import make, pod, ref
from tests.runtime.kit import faulty, no_fault

Json = dict[str, Any]
LABELS = {"app": "a"}
ALL = {"matchLabels": LABELS}


@asynccontextmanager
async def counting() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(disruption_budgets(manager))) as it:
        yield it


async def allow(it: Scene, name: str = "b", **spec: Any) -> None:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": ALL, **spec}}
    await it.client.create(PodDisruptionBudget.resource, body)
    await settle()


async def run(it: Scene, name: str, owner: Json | None = None, *, ready: bool = True) -> None:
    meta: Json = {"labels": LABELS, **({"ownerReferences": [owner]} if owner else {})}
    await it.make_pod(name, **meta)
    await say(it, name, ready=ready)


async def say(it: Scene, name: str, *, ready: bool) -> None:
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    patch = {"status": {"conditions": [condition], "phase": "Running"}}
    await it.client.merge(Pod.resource, name, "default", patch, subresource="status")
    await settle()


async def status(it: Scene) -> BudgetStatus:
    return (await it.client.get(PodDisruptionBudget, "b", "default")).status


async def numbers(it: Scene) -> tuple[int, int, int, int]:
    """Allowed, healthy, desired, expected."""
    found = await status(it)
    return (
        found.disruptions_allowed,
        found.current_healthy,
        found.desired_healthy,
        found.expected_pods,
    )


async def evict(it: Scene, name: str) -> None:
    path = f"/api/v1/namespaces/default/pods/{name}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": "default"},
    }
    await it.client.call("POST", path, {}, body)


async def told(it: Scene) -> list[tuple[str, str]]:
    found = json.loads(await it.client.call("GET", EVENT.path("", "default")))["items"]
    return sorted((one["reason"], one["message"]) for one in found)


async def test_a_number_that_must_be_available() -> None:
    async with counting() as it:
        await allow(it, minAvailable=2)
        assert await numbers(it) == (0, 0, 2, 0)
        assert ("NoPods", "No matching pods found") in await told(it)
        for name in ("x", "y", "z"):
            await run(it, name)
        assert await numbers(it) == (1, 3, 2, 3)
        found = await status(it)
        (condition,) = found.conditions
        assert (condition.type, condition.status, condition.reason) == (
            "DisruptionAllowed",
            "True",
            "SufficientPods",
        )
        assert found.observed_generation == condition.observed_generation == 1
        await say(it, "z", ready=False)
        assert await numbers(it) == (0, 2, 2, 3)
        (condition,) = (await status(it)).conditions
        assert (condition.status, condition.reason) == ("False", "InsufficientPods")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": "50%"}, (1, 3, 2, 4)),
        ({"minAvailable": "51%"}, (0, 3, 3, 4)),
        ({"maxUnavailable": 1}, (0, 3, 3, 4)),
        ({"maxUnavailable": 2}, (1, 3, 2, 4)),
        ({"maxUnavailable": "30%"}, (1, 3, 2, 4)),
        ({"maxUnavailable": 9}, (3, 3, 0, 4)),
        ({}, (3, 3, 0, 4)),
    ],
)
async def test_bounds_of_the_whole(spec: Json, expected: tuple[int, int, int, int]) -> None:
    async with counting() as it:
        owner = ref(await make(it.client, REPLICA_SET, "r", 4))
        for name in ("x", "y", "z"):
            await run(it, name, owner)
        if spec:
            await allow(it, **spec)
            assert await numbers(it) == expected
        else:
            await allow(it)
            assert await numbers(it) == (0, 3, 0, 0)


async def test_changes_of_the_budget_are_followed() -> None:
    async with counting() as it:
        for name in ("x", "y"):
            await run(it, name)
        await allow(it, minAvailable=2)
        patch = {"spec": {"minAvailable": 1}}
        await it.client.merge(PodDisruptionBudget.resource, "b", "default", patch)
        await settle()
        assert await numbers(it) == (1, 2, 1, 2)
        assert (await status(it)).observed_generation == 2


async def test_pods_without_an_owner_are_told_of() -> None:
    async with counting() as it:
        await run(it, "x")
        await allow(it, maxUnavailable=1)
        assert await numbers(it) == (0, 1, 0, 0)
        (message,) = [text for reason, text in await told(it) if reason == "UnmanagedPods"]
        assert "(selector: &LabelSelector{MatchLabels:map[string]string{app: a,}," in message


async def test_what_can_not_be_counted_allows_nothing() -> None:
    async with counting() as it:
        await run(
            it,
            "x",
            {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u"}
            | {"controller": True},
        )
        await allow(it, maxUnavailable=1)
        found = await status(it)
        (condition,) = found.conditions
        text = "jobs.batch does not implement the scale subresource"
        assert (condition.status, condition.reason, condition.message) == (
            "False",
            "SyncFailed",
            text,
        )
        assert found.disruptions_allowed == 0
        reason = "CalculateExpectedPodCountFailed"
        text = f"Failed to calculate the number of expected pods: {text}"
        assert (reason, text) in await told(it)
        patch = {"spec": {"maxUnavailable": None, "minAvailable": 0}}
        await it.client.merge(PodDisruptionBudget.resource, "b", "default", patch)
        await it.clock.advance(RETRY_SECONDS + 1)
        assert await numbers(it) == (1, 1, 0, 1)
        (condition,) = (await status(it)).conditions
        assert (condition.reason, condition.message) == ("SufficientPods", "")


async def test_evictions_take_what_is_allowed_and_no_more() -> None:
    async with counting() as it:
        for name in ("x", "y", "z"):
            await run(it, name)
        await allow(it, minAvailable=2)
        outcomes = await asyncio.gather(
            *(evict(it, name) for name in ("x", "y", "z")), return_exceptions=True
        )
        refused = [one for one in outcomes if isinstance(one, StatusError)]
        assert [one.code for one in refused] == [429, 429]
        await settle()
        going = [
            one for one in (await it.client.list(Pod)).items if one.metadata.deletion_timestamp
        ]
        assert len((await it.client.list(Pod)).items) - len(going) == 2
        assert (await status(it)).disruptions_allowed == 0


@pytest.mark.parametrize("seed", range(5))
async def test_evictions_and_the_controller_at_the_same_moment(seed: int) -> None:
    """However they interleave, there are never fewer pods than the budget says."""
    async with counting() as it:
        names = [f"p{i}" for i in range(8)]
        for name in names:
            await run(it, name)
        await allow(it, minAvailable=5)

        async def disturb() -> None:
            for _ in range(10):
                await it.client.merge(
                    PodDisruptionBudget.resource,
                    "b",
                    "default",
                    {"metadata": {"annotations": {"n": str(seed)}}},
                )
                for _ in range(seed):
                    await asyncio.sleep(0)

        async def insist(name: str) -> None:
            for _ in range(5):
                try:
                    await evict(it, name)
                except StatusError as error:
                    assert error.code in (404, 429), error
                await asyncio.sleep(0)

        await asyncio.gather(disturb(), *(insist(name) for name in names))
        await settle()
        there = (await it.client.list(Pod)).items
        assert sum(one.metadata.deletion_timestamp is None for one in there) == 5


async def test_what_an_eviction_takes_meanwhile_is_not_given_back() -> None:
    """It takes place between the controller's look and its write."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        it = Scene(running.client, clock, running.manager)
        manager = Manager(client, clock)
        manager.add(disruption_budgets(manager))
        running.manager.add_runner(manager.run)
        running.start()
        for name in ("x", "y", "z"):
            await run(it, name)
        await allow(it, minAvailable=1)
        seen: list[int] = []

        async def late(request: Request) -> Response | None:
            if request.method == "PATCH" and request.path.endswith("/b/status"):
                transport.fault = no_fault
                await evict(it, "x")
                seen.append((await status(it)).disruptions_allowed)
                answer = await transport.inner.send(request)
                seen.append(answer.status)
                seen.append((await status(it)).disruptions_allowed)
                return answer
            return None

        transport.fault = late
        await say(it, "z", ready=False)
        await clock.advance(5)
        assert seen == [1, 409, 1]
        assert await numbers(it) == (0, 1, 1, 2)


async def test_an_eviction_that_comes_to_nothing_is_forgotten() -> None:
    async with counting() as it:
        for name in ("x", "y"):
            await run(it, name)
        await allow(it, minAvailable=1)
        now = "2026-01-01T00:00:00Z"
        taken = {"status": {"disruptionsAllowed": 0, "disruptedPods": {"x": now, "gone": now}}}
        await it.client.merge(
            PodDisruptionBudget.resource, "b", "default", taken, subresource="status"
        )
        await settle()
        assert (await status(it)).disrupted_pods == {"x": now}
        assert await numbers(it) == (0, 1, 1, 2)
        await it.clock.advance(125)
        assert (await status(it)).disrupted_pods == {}
        assert await numbers(it) == (1, 2, 1, 2)
        text = "Pod was expected by PDB default/b to be deleted but it wasn't"
        assert ("NotDeleted", text) in await told(it)


async def test_an_empty_selector_selects_everything_and_none_nothing() -> None:
    async with counting() as it:
        await run(it, "x")
        await allow(it, selector={}, minAvailable=0)
        await allow(it, "other", selector=None, minAvailable=0)
        assert await numbers(it) == (1, 1, 0, 1)
        other = await it.client.get(PodDisruptionBudget, "other", "default")
        assert other.status.expected_pods == 0


def test_who_is_late() -> None:
    some = [pod("a", None), pod("b", None), pod("c", None)]
    before = {"a": "2026-01-01T00:00:00Z", "b": "2026-01-01T00:01:00Z", "gone": "x"}
    going, late = disruptions(some, before, parse_timestamp("2026-01-01T00:02:01Z"))
    assert going == {"b": "2026-01-01T00:01:00Z"}
    assert [one.metadata.name for one in late] == ["a"]


@pytest.mark.parametrize(
    ("bound", "total", "expected"),
    [(3, 10, 3), ("30%", 10, 3), ("31%", 10, 4), ("0%", 10, 0), ("100%", 7, 7), ("1%", 0, 0)],
)
def test_percentages_are_rounded_up(bound: int | str, total: int, expected: int) -> None:
    assert scaled(bound, total) == expected


def test_a_selector_in_words() -> None:
    term = {"key": "k", "operator": "In", "values": ["x", "y"]}
    assert shown({"matchLabels": {"a": "b"}, "matchExpressions": [term]}) == (
        "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:"
        "[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}"
    )
