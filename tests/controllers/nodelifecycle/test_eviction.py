"""NoExecute taints: who goes, when, and what is said of it."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node, Pod, Taint, Toleration
from argosy.api.meta import condition
from argosy.controllers.nodelifecycle.controllers import add_node_lifecycle
from argosy.controllers.nodelifecycle.eviction import (
    AT_ONCE,
    EFFECT,
    NEVER,
    deadline,
    evicting,
    patience,
)
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.nodelifecycle.kit import FOR_EVER, Json, Nodes, watched
from tests.runtime.kit import faulty, no_fault


def bears(key: str, seconds: int | None = None) -> Json:
    said: Json = {"key": key, "operator": "Exists", "effect": EFFECT}
    return said if seconds is None else {**said, "tolerationSeconds": seconds}


async def test_pods_go_when_their_toleration_runs_out() -> None:
    async with watched() as it:
        await it.add("a")
        for name, tolerations in (
            ("none", []),
            ("some", [bears("k", 30)]),
            ("zero", [bears("k", 0)]),
            ("less", [bears("k", -5)]),
            ("ever", [bears("k")]),
            ("all", FOR_EVER),
        ):
            await it.pod(name, "a", tolerations=tolerations)
        await it.taint("a", "k")
        there = [
            name
            for name in ("none", "some", "zero", "less", "ever", "all")
            if not await it.gone(name)
        ]
        assert there == ["some", "ever", "all"]
        await it.live(20, "a")
        assert not await it.gone("some")
        await it.live(20, "a")
        assert await it.gone("some")
        await it.live(3600, "a")
        assert not await it.gone("ever") and not await it.gone("all")


async def test_an_evicted_pod_says_why() -> None:
    async with watched() as it:
        await it.add("a")
        await it.pod("p", "a")
        await it.taint("a", "k")
        pod = await it.client.get(Pod, "p", "default")
        assert pod.metadata.deletion_timestamp is not None
        assert pod.metadata.deletion_grace_period_seconds == 30
        told = condition(pod.status.conditions, "DisruptionTarget")
        assert told is not None and told.status == "True"
        assert told.reason == "DeletionByTaintManager"
        assert told.message == "Taint manager: deleting due to NoExecute taint"
        assert await it.events("TaintManagerEviction") == ["Marking for deletion Pod default/p"]
        before = pod.metadata.resource_version
        await it.live(60, "a")
        assert (await it.client.get(Pod, "p", "default")).metadata.resource_version == before


async def test_an_eviction_is_called_off_when_the_taint_goes() -> None:
    async with watched() as it:
        await it.add("a")
        await it.pod("p", "a", tolerations=[bears("k", 60)])
        await it.taint("a", "k")
        await it.live(50, "a")
        await it.taint("a")
        assert await it.events("TaintManagerEviction") == ["Cancelling deletion of Pod default/p"]
        await it.live(50, "a")
        await it.taint("a", "k")
        await it.live(50, "a")  # counted anew
        assert not await it.gone("p")
        await it.live(20, "a")
        assert await it.gone("p")


async def test_a_second_taint_has_a_time_of_its_own() -> None:
    async with watched() as it:
        await it.add("a")
        await it.pod("p", "a", tolerations=[bears("k", 300), bears("l", 20)])
        await it.taint("a", "k")
        await it.live(100, "a")
        await it.taint("a", "k", "l")
        await it.live(10, "a")
        assert not await it.gone("p")
        await it.live(20, "a")
        assert await it.gone("p")


async def test_a_pod_that_is_told_to_bear_it_stays() -> None:
    async with watched() as it:
        await it.add("a")
        pod = await it.pod("p", "a", tolerations=[bears("k", 60)])
        await it.taint("a", "k")
        await it.live(30, "a")
        longer = [msgspec.to_builtins(one) for one in pod.spec.tolerations]
        spec = {"spec": {"tolerations": [*longer, bears("l")]}}
        await it.client.merge(Pod.resource, "p", "default", spec)
        await it.live(20, "a")
        assert not await it.gone("p")


async def test_a_process_that_was_stopped_lets_the_nodes_speak_first() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.pod("p", "a", tolerations=[bears("k", 300)])
        await it.pod("q", "a", tolerations=[bears("k", 10)])
        await it.taint("a", "k")
        await it.live(200, "a", "b")
        assert await it.gone("q")
        it.clock._elapsed += 3600
        await it.live(290, "a", "b")
        assert not await it.gone("p")
        await it.live(20, "a", "b")
        assert await it.gone("p")


async def test_nothing_is_remembered_of_nodes_that_are_gone() -> None:
    async with watched() as it:
        await it.add("a")
        await it.pod("p", "a", tolerations=[bears("k", 300)])
        await it.taint("a", "k")
        await it.live(200, "a")
        await it.client.delete(Node.resource, "a")
        await settle()
        await it.add("a")
        await it.taint("a", "k")
        await it.live(290, "a")
        assert not await it.gone("p")
        await it.live(20, "a")
        assert await it.gone("p")


async def test_a_pod_that_comes_later_is_counted_from_then() -> None:
    async with watched() as it:
        await it.add("a")
        await it.taint("a", "k")
        await it.live(100, "a")
        await it.pod("p", "a", tolerations=[bears("k", 30)])
        await it.live(20, "a")
        assert not await it.gone("p")
        await it.live(20, "a")
        assert await it.gone("p")


async def test_pods_are_given_five_minutes_on_a_node_that_is_silent() -> None:
    """The whole way: admission's tolerations, the taint, the eviction."""
    async with watched() as it:
        await it.add("a", "b")
        await it.pod("p", "a")
        await it.pod("q", "b")
        await it.live(60, "b")
        assert len(await it.evicting("a")) == 1
        await it.live(280, "b")
        assert not await it.gone("p")
        await it.live(30, "b")
        assert await it.gone("p") and not await it.gone("q")


async def test_other_effects_evict_nobody() -> None:
    async with watched() as it:
        await it.add("a")
        await it.pod("p", "a")
        taints = [{"key": "k", "effect": effect} for effect in ("NoSchedule", "PreferNoSchedule")]
        await it.client.merge(Node.resource, "a", "", {"spec": {"taints": taints}})
        await it.live(20, "a")
        assert not await it.gone("p")


@pytest.mark.parametrize(("method", "code"), [("PATCH", 403), ("PATCH", 409), ("DELETE", 403)])
async def test_a_pod_that_is_not_let_go_does_not_keep_the_others(method: str, code: int) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        add_node_lifecycle(manager)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        it = Nodes(running.client, clock)
        await it.add("a")
        await it.pod("p", "a")
        await it.pod("q", "a")

        async def refuse(request: Request) -> Response | None:
            if request.method == method and "/pods/p" in request.path:
                return Response(code, {}, msgspec.json.encode({"kind": "Status", "code": code}))
            return None

        transport.fault = refuse
        await it.taint("a", "k")
        assert await it.gone("q") and not await it.gone("p")
        transport.fault = no_fault
        await it.live(20, "a")
        assert await it.gone("p")


KEYS = st.sampled_from(["a", "b", "c"])
TAINT = st.builds(Taint, key=KEYS, effect=st.just(EFFECT))
TOLERATION = st.builds(
    Toleration,
    key=st.one_of(KEYS, st.just("")),
    operator=st.just("Exists"),
    effect=st.sampled_from(["", EFFECT, "NoSchedule"]),
    toleration_seconds=st.one_of(st.none(), st.integers(-10, 1000)),
)
SINCE = st.dictionaries(TAINT, st.floats(0, 1e6), max_size=3)


@settings(max_examples=150)
@given(st.lists(TOLERATION, max_size=5), SINCE)
def test_a_pod_goes_no_sooner_than_it_says(
    tolerations: list[Toleration], since: Mapping[Taint, float]
) -> None:
    due = deadline(tolerations, since)
    left = {taint: patience(taint, tolerations) for taint in since}
    assert all(seconds >= 0 for seconds in left.values())
    if due == AT_ONCE:
        assert any(seconds == 0 for seconds in left.values())
    elif due == NEVER:
        assert all(seconds == NEVER for seconds in left.values())
    else:
        assert all(due <= since[taint] + seconds for taint, seconds in left.items())
        assert any(due == since[taint] + seconds for taint, seconds in left.items())


@settings(max_examples=100)
@given(st.lists(TOLERATION, max_size=5), SINCE, TAINT, st.floats(0, 1e6))
def test_one_more_taint_lets_nobody_stay_longer(
    tolerations: list[Toleration], since: dict[Taint, float], more: Taint, at: float
) -> None:
    known = {taint: when for taint, when in since.items() if taint != more}
    assert deadline(tolerations, {**known, more: at}) <= deadline(tolerations, known)
    assert deadline([*tolerations, Toleration(operator="Exists")], since) >= deadline(
        tolerations, since
    )


def test_only_taints_that_evict_count() -> None:
    taints = [{"key": "k", "effect": effect} for effect in ("NoSchedule", EFFECT)]
    node = msgspec.convert({"spec": {"taints": taints}}, Node)
    assert evicting(node) == (Taint(key="k", effect=EFFECT),)
