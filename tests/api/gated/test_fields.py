"""How fields are found and dropped."""

from copy import deepcopy
from typing import Any

import pytest

from argosy.api.gated.fields import Fields, compiled

Json = dict[str, Any]


def left(row: Fields, new: Json, old: Json | None = None) -> Json:
    found = deepcopy(new)
    before = deepcopy(old)
    compiled([row])(found, old)
    assert old == before
    return found


@pytest.mark.parametrize(
    "path, new, wanted",
    [
        ("a", {"a": 1, "b": 2}, {"b": 2}),
        ("a", {"a": False}, {}),
        ("a", {"a": None}, {"a": None}),  # nothing is there
        ("a", {"a": []}, {"a": []}),
        ("a.b", {"a": {"b": 1}}, {"a": {}}),
        ("a?.b", {"a": {"b": 1}}, {}),
        ("a?.b", {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        ("a?.b?.c", {"a": {"b": {"c": 1}}}, {}),
        ("a?.b?.c", {"a": {"b": {"c": 1}, "d": 1}}, {"a": {"d": 1}}),
        ("a[].b", {"a": [{"b": 1}, {"c": 2}, None]}, {"a": [{}, {"c": 2}, None]}),
        ("a{}.b", {"a": {"x": {"b": 1}, "b": {"c": 2}}}, {"a": {"x": {}, "b": {"c": 2}}}),
        ("a[].b=X", {"a": [{"b": "X"}, {"b": "Y"}]}, {"a": [{}, {"b": "Y"}]}),
        ("a[].b!=X", {"a": [{"b": "X"}, {"b": "Y"}]}, {"a": [{"b": "X"}, {}]}),
        ("a.b", {"a": [{"b": 1}]}, {"a": [{"b": 1}]}),
        ("a[].b", {"a": {"b": 1}}, {"a": {"b": 1}}),
        ("a.b", {"a": "b"}, {"a": "b"}),
    ],
)
def test_what_a_path_means(path: str, new: Json, wanted: Json) -> None:
    assert left(Fields("G", (path,)), new) == wanted


TWO = Fields("G", ("a.x", "a.y"))


@pytest.mark.parametrize(
    "row, old, wanted",
    [
        (TWO, None, {"a": {"z": 3}}),
        (TWO, {"a": {"z": 3}}, {"a": {"z": 3}}),
        (TWO, {}, {"a": {"z": 3}}),
        (TWO, {"a": {"y": 9}}, {"a": {"x": 1, "y": 2, "z": 3}}),
        (TWO, {"a": ["of another shape"]}, {"a": {"z": 3}}),
        (Fields("G", ("a.x",), used=("b",)), {"a": {"x": 1}}, {"a": {"y": 2, "z": 3}}),
        (Fields("G", ("a.x",), used=("b",)), {"b": 1}, {"a": {"x": 1, "y": 2, "z": 3}}),
        (Fields("G", ("a",), when=("a.x",)), None, {}),
        (Fields("G", ("a",), when=("a.no",)), None, {"a": {"x": 1, "y": 2, "z": 3}}),
    ],
)
def test_what_is_in_use_stays(row: Fields, old: Json | None, wanted: Json) -> None:
    assert left(row, {"a": {"x": 1, "y": 2, "z": 3}}, old) == wanted


def test_rows_move() -> None:
    def take(obj: Json) -> None:
        obj.clear()

    here = Fields("G", ("x",), used=("y",), when=("x",))
    assert left(here.below("a[].b"), {"a": [{"b": {"x": 1}}, {}]}) == {"a": [{"b": {}}, {}]}
    used = {"a": [{"b": {"y": 1}}]}
    assert left(here.below("a[].b"), {"a": [{"b": {"x": 1}}]}, used) == {"a": [{"b": {"x": 1}}]}
    whole = Fields("G", ("x",), take=take).below("a")
    assert left(whole, {"a": {"x": 1, "y": 2}}) == {"a": {}}
