"""The selectors of an access review: what can be read of them, and what is said of the rest."""

from typing import Any

import pytest

from argosy.apiserver.authorization.selectors import fields_asked, labels_asked
from argosy.base.selectors import EVERYTHING, FieldSelector, parse_fields, parse_labels

Json = dict[str, Any]
LABELS = "spec.resourceAttributes.labelSelector"
FIELDS = "spec.resourceAttributes.fieldSelector"
GOOD: Json = {"key": "a", "operator": "In", "values": ["b"]}


def of(*terms: Json) -> Json:
    return {"requirements": list(terms)}


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ({"rawSelector": "a=b"}, "a=b"),
        (of(GOOD), "a=b"),
        (of({"key": "a", "operator": "NotIn", "values": ["b"]}), "a notin (b)"),
        (of({"key": "a", "operator": "Exists"}), "a"),
        (of({"key": "a", "operator": "DoesNotExist"}, GOOD), "!a,a in (b)"),
    ],
)
def test_label_selectors_are_read(selector: Json | None, text: str) -> None:
    assert labels_asked(selector) == (parse_labels(text), "")


@pytest.mark.parametrize(
    "term",
    [
        {"key": "a", "operator": "Near", "values": ["b"]},
        {"key": "a b", "operator": "Exists"},
        {"key": "a", "operator": "In"},
        {"key": "a", "operator": "In", "values": ["no space"]},
        {"key": "a", "operator": "Exists", "values": ["b"]},
        {},
    ],
)
def test_a_label_term_that_cannot_be_read_is_left_out(term: Json) -> None:
    assert labels_asked(of(term)) == (EVERYTHING, f"{LABELS} ignored due to parse error")
    partly = (parse_labels("a=b"), f"{LABELS} partially ignored due to parse error")
    assert labels_asked(of(term, GOOD)) == partly


def test_a_raw_selector_that_cannot_be_read_is_ignored() -> None:
    ignored = "ignored due to parse error"
    assert labels_asked({"rawSelector": "(("}) == (EVERYTHING, f"{LABELS} {ignored}")
    assert fields_asked({"rawSelector": "(("}) == (FieldSelector(), f"{FIELDS} {ignored}")


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ({"rawSelector": "a.b=c"}, "a.b=c"),
        (of({"key": "a.b", "operator": "In", "values": ["c"]}), "a.b=c"),
        (of({"key": "a.b", "operator": "NotIn", "values": ["c"]}), "a.b!=c"),
    ],
)
def test_field_selectors_are_read(selector: Json | None, text: str) -> None:
    assert fields_asked(selector) == (parse_fields(text), "")


@pytest.mark.parametrize(
    "term",
    [
        {"key": "a", "operator": "In", "values": ["b", "c"]},
        {"key": "a", "operator": "NotIn", "values": []},
        {"key": "a", "operator": "Exists"},
        {"key": "a", "operator": "Near", "values": ["b"]},
    ],
)
def test_a_field_term_that_cannot_be_read_is_left_out(term: Json) -> None:
    assert fields_asked(of(term)) == (FieldSelector(), f"{FIELDS} ignored due to parse error")
    partly = f"{FIELDS} partially ignored due to parse error"
    assert fields_asked(of(term, GOOD)) == (parse_fields("a=b"), partly)
