"""Tests of what a conversion webhook is asked, and of what is taken from its answer.

What lies is in `tests/attacks/test_conversion.py`.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.extensions.review import Review, restored
from argosy.base.errors import StatusError

Json = dict[str, Any]
META: Json = {"name": "a", "namespace": "b", "uid": "c", "labels": {"l": "1"}, "generation": 3}
OLD: Json = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": META}
NEW: Json = {**OLD, "apiVersion": "example.com/v2"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["metadata", "kind", "labels", "response", "a"]), inner)
    ),
    max_leaves=12,
)


def review(*objects: Json, version: str = "v1") -> Review:
    return Review(version=version, uid="u", wanted="example.com/v2", objects=objects or [OLD])


def answer(*objects: Any, **response: Any) -> bytes:
    facts = {"uid": "u", "result": {"status": "Success"}, "convertedObjects": objects, **response}
    head = {"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1"}
    return msgspec.json.encode({**head, "response": facts})


def test_what_is_asked() -> None:
    assert msgspec.json.decode(review(version="v1beta1").body()) == {
        "kind": "ConversionReview",
        "apiVersion": "apiextensions.k8s.io/v1beta1",
        "request": {"uid": "u", "desiredAPIVersion": "example.com/v2", "objects": [OLD]},
    }


def test_labels_and_annotations_are_the_webhooks_all_else_is_kept() -> None:
    meta = {**META, "labels": {"n": "2"}, "annotations": {"x": "y"}, "generation": 9, "odd": 1}
    (found,) = review().converted(answer({**NEW, "metadata": meta, "spec": 1}))
    kept = {"name": "a", "namespace": "b", "uid": "c", "generation": 3}
    changed = {"labels": {"n": "2"}, "annotations": {"x": "y"}}
    assert found == {**NEW, "metadata": {**kept, **changed}, "spec": 1}
    assert list(found)[:2] == ["apiVersion", "kind"]


def test_labels_that_are_left_out_are_gone() -> None:
    assert restored(META, {"labels": None}) == restored(META, {})
    assert "labels" not in restored(META, {})


def test_the_older_review_needs_no_uid() -> None:
    body = answer(NEW, uid="other")
    assert review(version="v1beta1").converted(body) == [NEW]
    with pytest.raises(StatusError, match='expected response.uid="u", got "other"'):
        review().converted(body)


@settings(max_examples=60)
@given(JSON)
def test_any_object_is_taken_or_refused(value: Any) -> None:
    for body in (answer(value), msgspec.json.encode(value), answer({**NEW, "metadata": value})):
        try:
            (found,) = review().converted(body)
        except StatusError as error:
            assert (error.code, error.reason) == (500, "InternalError")
        else:
            assert {found["metadata"][name] for name in ("name", "namespace", "uid")} == set("abc")


@settings(max_examples=60)
@given(st.binary(max_size=40))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(StatusError, match="conversion webhook for example.com/v1, Kind=Widget"):
        review().converted(body)
