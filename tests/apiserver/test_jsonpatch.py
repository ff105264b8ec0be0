"""JSON patches: the RFC's operations, Kubernetes' bounds and answers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.jsonpatch import LARGEST_RESULT, MOST_OPERATIONS, apply
from argosy.base.errors import StatusError

OBJECT: dict[str, Any] = {"metadata": {"labels": {"a/b": "1"}}, "list": [1, 2]}


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        ({"op": "add", "path": "/new", "value": {"x": 1}}, "new", {"x": 1}),
        ({"op": "add", "path": "/list/-", "value": 3}, "list", [1, 2, 3]),
        ({"op": "add", "path": "/list/0", "value": 0}, "list", [0, 1, 2]),
        ({"op": "replace", "path": "/list/1", "value": 9}, "list", [1, 9]),
        ({"op": "remove", "path": "/list/0"}, "list", [2]),
        ({"op": "remove", "path": "/metadata/labels/a~1b"}, "metadata", {"labels": {}}),
        ({"op": "move", "from": "/list", "path": "/moved"}, "moved", [1, 2]),
        ({"op": "copy", "from": "/list", "path": "/copied"}, "copied", [1, 2]),
        ({"op": "test", "path": "/list/0", "value": 1}, "list", [1, 2]),
        ({"op": "test", "path": "/metadata/nothing", "value": None}, "list", [1, 2]),
        ({"op": "replace", "path": "/nothing", "value": 1}, "nothing", 1),
    ],
)
def test_operations(operation: dict[str, Any], path: str, value: object) -> None:
    assert apply(OBJECT, [operation])[path] == value
    assert OBJECT == {"metadata": {"labels": {"a/b": "1"}}, "list": [1, 2]}


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "test", "path": "/list/0", "value": 7}], 422),
        ([{"op": "remove", "path": "/nothing"}], 422),
        ([{"op": "replace", "path": "/nothing/there", "value": 1}], 422),
        ([{"op": "replace", "path": "/list/9", "value": 1}], 422),
        ([{"op": "replace", "path": 7, "value": 1}], 400),
        ([{"op": "replace", "value": 1}], 400),
        ([{"op": "test", "path": "/nothing", "value": 1}], 422),
        ([{"op": "add", "path": "/list/9", "value": 1}], 422),
        ([{"op": "fly", "path": "/list"}], 400),
        ([{"path": "/list"}], 400),
        ([{"op": "add", "value": 1}], 400),
        (["add"], 400),
        ([None], 400),
        ([{"op": "add", "path": 7, "value": 1}], 400),
        ([{"op": "test", "path": "/list", "value": [1, 2]}] * (MOST_OPERATIONS + 1), 413),
    ],
)
def test_what_is_refused(operations: list[Any], code: int) -> None:
    with pytest.raises(StatusError) as refused:
        apply(OBJECT, operations)
    assert refused.value.code == code


def test_copies_can_not_blow_up() -> None:
    big = {"a": ["x" * (LARGEST_RESULT // 8)]}
    double = {"op": "copy", "from": "/a", "path": "/a/-"}
    with pytest.raises(StatusError) as refused:
        apply(big, [double] * 40)
    assert refused.value.code == 413


POINTERS = st.sampled_from(["", "/", "/list", "/list/-", "/list/0", "/list/x", "/a/b", "~", "/~2"])
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={
        "path": POINTERS | st.integers(),
        "from": POINTERS | st.none(),
        "value": st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    },
)


@settings(max_examples=150)
@given(operations=st.lists(OPERATIONS | st.none() | st.text(max_size=3), max_size=4))
def test_any_patch_is_applied_or_refused(operations: list[Any]) -> None:
    try:
        apply(OBJECT, operations)
    except StatusError as error:
        assert error.code in (400, 413, 422)
