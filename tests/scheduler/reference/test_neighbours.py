"""The reference's rules between pods: spread and affinity, on cases worked out by hand."""

from typing import Any

import pytest

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Object
from tests.scheduler.reference.rules import scores
from tests.scheduler.reference.things import cluster, crowd, let_in, node, pod

_HARD = "requiredDuringSchedulingIgnoredDuringExecution"
_SOFT = "preferredDuringSchedulingIgnoredDuringExecution"
WEB = {"matchLabels": {"app": "web"}}
FOUR = [node("n0", "a"), node("n1", "a"), node("n2", "b"), node("n3", "b")]


def spread(key: str, *, skew: int = 1, hard: bool = True, **more: Any) -> Object:
    action = "DoNotSchedule" if hard else "ScheduleAnyway"
    constraint = {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": action}
    return {**constraint, "labelSelector": WEB, **more}


def spread_out(*constraints: Object, **more: Any) -> Object:
    return pod(topologySpreadConstraints=list(constraints), **more)


@pytest.mark.parametrize(
    ("counts", "constraints", "nodes"),
    [
        ((1, 1, 1, 0), [spread(ZONE)], ["n2", "n3"]),
        ((1, 1, 1, 0), [spread(ZONE), spread(HOSTNAME)], ["n3"]),
        ((2, 1, 2, 1), [spread(ZONE)], ["n0", "n1", "n2", "n3"]),
        ((2, 1, 2, 0), [spread(ZONE), spread(HOSTNAME)], ["n3"]),
        ((1, 1, 0, 0), [spread(ZONE, skew=2)], ["n2", "n3"]),
        ((1, 1, 0, 0), [spread(ZONE, skew=3)], ["n0", "n1", "n2", "n3"]),
        ((1, 0, 1, 0), [spread(ZONE, minDomains=2)], ["n0", "n1", "n2", "n3"]),
        ((1, 0, 1, 0), [spread(ZONE, minDomains=3)], []),
        ((9, 9, 0, 0), [spread(ZONE, hard=False)], ["n0", "n1", "n2", "n3"]),
        ((0, 0, 0, 0), [spread("rack")], []),
        ((3, 3, 0, 0), [spread(ZONE, labelSelector={})], ["n0", "n1", "n2", "n3"]),
        ((3, 3, 0, 0), [spread(ZONE, labelSelector=None)], ["n0", "n1", "n2", "n3"]),
    ],
)
def test_spread_lets_in(
    counts: tuple[int, ...], constraints: list[Object], nodes: list[str]
) -> None:
    """The first two and, with three nodes, the one below are told in the documentation."""
    where = cluster(FOUR, crowd(*counts))
    assert let_in("PodTopologySpread", where, spread_out(*constraints)) == nodes


def test_two_constraints_can_contradict_each_other() -> None:
    where = cluster([node("n0", "a"), node("n1", "a"), node("n2", "b")], crowd(2, 1, 2))
    assert let_in("PodTopologySpread", where, spread_out(spread(ZONE))) == ["n2"]
    assert let_in("PodTopologySpread", where, spread_out(spread(HOSTNAME))) == ["n1"]
    both = spread_out(spread(ZONE), spread(HOSTNAME))
    assert let_in("PodTopologySpread", where, both) == []


def test_domains_that_the_pod_cannot_use_do_not_count_unless_asked() -> None:
    """Zone c is empty, but the pod is kept out of it: by affinity, by a taint."""
    where = cluster([node("n0", "a"), node("n1", "b"), node("n2", "c")], crowd(1, 1))
    out = {"key": ZONE, "operator": "NotIn", "values": ["c"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [out]}]}
    kept = {"affinity": {"nodeAffinity": {_HARD: terms}}}
    assert let_in("PodTopologySpread", where, spread_out(spread(ZONE))) == ["n2"]
    assert let_in("PodTopologySpread", where, spread_out(spread(ZONE), **kept)) == [
        "n0",
        "n1",
        "n2",
    ]
    ignoring = spread_out(spread(ZONE, nodeAffinityPolicy="Ignore"), **kept)
    assert let_in("PodTopologySpread", where, ignoring) == ["n2"]
    where["nodes"][2]["spec"]["taints"] = [{"key": "k", "effect": "NoSchedule"}]
    assert let_in("PodTopologySpread", where, spread_out(spread(ZONE))) == ["n2"]
    honoring = spread_out(spread(ZONE, nodeTaintsPolicy="Honor"))
    assert let_in("PodTopologySpread", where, honoring) == ["n0", "n1", "n2"]


def test_only_pods_of_the_namespace_that_stay_and_match_are_counted() -> None:
    others = crowd(3)
    others[0]["metadata"]["namespace"] = "far"
    others[1]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    others[2]["metadata"]["labels"] = {"app": "db"}
    where = cluster([node("n0", "a"), node("n1", "b")], others)
    assert let_in("PodTopologySpread", where, spread_out(spread(ZONE))) == ["n0", "n1"]


def test_a_revision_is_spread_by_itself() -> None:
    old = crowd(2)
    for each in old:
        each["metadata"]["labels"]["rev"] = "1"
    where = cluster([node("n0", "a"), node("n1", "b")], old)
    new = spread_out(spread(ZONE, matchLabelKeys=["rev", "absent"]))
    new["metadata"]["labels"]["rev"] = "2"
    assert let_in("PodTopologySpread", where, new) == ["n0", "n1"]
    new["metadata"]["labels"]["rev"] = "1"
    assert let_in("PodTopologySpread", where, new) == ["n1"]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((2, 0, 0, 0), {"n0": 0, "n2": 100}),
        ((2, 1, 1, 0), {"n0": 25, "n2": 100}),
        ((0, 0, 0, 0), {"n0": 100, "n2": 100}),
    ],
)
def test_spread_scores_zones(counts: tuple[int, ...], expected: dict[str, int]) -> None:
    """ln(2 + 2) a pod: 3 and 0; 4 and 1, of which 100·(4 + 1 - x) / 4."""
    one = spread_out(spread(ZONE, hard=False))
    assert scores("PodTopologySpread", cluster(FOUR, crowd(*counts)), one, ["n0", "n2"]) == expected


def test_a_node_without_the_label_is_worst_except_under_system_defaults() -> None:
    where = cluster([node("n0", "a"), node("n1")], crowd(3))
    one = spread_out(spread(ZONE, hard=False))
    assert scores("PodTopologySpread", where, one, ["n0", "n1"]) == {"n0": 100, "n1": 0}
    args = {"defaultSelector": WEB}
    # n0: 3·ln 4 + 2 of its host, 3·ln 4 + 4 of its zone (an absent one counts as one): 14; n1: 2.
    given = scores("PodTopologySpread", where, pod(), ["n0", "n1"], args)
    assert given == {"n0": 100 * 2 // 14, "n1": 100}


def near(*terms: Object) -> Object:
    return {"podAffinity": {_HARD: list(terms)}}


def apart(*terms: Object) -> Object:
    return {"podAntiAffinity": {_HARD: list(terms)}}


def term(app: str, key: str = ZONE, **more: Any) -> Object:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


NOT_FAR = {"matchExpressions": [{"key": "kind", "operator": "NotIn", "values": ["far"]}]}
STORE = pod("store", "n0", app="store")
FAR = pod("far", "n2", app="store", namespace="far")


@pytest.mark.parametrize(
    ("affinity", "nodes"),
    [
        (near(term("store")), ["n0", "n1"]),
        (near(term("store", HOSTNAME)), ["n0"]),
        (near(term("store", "rack")), []),
        (near(term("none")), []),
        (near(term("web")), ["n0", "n1", "n2", "n3"]),
        (near(term("web", "rack")), []),
        (near(term("web"), term("store")), []),
        (near(term("store"), term("store", HOSTNAME)), ["n0"]),
        (near(term("store", namespaces=["far"])), ["n2", "n3"]),
        (near(term("store", namespaceSelector={})), ["n0", "n1", "n2", "n3"]),
        (near(term("store", namespaceSelector=NOT_FAR)), ["n0", "n1"]),
        (near(term("store", namespaceSelector={"matchLabels": {"kind": "far"}})), ["n2", "n3"]),
        (
            near(term("store", namespaces=["default"], namespaceSelector=None)),
            ["n0", "n1"],
        ),
        (apart(term("store")), ["n2", "n3"]),
        (apart(term("store", HOSTNAME)), ["n1", "n2", "n3"]),
        (apart(term("store", "rack")), ["n0", "n1", "n2", "n3"]),
        (apart(term("store"), term("none")), ["n2", "n3"]),
        ({**near(term("store")), **apart(term("store", HOSTNAME))}, ["n1"]),
    ],
)
def test_affinity_lets_in(affinity: Object, nodes: list[str]) -> None:
    where = cluster(FOUR, [STORE, FAR])
    assert let_in("InterPodAffinity", where, pod(affinity=affinity)) == nodes


def test_a_placed_pod_keeps_others_away_and_none_of_another_namespace() -> None:
    guard = pod("guard", "n0", app="guard", affinity=apart(term("web")))
    where = cluster(FOUR, [guard])
    assert let_in("InterPodAffinity", where, pod()) == ["n2", "n3"]
    assert let_in("InterPodAffinity", where, pod(app="db")) == ["n0", "n1", "n2", "n3"]
    stranger = pod(namespace="far")
    assert let_in("InterPodAffinity", where, stranger) == ["n0", "n1", "n2", "n3"]


def test_once_one_of_a_series_is_placed_the_others_must_be_near() -> None:
    one = pod(affinity=near(term("web")))
    assert let_in("InterPodAffinity", cluster(FOUR, crowd(0, 0, 1)), one) == ["n2", "n3"]
    elsewhere = cluster([*FOUR, node("n4")], crowd(0, 0, 0, 0, 1))
    assert let_in("InterPodAffinity", elsewhere, one) == ["n0", "n1", "n2", "n3"]


def test_preferences_of_both_sides_are_summed_from_worst_to_best() -> None:
    """Zone a: 10 for the store and 1 for being needed; zone b: 5 against; no zone: 0."""
    mine = {
        "podAffinity": {_SOFT: [{"weight": 10, "podAffinityTerm": term("store")}]},
        "podAntiAffinity": {_SOFT: [{"weight": 5, "podAffinityTerm": term("noise")}]},
    }
    needs = pod("needs", "n1", app="other", affinity=near(term("web")))
    where = cluster([*FOUR, node("n4")], [STORE, needs, pod("noise", "n3", app="noise")])
    one, nodes = pod(affinity=mine), ["n0", "n2", "n4"]
    given = scores("InterPodAffinity", where, one, nodes)
    assert given == {"n0": 100, "n2": 0, "n4": 100 * 5 // 16}
    heavy = scores("InterPodAffinity", where, pod(), nodes, {"hardPodAffinityWeight": 0})
    assert heavy == dict.fromkeys(nodes, 0)
    deaf = {"ignorePreferredTermsOfExistingPods": True}
    assert scores("InterPodAffinity", where, pod(), nodes) == {"n0": 100, "n2": 0, "n4": 0}
    assert scores("InterPodAffinity", where, pod(), nodes, deaf) == dict.fromkeys(nodes, 0)
