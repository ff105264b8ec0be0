"""When flows meet, and how many writes of one may then be at work."""

from math import inf

from argosy.apiserver.flowcontrol.narrow import (
    FEWEST,
    MEMORY_SECONDS,
    WORK_SECONDS,
    Narrow,
)


class Scene:
    """A bound with a clock and a disk of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.commit = 0.0
        self.narrow = Narrow(lambda: self.now, lambda: self.commit)


def test_a_flow_that_is_alone_is_not_bounded() -> None:
    scene = Scene()
    for _ in range(3):
        scene.narrow.came("global-default", "alice")
        assert scene.narrow.writers() == inf


def test_flows_that_meet_are_bounded_until_one_has_been_alone_for_a_while() -> None:
    scene = Scene()
    scene.narrow.came("global-default", "alice")
    scene.narrow.came("global-default", "bob")
    assert scene.narrow.writers() == FEWEST
    scene.now += MEMORY_SECONDS / 2
    scene.narrow.came("global-default", "bob")
    assert scene.narrow.writers() == FEWEST
    scene.now += MEMORY_SECONDS / 2
    assert scene.narrow.writers() == inf


def test_flows_of_different_levels_meet_too() -> None:
    scene = Scene()
    scene.narrow.came("workload-low", "alice")
    scene.narrow.came("system", "alice")
    assert scene.narrow.writers() == FEWEST


def test_a_slow_disk_takes_more_at_once() -> None:
    scene = Scene()
    scene.narrow.came("global-default", "alice")
    scene.narrow.came("global-default", "bob")
    scene.commit = 7.5 * WORK_SECONDS
    assert scene.narrow.writers() == FEWEST + 7
