"""Rolling updates keep their promises, whatever happens on the way, and come to an end."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.controllers.deployments.amounts import max_surge, max_unavailable
from tests.controllers.deployments.kit import World, deployment, rolling

AMOUNT = st.one_of(st.integers(0, 6), st.integers(0, 100).map(lambda part: f"{part}%"))
HAPPENING = st.one_of(
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("ready"), st.integers(0, 5)),
    st.tuples(st.just("break"), st.integers(1, 3)),
    st.tuples(st.just("image"), st.integers(0, 3)),
)


def happen(world: World, what: str, number: int) -> None:
    if what == "image":
        world.change_image(f"image-{number}")
    for name in list(world.sets) if what in ("ready", "break") else ():
        fresh, broken = (number, 0) if what == "ready" else (0, number)
        world.settle(name, fresh=fresh, broken=broken)


def finish(world: World) -> None:
    """Everything goes well from here on."""
    for _ in range(200):
        before = world.state()
        world.plan()
        world.settle_all()
        if world.state() == before:
            return
    raise AssertionError(f"it has no end: {world.replicas()}")


@settings(max_examples=200)
@given(
    st.integers(0, 12),
    AMOUNT,
    AMOUNT,
    st.lists(HAPPENING, max_size=30),
    st.booleans(),
)
def test_neither_too_many_nor_too_few(
    replicas: int,
    surge: int | str,
    unavailable: int | str,
    happenings: list[tuple[str, int]],
    complete: bool,
) -> None:
    """Never above the surge, and never a step that leaves fewer available than there must be."""
    world = World(deployment(replicas=replicas, strategy=rolling(surge, unavailable)))
    if complete:
        finish(world)
    most = replicas + max_surge(world.deployment)
    least = replicas - max_unavailable(world.deployment)
    for what, number in happenings:
        happen(world, what, number)
        before = world.available
        world.plan()
        assert world.asked <= most
        assert world.available >= min(before, least)
    finish(world)
    wanted = world.deployment.status
    assert (wanted.updated_replicas, wanted.available_replicas) == (replicas, replicas)
    assert world.asked == replicas
    progress = next(item for item in wanted.conditions if item.type == "Progressing")
    assert progress.reason == "NewReplicaSetAvailable"


@settings(max_examples=100)
@given(
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 8),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=6),
)
def test_a_change_of_scale_in_the_middle_is_shared_out(
    before: int, after: int, surge: int, steps: list[tuple[int, int]]
) -> None:
    """All of what comes or goes is given to some set, and none of them more than is allowed."""
    world = World(deployment(replicas=before, strategy=rolling(surge, 1)))
    finish(world)
    for number, (ready, image) in enumerate(steps):
        happen(world, "image", image if number % 2 else 0)
        world.plan()
        happen(world, "ready", ready)
    world.change_spec(replicas=after)
    world.plan()
    asked = [count for count in world.replicas().values() if count]
    allowed = after + max_surge(world.deployment) if after else 0
    assert sum(asked) <= allowed
    if before != after and len(asked) > 1:
        assert sum(asked) == allowed
    finish(world)
    assert world.asked == after


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_may_be_the_oldest(order: int) -> None:
    """Back to an earlier template: its set is the newest again."""
    world = World(deployment(replicas=4))
    finish(world)
    [first] = world.sets
    world.change_image("two")
    finish(world)
    world.change_image("one")
    world.sets = dict(list(world.sets.items())[::order])
    finish(world)
    assert {name: count for name, count in world.replicas().items() if count} == {first: 4}
    revisions = world.sets[first].metadata.annotations
    assert revisions["deployment.kubernetes.io/revision"] == "3"
    assert revisions["deployment.kubernetes.io/revision-history"] == "1"
    told = msgspec.to_builtins(world.deployment.metadata)["annotations"]
    assert told["deployment.kubernetes.io/revision"] == "3"
