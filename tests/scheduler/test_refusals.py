"""What is remembered of refusals changes nothing: who remembers none decides the same."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.dra import ResourceClaim, ResourceSlice
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.framework import Lack, Plugin
from argosy.scheduler.plugins.dynamic_resources import ClaimReserver
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import claim, device_class, exactly, node, pod, resource_slice

NODES = [f"n{i}" for i in range(6)]
PEACEFUL = tuple(plugin for plugin in PLUGINS if plugin.preemption is None)

names = st.sampled_from(NODES)
events = st.one_of(
    st.tuples(st.just("place"), st.integers(1, 3)),
    st.tuples(st.just("end"), st.integers(0, 99)),
    st.tuples(st.just("devices"), names, st.integers(0, 3)),
    st.tuples(st.just("node"), names, st.booleans()),
    st.tuples(st.just("gone"), names),
)


class Cluster:
    """Nodes with devices. A claim's pod and the claim come and go together."""

    def __init__(self) -> None:
        self.state = State()
        self.slices: dict[str, ResourceSlice] = {}
        self.placed: list[tuple[str, ResourceClaim]] = []
        self.number = 0
        self.state.devices.put_class(None, device_class())
        for name in NODES:
            self.state.nodes.put_node(node(name))
            self.devices(name, 1)

    def devices(self, name: str, count: int) -> None:
        found = [{"name": f"gpu-{i}"} for i in range(count)]
        new = resource_slice(found, node=name)
        self.state.devices.put_slice(self.slices.get(name), new)
        self.slices[name] = new

    def tell(self, what: str, *of: Any) -> None:
        """One event."""
        match what, *of:
            case "devices", name, count:
                self.devices(name, count)
            case "node", name, shut:
                self.state.nodes.put_node(node(name, spec={"unschedulable": shut}))
            case "gone", name:
                self.state.nodes.drop_node(name)
            case "end", number if self.placed:
                self.end(number)

    def end(self, number: int) -> None:
        uid, held = self.placed.pop(number % len(self.placed))
        self.state.nodes.drop_pod(uid)
        self.state.devices.put_claim(held, None)

    def asking(self, count: int) -> tuple[Any, ResourceClaim]:
        """The next pod, with a claim for so many devices."""
        self.number += 1
        made = claim(f"c{self.number}", [exactly(count=count)])
        self.state.devices.put_claim(None, made)
        return pod(f"p{self.number}", claims={"gpu": made.metadata.name}), made

    def keep(self, decision: Decision, made: ResourceClaim) -> None:
        """The placement was written, and the informer shows it."""
        if not decision.placements:
            self.state.devices.put_claim(made, None)
            return
        (grant,) = decision.placements[0].grants
        now = self.state.devices.ledger.current(grant.claim)
        meta = msgspec.structs.replace(now.metadata, resource_version="2")
        now = msgspec.structs.replace(now, metadata=meta)
        self.state.devices.ledger.written(now)
        self.state.devices.put_claim(made, now)
        self.placed.append((decision.placements[0].pod.metadata.uid, now))


def told(decision: Decision) -> Any:
    places = [(it.node, [grant.allocation for grant in it.grants]) for it in decision.placements]
    return places, [refusal.message for refusal in decision.refusals]


@settings(max_examples=25, deadline=None)
@given(story=st.lists(events, max_size=40))
def test_who_remembers_no_refusal_decides_the_same(story: list[tuple[Any, ...]]) -> None:
    it = Cluster()
    remembering = Decider(it.state, PEACEFUL)
    for what, *of in story:
        if what != "place":
            it.tell(what, *of)
            continue
        wanted, made = it.asking(of[0])
        fresh = Decider(it.state, PEACEFUL).decide(Unit(pods=(wanted,)))
        for placement in fresh.placements:
            it.state.retract(placement)
        decision = remembering.decide(Unit(pods=(wanted,)))
        assert told(decision) == told(fresh)
        it.keep(decision, made)


def test_full_nodes_are_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Cluster()
    decider = Decider(it.state, PEACEFUL)
    asked: list[str] = []
    plain = ClaimReserver.reserve

    def reserve(self: ClaimReserver, name: str) -> Any:
        asked.append(name)
        return plain(self, name)

    monkeypatch.setattr(ClaimReserver, "reserve", reserve)
    for _ in range(len(NODES)):
        wanted, made = it.asking(1)
        it.keep(decider.decide(Unit(pods=(wanted,))), made)
    asked.clear()
    for _ in range(3):
        wanted, made = it.asking(1)
        it.keep(decider.decide(Unit(pods=(wanted,))), made)
    assert sorted(asked) == NODES  # by the first of the three
    it.end(0)
    asked.clear()
    wanted, made = it.asking(1)
    it.keep(decider.decide(Unit(pods=(wanted,))), made)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "story",
    [
        [("devices", "n3", 2)],
        [("gone", "n0"), ("gone", "n1"), ("devices", "n0", 2), ("node", "n0", False)],
        # Another node has the row of one that was refused.
        [("devices", "n0", 2), ("gone", "n0"), ("ask",), ("gone", "n1"), ("node", "n0", False)],
    ],
)
def test_what_makes_a_node_worth_asking_again(story: list[tuple[Any, ...]]) -> None:
    it = Cluster()
    decider = Decider(it.state, PEACEFUL)
    places = []
    for what, *of in [("ask",), *story, ("ask",)]:
        if what != "ask":
            it.tell(what, *of)
            continue
        wanted, made = it.asking(2)
        decision = decider.decide(Unit(pods=(wanted,)))
        places.append(len(decision.placements))
        it.keep(decision, made)
    assert (places[0], places[-1]) == (0, 1)


def test_a_reserver_that_may_change_its_mind_is_asked_each_time() -> None:
    state = State()
    state.nodes.put_node(node("n1"))
    asked: list[str] = []

    class Moody:
        nodes = frozenset({"n1"})
        kind = "moody"

        def reserve(self, name: str) -> Any:
            asked.append(name)
            return Lack("not now") if len(asked) < 3 else ()

        def elsewhere(self) -> str:
            return ""

    plugin = Plugin(name="Moody", reserver=lambda devices, pod: Moody())
    decider = Decider(state, (plugin,))
    decisions = [decider.decide(Unit(pods=(pod(f"p{i}"),))) for i in range(3)]
    assert [bool(it.placements) for it in decisions] == [False, False, True]
