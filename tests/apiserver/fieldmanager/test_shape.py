from typing import Any

import pytest

from argosy.apiserver.fieldmanager.fieldset import FieldSet, paths
from argosy.apiserver.fieldmanager.shape import compare, from_object, same
from tests.apiserver.fieldmanager.kinds import DEPLOYMENT, POD


def test_claims_of_a_configuration() -> None:
    pod = {
        "metadata": {"labels": {"app": "web"}, "finalizers": ["x"], "annotations": {}},
        "spec": {
            "containers": [
                {"name": "web", "command": ["a"], "ports": [{"containerPort": 80}], "env": []}
            ],
            "nodeSelector": {"zone": "a"},
            "tolerations": [{"key": "gpu"}],
        },
    }
    assert from_object(pod, POD) == {
        "f:metadata": {
            "f:labels": {"f:app": {}},
            "f:finalizers": {'v:"x"': {}},
            "f:annotations": {},
        },
        "f:spec": {
            "f:containers": {
                'k:{"name":"web"}': {
                    ".": {},
                    "f:name": {},
                    "f:command": {},
                    "f:env": {},
                    "f:ports": {
                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                    },
                }
            },
            "f:nodeSelector": {},
            "f:tolerations": {},
        },
    }


def test_unknown_content_has_granular_maps_and_whole_lists() -> None:
    config = {"spec": {"config": {"a": {"b": 1, "c": [{"name": "x"}]}, "d": {}}}}
    assert from_object(config, DEPLOYMENT) == {
        "f:spec": {"f:config": {"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}}}
    }


def container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "a", **fields}]}}


A = '.spec.containers[name="a"]'
P80 = f'{A}.ports[containerPort=80,protocol="TCP"]'


@pytest.mark.parametrize(
    ("live", "new", "written", "removed"),
    [
        ({"spec": {}}, {"spec": {}}, [], []),
        ({}, {"spec": {"nodeName": "n"}}, [".spec", ".spec.nodeName"], []),
        ({"spec": {"nodeName": "n"}}, {"spec": {"nodeName": "m"}}, [".spec.nodeName"], []),
        ({"spec": {"nodeName": "n"}}, {"spec": {}}, [], [".spec.nodeName"]),
        ({"spec": {"nodeName": "n"}}, {}, [], [".spec", ".spec.nodeName"]),
        (container(image="x"), container(image="y"), [f"{A}.image"], []),
        (container(command=["x"]), container(command=["y"]), [f"{A}.command"], []),
        (
            container(),
            container(ports=[{"containerPort": 80}]),
            [f"{A}.ports", P80, f"{P80}.containerPort"],
            [],
        ),
        (
            container(ports=[{"containerPort": 80, "name": "x"}]),
            container(ports=[{"containerPort": 80, "protocol": "TCP"}]),
            [f"{P80}.protocol"],
            [f"{P80}.name"],
        ),
        (
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"finalizers": ["b", "c"]}},
            ['.metadata.finalizers[="c"]'],
            ['.metadata.finalizers[="a"]'],
        ),
        (container(env=[]), container(env=None), [f"{A}.env"], []),
        (
            {"spec": {"nodeSelector": {"a": "b"}}},
            {"spec": {"nodeSelector": {"a": "c", "d": "e"}}},
            [".spec.nodeSelector"],
            [],
        ),
    ],
)
def test_compare(
    live: dict[str, Any], new: dict[str, Any], written: list[str], removed: list[str]
) -> None:
    changes = compare(live, new, POD)
    assert list(paths(changes.written)) == written
    assert list(paths(changes.removed)) == removed


def test_items_with_one_key_are_owned_as_one() -> None:
    twice = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "a"}]}}
    both: FieldSet = {"f:spec": {"f:containers": {'k:{"name":"a"}': {}}}}
    assert from_object(twice, POD) == both
    assert compare(twice, container(image="x"), POD).removed == both
    assert compare(twice, twice, POD).written == {}
    assert compare(container(), twice, POD).written == both


def test_a_change_of_form_replaces_the_field() -> None:
    live, new = {"spec": {"config": {"a": {"b": 1}}}}, {"spec": {"config": {"a": 1}}}
    changes = compare(live, new, DEPLOYMENT)
    assert list(paths(changes.written)) == [".spec.config.a"]
    assert list(paths(changes.removed)) == [".spec.config.a.b"]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        ([0], [False], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        (None, False, False),
    ],
)
def test_same(left: object, right: object, equal: bool) -> None:
    assert same(left, right) is equal
