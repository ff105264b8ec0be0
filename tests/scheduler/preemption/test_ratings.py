"""What is kept between preemptors changes nothing: one that remembers nothing finds the same.

The one that remembers rates few rows at a time, in plain numbers; the other one rates all of them
at once, in arrays.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.scheduler.framework import PreemptionTerms
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.placing import Placer
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.preemption.single import Preemptor
from tests.scheduler.builders import node, pod
from tests.scheduler.preemption.kit import World, budget, ranked

NODES = [f"n{i:02}" for i in range(12)]
APP = {"app": "a"}
GPU = "example.com/gpu"

names = st.sampled_from(NODES)
levels = st.integers(-1, 4)
sizes = st.integers(0, 3)
moments = st.one_of(st.none(), st.integers(0, 9))
events = st.one_of(
    st.tuples(st.just("put"), names, levels, sizes, moments, st.booleans()),
    st.tuples(st.just("put gpu"), names, levels),
    st.tuples(st.just("end"), st.integers(0, 200)),
    st.tuples(st.just("start"), st.integers(0, 200), moments),
    st.tuples(st.just("node"), names, st.integers(2, 6)),
    st.tuples(st.just("gone"), names),
    st.tuples(st.just("budget"), st.integers(0, 3)),
    st.tuples(st.just("nominate"), names, levels, sizes),
    st.tuples(st.just("forget"), st.integers(0, 200)),
)


class Story:
    """A cluster as events change it."""

    def __init__(self) -> None:
        self.world = World({})
        self.nodes = self.world.state.nodes
        for name in NODES:
            self.nodes.put_node(node(name, allocatable={"cpu": 4, GPU: 1}))
        self.pods: dict[str, tuple[str, dict[str, Any]]] = {}
        self.nominated: list[str] = []
        self.budget = budget("b", APP, 0)
        for i, name in enumerate(NODES * 4):
            self.tell("put", name, i % 5 - 1, 1, i % 7, i % 3 == 0)

    def tell(self, what: str, *of: Any) -> None:
        """One event."""
        tellers: dict[str, Callable[..., None]] = {
            "put": self.put,
            "put gpu": self.put_gpu,
            "end": self.end,
            "start": self.start,
            "node": self.node,
            "gone": self.nodes.drop_node,
            "budget": self.allow,
            "nominate": self.nominate,
            "forget": self.forget,
        }
        tellers[what](*of)

    def put(self, where: str, level: int, cpu: int, started: int | None, app: bool) -> None:
        name = f"p{len(self.pods)}"
        options = {"started": started, "labels": APP if app else {}}
        self.pods[name] = (where, {"priority": level, "cpu": cpu, **options})
        self.world.put(ranked(name, level, cpu, **options), where)

    def put_gpu(self, where: str, level: int) -> None:
        name = f"g{len(self.pods)}"
        self.pods[name] = (where, {})
        self.world.put(pod(name, requests={GPU: 1}, spec={"priority": level}), where)

    def end(self, number: int) -> None:
        self.nodes.drop_pod(f"uid-p{number % len(self.pods)}")

    def start(self, number: int, started: int | None) -> None:
        name = f"p{number % len(self.pods)}"
        where, how = self.pods.get(name, ("", {}))
        if how and self.nodes.place_of(f"uid-{name}"):
            told = {**how, "started": started}
            self.nodes.put_pod(where, occupant_of(ranked(name, **told)))

    def node(self, name: str, cpu: int) -> None:
        self.nodes.put_node(node(name, allocatable={"cpu": cpu, GPU: 1}))

    def allow(self, allowed: int) -> None:
        new = budget("b", APP, allowed)
        self.world.state.budgets.put(self.budget, new)
        self.budget = new

    def nominate(self, where: str, level: int, cpu: int) -> None:
        name = f"w{len(self.nominated)}"
        self.nominated.append(name)
        self.nodes.nominated.put(ranked(name, level, cpu), where)

    def forget(self, number: int) -> None:
        if self.nominated:
            name = self.nominated[number % len(self.nominated)]
            self.nodes.nominated.drop(f"uid-{name}")


def found(preemptor: Preemptor, placer: Placer, wanted: Pod) -> list[Any]:
    """All candidates in order, and what is told of the other rows."""
    search = placer.search(wanted)
    reasons: Counter[str] = Counter()
    rows = [
        (it.row, [victim.pod.metadata.uid for victim in it.victims], it.violations)
        for it in preemptor.candidates(search, wanted.spec.priority, reasons=reasons)
    ]
    return [*rows, dict(reasons)]


@settings(max_examples=15, deadline=None)
@given(
    story=st.lists(events, max_size=25), every=st.integers(1, 4), absolute=st.sampled_from([2, 100])
)
def test_who_remembers_nothing_finds_the_same(
    story: list[tuple[Any, ...]], every: int, absolute: int
) -> None:
    it = Story()
    terms = PreemptionTerms(absolute=absolute)
    placer = Placer(it.world.state, PLUGINS)
    remembering = Preemptor(it.world.state, placer, terms)
    for number, event in enumerate(story):
        it.tell(*event)
        if number % every:
            continue
        for level, cpu in ((2, 2), (3, 2), (9, 3)):
            wanted = ranked("x", level, cpu)
            fresh = Preemptor(it.world.state, placer, terms)
            assert found(remembering, placer, wanted) == found(fresh, placer, wanted)


@pytest.mark.parametrize("event", [("start", 13, 0), ("budget", 1), ("nominate", "n01", 4, 1)])
def test_what_rates_a_row_anew(event: tuple[Any, ...]) -> None:
    """Each of these changes what is found: so it is told by more than the pods on the rows."""
    it = Story()
    placer = Placer(it.world.state, PLUGINS)
    preemptor = Preemptor(it.world.state, placer, PreemptionTerms())
    wanted = ranked("x", 3, 4)
    before = found(preemptor, placer, wanted)
    it.tell(*event)
    assert found(preemptor, placer, wanted) != before
