"""Node selectors and node affinity, required and preferred, against tables by hand."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins.node_affinity import (
    ENFORCED,
    MISMATCH,
    PLUGIN,
    NodeAffinity,
    configured,
)
from argosy.scheduler.shape import shape_of
from tests.scheduler.builders import node, pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
Json = dict[str, Any]


def three() -> Columns:
    """a: an SSD of size 3 in z1; b: a disk of size `big` in z2; c: nothing."""
    nodes = Columns()
    nodes.put_node(node("a", labels={"disk": "ssd", "size": "3", "zone": "z1"}))
    nodes.put_node(node("b", labels={"disk": "hdd", "size": "big", "zone": "z2"}))
    nodes.put_node(node("c"))
    return nodes


def line(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": list(values)}


def terms(*each: list[Json], fields: list[Json] | None = None) -> Json:
    found: list[Json] = [{"matchExpressions": lines} for lines in each]
    if fields:
        found.append({"matchFields": fields})
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": found}}}


def passed(affinity: Json, **spec: Any) -> str:
    """The names of the nodes that the pod may have."""
    nodes, shape = three(), shape_of(pod(spec={"affinity": affinity, **spec}))
    mask = NodeAffinity().filter(nodes, shape, nodes.everything)
    rows = np.array([2, 0])
    assert NodeAffinity().filter(nodes, shape, rows).tolist() == mask[rows].tolist()
    assert PLUGIN.applies is not None and (PLUGIN.applies(shape) or mask.all())
    return "".join(name for name, there in zip("abc", mask, strict=True) if there)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("disk", "In", "ssd")], "a"),
        ([line("disk", "In", "ssd", "hdd")], "ab"),
        ([line("disk", "In", *(f"v{i}" for i in range(20)), "hdd")], "b"),
        ([line("disk", "NotIn", "ssd")], "bc"),
        ([line("disk", "NotIn", *(f"v{i}" for i in range(20)), "3", "hdd", "ssd")], "c"),
        ([line("disk", "Exists")], "ab"),
        ([line("disk", "DoesNotExist")], "c"),
        ([line("size", "Gt", "2")], "a"),
        ([line("size", "Gt", "3")], ""),
        ([line("size", "Lt", "04")], "a"),
        ([line("size", "Lt", "3")], ""),
        ([line("size", "Lt", "99999999999999999999")], ""),
        ([line("size", "Gt", "much")], ""),
        ([line("disk", "In", "ssd"), line("zone", "In", "z1")], "a"),
        ([line("disk", "In", "ssd"), line("zone", "In", "z2")], ""),
        # What can't be read matches nothing.
        ([line("disk", "In", "ssd", "not a value")], ""),
        ([line("disk", "In")], ""),
        ([line("disk", "Exists", "ssd")], ""),
        ([line("disk", "Like", "ssd")], ""),
        ([], ""),
    ],
)
def test_one_term(lines: list[Json], expected: str) -> None:
    assert passed(terms(lines)) == expected


@pytest.mark.parametrize(
    ("affinity", "spec", "expected"),
    [
        (terms([line("disk", "In", "hdd")], [line("zone", "In", "z1")]), {}, "ab"),
        (terms(), {}, ""),
        ({"nodeAffinity": {REQUIRED: {}}}, {}, ""),
        ({}, {}, "abc"),
        ({}, {"nodeSelector": {"disk": "ssd"}}, "a"),
        ({}, {"nodeSelector": {"disk": "ssd", "zone": "z2"}}, ""),
        (terms([line("zone", "Exists")]), {"nodeSelector": {"disk": "hdd"}}, "b"),
        (terms(fields=[line("metadata.name", "NotIn", "a")]), {}, "bc"),
        (terms(fields=[line("metadata.name", "In", "nowhere")] * 2), {}, ""),
        (terms(fields=[line("metadata.name", "In", "b")] * 2), {}, "b"),
        (terms(fields=[line("metadata.name", "In", "a", "b")]), {}, ""),
        (terms(fields=[line("metadata.uid", "In", "a")]), {}, ""),
        (terms(fields=[line("metadata.name", "Exists")]), {}, ""),
        (terms([line("disk", "In", "hdd")], fields=[line("metadata.name", "In", "c")]), {}, "bc"),
    ],
)
def test_terms_are_alternatives(affinity: Json, spec: Json, expected: str) -> None:
    assert passed(affinity, **spec) == expected


def test_many_values() -> None:
    nodes = Columns()
    for number in range(12):
        nodes.put_node(node(f"n{number}", labels={"i": f"v{number}"} if number else {}))
    values = [f"v{number}" for number in range(3, 11)]
    for operator, expected in (("In", range(3, 11)), ("NotIn", (0, 1, 2, 11))):
        shape = shape_of(pod(spec={"affinity": terms([line("i", operator, *values)])}))
        mask = NodeAffinity().filter(nodes, shape, nodes.everything)
        assert mask.nonzero()[0].tolist() == list(expected)


def test_wishes_are_weighed() -> None:
    nodes = three()
    wishes = [
        {"weight": 30, "preference": {"matchExpressions": [line("disk", "Exists")]}},
        {"weight": 5, "preference": {"matchExpressions": [line("size", "Gt", "1")]}},
        {"weight": 9, "preference": {}},
    ]
    shape = shape_of(pod(spec={"affinity": {"nodeAffinity": {PREFERRED: wishes}}}))
    assert NodeAffinity().wishes(nodes, shape, nodes.everything).tolist() == [35, 30, 0]
    assert NodeAffinity().wishes(nodes, shape, np.array([1])).tolist() == [30]


def test_labels_are_followed() -> None:
    nodes = three()
    shape = shape_of(pod(spec={"affinity": terms([line("size", "Gt", "2")])}))
    assert NodeAffinity().filter(nodes, shape, nodes.everything).tolist() == [True, False, False]
    nodes.put_node(node("c", labels={"size": "7"}))
    nodes.put_node(node("a"))
    assert NodeAffinity().filter(nodes, shape, nodes.everything).tolist() == [False, False, True]


def test_a_profile_adds_its_own() -> None:
    added = {
        **terms([line("zone", "Exists")])["nodeAffinity"],
        PREFERRED: [
            {"weight": 4, "preference": {"matchExpressions": [line("disk", "Exists")]}},
            {"weight": 0, "preference": {"matchExpressions": [line("zone", "Exists")]}},
        ],
    }
    plugin = configured({"addedAffinity": added})
    nodes, shape = three(), shape_of(pod(spec={"nodeSelector": {"disk": "ssd"}}))
    assert plugin.applies and plugin.filter and plugin.explain and plugin.score
    assert plugin.applies(shape_of(pod()))
    assert plugin.filter(nodes, shape, nodes.everything).tolist() == [True, False, False]
    assert plugin.filter(nodes, shape_of(pod()), nodes.everything).tolist() == [True, True, False]
    assert plugin.explain(nodes, shape, np.array([1, 2])) == {ENFORCED: 1, MISMATCH: 1}
    assert plugin.score(nodes, shape, nodes.everything).tolist() == [4, 4, 0]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"addedAffinity": {REQUIRED: {}}},
            f"addedAffinity.{REQUIRED}.nodeSelectorTerms: Required",
        ),
        (
            {"addedAffinity": terms([line("a b", "Exists")])["nodeAffinity"]},
            f"addedAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: Invalid value",
        ),
        ({"addedAffinity": {REQUIRED: 7}}, "addedAffinity: Invalid value"),
        ({"addedAffinity": {PREFERRED: [{}]}}, "addedAffinity: Invalid value"),
        ({"addedAffinity": 3}, "addedAffinity: Invalid value: expected object | null, got int"),
        ({"added": {}}, "added: unknown field"),
    ],
)
def test_nonsense_is_refused(args: Json, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        configured(args)
    assert str(refused.value).startswith(text)
