"""Groups of groups: as one unit, in domains within domains, whole or absent."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.backlog import Backlog, unit_of
from argosy.scheduler.decide import Decision
from tests.scheduler.gangs.kit import BLOCK, RACK, Racks, above, below, near, ranks

SCHEDULER = "default-scheduler"


def backlog(*objects: Any) -> Backlog:
    found = Backlog([SCHEDULER])
    for it in objects:
        match it:
            case Pod():
                found.put(None, it)
            case PodGroup():
                found.put_group(None, it)
            case CompositePodGroup():
                found.put_composite(None, it)
    return found


def waiting(count: int, cpu: int, gang: str) -> list[Pod]:
    return ranks(count, cpu, gang, spec={"schedulerName": SCHEDULER})


def decide(world: Racks, known: Backlog, pod: Pod) -> Decision:
    key = known.top(unit_of(pod))
    unit = known.unit(key)
    assert unit is not None
    return world.decider.decide(unit)


def places(decision: Decision) -> dict[str, set[str]]:
    """The racks of each gang that was placed."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for it in decision.placements:
        group = it.pod.spec.scheduling_group
        found[group.pod_group_name if group else ""].add(it.node.rpartition("-")[0])
    return dict(found)


def blocks(sizes: dict[str, dict[str, list[int]]]) -> Racks:
    """Racks by block."""
    racks = {rack: nodes for block in sizes.values() for rack, nodes in block.items()}
    labels = {rack: {BLOCK: name} for name, block in sizes.items() for rack in block}
    return Racks(racks, labels)


TWO = {"x": {"a": [2, 2], "b": [2]}, "y": {"c": [2, 2], "d": [2, 2]}}


def test_each_in_a_rack_all_in_a_block() -> None:
    pods = [*waiting(2, 2, "one"), *waiting(2, 2, "two")]
    groups = [near(name, 2, RACK, **below("all")) for name in ("one", "two")]
    decision = decide(blocks(TWO), backlog(above("all", 2, BLOCK), *groups, *pods), pods[0])
    assert sorted(next(iter(it)) for it in places(decision).values()) == ["c", "d"]
    assert [(it.metadata.name, text) for it, text in decision.composites] == [("all", "")]


def test_what_is_told_of_a_whole_that_has_no_room() -> None:
    pods = [*waiting(2, 2, "one"), *waiting(3, 2, "two")]
    groups = [near(n, k, RACK, **below("all")) for n, k in (("one", 2), ("two", 3))]
    world = blocks(TWO)
    decision = decide(world, backlog(above("all", 2, BLOCK), *groups, *pods), pods[0])
    assert not decision.placements
    assert not world.state.nodes.requested.any()
    (message,) = {it.message for it in decision.refusals}
    assert message.startswith(
        f'group of groups "all": 1 of 2 groups can be placed in the best of 2 domains of "{BLOCK}"'
        f': gang "two": 2 of 3 pods can be placed in the best of 2 domains of "{RACK}": 0/7 nodes'
    )
    assert decision.composites[0][1] == message


def test_a_group_beyond_the_least_waits() -> None:
    pods = [*waiting(2, 2, "one"), *waiting(3, 2, "two")]
    groups = [near(n, k, RACK, **below("all")) for n, k in (("one", 2), ("two", 3))]
    decision = decide(blocks(TWO), backlog(above("all", 1, BLOCK), *groups, *pods), pods[0])
    assert set(places(decision)) == {"one"}
    assert len(decision.refusals) == 3
    assert decision.refusals[0].message.startswith('gang "two": 2 of 3 pods can be placed')


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([near("one", 2, **below("all"))], 'gang "all": waiting for the composite pod group to be'),
        (
            [near("one", 2, **below("all")), above("all", 2)],
            'group of groups "all": waiting for groups, 1 of 2 are there',
        ),
        (
            [near("one", 3, **below("all")), above("all", 1)],
            'group of groups "all": waiting for groups, 0 of 1 are there: gang "one": waiting for '
            "pods, ",
        ),
        (
            [near("one", 2, **below("all")), above("all", 1, **below("all"))],
            'group of groups "all": groups must not be nested in a circle, or deeper than 4 levels',
        ),
    ],
)
def test_what_it_waits_for(objects: list[Any], message: str) -> None:
    pods = waiting(2, 1, "one")
    decision = decide(blocks(TWO), backlog(*objects, *pods), pods[0])
    assert not decision.placements
    assert {it.message[: len(message)] for it in decision.refusals} == {message}
    assert len(decision.refusals) == 2


def test_gangs_on_nodes_count_and_fix_the_block() -> None:
    world = blocks(TWO)
    old = ranks(2, 1, "one", spec={"schedulerName": SCHEDULER, "nodeName": "a-0"})
    for it in old:
        world.bind(it, "a-0")
    pods = waiting(1, 2, "two")
    groups = [near(n, k, **below("all")) for n, k in (("one", 2), ("two", 1))]
    decision = decide(world, backlog(above("all", 2, BLOCK), *groups, *old, *pods), pods[0])
    assert places(decision)["two"] <= {"a", "b"}


def test_three_levels() -> None:
    """Halves of two gangs each: every half in a block, the whole wherever it likes."""
    halves = [above(name, 2, BLOCK, **below("all")) for name in ("left", "right")]
    gangs = [(f"{half}{i}", half) for half in ("left", "right") for i in range(2)]
    groups = [near(name, 2, None, **below(half)) for name, half in gangs]
    pods = [pod for name, _ in gangs for pod in waiting(2, 1, name)]
    sizes = {"x": {"a": [4]}, "y": {"b": [2, 2]}, "z": {"c": [3]}}
    known = backlog(above("all", 2), *halves, *groups, *pods)
    found = places(decide(blocks(sizes), known, pods[0]))
    assert len(found) == 4
    assert {frozenset(found[f"{half}0"] | found[f"{half}1"]) for half in ("left", "right")} == {
        frozenset({"a"}),
        frozenset({"b"}),
    }


def test_basic_groups_are_placed_each_on_its_own() -> None:
    pods = [*waiting(2, 2, "one"), *waiting(3, 2, "two")]
    groups = [near(n, k, RACK, **below("all")) for n, k in (("one", 2), ("two", 3))]
    decision = decide(blocks(TWO), backlog(above("all", None), *groups, *pods), pods[0])
    assert set(places(decision)) == {"one"}


def test_thousands_of_domains_within_domains_end_in_time() -> None:
    """Pods that no node can have by a rule that the columns don't show."""
    apart = {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": RACK, "labelSelector": {"matchLabels": {"nobody": "is"}}}
            ]
        }
    }
    world = blocks({f"x{i}": {f"r{i}": [4]} for i in range(1500)})
    spec = {"schedulerName": SCHEDULER, "affinity": apart}
    pods = [pod for name in ("one", "two") for pod in ranks(2, 1, name, spec=spec)]
    groups = [near(name, 2, RACK, **below("all")) for name in ("one", "two")]
    decision = decide(world, backlog(above("all", 2, BLOCK), *groups, *pods), pods[0])
    assert not decision.placements
    assert decision.busy


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=2), min_size=1, max_size=2),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=3),
    st.integers(1, 3),
)
def test_whole_or_absent(
    sizes: list[list[list[int]]], gangs: list[tuple[int, int]], least: int
) -> None:
    world = blocks(
        {f"x{i}": {f"r{i}{j}": it for j, it in enumerate(b)} for i, b in enumerate(sizes)}
    )
    pods = [pod for i, (count, cpu) in enumerate(gangs) for pod in waiting(count, cpu, f"g{i}")]
    groups = [near(f"g{i}", n, RACK, **below("all")) for i, (n, _) in enumerate(gangs)]
    decision = decide(world, backlog(above("all", least, BLOCK), *groups, *pods), pods[0])
    found = places(decision)
    counts: Counter[str] = Counter()
    for it in decision.placements:
        counts[it.pod.metadata.name[:2]] += 1
    assert not found or len(found) >= least
    assert all(len(racks) == 1 for racks in found.values())
    assert len({rack[1] for racks in found.values() for rack in racks}) <= 1
    assert all(counts[name] >= gangs[int(name[1])][0] for name in found)
    assert len(decision.placements) + len(decision.refusals) == len(pods)
    nodes = world.state.nodes
    placed = sum(gangs[int(it.pod.metadata.name[1])][1] for it in decision.placements)
    assert nodes.requested[: nodes.size, 0].sum() == placed * 1000


def test_the_unit_of_a_gang_that_is_part_of_another() -> None:
    low, high = waiting(1, 1, "one")[0], waiting(1, 1, "two")[0]
    groups = [near(name, 1, None, **below("all")) for name in ("one", "two")]
    known = backlog(low, high)
    alone = unit_of(low)
    assert known.top(alone) == alone and known.waits(alone)
    for it in groups:
        known.put_group(None, it)
    whole = known.top(alone)
    assert known.top(unit_of(high)) == whole == known.top(whole) != alone
    assert known.unit(alone) is None
    assert known.waits(whole)
    assert known.waiting(whole.family) == [whole]
    assert known.groups(whole) == groups
    assert known.groups(alone) == groups[:1]
    known.put_composite(None, above("all", 1))
    unit = known.unit(whole)
    assert unit is not None
    assert [part.gang for part in unit.parts] == ["one", "two"]
    for one in (low, high):
        known.bound(one)
    assert known.unit(whole) is None and not known.waits(whole)


def test_the_most_urgent_pod_of_all_groups_counts() -> None:
    spec = {"schedulerName": SCHEDULER, "priority": 7}
    pods = [*waiting(1, 1, "one"), *ranks(1, 1, "two", spec=spec)]
    known = backlog(*pods, *(near(name, 1, None, **below("all")) for name in ("one", "two")))
    assert known.priority(known.top(unit_of(pods[0]))) == 7
