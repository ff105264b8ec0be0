"""What is kept over events says the same as a state made anew, whatever came and went."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Namespace, Node
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.plugins import inter_pod_affinity, pod_topology_spread
from argosy.scheduler.state import State
from tests.scheduler.builders import node, occupant
from tests.scheduler.plugins.places import HARD, SOFT, asking, feasible, namespace, scores

PLUGINS = (pod_topology_spread.PLUGIN, inter_pod_affinity.PLUGIN)


def term(app: str, key: str = "zone", **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def constraint(key: str, action: str, app: str) -> dict[str, Any]:
    selector = {"matchLabels": {"app": app}}
    stated = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": action}
    return {**stated, "labelSelector": selector}


BLUE: Any = {"namespaceSelector": {"matchLabels": {"team": "blue"}}}
AFFINITIES: list[dict[str, Any]] = [
    {},
    {"podAffinity": {HARD: [term("a")]}},
    {"podAntiAffinity": {HARD: [term("a", "host"), term("b")]}},
    {"podAntiAffinity": {HARD: [term("a", **BLUE)]}},
    {
        "podAffinity": {SOFT: [{"weight": 5, "podAffinityTerm": term("b")}]},
        "podAntiAffinity": {SOFT: [{"weight": 3, "podAffinityTerm": term("a", "host", **BLUE)}]},
    },
]
CONSTRAINTS = [
    [],
    [constraint("zone", "DoNotSchedule", "a"), constraint("host", "ScheduleAnyway", "b")],
    [constraint("zone", "ScheduleAnyway", "a")],
]
PROBES = [
    asking(space=space, labels={"app": "a"}, affinity=affinity, topologySpreadConstraints=stated)
    for space in ("default", "other")
    for affinity, stated in zip(AFFINITIES, [*CONSTRAINTS, *CONSTRAINTS[1:]], strict=True)
]
nodes = st.sampled_from(["n1", "n2", "n3"])
uids = st.integers(0, 6)
changes = st.one_of(
    st.tuples(st.just("node"), nodes, st.sampled_from(["", "z1", "z2"]), st.booleans()),
    st.tuples(st.just("gone"), nodes),
    st.tuples(st.just("space"), st.sampled_from(["", "blue", "red"])),
    st.tuples(st.just("done"), uids),
    st.tuples(
        st.just("pod"),
        nodes,
        uids,
        st.sampled_from(["default", "other"]),
        st.sampled_from([{}, {"app": "a"}, {"app": "b"}]),
        st.sampled_from(AFFINITIES),
        st.booleans(),
    ),
)


class Bystander:
    """What there is, noted plainly."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.pods: dict[str, tuple[str, Occupant]] = {}
        self.space: Namespace | None = None

    def anew(self) -> State:
        state = State()
        state.namespaces.put(None, self.space)
        for item in self.nodes.values():
            state.nodes.put_node(item)
        for place, there in self.pods.values():
            state.nodes.put_pod(place, there)
        return state


def happen(state: State, noted: Bystander, event: tuple[Any, ...]) -> None:
    match event:
        case ("node", name, zone, host):
            labels = {**({"zone": zone} if zone else {}), **({"host": name} if host else {})}
            noted.nodes[name] = node(name, labels=labels)
            state.nodes.put_node(noted.nodes[name])
        case ("gone", name):
            noted.nodes.pop(name, None)
            state.nodes.drop_node(name)
        case ("space", team):
            new = namespace("other", team=team) if team else None
            state.namespaces.put(noted.space, new)
            noted.space = new
        case ("done", uid):
            noted.pods.pop(f"uid-p{uid}", None)
            state.nodes.drop_pod(f"uid-p{uid}")
        case ("pod", name, uid, space, labels, affinity, leaving):
            meta: dict[str, Any] = {"namespace": space, "labels": labels}
            if leaving:
                meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            there = occupant(f"p{uid}", metadata=meta, spec={"affinity": affinity})
            noted.pods[there.pod.metadata.uid] = (name, there)
            state.nodes.put_pod(name, there)


@settings(max_examples=30, deadline=None)
@given(st.lists(changes, max_size=25), st.integers(0, 5))
def test_what_is_kept_equals_what_is_made_anew(
    events: list[tuple[Any, ...]], asked_every: int
) -> None:
    state, noted = State(), Bystander()
    for step, event in enumerate(events):
        happen(state, noted, event)
        if asked_every and step % asked_every == 0:
            said(state)
    assert said(state) == said(noted.anew())


def said(state: State) -> list[Any]:
    names = sorted(state.nodes.row_of)
    return [
        (
            sorted(feasible(plugin, state, probe)),
            scores(plugin, state, probe, names) or dict.fromkeys(names, 0),
        )
        for probe in PROBES
        for plugin in PLUGINS
    ]
