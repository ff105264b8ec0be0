"""Constraints on how evenly pods lie: where a pod may be, why not, and what is better."""

from typing import Any

import pytest

from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.plugins.pod_topology_spread import PLUGIN, UNEVEN, UNLABELLED
from tests.scheduler.builders import node
from tests.scheduler.plugins.places import (
    asking,
    cluster,
    feasible,
    labelled,
    reasons,
    scores,
)

HOST = "kubernetes.io/hostname"
A = labelled(app="a")
ALL = ["n1", "n2", "n3", "n4"]


def constraint(key: str = "zone", skew: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "a"}},
        **more,
    }


def soft(key: str = "zone", skew: int = 1, **more: Any) -> dict[str, Any]:
    return constraint(key, skew, whenUnsatisfiable="ScheduleAnyway", **more)


def spread(*constraints: dict[str, Any], **spec: Any) -> Any:
    return asking(
        labels={"app": "a", "rev": "2"}, topologySpreadConstraints=list(constraints), **spec
    )


@pytest.mark.parametrize(
    ("placed", "constraints", "expected", "why"),
    [
        ([], [constraint()], ["n1", "n2", "n3"], {UNLABELLED: 1}),
        (["n1"], [constraint()], ["n3"], {UNLABELLED: 1, UNEVEN: 2}),
        (["n1"], [constraint(skew=2)], ["n1", "n2", "n3"], {UNLABELLED: 1}),
        (["n1", "n3"], [constraint()], ["n1", "n2", "n3"], {UNLABELLED: 1}),
        (["n4"], [constraint()], ["n1", "n2", "n3"], {UNLABELLED: 1}),
        (["n1"], [constraint(HOST)], ["n2", "n3", "n4"], {UNEVEN: 1}),
        (["n1"], [constraint("nobody has it")], [], {UNLABELLED: 4}),
        # A node without one of the labels counts for none of the constraints.
        (["n1"], [constraint(HOST), constraint(skew=9)], ["n2", "n3"], {UNEVEN: 1, UNLABELLED: 1}),
        (["n1", "n2", "n3"], [constraint(HOST), constraint(skew=9)], ["n1", "n2", "n3"], None),
        (["n2", "n3"], [constraint(HOST, 2), constraint()], ["n1", "n2", "n3"], None),
        # Fewer domains than there should be: the emptiest counts as empty.
        (["n1", "n3"], [constraint(minDomains=3)], [], {UNLABELLED: 1, UNEVEN: 3}),
        (["n1", "n3"], [constraint(minDomains=2)], ["n1", "n2", "n3"], None),
        (["n1", "n3"], [constraint(skew=2, minDomains=3)], ["n1", "n2", "n3"], None),
        # Nothing counts pods: an empty selector, and none; the empty one selects the pod itself.
        (["n1"], [constraint(labelSelector={})], ["n1", "n2", "n3"], None),
        (["n1"], [constraint(labelSelector=None)], ["n1", "n2", "n3"], None),
        # The pod itself is not one of those that are counted.
        (
            ["n1"],
            [constraint(labelSelector={"matchLabels": {"app": "b"}})],
            ["n1", "n2", "n3"],
            None,
        ),
        # Of the same revision there is none; where the pod lacks the label, it is of no account.
        (["n1"], [constraint(matchLabelKeys=["rev"])], ["n1", "n2", "n3"], None),
        (["n1"], [constraint(matchLabelKeys=["x"])], ["n3"], None),
    ],
)
def test_where_a_pod_may_be(
    placed: list[str], constraints: Any, expected: list[str], why: dict[str, int] | None
) -> None:
    state, new = cluster([(name, A) for name in placed]), spread(*constraints)
    assert feasible(PLUGIN, state, new) == expected
    assert why is None or reasons(PLUGIN, state, new) == why


def test_a_pod_that_is_not_counted_may_lie_one_deeper() -> None:
    state = cluster([("n1", labelled(app="b"))])
    other = constraint(labelSelector={"matchLabels": {"app": "b"}})
    assert feasible(PLUGIN, state, spread(other)) == ["n1", "n2", "n3"]
    state = cluster([("n1", labelled(app="b"))] * 2)
    assert feasible(PLUGIN, state, spread(other)) == ["n3"]


def test_only_pods_of_the_namespace_that_stay_are_counted() -> None:
    leaving = labelled(app="a")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    state = cluster([("n1", labelled("blue", app="a")), ("n1", leaving)])
    assert feasible(PLUGIN, state, spread(constraint())) == ["n1", "n2", "n3"]


@pytest.mark.parametrize(
    ("policies", "spec", "expected"),
    [
        # Zone z2 is out of the pod's reach: n1 is compared with its own zone alone.
        ({}, {"nodeSelector": {"zone": "z1"}}, ["n1", "n2", "n3"]),
        ({"nodeAffinityPolicy": "Honor"}, {"nodeSelector": {"zone": "z1"}}, ["n1", "n2", "n3"]),
        ({"nodeAffinityPolicy": "Ignore"}, {"nodeSelector": {"zone": "z1"}}, ["n3"]),
        ({"nodeTaintsPolicy": "Honor"}, {}, ["n1", "n2", "n3"]),
        ({"nodeTaintsPolicy": "Ignore"}, {}, ["n3"]),
        ({"nodeTaintsPolicy": "Honor"}, {"tolerations": [{"operator": "Exists"}]}, ["n3"]),
    ],
)
def test_nodes_that_are_left_out_of_account(
    policies: Any, spec: dict[str, Any], expected: list[str]
) -> None:
    taint = {"taints": [{"key": "k", "effect": "NoSchedule"}]}
    state = cluster([("n1", A)], n3=taint)
    assert feasible(PLUGIN, state, spread(constraint(**policies), **spec)) == expected


def test_a_pod_for_one_node_is_compared_with_that_node_alone() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    pin = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    state = cluster([("n1", A)])
    assert feasible(PLUGIN, state, spread(constraint(), affinity=pin)) == ["n1", "n2", "n3"]


@pytest.mark.parametrize(
    ("placed", "constraints", "expected"),
    [
        ([], [soft()], [100, 100, 100, 0]),
        (["n1"], [soft()], [0, 0, 100, 0]),
        # 2 * ln 4 and 1 * ln 4 are 3 and 1.
        (["n1", "n2", "n3"], [soft()], [33, 33, 100, 0]),
        # 4 * ln 4 is 5.55, and counts as 6.
        (["n1", "n1", "n1", "n1", "n3"], [soft()], [16, 16, 100, 0]),
        (["n1"], [soft(HOST)], [0, 100, 100, 100]),
        # A greater skew waters the differences down: 1 + 4 against 4.
        (["n1"], [soft(skew=5)], [80, 80, 100, 0]),
        # Three nodes are scored: ln 5 for the host, ln 4 for the zone; 3, 1 and 0.
        (["n1"], [soft(HOST), soft()], [0, 66, 100, 0]),
        (["n1"], [soft(labelSelector={})], [100, 100, 100, 0]),
        (["n1"], [soft(nodeAffinityPolicy="Ignore")], [0, 0, 100, 0]),
        (["n1"], [soft("nobody has it")], [0, 0, 0, 0]),
        (["n1"], [constraint()], None),
    ],
)
def test_what_is_better(placed: list[str], constraints: Any, expected: list[int] | None) -> None:
    found = scores(PLUGIN, cluster([(name, A) for name in placed]), spread(*constraints))
    assert (None if found is None else list(found.values())) == expected


def test_only_feasible_nodes_count_for_the_scale() -> None:
    state, new = cluster([("n1", A), ("n1", A), ("n3", A)]), spread(soft())
    assert scores(PLUGIN, state, new, ["n1", "n2"]) == {"n1": 100, "n2": 100}
    assert scores(PLUGIN, state, new, ["n1", "n3"]) == {"n1": 33, "n3": 100}
    assert scores(PLUGIN, state, new, ["n4"]) == {"n4": 0}
    assert scores(PLUGIN, state, new, []) == {}


def test_nodes_that_are_gone_are_no_domains() -> None:
    state, new = cluster([("n1", A), ("n2", A)]), spread(constraint())
    assert feasible(PLUGIN, state, new) == ["n3"]
    state.nodes.drop_node("n3")
    assert feasible(PLUGIN, state, new) == ["n1", "n2"]
    state.nodes.put_node(node("n2", labels={"zone": "z2"}))
    state.nodes.drop_pod("uid-old-1")
    assert feasible(PLUGIN, state, new) == ["n2"]
    state.nodes.put_node(node("n2"))
    assert feasible(PLUGIN, state, new) == ["n1"]


def test_a_pod_that_says_nothing_is_not_surveyed() -> None:
    assert PLUGIN.survey is not None
    assert PLUGIN.survey(cluster([("n1", A)]), spread()) is None


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"maxSkew": 0}, "spec.topologySpreadConstraints: .*maxSkew"),
        ({"maxSkew": 2**80}, "spec.topologySpreadConstraints: .*maxSkew"),
        ({"minDomains": "3"}, "minDomains"),
        ({"whenUnsatisfiable": "Maybe"}, "whenUnsatisfiable"),
        ({"labelSelector": []}, "labelSelector"),
        (
            {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
            "can't be empty",
        ),
    ],
)
def test_a_broken_pod_is_told_so(broken: dict[str, Any], why: str) -> None:
    with pytest.raises(UnschedulableError, match=why):
        feasible(PLUGIN, cluster(), spread(constraint(**broken)))


def test_a_thousand_constraints() -> None:
    selectors = [{"matchLabels": {"app": f"x{i}"}} for i in range(1000)]
    many = [constraint(HOST, 2**31 - 1, labelSelector=each) for each in selectors]
    many += [soft(HOST, 2**31 - 1, labelSelector=each) for each in selectors]
    state, new = cluster([("n1", A)]), spread(*many, constraint())
    assert feasible(PLUGIN, state, new) == ["n3"]
    assert scores(PLUGIN, state, new) == dict.fromkeys(ALL, 100)


def test_keys_that_nobody_has_are_not_all_looked_up() -> None:
    state = cluster([("n1", A)])
    many = [constraint(f"nobody/{i}", 1) for i in range(1000)]
    many += [soft(f"nobody/{i}", 1) for i in range(1000)]
    new = spread(constraint(), *many)
    assert feasible(PLUGIN, state, new) == []
    assert reasons(PLUGIN, state, new) == {UNLABELLED: 4}
    assert scores(PLUGIN, state, new) == dict.fromkeys(ALL, 0)
    assert set(state.nodes._labels) == {"zone", "nobody/0"}
