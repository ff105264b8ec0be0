"""Work at risk stays off spot nodes and off those that failed lately; other work does not care."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from argosy.api.core import Node
from argosy.scheduler.plugins import node_reliability
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod

NOON = "2026-01-02T12:00:00Z"
OLD = "2026-01-01T00:00:00Z"
KARPENTER = {"karpenter.sh/capacity-type": "spot"}


def turned(
    name: str, when: str, *, status: str = "True", made: str | None = OLD, **options: Any
) -> Node:
    """A node whose readiness is what it is since `when`."""
    ready = {"type": "Ready", "status": status, "lastTransitionTime": when}
    body = msgspec.to_builtins(node(name, **options))
    body["status"]["conditions"] = [ready]
    if made is not None:
        body["metadata"]["creationTimestamp"] = made
    return msgspec.convert(body, Node)


def rank(**options: Any) -> Any:
    meta = {"creationTimestamp": NOON, **options.pop("metadata", {})}
    return pod(gang="g", metadata=meta, **options)


def state_of(*nodes: Node) -> State:
    state = State()
    for item in nodes:
        state.nodes.put_node(item)
    return state


def scores(state: State, item: Any, **args: Any) -> list[int] | None:
    survey = node_reliability.configured(args).survey
    assert survey
    found = survey(state, item)
    if found is None:
        return None
    assert found.mask is None
    given = found.score(np.ones(state.nodes.size, dtype=np.bool_))
    return None if given is None else given.tolist()


@pytest.mark.parametrize(
    ("labels", "args", "spot"),
    [
        (KARPENTER, {}, True),
        ({"karpenter.sh/capacity-type": "on-demand"}, {}, False),
        ({"eks.amazonaws.com/capacityType": "SPOT"}, {}, True),
        ({"cloud.google.com/gke-spot": "true"}, {}, True),
        ({"cloud.google.com/gke-preemptible": "true"}, {}, True),
        ({"kubernetes.azure.com/scalesetpriority": "spot"}, {}, True),
        ({"lifecycle": "spare"}, {}, False),
        ({"lifecycle": "spare"}, {"spotLabels": [{"key": "lifecycle", "value": "spare"}]}, True),
        ({"spot": "true"}, {"spotLabels": [{"key": "spot"}]}, True),
    ],
)
def test_spot_nodes(labels: Mapping[str, str], args: dict[str, Any], spot: bool) -> None:
    state = state_of(node("a"), node("b", labels=labels))
    assert scores(state, rank(), **args) == ([100, 50] if spot else None)


@pytest.mark.parametrize(
    ("other", "args", "expected"),
    [
        # Back since then, and an hour counts.
        (turned("b", "2026-01-02T12:00:00Z"), {}, 50),
        (turned("b", "2026-01-02T11:30:00Z"), {}, 75),
        (turned("b", "2026-01-02T11:01:12Z"), {}, 99),
        (turned("b", "2026-01-02T11:00:00Z"), {}, None),
        (turned("b", "2026-01-02T13:00:00Z"), {}, 50),  # while the pod waited
        (turned("b", "2026-01-02T11:30:00Z"), {"failureWindowSeconds": 1800}, None),
        (turned("b", "2026-01-02T11:30:00Z"), {"failureWindowSeconds": 0}, None),
        # Not ready now.
        (turned("b", "2026-01-02T11:30:00Z", status="False"), {}, 75),
        (turned("b", "2026-01-02T11:30:00Z", status="Unknown"), {}, 75),
        # Ready for the first time is no failure.
        (turned("b", "2026-01-02T11:30:00Z", made="2026-01-02T11:29:00Z"), {}, None),
        (turned("b", "2026-01-02T11:30:00Z", made=None), {}, None),
        # Both.
        (turned("b", "2026-01-02T12:00:00Z", labels=KARPENTER), {}, 0),
        # Nonsense tells nothing.
        (turned("b", "yesterday"), {}, None),
        (turned("b", "2026-01-02T12:00:00Z", made="x"), {}, None),
    ],
)
def test_nodes_that_failed(other: Node, args: dict[str, Any], expected: int | None) -> None:
    state = state_of(turned("a", OLD), other)
    assert scores(state, rank(), **args) == (None if expected is None else [100, expected])


TOLERATING = {"key": "karpenter.sh/capacity-type", "operator": "Exists"}


@pytest.mark.parametrize(
    ("item", "cares"),
    [
        (rank(), True),
        (pod(), False),
        (rank(metadata={"annotations": {"argosy.dev/checkpoint": "true"}}), False),
        (rank(spec={"activeDeadlineSeconds": 1800}), False),
        (rank(spec={"activeDeadlineSeconds": 1801}), True),
        (rank(spec={"tolerations": [TOLERATING]}), False),
        (rank(spec={"tolerations": [{"operator": "Exists"}]}), True),  # of nothing in particular
        (rank(spec={"nodeSelector": KARPENTER}), False),
        (rank(spec={"nodeSelector": {"kubernetes.io/arch": "arm64"}}), True),
    ],
)
def test_whom_it_concerns(item: Any, cares: bool) -> None:
    state = state_of(turned("a", OLD), turned("b", NOON, labels=KARPENTER))
    assert (scores(state, item) is not None) is cares


def test_it_follows_nodes_that_fail_and_come_back() -> None:
    state = state_of(turned("a", OLD), turned("b", OLD))
    survey = node_reliability.configured({}).survey
    assert survey

    def told() -> list[int] | None:
        found = survey(state, rank())
        given = found.score(np.ones(state.nodes.size, dtype=np.bool_)) if found else None
        return None if given is None else given.tolist()

    assert told() is None
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
    state.nodes.put_node(turned("b", NOON, status="False", spec={"taints": [taint]}))
    assert told() == [100, 50]
    state.nodes.put_node(turned("b", NOON))
    assert told() == [100, 50]
    state.nodes.drop_node("b")
    state.nodes.put_node(turned("c", OLD, labels=KARPENTER))
    state.nodes.put_node(turned("d", OLD))
    assert told() == [100, 50, 100]


def test_without_a_time_of_its_own_only_labels_count() -> None:
    state = state_of(turned("a", NOON), turned("b", OLD, labels=KARPENTER))
    assert scores(state, pod(gang="g")) == [100, 50]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"spotLabels": [{"value": "x"}]}, "spotLabels[0].key: Required value: must be the key"),
        ({"spotLabels": [{"key": "a b"}]}, 'spotLabels[0].key: Invalid value: "a b": name part'),
        (
            {"spotLabels": [{"key": "a"}, {"key": "b", "value": "-"}]},
            'spotLabels[1].value: Invalid value: "-": a valid label',
        ),
        ({"shortSeconds": -1}, "shortSeconds: Invalid value: -1: must be greater than or equal"),
        ({"failureWindowSeconds": -1}, "failureWindowSeconds: Invalid value: -1: must be"),
        ({"spotLabels": [{"name": "a"}]}, "spotLabels[0].name: unknown field"),
    ],
)
def test_arguments(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        node_reliability.configured(args)
    assert str(caught.value).startswith(text)
