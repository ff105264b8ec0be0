"""Who goes for a single pod: kube-scheduler's rules, told as tables."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.scheduler.framework import Plugin, PreemptionTerms
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import node
from tests.scheduler.preemption.kit import World, budget, leaving_pod, ranked

APP = {"app": "a"}


def test_the_least_important_pods_go_and_no_more_than_must() -> None:
    world = World({"n1": [ranked("low", 1, 2), ranked("mid", 5, 1), ranked("high", 9, 1)]})
    decision = world.decide(ranked("p", 7, 2))
    (preemption,) = decision.preemptions
    assert [(it.pod.metadata.name, it.node) for it in preemption.victims] == [("low", "n1")]
    assert (preemption.kind, preemption.uid) == ("pod", "uid-p")
    refusal = decision.refusals[0]
    assert refusal.node == "n1"
    assert refusal.message == "0/1 nodes are available: 1 Insufficient cpu."


def test_the_more_important_are_spared_first() -> None:
    pods = [ranked("a", 1, 1), ranked("b", 3, 1), ranked("c", 2, 1), ranked("d", 3, 1)]
    assert World({"n1": pods}).victims(ranked("p", 9, 2)) == ("n1", ["c", "a"])


def test_a_big_pod_of_high_priority_may_have_to_go_alone() -> None:
    """Spared first is not spared always: what doesn't fit beside the pod goes."""
    pods = [ranked("big", 5, 3), ranked("small", 1, 1)]
    assert World({"n1": pods}).victims(ranked("p", 9, 3)) == ("n1", ["big"])


def test_of_equals_those_go_that_started_last() -> None:
    pods = [ranked("old", 1, 2, started=1), ranked("new", 1, 2, started=9)]
    assert World({"n1": pods}).victims(ranked("p", 9, 2)) == ("n1", ["new"])
    pods = [ranked("unstarted", 1, 2), ranked("new", 1, 2, started=9)]
    assert World({"n1": pods}).victims(ranked("p", 9, 2)) == ("n1", ["unstarted"])


Lot = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"priority": 5, "labels": APP}], [{"priority": 8}]),
        ([{"priority": 5}], [{"priority": 4}, {"priority": 4}]),
        ([{"priority": 5}, {"priority": 5}], [{"priority": 5}, {"priority": 4}]),
        ([{"priority": 5}, {"priority": 5}], [{"priority": 5}]),
        ([{"priority": -5}, {"priority": -5}], [{"priority": -5}]),
        (
            [{"priority": 5, "started": 9}, {"priority": -(2**31)}],
            [{"priority": 5, "started": 1}],
        ),
        ([{"priority": 5, "started": 1}], [{"priority": 5, "started": 2}]),
        ([{"priority": 5, "started": 1}], [{"priority": 5}]),
        (
            [{"priority": 5, "started": 1}, {"priority": 4, "started": 9}],
            [{"priority": 5, "started": 2}, {"priority": 4, "started": 1}],
        ),
    ],
    ids=[
        "fewest violations",
        "lowest highest priority",
        "lowest sum of priorities",
        "fewest victims",
        "fewest victims, below zero",
        "fewest victims, of equal sums",
        "latest start",
        "not started yet",
        "latest start of the highest",
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_which_node_is_taken(one: Lot, other: Lot, turned: bool) -> None:
    """All pods must go: the second lot's node is the better one, wherever it stands."""
    lots = {"x": one, "y": other}
    nodes = {
        name: [
            ranked(f"{name}{i}", cpu=f"{4000 // len(lots[name])}m", **item)
            for i, item in enumerate(lots[name])
        ]
        for name in sorted(lots, reverse=turned)
    }
    world = World(nodes).budgets(budget("b", APP, 0))
    assert world.victims(ranked("p", 9, 4))[0] == "y"


def test_the_first_of_equal_nodes() -> None:
    world = World({f"n{i}": [ranked(f"p{i}", 1, 4, started=1)] for i in range(3)})
    assert world.victims(ranked("p", 9, 4)) == ("n0", ["p0"])


def test_pods_in_a_budget_are_spared_before_more_important_ones() -> None:
    pods = [ranked("guarded", 1, 2, labels=APP), ranked("mid", 5, 2)]
    assert World({"n1": pods}).victims(ranked("p", 9, 2)) == ("n1", ["guarded"])
    world = World({"n1": pods}).budgets(budget("b", APP, 0))
    assert world.victims(ranked("p", 9, 2)) == ("n1", ["mid"])
    world = World({"n1": pods}).budgets(budget("b", APP, 0))
    assert world.victims(ranked("p", 9, 4)) == ("n1", ["mid", "guarded"])


@pytest.mark.parametrize(
    ("made", "spared"),
    [
        (budget("b", APP, 0), True),
        (budget("b", APP, 1), False),
        (budget("b", {}, 0), False),
        (budget("b", {"app": "else"}, 0), False),
        (budget("b", APP, 0, disruptedPods={"guarded": "2026-01-01T00:00:00Z"}), False),
    ],
)
def test_what_violates_a_budget(made: Any, spared: bool) -> None:
    pods = [ranked("guarded", 1, 2, labels=APP), ranked("mid", 5, 2)]
    world = World({"n1": pods}).budgets(made)
    assert (world.victims(ranked("p", 9, 2))[1] == ["mid"]) is spared


def test_a_budget_is_used_up_by_the_more_important_ones() -> None:
    pods = [ranked(f"p{i}", i, 1, labels=APP) for i in range(4)]
    world = World({"n1": pods}).budgets(budget("b", APP, 2))
    # Evicting p3 and p2 would be in order, p1 and p0 would be too many: these are spared first.
    assert world.victims(ranked("p", 9, 2)) == ("n1", ["p3", "p2"])


@pytest.mark.parametrize(
    ("pods", "wanted", "text"),
    [
        (
            [ranked("a", 9, 4)],
            ranked("p", 9, 4),
            "1 No preemption victims found for incoming pod",
        ),
        (
            [ranked("a", 1, 1), ranked("b", 9, 3)],
            ranked("p", 9, 2),
            "1 Insufficient cpu",
        ),
        (
            [ranked("a", 1, 1)],
            ranked("p", 9, 5),
            "1 Preemption is not helpful for scheduling",
        ),
        (
            [ranked("a", 1, 4)],
            ranked("p", 9, 4, spec={"nodeSelector": {"x": "y"}}),
            "1 Preemption is not helpful for scheduling",
        ),
    ],
)
def test_where_nothing_helps(pods: list[Pod], wanted: Pod, text: str) -> None:
    decision = World({"n1": pods}).decide(wanted)
    assert not decision.preemptions
    message = decision.refusals[0].message
    assert message.endswith(f". preemption: 0/1 nodes are available: {text}.")
    assert decision.refusals[0].node == ""


def test_what_was_hopeless_is_looked_at_anew_when_anything_is_new() -> None:
    world = World({"n1": [ranked("a", 9, 4)]})
    for name in ("p", "q"):
        assert world.victims(ranked(name, 9, 4)) == ("", [])
    assert world.victims(ranked("chief", 10, 4)) == ("n1", ["a"])
    world = World({"n1": [ranked("a", 9, 4)]})
    assert world.victims(ranked("p", 9, 4)) == ("", [])
    world.state.nodes.put_node(node("n2"))
    world.put(ranked("b", 1, 4), "n2")
    assert world.victims(ranked("q", 9, 4)) == ("n2", ["b"])


def test_who_may_not_preempt() -> None:
    world = World({"n1": [ranked("a", 1, 4)]})
    decision = world.decide(ranked("p", 9, 4, spec={"preemptionPolicy": "Never"}))
    assert decision.refusals[0].message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: not eligible due to preemptionPolicy=Never."
    )
    assert not decision.preemptions


def test_static_pods_of_a_node_stay() -> None:
    mirror = {"annotations": {"kubernetes.io/config.mirror": "x"}}
    world = World({"n1": [ranked("static", 1, 4, metadata=mirror)]})
    assert world.victims(ranked("p", 9, 4)) == ("", [])


def test_nobody_preempts_twice_while_the_victims_leave() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 2, 4)]})
    wanted = ranked("p", 9, 4)
    assert world.victims(wanted) == ("n1", ["a"])
    again = world.decide(wanted)
    assert not again.preemptions
    assert again.refusals[0].node == "n1"
    assert again.refusals[0].message.endswith(
        "preemption: not eligible due to a terminating pod on the nominated node."
    )
    world.state.evicting.clear()
    world.put(leaving_pod("a", 1, 4), "n1")
    assert not world.decide(wanted).preemptions
    world.state.nodes.drop_pod("uid-a")
    (placement,) = world.decide(wanted).placements
    assert placement.node == "n1"


def test_a_nomination_for_a_bad_node_does_not_hold_a_pod_back() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 2, 4)]})
    wanted = ranked("p", 9, 4)
    assert world.victims(wanted) == ("n1", ["a"])
    world.state.nodes.put_node(node("n1", spec={"unschedulable": True}))
    assert world.victims(wanted) == ("n2", ["b"])


def test_room_of_a_nominated_pod_is_left_by_those_below_it_and_taken_by_those_above() -> None:
    world = World({"n1": [ranked("a", 1, 4)]})
    wanted = ranked("p", 5, 4)
    assert world.victims(wanted) == ("n1", ["a"])
    world.state.nodes.drop_pod("uid-a")
    for priority in (4, 5):
        decision = world.decide(ranked("thief", priority, 2))
        assert decision.refusals[0].message == (
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
            "1 No preemption victims found for incoming pod."
        )
    (placement,) = world.decide(ranked("chief", 6, 4)).placements
    assert placement.node == "n1"
    assert not world.decide(wanted).placements


def test_a_nominated_pod_goes_where_room_was_made_for_it() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 2, 4)]})
    wanted = ranked("p", 5, 1)
    assert world.victims(wanted) == ("n1", ["a"])
    world.state.nodes.drop_pod("uid-a")
    world.state.nodes.put_node(node("n0"))
    (placement,) = world.decide(wanted).placements
    assert placement.node == "n1"


def test_a_higher_pod_takes_the_nomination_from_a_lower_one() -> None:
    world = World({"n1": [ranked("a", 1, 4)]})
    low = ranked("low", 5, 4)
    assert world.victims(low) == ("n1", ["a"])
    world.state.evicting.clear()
    decision = world.decide(ranked("high", 9, 4))
    (preemption,) = decision.preemptions
    assert [item.metadata.name for item in preemption.displaced] == ["low"]
    nominated = world.state.nodes.nominated
    assert (nominated.node_of("uid-low"), nominated.node_of("uid-high")) == ("", "n1")


def test_two_preemptors_do_not_share_the_same_room() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 2, 4)]})
    assert world.victims(ranked("p", 9, 4)) == ("n1", ["a"])
    assert world.victims(ranked("q", 9, 4)) == ("n2", ["b"])
    assert world.victims(ranked("r", 9, 4)) == ("", [])


def test_ports_are_freed_too() -> None:
    port = {
        "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 80}]}]
    }
    world = World({"n1": [ranked("web", 1, spec=port), ranked("other", 1)]})
    assert world.victims(ranked("p", 9, spec=port)) == ("n1", ["web"])


@pytest.mark.parametrize(("allowed", "gone"), [(0, ["mid", "web"]), (1, ["guarded", "web"])])
def test_budgets_are_honoured_where_more_than_resources_is_missing(
    allowed: int, gone: list[str]
) -> None:
    ports = [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 80}]}]
    container = {**ports[0], "resources": {"requests": {"cpu": 2}}}
    pods = [
        ranked("web", 0, spec={"containers": ports}),
        ranked("guarded", 1, 2, labels=APP),
        ranked("mid", 5, 2),
    ]
    world = World({"n1": pods}).budgets(budget("b", APP, allowed))
    assert world.victims(ranked("p", 9, spec={"containers": [container]})) == ("n1", gone)


def test_a_port_is_kept_for_a_nominated_pod() -> None:
    port = [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 80}]}]
    spec = {"containers": port}
    world = World({"n1": [ranked("web", 1, spec=spec)]})
    assert world.victims(ranked("p", 5, spec=spec)) == ("n1", ["web"])
    world.state.nodes.drop_pod("uid-web")
    decision = world.decide(ranked("thief", 5, spec=spec))
    assert not decision.placements
    assert decision.refusals[0].message.startswith(
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    )
    assert world.decide(ranked("chief", 6, spec=spec)).placements


def test_not_all_nodes_are_looked_at_with_care_but_all_have_their_turn() -> None:
    """Only one of 300 nodes would do; the others have what can't be evicted."""
    apart = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": APP}, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    }
    world = World({})
    for i in range(300):
        name = f"n{i}"
        world.state.nodes.put_node(node(name, labels={"kubernetes.io/hostname": name}))
        world.put(ranked(f"low{i}", 1, labels=APP), name)
        if i != 230:
            world.put(ranked(f"high{i}", 50, labels=APP), name)
    wanted = ranked("p", 9, spec={"affinity": apart})
    assert [world.victims(wanted)[0] for _ in range(2)] == ["", "n230"]


def test_rules_about_other_pods_are_kept_in_view() -> None:
    apart = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": APP}, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    }
    pods = [ranked("a", 3, labels=APP), ranked("b", 1)]
    world = World({"n1": pods, "n2": [ranked("c", 9, labels=APP)]})
    for name in ("n1", "n2"):
        world.state.nodes.put_node(node(name, labels={"kubernetes.io/hostname": name}))
    assert world.victims(ranked("p", 9, spec={"affinity": apart})) == ("n1", ["a"])


def test_a_profile_without_the_plugin_evicts_nobody() -> None:
    plugins = tuple(plugin for plugin in PLUGINS if plugin.preemption is None)
    decision = World({"n1": [ranked("a", 1, 4)]}, plugins).decide(ranked("p", 9, 4))
    assert decision.refusals[0].message == "0/1 nodes are available: 1 Insufficient cpu."
    assert not decision.preemptions


def test_so_many_nodes_are_looked_at() -> None:
    narrow = Plugin(name="DefaultPreemption", preemption=PreemptionTerms(percentage=0, absolute=2))
    plugins = tuple(narrow if plugin.preemption else plugin for plugin in PLUGINS)
    nodes = {f"n{i}": [ranked(f"p{i}", 9 - i, 4)] for i in range(4)}
    assert World(nodes, plugins).victims(ranked("p", 99, 4))[0] == "n1"
    assert World(nodes).victims(ranked("p", 99, 4))[0] == "n3"


def test_it_is_looked_further_where_all_would_violate_a_budget() -> None:
    narrow = Plugin(name="DefaultPreemption", preemption=PreemptionTerms(percentage=0, absolute=2))
    plugins = tuple(narrow if plugin.preemption else plugin for plugin in PLUGINS)
    nodes = {f"n{i}": [ranked(f"p{i}", 1, 4, labels=APP)] for i in range(3)}
    nodes["n3"] = [ranked("p3", 5, 4)]
    world = World(nodes, plugins).budgets(budget("b", APP, 0))
    assert world.victims(ranked("p", 99, 4)) == ("n3", ["p3"])
