"""Pods that require one node by its name, as those of DaemonSets do."""

from typing import Any

import pytest

from argosy.api.nodeaffinity import pin
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod


def decided(affinity: dict[str, Any], **spec: Any) -> str:
    """The node, or why there is none."""
    state = State()
    for name in ("a", "b", "c"):
        state.nodes.put_node(node(name, allocatable={"pods": "0"} if name == "c" else {}))
    wanted = pod(spec={"affinity": affinity, **spec})
    decision = Decider(state, PLUGINS).decide(Unit(pods=(wanted,)))
    if decision.placements:
        return decision.placements[0].node
    return decision.refusals[0].message.partition(" preemption:")[0]


MISMATCH = "node(s) didn't match Pod's node affinity/selector"


@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        (pin(None, "a"), "a"),
        (pin(None, "b"), "b"),
        (pin(None, "c"), f"0/3 nodes are available: 1 Too many pods, 2 {MISMATCH}."),
        (pin(None, "d"), f"0/3 nodes are available: 1 Too many pods, 2 {MISMATCH}."),
        ({"podAffinity": {}, **pin(None, "a")}, "a"),
        ({"nodeAffinity": {}}, "a"),
    ],
)
def test_the_pod_goes_there_or_nowhere(affinity: dict[str, Any], expected: str) -> None:
    assert decided(affinity) == expected
