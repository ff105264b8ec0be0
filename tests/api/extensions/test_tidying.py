"""Tests of pruning where a value has not the shape that its schema says."""

from typing import Any

import pytest

from argosy.api.extensions.tidying import tidy
from tests.api.extensions.kit import TEXT, Json, fields

OPEN = "x-kubernetes-preserve-unknown-fields"
LIST: Json = {"type": "array", "items": fields(a=TEXT)}


@pytest.mark.parametrize(
    ("node", "value", "kept", "unknown"),
    [
        (fields(a=TEXT), [{"a": "x"}, 1], [{}, 1], ["spec[0].a"]),
        (fields(a=TEXT), [[{"b": 1}]], [[{}]], ["spec[0][0].b"]),
        (TEXT, {"a": {"b": 1}}, {}, ["spec.a"]),
        ({**fields(a=TEXT), OPEN: True}, [{"b": 1}], [{"b": 1}], []),
        (LIST, [{"a": "x", "b": 1}], [{"a": "x"}], ["spec[0].b"]),
        ({**LIST, OPEN: True}, [{"a": "x", "b": 1}], [{"a": "x", "b": 1}], []),
        ({**LIST, OPEN: True}, [{"a": {"c": 1}}], [{"a": {}}], ["spec[0].a.c"]),
    ],
)
def test_what_is_dropped_of_lists(node: Json, value: Any, kept: Any, unknown: list[str]) -> None:
    found: list[str] = []
    assert tidy(fields(spec=node), {"spec": value}, found) == {"spec": kept}
    assert found == unknown
