"""Taints of nodes: what their conditions say, nothing else, and nobody else's taint is lost."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node
from argosy.controllers.nodetaints import EFFECT, KEYS, OURS, UNSCHEDULABLE, node_taints, tainted
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty, no_fault

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"


@asynccontextmanager
async def tainting() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(node_taints(manager)), protected=True) as it:
        yield it


async def make(it: Scene, *taints: Json) -> None:
    body = {"metadata": {"name": "n"}, "spec": {"taints": list(taints)}}
    await it.client.create(Node.resource, body)
    await settle()


async def say(it: Scene, **conditions: str) -> None:
    told = [{"type": kind, "status": status} for kind, status in conditions.items()]
    patch = {"status": {"conditions": told}}
    await it.client.merge(Node.resource, "n", "", patch, subresource="status")
    await settle()


async def taints(it: Scene) -> list[str]:
    node = await it.client.get(Node, "n")
    return [f"{taint.key}:{taint.effect}" for taint in node.spec.taints]


@pytest.mark.parametrize(("told", "key"), [(told, key) for told, key in KEYS.items()])
async def test_a_condition_taints_while_it_lasts(told: tuple[str, str], key: str) -> None:
    kind, status = told
    async with tainting() as it:
        await make(it)
        await say(it, **{"Ready": "True", kind: status})
        assert await taints(it) == [f"{key}:NoSchedule"]
        await say(it, Ready="True", MemoryPressure="False")
        assert await taints(it) == []


async def test_a_cordoned_node_says_so() -> None:
    async with tainting() as it:
        await make(it)
        await say(it, Ready="Unknown")
        await it.client.merge(Node.resource, "n", "", {"spec": {"unschedulable": True}})
        await settle()
        unreachable = "node.kubernetes.io/unreachable:NoSchedule"
        assert await taints(it) == [unreachable, f"{UNSCHEDULABLE}:NoSchedule"]
        await it.client.merge(Node.resource, "n", "", {"spec": {"unschedulable": None}})
        await settle()
        assert await taints(it) == [unreachable]


async def test_other_taints_are_left_alone() -> None:
    strange = {"key": "example.com/gpu", "value": "x", "effect": "NoSchedule"}
    evicting = {"key": KEYS["Ready", "False"], "effect": "NoExecute"}
    forged = {"key": KEYS["DiskPressure", "True"], "value": "forged", "effect": "NoSchedule"}
    async with tainting() as it:
        await make(it, strange, forged, evicting)
        await say(it, Ready="True")
        assert await taints(it) == [
            "example.com/gpu:NoSchedule",
            "node.kubernetes.io/not-ready:NoExecute",
        ]


async def test_it_rests_when_nothing_is_to_be_done() -> None:
    async with tainting() as it:
        await make(it)
        await say(it, Ready="False")
        before = (await it.client.get(Node, "n")).metadata.resource_version
        await it.clock.advance(3600)
        assert (await it.client.get(Node, "n")).metadata.resource_version == before


async def test_a_taint_that_comes_meanwhile_is_not_lost() -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        it = Scene(running.client, clock, running.manager)
        await make(it)

        async def late(request: Any) -> None:
            if request.method == "PATCH":
                transport.fault = no_fault
                taint = {"key": "late", "effect": "NoExecute"}
                old = (await it.client.get(Node, "n")).spec.taints[0]
                both = [{"key": old.key, "effect": old.effect}, taint]
                await it.client.merge(Node.resource, "n", "", {"spec": {"taints": both}})

        transport.fault = late
        manager = Manager(client, clock)
        manager.add(node_taints(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        await clock.advance(1)
        assert await taints(it) == ["late:NoExecute"]


async def test_a_new_node_that_is_ready_takes_one_write() -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        it = Scene(running.client, clock, running.manager)
        await make(it)
        await say(it, Ready="True")
        asked: list[str] = []

        async def noted(request: Any) -> None:
            if "/nodes/n" in request.path:
                asked.append(request.method)

        transport.fault = noted
        manager = Manager(client, clock)
        manager.add(node_taints(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        assert (await taints(it), asked) == ([], ["PATCH"])


KEYED = st.sampled_from([*sorted(OURS), "other"])
TAINT = st.fixed_dictionaries(
    {"key": KEYED, "effect": st.sampled_from(["NoSchedule", "NoExecute", "PreferNoSchedule"])}
)


@settings(max_examples=60)
@given(st.lists(TAINT, max_size=6), st.sets(st.sampled_from(sorted(OURS))))
def test_what_is_wanted_is_there_and_the_rest_untouched(before: list[Json], keys: set[str]) -> None:
    after = tainted(before, keys, NOW)
    ours = {one["key"] for one in after if one["effect"] == EFFECT and one["key"] in OURS}
    assert ours == keys

    def others(taints: list[Json]) -> list[Json]:
        return [one for one in taints if one["effect"] != EFFECT or one["key"] not in OURS]

    assert others(after) == others(before)
    assert tainted(after, keys, "later") == after
