"""Who goes for a gang: as few as must for the whole of it, or nobody."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.scheduler.preemption.gang import NO_ROOM, NO_VICTIMS
from tests.scheduler.builders import group
from tests.scheduler.preemption.kit import World, budget, leaving_pod, ranked

APP = {"app": "a"}


def gang(number: int, cpu: int = 2, priority: int = 9, **options: Any) -> list[Pod]:
    return [ranked(f"g{i}", priority, cpu, gang="g", **options) for i in range(number)]


def unit(least: int) -> dict[str, Any]:
    return {"gang": "g", "group": group(least=least)}


def going(world: World, pods: list[Pod], least: int) -> set[str]:
    """Who has to go; whoever does, nobody is placed yet."""
    decision = world.decide(*pods, **unit(least))
    assert not decision.placements
    return {it.pod.metadata.name for each in decision.preemptions for it in each.victims}


def test_the_whole_gang_has_room_or_nobody_goes() -> None:
    nodes = {"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 1, 4)], "n3": [ranked("c", 20, 4)]}
    assert going(World(nodes), gang(4), 4) == {"a", "b"}
    world = World(nodes)
    assert going(world, gang(5), 5) == set()
    message = world.decide(*gang(5), **unit(5)).refusals[0].message
    assert message == (
        'gang "g": 0 of 5 pods can be placed: 0/3 nodes are available: 3 Insufficient cpu. '
        + NO_ROOM
    )
    assert not world.state.nodes.nominated and not world.state.evicting


def test_no_more_go_than_the_least_number_needs() -> None:
    nodes = {f"n{i}": [ranked(f"p{i}", 1, 4)] for i in range(4)}
    assert len(going(World(nodes), gang(4, 4), 2)) == 2


def test_who_is_free_already_counts() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": []})
    assert going(world, gang(3), 3) == {"a"}


def test_all_of_the_gang_are_nominated_and_placed_when_the_victims_are_gone() -> None:
    world = World({"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 1, 4)]})
    pods = gang(2, 4)
    decision = world.decide(*pods, **unit(2))
    (preemption,) = decision.preemptions
    assert (preemption.kind, preemption.uid) == ("podgroup", "uid-g")
    assert {refusal.node for refusal in decision.refusals} == {"n1", "n2"}
    world.state.nodes.drop_pod("uid-a")
    waiting = world.decide(*pods, **unit(2))
    assert not waiting.placements and not waiting.preemptions
    world.state.nodes.drop_pod("uid-b")
    assert not world.decide(ranked("thief", 9, 1)).placements
    placed = world.decide(*pods, **unit(2)).placements
    assert {item.node for item in placed} == {"n1", "n2"}


def test_a_gang_waits_for_its_victims() -> None:
    world = World({"n1": [leaving_pod("a", 1, 4)], "n2": [ranked("b", 1, 4)]})
    pods = gang(1, 4)
    world.state.nodes.nominated.put(pods[0], "n1")
    decision = world.decide(*pods, **unit(1))
    assert not decision.preemptions
    assert decision.refusals[0].node == "n1"


def test_pods_of_their_own_go_before_another_gang() -> None:
    other = [ranked(f"o{i}", 1, 2, gang="o") for i in range(2)]
    world = World({"n1": other, "n2": [ranked("a", 5, 2), ranked("b", 5, 2)]})
    world.state.put_group(None, group("o", least=2))
    assert going(world, gang(2), 2) == {"a", "b"}


@pytest.mark.parametrize(("least", "gone"), [(2, {"o0", "o1"}), (1, {"o1"}), (None, {"o1"})])
def test_another_gang_goes_as_a_whole_if_it_would_not_live(
    least: int | None, gone: set[str]
) -> None:
    other = [ranked(f"o{i}", 1, 2, gang="o", started=i) for i in range(2)]
    world = World({"n1": other, "n2": [ranked("big", 20, 4)]})
    world.state.put_group(None, group("o", least=least))
    assert going(world, gang(1), 1) == gone


def test_a_gang_that_may_not_go_as_a_whole() -> None:
    """Where one of its pods is too important there is no other choice than a part of it."""
    other = [ranked("o0", 1, 4, gang="o"), ranked("o1", 20, 4, gang="o")]
    world = World({"n1": other[:1], "n2": other[1:]})
    world.state.put_group(None, group("o", least=2))
    assert going(world, gang(1), 1) == {"o0"}


def test_its_own_pods_are_left_alone() -> None:
    world = World({"n1": [ranked("g9", 1, 4, gang="g")]})
    decision = world.decide(*gang(1, 4), gang="g", group=group(least=2), bound=1)
    assert not decision.preemptions
    assert not decision.placements


def test_a_victim_that_turns_out_to_be_in_nobodys_way_is_spared() -> None:
    """The first pod has the small one go, the second one the big one: then there is room again."""
    world = World({"n1": [ranked("small", 1, 1), ranked("big", 3, 3)]})
    assert going(world, gang(2, 1), 2) == {"big"}


def test_never_means_never() -> None:
    world = World({"n1": [ranked("a", 1, 4)]})
    pods = gang(2, 1, spec={"preemptionPolicy": "Never"})
    decision = world.decide(*pods, **unit(2))
    assert not decision.preemptions
    assert decision.refusals[0].message.endswith("preemptionPolicy=Never.")


def test_the_least_important_pod_of_a_gang_decides_who_may_go() -> None:
    world = World({"n1": [ranked("a", 5, 4)]})
    pods = [ranked("g0", 9, 2, gang="g"), ranked("g1", 5, 2, gang="g")]
    decision = world.decide(*pods, **unit(2))
    assert not decision.preemptions
    assert decision.refusals[0].message.endswith(NO_VICTIMS)


def test_budgets_are_honoured_where_that_is_possible() -> None:
    nodes = {"n1": [ranked("a", 1, 4, labels=APP)], "n2": [ranked("b", 5, 4)]}
    assert going(World(nodes), gang(1, 4), 1) == {"a"}
    assert going(World(nodes).budgets(budget("x", APP, 0)), gang(1, 4), 1) == {"b"}


def test_a_hundred_pods_at_once() -> None:
    nodes = {f"n{i}": [ranked(f"a{i}", 1, 2), ranked(f"b{i}", 2, 2)] for i in range(60)}
    gone = going(World(nodes), gang(100), 100)
    assert len(gone) == 100
    assert {f"a{i}" for i in range(60)} <= gone
