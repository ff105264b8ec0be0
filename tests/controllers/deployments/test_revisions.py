"""Which set is of which template, and which revision it has."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.controllers.deployments.revisions import (
    HASH,
    HISTORY,
    REVISION,
    annotations_of,
    by_revision,
    find_new,
    identity,
    next_revision,
    revision,
    set_name,
    template_hash,
)
from tests.controllers.deployments.kit import deployment, replica_set
from tests.controllers.replicakit import Json, template


def encoded(given: Any) -> bytes:
    return msgspec.json.encode(given)


def changed(*path: str | int, value: Any) -> Json:
    """A template with another value somewhere."""
    made = template()
    inside: Any = made
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return made


SAME = [
    changed("metadata", "labels", value={"app": "web", HASH: "abc"}),
    changed("metadata", "annotations", value={}),
    changed("metadata", "creationTimestamp", value=None),
    changed("spec", "nodeSelector", value={}),
    changed("spec", "tolerations", value=[]),
    changed("spec", "containers", 0, "resources", value={"limits": {}}),
    dict(reversed(template().items())),
]
DIFFERENT = [
    changed("metadata", "labels", value={"app": "other"}),
    changed("metadata", "annotations", value={"a": ""}),
    changed("spec", "containers", 0, "image", value="two"),
    changed("spec", "containers", 0, "securityContext", value={}),
]


@pytest.mark.parametrize("other", SAME)
def test_templates_that_are_the_same(other: Json) -> None:
    assert identity(encoded(other)) == identity(encoded(template()))


@pytest.mark.parametrize("other", DIFFERENT)
def test_templates_that_differ(other: Json) -> None:
    assert identity(encoded(other)) != identity(encoded(template()))


@settings(max_examples=50)
@given(st.text(max_size=20), st.none() | st.integers(0, 9))
def test_a_hash_is_a_label_and_stays(image: str, collisions: int | None) -> None:
    given_template = encoded(template(image))
    hashed = template_hash(given_template, collisions)
    assert re.fullmatch(r"[a-z0-9]{10}", hashed)
    assert hashed == template_hash(given_template, collisions)
    assert hashed != template_hash(given_template, (collisions or 0) + 1)


def test_the_hash_is_that_of_all_versions_of_argosy() -> None:
    """Another one would roll out every Deployment anew."""
    assert template_hash(encoded(template()), None) == "txvd2cc6dg"


def test_names_of_sets_are_not_too_long() -> None:
    assert set_name(deployment(), "abc") == "web-abc"
    long = deployment(meta={"name": "x" * 253})
    assert set_name(long, "a" * 10) == "x" * 242 + "-" + "a" * 10


def test_the_newest_is_the_oldest_of_its_template() -> None:
    it = deployment(image="new")
    sets = [
        replica_set("b", image="new", age=5),
        replica_set("a", image="new", age=9),
        replica_set("c", image="old", age=20),
    ]
    found = find_new(it, sets)
    assert found is not None and found.metadata.name == "a"
    assert find_new(it, sets[2:]) is None


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("-3", -3), ("x", None), ("", None), ("9" * 40, None)]
)
def test_revisions(text: str, number: int | None) -> None:
    assert revision({REVISION: text}) == number
    assert revision({}) == 0


def test_revisions_of_sets() -> None:
    texts = {"a": "3", "b": "x", "c": "12", "d": "2"}
    sets = [replica_set(name, annotations={REVISION: text}) for name, text in texts.items()]
    assert next_revision(sets) == 13
    assert next_revision([]) == 1
    assert [item.metadata.name for item in by_revision(sets)] == ["b", "d", "a", "c"]


def test_annotations_are_the_deployments_but_for_some() -> None:
    kept = {"kubernetes.io/change-cause": "because", "a": "b"}
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    it = deployment(meta={"annotations": {**kept, **last, REVISION: "7"}})
    assert annotations_of(it, {}, 1) == {**kept, REVISION: "1"}
    present = {REVISION: "5", "a": "old", "own": "c"}
    assert annotations_of(it, present, 5) == {**present, **kept}
    assert annotations_of(it, present, 6) == {**present, **kept, REVISION: "6", HISTORY: "5"}
    assert annotations_of(it, {REVISION: "x"}, 6) == {**kept, REVISION: "x"}


def test_the_history_is_bounded() -> None:
    present: dict[str, str] = {}
    for number in range(1, 2000):
        present = annotations_of(deployment(), present, number)
    texts = present[HISTORY].split(",")
    assert len(present[HISTORY]) <= 2000
    assert texts[-1] == "1998" and texts == [str(n) for n in range(int(texts[0]), 1999)]
