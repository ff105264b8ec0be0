import copy
from typing import Any

import pytest

from argosy.apiserver.fieldmanager.fieldset import FieldSet
from argosy.apiserver.fieldmanager.merge import merge, prune
from tests.apiserver.fieldmanager.kinds import DEPLOYMENT, POD


def finalizers(*names: str) -> dict[str, Any]:
    return {"metadata": {"finalizers": list(names)}}


@pytest.mark.parametrize(
    ("live", "patch", "merged"),
    [
        ("", "a", "a"),
        ("a", "", "a"),
        ("ab", "ba", "ba"),
        ("abc", "b", "abc"),
        ("xs", "ns", "xns"),
        ("sx", "sn", "sxn"),
        ("ayb", "ba", "yba"),
        ("axbyc", "cb", "axycb"),
        ("abcd", "dnb", "acdnb"),
    ],
)
def test_sets_take_the_order_of_the_patch(live: str, patch: str, merged: str) -> None:
    assert merge(finalizers(*live), finalizers(*patch), POD) == finalizers(*merged)


@pytest.mark.parametrize(
    ("live", "patch", "merged"),
    [
        ({"nodeName": "a"}, {"restartPolicy": "x"}, {"nodeName": "a", "restartPolicy": "x"}),
        ({"nodeSelector": {"a": "b"}}, {"nodeSelector": {"c": "d"}}, {"nodeSelector": {"c": "d"}}),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": []}, {"tolerations": []}),
        (
            {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]},
            {"containers": [{"name": "c"}, {"name": "a", "command": ["y"]}]},
            {
                "containers": [
                    {"name": "c"},
                    {"name": "a", "image": "x", "command": ["y"]},
                    {"name": "b"},
                ]
            },
        ),
        (
            {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]},
            {"containers": [{"name": "a", "image": "z"}]},
            {"containers": [{"name": "a", "image": "z"}]},
        ),
    ],
)
def test_merges_by_schema(
    live: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]
) -> None:
    before = copy.deepcopy(live)
    assert merge({"spec": live}, {"spec": patch}, POD) == {"spec": merged}
    assert live == before


def test_a_merge_that_changes_nothing_returns_the_object() -> None:
    live = {"spec": {"replicas": 1, "config": {"a": [True]}, "selector": {"x": {}}}}
    assert merge(live, copy.deepcopy(live), DEPLOYMENT) is live
    assert merge(live, {"spec": {"config": {"a": [1]}}}, DEPLOYMENT) is not live


def test_prunes_a_structure_with_its_last_claim() -> None:
    live = {"strategy": {"type": "x", "rollingUpdate": {"maxSurge": 1}}}
    last: FieldSet = {"f:strategy": {"f:type": {}}}
    surge: FieldSet = {"f:strategy": {"f:rollingUpdate": {"f:maxSurge": {}}}}
    schema = DEPLOYMENT.properties["spec"]
    assert prune(live, last, {}, schema) == {}
    assert prune(live, last, surge, schema) == {"strategy": {"rollingUpdate": {"maxSurge": 1}}}
    assert prune(live, last, last, schema) == live


def test_prunes_items_that_nobody_claims() -> None:
    live = {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]}
    last: FieldSet = {"f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}}}}
    held: FieldSet = {"f:containers": {".": {}, 'k:{"name":"a"}': {}}}
    spec = POD.properties["spec"]
    kept_list: FieldSet = {"f:containers": {}}
    assert prune(live, last, kept_list, spec) == {"containers": [{"name": "b"}]}
    assert prune(live, last, held, spec) == {"containers": [{"name": "a"}, {"name": "b"}]}
