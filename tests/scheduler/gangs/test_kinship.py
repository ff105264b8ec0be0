"""Which groups are one unit, and which of them never can be."""

import pytest

from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.gangs.kinship import Kinship
from tests.scheduler.gangs.kit import above, below, near

Group = PodGroup | CompositePodGroup
NESTED = "groups must not be nested in a circle, or deeper than 4 levels"


def kin(*groups: Group) -> Kinship:
    found = Kinship()
    for group in groups:
        put(found, None, group)
    return found


def put(found: Kinship, old: Group | None, new: Group | None) -> None:
    if isinstance(old, PodGroup) or isinstance(new, PodGroup):
        found.put_group(old, new)  # type: ignore[arg-type]
    else:
        found.put_composite(old, new)


def top(found: Kinship, gang: str) -> str:
    key = found.top(("default", gang))
    return key[1] if key else ""


def test_the_uppermost_group_is_the_unit() -> None:
    found = kin(near("g", **below("mid")), near("alone"))
    assert (top(found, "g"), top(found, "alone"), top(found, "unknown")) == ("mid", "", "")
    assert found.trouble(("default", "mid")) == "waiting for the composite pod group to be created"
    mid = above("mid", **below("root"))
    put(found, None, mid)
    assert top(found, "g") == "root"
    put(found, None, above("root"))
    assert not found.trouble(("default", "root"))
    assert list(found.below(("default", "root"))) == [("default", "g")]
    put(found, mid, None)
    assert top(found, "g") == "mid"
    assert list(found.below(("default", "root"))) == []


def test_a_group_that_goes_is_no_part_any_more() -> None:
    group = near("g", **below("root"))
    found = kin(group, above("root"))
    put(found, group, None)
    assert top(found, "g") == ""
    assert found.parts(("default", "root")) == ([], [])


def chain(length: int) -> list[Group]:
    """So many levels, the pod group's own among them."""
    names = [f"c{i}" for i in range(length - 1)]
    parents = ["", *names]
    groups = [above(it, **below(up)) for it, up in zip(names, parents, strict=False)]
    return [*groups, near("g", **below(names[-1]))]


@pytest.mark.parametrize(("levels", "trouble"), [(2, ""), (4, ""), (5, NESTED), (3000, NESTED)])
def test_how_deep(levels: int, trouble: str) -> None:
    found = kin(*chain(levels))
    assert top(found, "g") == "c0"
    assert found.trouble(("default", "c0")) == trouble


@pytest.mark.parametrize("names", [["a"], ["b", "a"], ["c", "a", "b"]])
def test_a_circle(names: list[str]) -> None:
    ring = [above(it, **below(up)) for it, up in zip(names, [*names[1:], names[0]], strict=True)]
    members = [near(f"g-{it}", **below(it)) for it in names]
    found = kin(*ring, *members, above("tail", **below(names[-1])), near("late", **below("tail")))
    assert {top(found, f"g-{it}") for it in names} == {"a"}
    assert top(found, "late") == "a"
    assert found.trouble(("default", "a")) == NESTED
    assert len(list(found.below(("default", "a")))) == len(names) + 1


def test_one_workload() -> None:
    found = kin(above("root", workloadRef={"workloadName": "w"}), near("g", **below("root", "w")))
    assert not found.trouble(("default", "root"))
    put(found, None, near("h", **below("root", "other")))
    text = 'its groups refer to more than one workload: "other" and "w"'
    assert found.trouble(("default", "root")) == text
