"""What labels and annotations of others say of gangs, nonsense too."""

from typing import Any

import msgspec
import pytest

from argosy.api.podgroups import SchedulerPluginsPodGroup, VolcanoPodGroup
from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from argosy.scheduler.foreigngroups import (
    COSCHEDULING,
    KUEUE,
    MOST,
    ONE_BY_ONE,
    TOTAL,
    VOLCANO,
    Minimum,
    counted,
    stated,
)
from tests.scheduler.builders import pod

Words = dict[str, str]


def told(labels: Words | None = None, annotations: Words | None = None) -> dict[str, Any]:
    return {"labels": labels or {}, "annotations": annotations or {}}


MEMBERS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "scheduler-plugins": (told({COSCHEDULING: "g"}), (COSCHEDULING, "g")),
    "volcano": (told(annotations={VOLCANO: "g"}), (VOLCANO, "g")),
    "kueue by label": (told({KUEUE: "g"}), (KUEUE, "g")),
    "kueue by annotation": (told({KUEUE: "cut"}, {KUEUE: "whole"}), (KUEUE, "whole")),
    "two at once": (told({KUEUE: "k", COSCHEDULING: "g"}), (COSCHEDULING, "g")),
}
ALONE: dict[str, dict[str, Any]] = {
    "nothing": told(),
    "an empty name": told({COSCHEDULING: "", KUEUE: ""}, {VOLCANO: ""}),
    "the older label": told({"pod-group.scheduling.sigs.k8s.io": "g"}),
    "one by one": told({KUEUE: "g"}, {ONE_BY_ONE[0]: "true", TOTAL: "3"}),
    "serving": told({KUEUE: "g"}, {ONE_BY_ONE[1]: "true", TOTAL: "3"}),
}


@pytest.mark.parametrize(("metadata", "expected"), MEMBERS.values(), ids=MEMBERS)
def test_a_pod_is_one_of_a_gang(metadata: dict[str, Any], expected: tuple[str, str]) -> None:
    key = unit_of(pod("p", metadata=metadata))
    assert key == UnitKey("default", expected[1], True, expected[0])


@pytest.mark.parametrize("metadata", ALONE.values(), ids=ALONE)
def test_a_pod_is_alone(metadata: dict[str, Any]) -> None:
    assert unit_of(pod("p", metadata=metadata)) == UnitKey("default", "p", False)


def test_kubernetes_own_group_comes_first() -> None:
    labelled = pod("p", gang="own", metadata=told({COSCHEDULING: "g"}))
    assert unit_of(labelled) == UnitKey("default", "own", True)


def group(spec: Any) -> SchedulerPluginsPodGroup:
    body = {"metadata": {"name": "g", "namespace": "default", "uid": "u"}, "spec": spec}
    return msgspec.json.decode(msgspec.json.encode(body), type=SchedulerPluginsPodGroup)


STATED: dict[str, tuple[Any, int]] = {
    "a number": ({"minMember": 3}, 3),
    "none": ({}, 0),
    "zero": ({"minMember": 0}, 0),
    "no spec": (None, 0),
    "a spec that is none": ("x", 0),
    "the largest": ({"minMember": MOST}, MOST),
}


@pytest.mark.parametrize(("spec", "expected"), STATED.values(), ids=STATED)
def test_what_a_group_states(spec: Any, expected: int) -> None:
    assert stated(group(spec)) == Minimum(expected, uid="u")


NONSENSE: dict[str, tuple[Any, str]] = {
    "negative": (-1, "-1"),
    "huge": (2**31, "2147483648"),
    "more than huge": (10**30, '"1000000000000000000000000000000"'),
    "text": ("3", '"3"'),
    "half": (1.5, "1.5"),
    "true": (True, "true"),
    "a list": ([1], '"[1]"'),
    "long": ("x" * 1000, f'"{"x" * 64}"'),
}


@pytest.mark.parametrize(("value", "shown"), NONSENSE.values(), ids=NONSENSE)
def test_a_minimum_that_is_none(value: Any, shown: str) -> None:
    assert stated(group({"minMember": value})).trouble == (
        f'podgroups.scheduling.x-k8s.io "g": spec.minMember: Invalid value: {shown}: '
        "must be an integer between 0 and 2147483647"
    )


FIELD = f"metadata.annotations[{TOTAL}]"
RULE = "must be an integer between 1 and 2147483647"
COUNTED: dict[str, tuple[list[str | None], Minimum]] = {
    "agreed": (["3", "3"], Minimum(3)),
    "with a sign": (["+3", "3"], Minimum(3)),
    "missing": (
        [None, None],
        Minimum(trouble=f"{FIELD}: Required value: the group's pods could not be counted"),
    ),
    "missing in one": (["3", None], Minimum(trouble=f'{FIELD}: Invalid value: "": {RULE}')),
    "zero": (["0"], Minimum(trouble=f'{FIELD}: Invalid value: "0": {RULE}')),
    "negative": (["-2"], Minimum(trouble=f'{FIELD}: Invalid value: "-2": {RULE}')),
    "huge": (["9" * 19], Minimum(trouble=f'{FIELD}: Invalid value: "{"9" * 19}": {RULE}')),
    "longer": (["9" * 5000], Minimum(trouble=f'{FIELD}: Invalid value: "{"9" * 64}": {RULE}')),
    "a word": (["three"], Minimum(trouble=f'{FIELD}: Invalid value: "three": {RULE}')),
    "other digits": (["३"], Minimum(trouble=f'{FIELD}: Invalid value: "३": {RULE}')),
    "different": (
        ["3", "2"],
        Minimum(
            trouble=f'{FIELD}: Invalid value: "3": must be the same for all pods of the group, '
            "others have 2"
        ),
    ),
}


@pytest.mark.parametrize(("values", "expected"), COUNTED.values(), ids=COUNTED)
def test_what_pods_say_of_their_number(values: list[str | None], expected: Minimum) -> None:
    words = [{} if value is None else {TOTAL: value} for value in values]
    pods = [pod(f"p{i}", metadata=told({KUEUE: "g"}, word)) for i, word in enumerate(words)]
    assert counted(pods) == expected


def kueue(name: str, total: str, **options: Any) -> Any:
    return pod(name, metadata=told({KUEUE: "g"}, {TOTAL: total}), **options)


def test_pods_that_are_counted_are_one_unit() -> None:
    backlog = Backlog(["default-scheduler"])
    first = kueue("a", "3")
    key = unit_of(first)
    assert backlog.put(None, first)
    assert backlog.put(None, kueue("b", "2"))
    backlog.put(None, kueue("c", "3", node="n1"))
    unit = backlog.unit(key)
    assert unit is not None and unit.trouble.startswith(FIELD)
    # Somebody mends the annotation.
    assert backlog.put(kueue("b", "2"), kueue("b", "3"))
    unit = backlog.unit(key)
    assert unit is not None and (unit.trouble, unit.least, unit.bound) == ("", 3, 1)
    assert backlog.group(key) is None


def test_a_group_of_another_kind_is_another_unit() -> None:
    backlog = Backlog(["default-scheduler"])
    ours, theirs = pod("a", gang="g"), pod("b", metadata=told(annotations={VOLCANO: "g"}))
    backlog.put(None, ours)
    backlog.put(None, theirs)
    key = unit_of(theirs)
    assert backlog.waiting(VOLCANO) == [key]
    unit = backlog.unit(key)
    assert unit is not None and unit.pods == (theirs,)
    assert unit.trouble == 'waiting for podgroups.scheduling.volcano.sh "g" to be created'
    body = {"metadata": {"name": "g", "namespace": "default"}, "spec": {"minMember": 2}}
    made = msgspec.convert(body, VolcanoPodGroup)
    assert backlog.put_minimum(key, made)
    assert not backlog.put_minimum(key, made)
    unit = backlog.unit(key)
    assert unit is not None and (unit.trouble, unit.least) == ("", 2)
    assert backlog.put_minimum(key, None)
    assert not backlog.put_minimum(key, None)
