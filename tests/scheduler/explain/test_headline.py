"""The sentence in the pod's condition: short, steady, and no dearer than it must be."""

from argosy.api.core import Pod
from argosy.scheduler.explain.headline import Headlines, headline
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.ranking import Surveys
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State
from tests.scheduler.builders import node, occupant, pod

POD = pod("w", requests={"cpu": "3"})
WANTED = shape_of(POD)


def full(nodes: int = 2) -> State:
    state = State()
    for number in range(nodes):
        state.nodes.put_node(node(f"n{number}"))
        state.nodes.put_pod(f"n{number}", occupant(f"p{number}", requests={"cpu": "2"}))
    return state


def surveys(pod: Pod) -> Surveys:
    return ()


def test_it_names_no_amounts_that_come_and_go() -> None:
    state = full()
    first = headline(state.nodes, PLUGINS, WANTED)
    assert first == (
        "Not enough cpu: the pod asks for 3, no node that could take it has so much free."
    )
    state.nodes.put_pod("n0", occupant("more", requests={"cpu": "1"}))
    assert headline(state.nodes, PLUGINS, WANTED) == first


def test_without_nodes_and_without_a_reason() -> None:
    assert headline(State().nodes, PLUGINS, WANTED) == "The cluster has no nodes."
    state = State()
    state.nodes.put_node(node())
    assert headline(state.nodes, PLUGINS, WANTED) == ""


def test_the_same_refusal_has_the_same_headline_until_the_refusal_changes() -> None:
    state = full()
    known = Headlines(state.nodes, PLUGINS, surveys)
    first = known.of(POD, "0/2 nodes")
    state.nodes.put_node(node("n0", spec={"unschedulable": True}))
    state.nodes.put_node(node("n1", spec={"unschedulable": True}))
    state.nodes.drop_pod("p0")
    state.nodes.drop_pod("p1")
    assert known.of(POD, "0/2 nodes") == first
    assert known.of(POD, "0/2 nodes, others").startswith("Cordoned: ")


def test_what_is_known_is_bounded() -> None:
    state = full(1)
    known = Headlines(state.nodes, PLUGINS, surveys, most=5)
    for number in range(9):
        known.of(POD, f"told {number}")
    assert len(known) == 5


def test_it_is_never_too_long() -> None:
    state = State()
    state.nodes.put_node(node())
    long = {f"{'k' * 60}-{number}": "v" * 63 for number in range(20)}
    told = headline(state.nodes, PLUGINS, shape_of(pod("w", spec={"nodeSelector": long})))
    assert len(told) == 200
