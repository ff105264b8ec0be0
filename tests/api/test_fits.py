"""The quick check never lets through what the thorough ones would complain of."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.builtin import load
from argosy.api.fits import compiled
from argosy.api.schema import Schema
from argosy.api.structural import check, prune, unknown_fields

BUILTINS = load()
POD = BUILTINS("io.k8s.api.core.v1.Pod")
FITS_POD = compiled(POD)

GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"a": "b"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "hostNetwork": False,
        "containers": [
            {
                "name": "c",
                "image": "i",
                "command": ["x"],
                "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "100m"}},
                "readinessProbe": {"httpGet": {"port": "http"}},
            }
        ],
    },
}
RECURSIVE = Schema(type="object", properties={"name": Schema(type="string")})
RECURSIVE.properties = {**RECURSIVE.properties, "child": RECURSIVE}


def nothing_to_say(schema: Schema, value: Any) -> bool:
    return not check(schema, value) and not unknown_fields(schema, value)


def test_a_right_object_fits() -> None:
    assert FITS_POD(GOOD)


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """A copy of GOOD with `value` at `path`."""

    def copy(node: Any, rest: list[Any]) -> Any:
        if not rest:
            return value
        if isinstance(node, list):
            return [copy(item, rest[1:]) if i == rest[0] else item for i, item in enumerate(node)]
        return {**node, rest[0]: copy(node.get(rest[0], {}), rest[1:])}

    made = copy(GOOD, path)
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["spec", "nonsense"], 1),
        (["spec", "hostNetwork"], "true"),
        (["spec", "hostNetwork"], None),
        (["spec", "containers", 0, "name"], 1),
        (["spec", "containers"], {}),
        (["spec", "containers", 0, "ports", 0, "containerPort"], 2**31),
        (["spec", "containers", 0, "ports", 0, "containerPort"], True),
        (["spec", "containers", 0, "resources", "requests", "cpu"], "many"),
        (["spec", "containers", 0, "command", 0], 7),
        (["metadata", "labels", "a"], 7),
        (["metadata", "creationTimestamp"], "yesterday"),
        (["metadata", "labels"], None),
        (["spec", "containers", 0], {"image": "i"}),
        (["spec"], []),
    ],
)
def test_what_is_wrong_too_much_or_null_does_not_fit(path: list[Any], value: Any) -> None:
    assert not FITS_POD(changed(path, value))


def test_a_schema_inside_of_itself() -> None:
    fits = compiled(RECURSIVE)
    assert fits({"name": "a", "child": {"name": "b", "child": {}}})
    assert not fits({"child": {"child": {"name": 1}}})
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"child": deep}
    assert not fits(deep)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [
        ["spec"],
        ["spec", "containers"],
        ["spec", "containers", 0, "resources"],
        ["spec", "containers", 0, "readinessProbe", "httpGet", "port"],
        ["metadata", "annotations"],
        ["metadata", "managedFields"],
        ["status", "startTime"],
        ["spec", "terminationGracePeriodSeconds"],
    ]
)


@settings(max_examples=150)
@given(path=PATHS, value=JSON)
def test_what_fits_is_faultless_and_stays_as_it_is(path: list[Any], value: Any) -> None:
    made = changed(path, value)
    if FITS_POD(made):
        assert nothing_to_say(POD, made)
        assert prune(POD, made) is made
