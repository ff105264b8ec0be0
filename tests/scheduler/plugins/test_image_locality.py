"""Images that nodes have already, and what they count for."""

from typing import Any

import msgspec
import numpy as np
import pytest

from argosy.api.core import Node
from argosy.scheduler.plugins.image_locality import normalized, survey
from argosy.scheduler.state import State
from tests.scheduler.builders import pod

MIB = 1024 * 1024


def with_images(name: str, **sizes: int) -> Node:
    """A node with images of so many MiB, tagged `v1`."""
    images = [
        {"names": [f"{image}@sha256:0", f"{image}:v1"], "sizeBytes": size * MIB}
        for image, size in sizes.items()
    ]
    return msgspec.convert({"metadata": {"name": name}, "status": {"images": images}}, Node)


def using(*images: str, **more: Any) -> Any:
    containers = [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]
    return pod(spec={"containers": containers, **more})


def state_of(*nodes: Node) -> State:
    state = State()
    for item in nodes:
        state.nodes.put_node(item)
    return state


def scores(state: State, item: Any) -> list[int] | None:
    found = survey(state, item)
    if found is None:
        return None
    assert found.mask is None
    given = found.score(np.ones(state.nodes.size, dtype=np.bool_))
    assert given is not None
    return [int(score) for score in given]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (using("web:v1"), [int(100 * (250 - 23) / 977), 0, 0]),
        # Two nodes of three have it: two thirds of its size.
        (using("db:v1"), [int(100 * (600 - 23) / 977), int(100 * (600 - 23) / 977), 0]),
        # A thousand MiB of each container count at most; too little counts as nothing.
        (using("huge:v1"), [0, 0, 100]),
        (using("tiny:v1"), None),
        (using("web:v1", "web:v1"), [int(100 * (500 - 23) / 1977), 0, 0]),
        (using("web:v1", "none"), [int(100 * (250 - 23) / 1977), 0, 0]),
        (
            using("none", volumes=[{"name": "v", "image": {"reference": "web:v1"}}, {"name": "w"}]),
            [int(100 * (250 - 23) / 977), 0, 0],
        ),
        (
            using("none", initContainers=[{"name": "i", "image": "web:v1"}]),
            [int(100 * (250 - 23) / 1977), 0, 0],
        ),
        (using("web@sha256:0"), [int(100 * (250 - 23) / 977), 0, 0]),
        (using("web"), None),
        (using("none"), None),
    ],
)
def test_scores(item: Any, expected: list[int] | None) -> None:
    state = state_of(
        with_images("a", web=750, db=900),
        with_images("b", db=900),
        with_images("c", huge=9000, tiny=60),
    )
    assert scores(state, item) == expected


def test_nodes_come_change_and_go() -> None:
    state = state_of(with_images("a"), with_images("b"))
    assert survey(state, using("web:v1")) is None
    # That a node has an image makes no pod fit that did not.
    assert not state.nodes.put_node(with_images("b", web=1046, db=5))
    assert scores(state, using("web:v1")) == [0, int(100 * (523 - 23) / 977)]
    state.nodes.put_node(with_images("b", web=2046))
    assert scores(state, using("web:v1")) == [0, 100]
    state.nodes.put_node(with_images("a", web=2046))
    state.nodes.drop_node("b")
    assert scores(state, using("web:v1")) == [100, 0]
    state.nodes.drop_node("a")
    assert survey(state, using("web:v1")) is None
    assert not state.nodes.images


def test_what_all_nodes_have_tells_none_apart() -> None:
    state = state_of(with_images("a", web=900), with_images("b", web=900))
    assert survey(state, using("web:v1")) is None
    state.nodes.put_node(with_images("c"))
    assert scores(state, using("web:v1")) == [int(100 * (600 - 23) / 977)] * 2 + [0]


def test_nonsense_sizes() -> None:
    state = state_of(with_images("a", web=-5), with_images("b", web=2**42))
    assert scores(state, using("web:v1")) == [0, 100]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("web", "web:latest"),
        ("web:1", "web:1"),
        ("registry:5000/web", "registry:5000/web:latest"),
        ("registry:5000/web:1", "registry:5000/web:1"),
        ("", ":latest"),
    ],
)
def test_names(image: str, expected: str) -> None:
    assert normalized(image) == expected


def test_nodes_share_the_images_that_are_equal() -> None:
    one, other = with_images("a", web=5, db=7), with_images("b", db=7)
    assert one.status.images[1] is other.status.images[0]
