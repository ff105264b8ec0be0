"""Preemption in any order of events, against a plain reference over lists.

A victim is always of lower priority; once the victims are gone the pod fits; who goes and where is
what the rules say, pod by pod; without preemption nothing has changed; nobody preempts for ever.
"""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from argosy.api.core import Pod
from argosy.scheduler.decide import Decision
from argosy.scheduler.state import State
from tests.scheduler.builders import node
from tests.scheduler.preemption.kit import World, budget, ranked

NODES = {"n1": 4, "n2": 3, "n3": 6}
LABELS = {"app": "a"}
LONG_AFTER = 99


@dataclass(frozen=True)
class Plain:
    """A pod as the reference sees it."""

    name: str
    priority: int
    cpu: int
    started: int
    labelled: bool
    node: str = ""


class Preempting(RuleBasedStateMachine):
    """`pods` are on nodes, `nominated` wait for room."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World({name: [] for name in NODES})
        for name, cpu in NODES.items():
            self.world.state.nodes.put_node(node(name, allocatable={"cpu": cpu}))
        self.pods: dict[str, Plain] = {}
        self.nominated: dict[str, Plain] = {}
        self.views: dict[str, Pod] = {}
        self.allowed: int | None = None
        self.counter = 0

    @rule(allowed=st.one_of(st.none(), st.integers(0, 2)))
    def change_the_budget(self, allowed: int | None) -> None:
        old = None if self.allowed is None else budget("b", LABELS, self.allowed)
        new = None if allowed is None else budget("b", LABELS, allowed)
        self.world.state.budgets.put(old, new)
        self.allowed = allowed

    @rule(
        priority=st.integers(-1, 5),
        cpu=st.integers(0, 4),
        started=st.one_of(st.just(LONG_AFTER), st.integers(0, 9)),
        labelled=st.booleans(),
    )
    def place_a_pod(self, priority: int, cpu: int, started: int, labelled: bool) -> None:
        self.counter += 1
        plain = Plain(f"p{self.counter}", priority, cpu, started, labelled)
        labels = LABELS if labelled else {}
        since = None if started == LONG_AFTER else started
        view = ranked(plain.name, priority, cpu, labels=labels, started=since)
        self.views[plain.name] = view
        self.try_to_place(plain)

    @precondition(lambda self: self.nominated)
    @rule(data=st.data())
    def try_a_nominated_pod_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.nominated)))
        self.try_to_place(self.nominated[name])

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def a_pod_ends(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.pods)))
        self.remove(name)

    def try_to_place(self, plain: Plain) -> None:
        before = snapshot(self.world.state)
        rows = list(NODES)
        fitting = [name for name in rows if self.fits(plain, name, self.on(name))]
        best = self.choice(plain)
        own = self.nominated.get(plain.name)
        decision = self.world.decide(self.views[plain.name])
        if decision.placements:
            place = decision.placements[0].node
            assert place in fitting
            if own and own.node in fitting:
                assert place == own.node
            self.nominated.pop(plain.name, None)
            self.pods[plain.name] = replace(plain, node=place)
            # The API shows it bound.
            self.world.state.nodes.nominated.drop(f"uid-{plain.name}")
            return
        assert not fitting
        if not decision.preemptions:
            assert best is None
            self.nominated.pop(plain.name, None)
            if own is None:
                assert snapshot(self.world.state) == before
            return
        self.carry_out(plain, decision, best)

    def carry_out(
        self, plain: Plain, decision: Decision, best: "tuple[str, list[Plain]] | None"
    ) -> None:
        (preemption,) = decision.preemptions
        assert best is not None
        node, expected = best
        assert decision.refusals[0].node == node
        victims = [it.pod.metadata.name for it in preemption.victims]
        assert all(self.pods[name].priority < plain.priority for name in victims)
        assert sorted(victims) == sorted(item.name for item in expected)
        for pod in preemption.displaced:
            assert self.nominated.pop(pod.metadata.name).priority < plain.priority
        for name in victims:
            self.remove(name)
        self.nominated[plain.name] = replace(plain, node=node)
        assert self.fits(plain, node, self.on(node))

    def remove(self, name: str) -> None:
        del self.pods[name]
        uid = f"uid-{name}"
        self.world.state.evicting.discard(uid)
        assert self.world.state.nodes.drop_pod(uid)

    def on(self, node: str) -> list[Plain]:
        return [item for item in self.pods.values() if item.node == node]

    def fits(self, plain: Plain, node: str, others: list[Plain]) -> bool:
        """Beside `others` and the nominated pods that come first."""
        first = [
            item.cpu
            for item in self.nominated.values()
            if item.node == node and item.priority >= plain.priority and item.name != plain.name
        ]
        used = sum(item.cpu for item in others) + sum(first)
        return plain.cpu == 0 or used + plain.cpu <= NODES[node]

    def choice(self, plain: Plain) -> tuple[str, list[Plain]] | None:
        """The node and the victims, by the rules one after the other."""
        found: list[tuple[Any, str, list[Plain]]] = []
        for place, name in enumerate(NODES):
            dry = self.dry_run(plain, name)
            if dry is None:
                continue
            victims, violations = dry
            levels = [item.priority for item in victims]
            earliest = min(item.started for item in victims if item.priority == max(levels))
            total = sum(level + 2**31 for level in levels)
            key = (violations, max(levels), total, len(victims), -earliest, place)
            found.append((key, name, victims))
        return min(found)[1:] if found else None

    def dry_run(self, plain: Plain, node: str) -> tuple[list[Plain], int] | None:
        there = self.on(node)
        lower = [item for item in there if item.priority < plain.priority]
        kept = [item for item in there if item not in lower]
        if not lower or plain.cpu > NODES[node] or not self.fits(plain, node, kept):
            return None
        slots = self.world.state.nodes.holdings.slot_of
        lower.sort(key=lambda it: (-it.priority, it.started, slots[f"uid-{it.name}"]))
        left = self.allowed
        guarded: set[str] = set()
        for item in lower:
            if item.labelled and left is not None:
                left -= 1
                if left < 0:
                    guarded.add(item.name)
        victims: list[Plain] = []
        for item in sorted(lower, key=lambda it: it.name not in guarded):
            if self.fits(plain, node, [*kept, item]):
                kept.append(item)
            else:
                victims.append(item)
        victims.sort(key=lambda it: (-it.priority, it.started, slots[f"uid-{it.name}"]))
        return (victims, len(guarded & {item.name for item in victims})) if victims else None

    @invariant()
    def nominations_are_those_that_were_told(self) -> None:
        told = self.world.state.nodes.nominated
        assert len(told) == len(self.nominated)
        for name, plain in self.nominated.items():
            assert told.node_of(f"uid-{name}") == plain.node

    @invariant()
    def nothing_is_overcommitted(self) -> None:
        for name, cpu in NODES.items():
            assert sum(item.cpu for item in self.on(name)) <= cpu


def snapshot(state: State) -> Any:
    """All that a decision must leave as it was."""
    nodes = state.nodes
    size = nodes.size
    return (
        nodes.requested[:size].tolist(),
        nodes.scored[:size].tolist(),
        {name: sorted(it.pod.metadata.name for it in nodes.pods_on(name)) for name in nodes.names},
        sorted(nodes.holdings.slot_of),
        nodes.holdings.lowest,
        {uid: nodes.nominated.node_of(uid) for uid in nodes.nominated.waiting.slot_of},
        sorted(state.evicting),
    )


TestPreempting = Preempting.TestCase
TestPreempting.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
