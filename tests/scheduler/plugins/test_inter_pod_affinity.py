"""Terms between pods, both ways: where a pod may be, why not, and what is preferred."""

from collections.abc import Mapping
from typing import Any

import pytest

from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.plugins.inter_pod_affinity import (
    FAR,
    NEAR,
    PLUGIN,
    UNWELCOME,
    configured,
)
from tests.scheduler.builders import node, occupant
from tests.scheduler.plugins.places import (
    HARD,
    SOFT,
    asking,
    cluster,
    feasible,
    labelled,
    namespace,
    reasons,
    scores,
)

HOST = "kubernetes.io/hostname"


def term(app: str | None = "a", key: str = "zone", **more: Any) -> dict[str, Any]:
    chosen = {"labelSelector": {"matchLabels": {"app": app}}} if app else {}
    return {"topologyKey": key, **chosen, **more}


def near(*terms: Mapping[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {HARD: list(terms)}}


def apart(*terms: Mapping[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {HARD: list(terms)}}


def wish(weight: int, wanted: Mapping[str, Any], *, against: bool = False) -> dict[str, Any]:
    item = {"weight": weight, "podAffinityTerm": wanted}
    return {"podAntiAffinity" if against else "podAffinity": {SOFT: [item]}}


A_ON_N1 = [("n1", labelled(app="a"))]


@pytest.mark.parametrize(
    ("affinity", "labels", "expected", "why"),
    [
        (near(term()), {}, ["n1", "n2"], {FAR: 2}),
        (near(term(key=HOST)), {}, ["n1"], {FAR: 3}),
        (near(term("b")), {}, [], {FAR: 4}),
        # The first of its kind goes wherever the label is; not so where another is already.
        (near(term("b")), {"app": "b"}, ["n1", "n2", "n3"], {FAR: 1}),
        (near(term()), {"app": "a"}, ["n1", "n2"], {FAR: 2}),
        (near(term(), term(key=HOST)), {}, ["n1"], {FAR: 3}),
        # All terms must select the same pod.
        (near(term(), term("b", key=HOST)), {}, [], {FAR: 4}),
        (near(term(key="nobody has it")), {"app": "a"}, [], {FAR: 4}),
        (near(term(None)), {}, [], {FAR: 4}),
        (apart(term()), {}, ["n3", "n4"], {NEAR: 2}),
        (apart(term(key=HOST)), {}, ["n2", "n3", "n4"], {NEAR: 1}),
        (apart(term("b"), term(key=HOST)), {}, ["n2", "n3", "n4"], {NEAR: 1}),
        (apart(term(key=HOST)) | near(term()), {}, ["n2"], {FAR: 2, NEAR: 1}),
    ],
)
def test_where_a_pod_with_terms_may_be(
    affinity: Any, labels: dict[str, str], expected: list[str], why: dict[str, int]
) -> None:
    state, new = cluster(A_ON_N1), asking(labels=labels, affinity=affinity)
    assert feasible(PLUGIN, state, new) == expected
    assert reasons(PLUGIN, state, new) == why


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["n1", "n2", "n3", "n4"]),
        ({"namespaces": ["blue"]}, ["n3", "n4"]),
        ({"namespaceSelector": {}}, ["n3", "n4"]),
        ({"namespaceSelector": {"matchLabels": {"team": "blue"}}}, ["n3", "n4"]),
        ({"namespaceSelector": {"matchLabels": {"team": "red"}}}, ["n1", "n2", "n3", "n4"]),
        (
            {"namespaces": ["x"], "namespaceSelector": {"matchLabels": {"team": "blue"}}},
            ["n3", "n4"],
        ),
    ],
)
def test_terms_choose_namespaces(chosen: dict[str, Any], expected: list[str]) -> None:
    """Those of the pod and, the other way round, those of a pod on a node."""
    affinity = apart(term(**chosen))
    one = cluster([("n1", labelled("blue", app="a"))])
    one.namespaces.put(None, namespace("blue", team="blue"))
    assert feasible(PLUGIN, one, asking(affinity=affinity)) == expected
    other = cluster([("n1", {"spec": {"affinity": affinity}})])
    other.namespaces.put(None, namespace("blue", team="blue"))
    new = asking(space="blue", labels={"app": "a"})
    assert feasible(PLUGIN, other, new) == expected


def test_a_namespace_s_labels_change_what_terms_choose() -> None:
    affinity = apart(term(namespaceSelector={"matchLabels": {"team": "blue"}}))
    state = cluster([("n1", labelled("blue", app="a"))])
    new = asking(affinity=affinity)
    assert feasible(PLUGIN, state, new) == ["n1", "n2", "n3", "n4"]
    blue = namespace("blue", team="blue")
    assert state.namespaces.put(None, blue)
    assert feasible(PLUGIN, state, new) == ["n3", "n4"]
    assert not state.namespaces.put(blue, blue)
    assert state.namespaces.put(blue, None)
    assert feasible(PLUGIN, state, new) == ["n1", "n2", "n3", "n4"]


def test_who_is_there_already_may_not_want_it() -> None:
    state = cluster([("n1", {"spec": {"affinity": apart(term())}})])
    assert feasible(PLUGIN, state, asking(labels={"app": "a"})) == ["n3", "n4"]
    assert reasons(PLUGIN, state, asking(labels={"app": "a"})) == {UNWELCOME: 2}
    assert feasible(PLUGIN, state, asking(labels={"app": "b"})) == ["n1", "n2", "n3", "n4"]
    state.nodes.drop_pod("uid-old-0")
    assert PLUGIN.survey is not None
    assert PLUGIN.survey(state, asking(labels={"app": "a"})) is None


def test_pods_of_a_node_without_the_label_are_in_no_domain() -> None:
    state = cluster([("n4", labelled(app="a")), ("n4", {"spec": {"affinity": apart(term("b"))}})])
    new = asking(labels={"app": "b"}, affinity=apart(term()))
    assert feasible(PLUGIN, state, new) == ["n1", "n2", "n3", "n4"]
    # Nobody of the group is in a domain: the first of its kind may go to any.
    new = asking(labels={"app": "a"}, affinity=near(term()))
    assert feasible(PLUGIN, state, new) == ["n1", "n2", "n3"]


def test_a_node_may_lose_its_label_while_pods_stay() -> None:
    state, new = cluster(A_ON_N1), asking(affinity=near(term()))
    assert feasible(PLUGIN, state, new) == ["n1", "n2"]
    state.nodes.put_node(node("n1", labels={}))
    assert feasible(PLUGIN, state, new) == []
    state.nodes.drop_node("n2")
    state.nodes.put_node(node("n1", labels={"zone": "z2"}))
    assert feasible(PLUGIN, state, new) == ["n1", "n3"]


@pytest.mark.parametrize(
    ("placed", "affinity", "expected"),
    [
        (A_ON_N1, wish(10, term()), [100, 100, 0, 0]),
        (A_ON_N1, wish(10, term(), against=True), [0, 0, 100, 100]),
        (A_ON_N1, wish(10, term(key=HOST)), [100, 0, 0, 0]),
        (A_ON_N1, wish(10, term("b")), None),
        ([*A_ON_N1, ("n3", labelled(app="a"))] * 2, wish(1, term(key=HOST)), [100, 0, 100, 0]),
        ([*A_ON_N1 * 3, ("n3", labelled(app="a"))], wish(7, term()), [100, 100, 33, 0]),
        # What others wish, and that one must be near this pod.
        ([("n1", {"spec": {"affinity": wish(5, term("new"))}})], {}, [100, 100, 0, 0]),
        (
            [("n1", {"spec": {"affinity": wish(5, term("new"), against=True)}})],
            {},
            [0, 0, 100, 100],
        ),
        ([("n1", {"spec": {"affinity": near(term("new"))}})], {}, [100, 100, 0, 0]),
        (
            [
                ("n1", {"spec": {"affinity": near(term("new"), term("new"))}}),
                ("n3", {"spec": {"affinity": wish(4, term("new"))}}),
            ],
            {},
            [50, 50, 100, 0],
        ),
    ],
)
def test_what_is_preferred(placed: Any, affinity: Any, expected: list[int] | None) -> None:
    found = scores(PLUGIN, cluster(placed), asking(labels={"app": "new"}, affinity=affinity))
    assert (None if found is None else list(found.values())) == expected


def test_only_feasible_nodes_count_for_the_scale() -> None:
    state, new = cluster(A_ON_N1), asking(affinity=wish(10, term()))
    assert scores(PLUGIN, state, new, ["n1", "n2"]) is None
    assert scores(PLUGIN, state, new, ["n2", "n4"]) == {"n2": 100, "n4": 0}
    assert scores(PLUGIN, state, new, []) is None


def test_arguments() -> None:
    state = cluster(
        [
            ("n1", {"spec": {"affinity": near(term("new"))}}),
            ("n3", {"spec": {"affinity": wish(40, term("new"))}}),
        ]
    )
    new = asking(labels={"app": "new"})
    assert scores(configured({"hardPodAffinityWeight": 80}), state, new) == {
        "n1": 100,
        "n2": 100,
        "n3": 50,
        "n4": 0,
    }
    assert scores(configured({"hardPodAffinityWeight": 0}), state, new) == {
        "n1": 0,
        "n2": 0,
        "n3": 100,
        "n4": 0,
    }
    deaf = configured({"ignorePreferredTermsOfExistingPods": True})
    assert scores(deaf, state, new) is None
    asks = asking(labels={"app": "new"}, affinity=wish(1, term("nobody"), against=True))
    assert scores(deaf, state, asks) is not None
    for wrong in (-1, 101):
        with pytest.raises(ValueError, match="^hardPodAffinityWeight: Invalid value: .*range"):
            configured({"hardPodAffinityWeight": wrong})
    with pytest.raises(ValueError, match="^hardPodAffinityWeight: Invalid value: expected int"):
        configured({"hardPodAffinityWeight": "1"})
    with pytest.raises(ValueError, match="^weight: unknown field"):
        configured({"weight": 1})


def test_a_pod_that_says_nothing_is_not_surveyed() -> None:
    assert PLUGIN.survey is not None
    state = cluster([("n1", {"spec": {"affinity": apart(term())}})])
    assert PLUGIN.survey(state, asking()) is None
    assert PLUGIN.survey(state, asking(labels={"app": "b"}, affinity={"podAffinity": {}})) is None
    # Namespaces differ.
    assert PLUGIN.survey(state, asking(space="blue", labels={"app": "a"})) is None


def test_a_broken_pod_is_told_so() -> None:
    broken = near(
        {**term(), "labelSelector": {"matchExpressions": [{"key": "a", "operator": "?"}]}}
    )
    with pytest.raises(UnschedulableError, match="not a valid label selector operator"):
        feasible(PLUGIN, cluster(), asking(affinity=broken))


def test_a_thousand_terms_are_summed() -> None:
    """Each pod carries a term of its own that selects the new one."""
    placed = [("n1", {"spec": {"affinity": apart(term(tier=str(i)))}}) for i in range(2)]
    placed += [
        (
            f"n{i % 3 + 1}",
            {"spec": {"affinity": wish(1, term("new", namespaces=["default", f"x{i}"]))}},
        )
        for i in range(1000)
    ]
    state = cluster(placed)
    new = asking(labels={"app": "new"}, affinity=apart(*(term(f"x{i}") for i in range(1000))))
    assert feasible(PLUGIN, state, new) == ["n1", "n2", "n3", "n4"]
    assert scores(PLUGIN, state, new) == {"n1": 100, "n2": 100, "n3": 49, "n4": 0}


def test_pods_on_their_way_out_still_count() -> None:
    leaving = labelled(app="a")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    state = cluster([("n1", leaving)])
    assert feasible(PLUGIN, state, asking(affinity=apart(term()))) == ["n3", "n4"]
    state.nodes.put_pod("n3", occupant("more", **labelled(app="a")))
    assert feasible(PLUGIN, state, asking(affinity=apart(term()))) == ["n4"]


def test_a_friend_is_in_the_namespaces_of_all_terms() -> None:
    state = cluster([("n1", labelled("blue", app="a")), ("n3", labelled(app="a"))])
    both = near(term(namespaces=["blue"]), term(key=HOST, namespaces=["default", "blue"]))
    assert feasible(PLUGIN, state, asking(affinity=both)) == ["n1"]
    everywhere = near(term(namespaces=["blue"]), term(key=HOST, namespaceSelector={}))
    assert feasible(PLUGIN, state, asking(affinity=everywhere)) == ["n1"]
