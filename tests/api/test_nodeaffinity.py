"""Which nodes a pod asks for."""

from typing import Any

import pytest

from argosy.api import nodeaffinity

Json = dict[str, Any]
LABELS = {"zone": "a", "size": "4", "word": "big"}


def required(*terms: Json) -> Json:
    return {"nodeAffinity": {nodeaffinity.REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def labels(key: str, operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, True),
        ({"affinity": {}}, True),
        ({"affinity": {"podAffinity": {}}}, True),
        ({"nodeSelector": {"zone": "a"}}, True),
        ({"nodeSelector": {"zone": "b"}}, False),
        ({"affinity": required()}, False),
        ({"affinity": required({})}, False),
        ({"affinity": required(labels("zone", "In", "a", "b"))}, True),
        ({"affinity": required(labels("zone", "NotIn", "a"))}, False),
        ({"affinity": required(labels("none", "NotIn", "a"))}, True),
        ({"affinity": required(labels("zone", "Exists"))}, True),
        ({"affinity": required(labels("zone", "DoesNotExist"))}, False),
        ({"affinity": required(labels("size", "Gt", "3"))}, True),
        ({"affinity": required(labels("size", "Lt", "3"))}, False),
        ({"affinity": required(labels("word", "Gt", "3"))}, False),
        ({"affinity": required(labels("size", "Gt", "x"))}, False),
        ({"affinity": required(labels("none", "Gt", "1"))}, False),
        ({"affinity": required(labels("zone", "In", "b"), labels("zone", "In", "a"))}, True),
        ({"affinity": nodeaffinity.pin(None, "n1")}, True),
        ({"affinity": nodeaffinity.pin(None, "n2")}, False),
        ({"affinity": nodeaffinity.pin(None, "n1"), "nodeSelector": {"zone": "b"}}, False),
    ],
)
def test_matches(spec: Json, expected: bool) -> None:
    assert nodeaffinity.matches(spec, "n1", LABELS) is expected


def test_a_pin_replaces_what_is_required_and_nothing_else() -> None:
    before = required(labels("zone", "Exists"))
    before["nodeAffinity"]["preferred"] = [1]
    after = nodeaffinity.pin(before, "n1")
    assert nodeaffinity.pinned(after) == "n1" and nodeaffinity.pinned(before) == ""
    assert after["nodeAffinity"]["preferred"] == [1]
    assert not nodeaffinity.only_pinned(after)
    assert nodeaffinity.only_pinned(nodeaffinity.pin({}, "n1"))
    assert not nodeaffinity.only_pinned(before) and not nodeaffinity.only_pinned({})


def test_two_names_are_no_pin() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["a", "b"]}
    assert nodeaffinity.pinned(required({"matchFields": [field]})) == ""
