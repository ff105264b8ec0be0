"""Preemption for gangs that must be in one domain: nobody goes unless the whole then fits there."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.scheduler.decide import Decision
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.preemption.gang import NO_ROOM, NO_VICTIMS
from tests.scheduler.gangs.kit import Racks, near, racks_of
from tests.scheduler.preemption.kit import ranked


def crowded(racks: dict[str, list[tuple[int, int]]]) -> Racks:
    """Nodes with so many processors, all of them held by one pod of some priority; 0: by none."""
    world = Racks({rack: [cpu for cpu, _ in nodes] for rack, nodes in racks.items()}, None, PLUGINS)
    for rack, nodes in racks.items():
        for number, (cpu, priority) in enumerate(nodes):
            if priority and cpu:
                name = f"{rack}-{number}"
                world.bind(ranked(f"on-{name}", priority, cpu), name)
    return world


def gang(count: int, cpu: int = 2) -> list[Pod]:
    return [ranked(f"g{i}", 9, cpu, gang="g") for i in range(count)]


def going(decision: Decision) -> set[str]:
    assert not decision.placements
    return {it.pod.metadata.name for each in decision.preemptions for it in each.victims}


def test_those_go_in_whose_rack_it_lacks_least() -> None:
    world = crowded({"a": [(2, 1), (2, 1)], "b": [(2, 1), (2, 0)], "c": [(2, 1)]})
    decision = world.decide(*gang(2), group=near(least=2))
    assert going(decision) == {"on-b-0"}
    assert {it.node for it in decision.refusals} == {"b-0", "b-1"}
    world.state.nodes.drop_pod("uid-on-b-0")
    assert racks_of(world.decide(*gang(2), group=near(least=2))) == {"b"}


def test_those_go_first_who_matter_least() -> None:
    racks = {"a": [(2, 5), (2, 0)], "b": [(2, 1), (2, 1), (2, 6)], "c": [(2, 2), (2, 1)]}
    decision = crowded(racks).decide(*gang(2), group=near(least=2))
    assert going(decision) == {"on-b-0", "on-b-1"}
    many = {f"r{i}": [(2, 9 - i % 9)] for i in range(30)}
    assert len(going(crowded(many).decide(*gang(1), group=near(least=1)))) == 1


def test_pods_that_differ_have_room_made_too() -> None:
    world = crowded({"a": [(2, 1)], "b": [(2, 1), (1, 1)]})
    pods = [ranked("g0", 9, 2, gang="g"), ranked("g1", 9, 1, gang="g")]
    assert going(world.decide(*pods, group=near(least=2))) == {"on-b-0", "on-b-1"}


def test_nobody_goes_where_no_rack_would_do() -> None:
    world = crowded({"a": [(2, 1), (2, 20)], "b": [(2, 1)], "c": [(2, 1)]})
    decision = world.decide(*gang(2), group=near(least=2))
    assert not going(decision)
    assert decision.refusals[0].message.endswith(NO_ROOM)
    assert not world.state.nodes.nominated and not world.state.evicting
    decision = crowded({"a": [(2, 20)]}).decide(*gang(1), group=near(least=1))
    assert decision.refusals[0].message.endswith(NO_VICTIMS)


def test_the_rack_of_pods_on_nodes_is_the_one_that_is_cleared() -> None:
    world = crowded({"a": [(2, 1), (4, 0)], "b": [(2, 1), (2, 1), (2, 1)]})
    there = world.bind(ranked("old", 9, 1, gang="g"), "a-1")
    decision = world.decide(*gang(3), group=near(least=3), bound=1, there=(there,))
    assert going(decision) == {"on-a-0"}


def test_a_pod_beyond_the_least_makes_room_in_the_same_rack() -> None:
    world = crowded({"a": [(4, 0), (2, 5)], "b": [(2, 1)]})
    decision = world.decide(*gang(3), group=near(least=2))
    assert racks_of(decision) == {"a"}
    (preemption,) = decision.preemptions
    assert [it.pod.metadata.name for it in preemption.victims] == ["on-a-1"]


nodes = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 20])), min_size=1, max_size=3)


@settings(max_examples=40)
@given(st.lists(nodes, min_size=1, max_size=3), st.integers(1, 4))
def test_the_gang_has_room_in_one_rack_once_they_are_gone(
    sizes: list[list[tuple[int, int]]], count: int
) -> None:
    """Of pods that are alike: room is made if and only if that leads to anything."""
    world = crowded({f"r{i}": found for i, found in enumerate(sizes)})
    decision = world.decide(*gang(count, 1), group=near(least=count))
    possible = any(sum(cpu for cpu, priority in it if priority < 9) >= count for it in sizes)
    free = any(sum(cpu for cpu, priority in it if not priority) >= count for it in sizes)
    assert bool(decision.placements) == free
    assert bool(decision.preemptions) == (possible and not free)
    for preemption in decision.preemptions:
        for victim in preemption.victims:
            world.state.nodes.drop_pod(victim.pod.metadata.uid)
        after = world.decide(*gang(count, 1), group=near(least=count))
        assert len(after.placements) == count
        assert len(racks_of(after)) == 1
