"""A gang that waits has room kept for it: others fill what it leaves, and no longer than that."""

import pytest

from argosy.scheduler.backlog import UnitKey
from argosy.scheduler.reserving.book import AGAIN, LONGEST, PATIENCE
from tests.scheduler.gangs.kit import above, below, near
from tests.scheduler.reserving.kit import Ground
from tests.scheduler.test_endings import job


def busy(ground: Ground, *, told: bool, forever: bool = False, priority: int = 0) -> None:
    """Four pods of 2 cpus fill both nodes; they end at 110, 210, 310 and 410 seconds."""
    for number in range(1, 5):
        name, length = f"busy-{number}", 100.0 * number
        ground.come(name, 2, length=length, told=told, forever=forever, priority=priority)
    ground.pass_time()
    assert len(ground.running) == 4


def message(ground: Ground, name: str) -> str:
    return ground.told[name].message


def test_a_gang_is_told_when_it_can_be_expected_to_start() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 2)
    ground.pass_time()
    kept = ground.state.reserved
    assert kept is not None and set(kept.nodes) == {"n1", "n2"}
    assert message(ground, "g-0").endswith(
        f"Room is reserved for it on 2 nodes, expected start: {ground.at(410)}."
    )
    ground.until(400)
    assert "g-0" not in ground.begun
    ground.pass_time()
    assert ground.begun["g-0"] == ground.begun["g-1"] == 410
    assert ground.state.reserved is None


def test_a_jobs_deadline_counts() -> None:
    ground = Ground()
    for name, deadline in (("first", 300), ("second", 200)):
        ground.state.deadlines.put(None, job(deadline, name=name))
        ground.come(name, 3, length=deadline, job=name)
    ground.pass_time()
    ground.gang("g", 2)
    ground.pass_time()
    assert message(ground, "g-0").endswith(f"expected start: {ground.at(300)}.")
    ground.come("short", 1, length=100, job="second")
    ground.come("long", 1, length=500)
    ground.until(200)
    assert "short" in ground.begun and "long" not in ground.begun


def test_what_ends_in_time_fills_the_gaps() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 2)
    ground.pass_time(10)
    ground.come("short", 2, length=250, told=True)
    ground.come("late", 2, length=350, told=True)
    ground.come("open", 2)
    ground.pass_time()
    assert ground.begun["short"] == 120
    text = (
        "0/2 nodes are available: 1 Insufficient cpu, "
        "1 node(s) had room reserved for gang default/g"
    )
    ground.until(220)
    assert message(ground, "late").startswith(text)
    assert message(ground, "open").startswith(text)
    ground.until(410)
    assert ground.begun["g-0"] == 410


def test_what_the_gang_leaves_is_for_everybody() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 2, cpu=3)
    ground.pass_time(10)
    ground.come("beside", 1)
    ground.come("another", 1)
    ground.come("too-many", 1)
    ground.pass_time()
    # With the gang there, and the busy ones gone, there will be room for one on each node.
    assert ground.begun["another"] == 120
    ground.until(220)
    assert ground.begun["beside"] == 210
    ground.until(450)
    assert {"g-0", "g-1"} <= set(ground.begun)
    assert ground.begun["g-0"] == 410
    assert "too-many" not in ground.begun


def test_one_of_higher_priority_comes_first() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 2)
    ground.pass_time(10)
    ground.come("first", 2, priority=1)
    ground.pass_time()
    assert "first" in ground.begun


def test_one_that_waited_before_the_gang_comes_first() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.come("first", 2)
    ground.pass_time()
    ground.gang("g", 2)
    ground.pass_time(10)
    assert "first" in ground.begun


@pytest.mark.parametrize("patience", [0.0, PATIENCE])
def test_a_stream_of_small_pods_does_not_starve_a_gang(patience: float) -> None:
    """Nobody knows when one of them ends."""
    ground = Ground(patience=patience)
    busy(ground, told=False)
    ground.pass_time()
    ground.gang("g", 2)
    for number in range(85):
        ground.come(f"small-{number}", 1, length=200.0)
        ground.pass_time()
    # Without room reserved, it is the stream that has all of it.
    assert ("g-0" in ground.begun) is bool(patience)


def test_a_reservation_rests_where_nothing_ends_and_is_longer_the_next_time() -> None:
    ground = Ground()
    for number in range(2):
        ground.come(f"long-{number}", 3, length=1e6)
    ground.pass_time()
    ground.gang("g", 2)
    ground.pass_time()
    assert message(ground, "g-0").endswith("Room that gets free on 2 nodes is reserved for it.")
    held = []
    for _ in range(200):
        ground.pass_time()
        held.append(ground.state.reserved is not None)
    spans = [len(span) * 10 for span in "".join("x" if it else " " for it in held).split()]
    rests = [len(span) * 10 for span in "".join(" " if it else "x" for it in held).split()]
    assert spans[:2] == [PATIENCE - 10, 2 * PATIENCE]
    assert rests[:2] == [PATIENCE, 2 * PATIENCE]
    assert ground.freed == len(rests)


def test_patience_has_an_end() -> None:
    ground = Ground(patience=10.0)
    for number in range(2):
        ground.come(f"long-{number}", 3, length=1e6)
    ground.pass_time()
    ground.gang("g", 2)
    held = 0
    longest = 0
    for _ in range(600):
        ground.pass_time()
        held = held + 1 if ground.state.reserved is not None else 0
        longest = max(longest, held)
    assert longest == LONGEST


def test_what_never_ends_is_not_waited_for() -> None:
    ground = Ground()
    busy(ground, told=False, forever=True)
    ground.gang("g", 2)
    ground.pass_time()
    assert ground.state.reserved is None
    ground.come("high", 9, priority=9)
    assert "reserved" not in message(ground, "g-0")


def test_a_gang_that_no_cluster_could_have_holds_nothing_and_asks_seldom() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 3)
    asked = 0
    decide = ground.gentle.decide

    def counting(unit: object) -> object:
        nonlocal asked
        asked += 1
        return decide(unit)  # type: ignore[arg-type]

    object.__setattr__(ground.gentle, "decide", counting)
    ground.pass_time(int(10 * AGAIN / 10))
    assert ground.state.reserved is None
    assert asked <= 11


def test_two_gangs_one_after_the_other() -> None:
    ground = Ground()
    busy(ground, told=False)
    ground.gang("a", 2)
    ground.pass_time()
    ground.gang("b", 2)
    ground.until(200)
    kept = ground.state.reserved
    assert kept is not None and kept.title == "gang default/a"
    ground.until(410)
    assert ground.begun["a-0"] == ground.begun["a-1"] == 410
    assert "b-0" not in ground.begun
    for number in range(2):
        ground.end(f"uid-a-{number}")
    ground.pass_time()
    assert ground.begun["b-0"] == ground.begun["b-1"]


def test_a_gang_of_higher_priority_takes_over() -> None:
    ground = Ground()
    busy(ground, told=False, priority=5)
    ground.gang("a", 2)
    ground.pass_time()
    ground.gang("b", 2, priority=5)
    ground.pass_time(2)
    kept = ground.state.reserved
    assert kept is not None and kept.title == "gang default/b"


def test_a_gang_of_which_pods_came_later_has_its_own_room() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("g", 1, least=2)
    ground.pass_time()
    ground.come("g-1", 4, gang="g")
    ground.until(410)
    assert ground.begun["g-0"] == ground.begun["g-1"] == 410


def test_an_older_gang_takes_over_though_one_of_its_pods_is_younger() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.gang("old", 1, least=2)
    ground.pass_time()
    ground.gang("new", 2)
    ground.pass_time()
    kept = ground.state.reserved
    assert kept is not None and kept.title == "gang default/new"
    ground.come("old-1", 4, gang="old")
    ground.pass_time()
    kept = ground.state.reserved
    assert kept is not None and kept.title == "gang default/old"


def test_groups_of_groups_have_room_reserved_for_all_of_them() -> None:
    ground = Ground()
    busy(ground, told=True)
    ground.backlog.put_composite(None, above("all"))
    for name in "ab":
        ground.backlog.put_group(None, near(name, 1, None, **below("all")))
        ground.come(f"{name}-0", 4, gang=name)
    ground.pass_time(10)
    ground.come("small", 1)
    ground.until(400)
    kept = ground.state.reserved
    assert kept is not None and kept.title == "gang default/all"
    assert "had room reserved for gang default/all" in message(ground, "small")
    ground.pass_time()
    assert ground.begun["a-0"] == ground.begun["b-0"] == 410


def test_a_gang_that_is_gone_holds_nothing() -> None:
    ground = Ground()
    busy(ground, told=True)
    key = ground.gang("g", 2)
    ground.pass_time()
    assert ground.state.reserved is not None
    ground.book.forget(key)
    assert ground.state.reserved is None
    assert ground.freed == 1


def test_a_node_that_is_gone_is_planned_without() -> None:
    ground = Ground(("n1", "n2", "n3"))
    busy(ground, told=True)
    ground.come("third", 4, length=1000, told=True)
    ground.pass_time()
    ground.gang("g", 2)
    ground.pass_time()
    kept = ground.state.reserved
    assert kept is not None
    ground.state.nodes.drop_node(next(iter(kept.nodes)))
    ground.pass_time()
    again = ground.state.reserved
    assert again is not None and again is not kept
    assert set(again.nodes) <= set(ground.state.nodes.row_of)


def test_a_gang_that_lost_a_pod_keeps_its_room_but_no_longer_than_before() -> None:
    ground = Ground()
    busy(ground, told=False)
    ground.gang("g", 2)
    ground.pass_time()
    kept = ground.state.reserved
    lost = ground.backlog.unit(UnitKey("default", "g", True))
    assert kept is not None and lost is not None
    ground.backlog.put(lost.pods[0], None)
    ground.pass_time()
    assert ground.state.reserved is kept
    ground.until(320)
    assert ground.state.reserved is None


def test_the_rest_of_a_gang_that_runs_holds_nothing() -> None:
    ground = Ground()
    ground.gang("g", 3, least=2)
    ground.pass_time()
    assert len(ground.running) == 2
    ground.pass_time()
    assert "reserved" not in message(ground, "g-2")
    assert ground.state.reserved is None


def test_a_gang_for_which_others_go_needs_no_reservation() -> None:
    ground = Ground()
    busy(ground, told=True, priority=-1)
    ground.gang("g", 2)
    ground.pass_time()
    assert ground.told["g-0"].node
    assert ground.state.reserved is None
