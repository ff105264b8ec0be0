"""Whatever a pod's affinity is, it ends in a decision."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.api.nodeaffinity import REQUIRED
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.nodeaffinityform import PREFERRED, check
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod_body

LINE = {"key": "zone", "operator": "In", "values": ["a"]}
TERM = {"matchExpressions": [LINE], "matchFields": None}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {REQUIRED: None, PREFERRED: None},
        {REQUIRED: {"nodeSelectorTerms": [TERM, {}]}},
        {PREFERRED: [{"weight": 100, "preference": TERM}]},
    ],
)
def test_what_can_be_read(rules: Any) -> None:
    check(rules)


@pytest.mark.parametrize(
    "rules",
    [
        7,
        {REQUIRED: []},
        {REQUIRED: {"nodeSelectorTerms": {}}},
        {REQUIRED: {"nodeSelectorTerms": [None]}},
        {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a"}]}]}},
        {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [{**LINE, "values": "a"}]}]}},
        {PREFERRED: [{"weight": 1}]},
        {PREFERRED: [{"weight": 0, "preference": TERM}]},
        {PREFERRED: [{"weight": 2**80, "preference": TERM}]},
    ],
)
def test_what_can_not(rules: Any) -> None:
    with pytest.raises(ValueError, match="^spec.affinity.nodeAffinity: "):
        check(rules)


NAMES = (
    *("nodeAffinity", "podAffinity", "podAntiAffinity", REQUIRED, PREFERRED, "weight"),
    *("podAffinityTerm", "topologyKey", "labelSelector", "namespaceSelector", "namespaces"),
    *("matchLabels", "matchExpressions", "matchFields", "key", "operator", "values"),
    *("nodeSelectorTerms", "preference"),
)
json = st.recursive(
    st.none()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["In", "Exists", "Gt", "metadata.name", "zone", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES[:3]), json, min_size=1))
def test_any_affinity_ends_in_a_decision(affinity: dict[str, Any]) -> None:
    state = State()
    state.nodes.put_node(node("n1", labels={"zone": "a"}))
    waiting = msgspec.convert(pod_body("p", spec={"affinity": affinity}), Pod)
    decision = Decider(state, PLUGINS).decide(Unit(pods=(waiting,)))
    assert len(decision.placements) + len(decision.refusals) == 1
