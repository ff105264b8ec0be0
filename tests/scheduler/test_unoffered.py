"""Resources that no node offers: told one by one, and no burden whatever pods name."""

from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod


def test_a_pod_waits_for_a_resource_until_a_node_offers_it() -> None:
    state = State()
    state.nodes.put_node(node("n1"))
    decider = Decider(state, PLUGINS)
    wanted = pod("w", requests={"x.io/a": 1, "x.io/b": 2})
    told = decider.decide(Unit(pods=(wanted,))).refusals[0]
    assert told.message.startswith(
        "0/1 nodes are available: 1 Insufficient x.io/a, 1 Insufficient x.io/b."
    )
    assert told.headline == "The pod asks for x.io/a, which no node has."
    state.nodes.put_node(node("n1", allocatable={"x.io/a": 1}))
    assert "1 Insufficient x.io/b." in decider.decide(Unit(pods=(wanted,))).refusals[0].message
    state.nodes.put_node(node("n1", allocatable={"x.io/a": 1, "x.io/b": 2}))
    assert [it.node for it in decider.decide(Unit(pods=(wanted,))).placements] == ["n1"]
    other = pod("o", requests={"x.io/b": 1})
    assert decider.decide(Unit(pods=(other,))).placements == ()


def test_thousands_of_them_make_no_columns() -> None:
    state = State()
    for number in range(20):
        state.nodes.put_node(node(f"n{number}"))
    decider = Decider(state, PLUGINS)
    width = state.nodes.allocatable.shape[1]
    wanted = pod("w", requests={f"x.io/r{number}": 1 for number in range(300)})
    told = decider.decide(Unit(pods=(wanted,))).refusals[0]
    assert told.message.count("20 Insufficient x.io/r") == 300
    assert state.nodes.allocatable.shape[1] == width
