"""Access reviews and token requests: what a question must look like to be answered."""

from collections.abc import Callable
from typing import Any

from argosy.api import names
from argosy.api.validation.rule import Errors, Json
from argosy.base.errors import forbidden_field, invalid_value, required

SHORTEST = 10 * 60
LONGEST = 2**32
NEEDS_VALUES = "must be specified when `operator` is 'In' or 'NotIn'"
NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
_UNKEPT = frozenset(
    {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "uid", "selfLink"}
)
"""Metadata that is nobody's to send: dropped before anything is looked at."""


def token_request(request: Json) -> Errors:
    """How long a token may be good for."""
    seconds = request["spec"]["expirationSeconds"]
    path = "spec.expirationSeconds"
    if seconds < SHORTEST:
        yield invalid_value(path, seconds, "may not specify a duration less than 10 minutes")
    if seconds > LONGEST:
        yield invalid_value(path, seconds, "may not specify a duration larger than 2^32 seconds")


def subject_access_review(review: Json) -> Errors:
    """A question about somebody, in any namespace."""
    yield from _spec_of_other(review["spec"])
    yield from _bare(review, "must be empty")


def self_subject_access_review(review: Json) -> Errors:
    """A question about whoever asks."""
    spec = review["spec"]
    yield from _one_kind(spec)
    yield from _attributes(spec)
    yield from _bare(review, "must be empty")


def local_subject_access_review(review: Json) -> Errors:
    """A question about somebody, in the namespace of the request."""
    spec, meta = review["spec"], review["metadata"]
    yield from _spec_of_other(spec)
    yield from _bare(review, "must be empty except for namespace", "namespace")
    asked = spec.get("resourceAttributes")
    if asked is not None and (asked.get("namespace") or "") != meta.get("namespace", ""):
        path = "spec.resourceAttributes.namespace"
        yield invalid_value(path, asked.get("namespace") or "", "must match metadata.namespace")
    if (other := spec.get("nonResourceAttributes")) is not None:
        yield invalid_value(
            "spec.nonResourceAttributes", other, "disallowed on this kind of request"
        )


def _spec_of_other(spec: Json) -> Errors:
    yield from _one_kind(spec)
    if not spec.get("user") and not spec.get("groups"):
        detail = "at least one of user or group must be specified"
        yield invalid_value("spec.user", spec.get("user") or "", detail)
    yield from _attributes(spec)


def _one_kind(spec: Json) -> Errors:
    of_resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if of_resource is not None and other is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        yield invalid_value("spec.nonResourceAttributes", other, detail)
    if of_resource is None and other is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid_value("spec.resourceAttributes", "null", detail)


def _attributes(spec: Json) -> Errors:
    asked = spec.get("resourceAttributes") or {}
    path = "spec.resourceAttributes"
    yield from _selector(asked.get("fieldSelector"), f"{path}.fieldSelector", _field_term)
    yield from _selector(asked.get("labelSelector"), f"{path}.labelSelector", _label_term)


def _selector(selector: Json | None, path: str, term: Callable[[Json, str], Errors]) -> Errors:
    if selector is None:
        return
    raw, terms = selector.get("rawSelector"), selector.get("requirements") or ()
    if raw and terms:
        detail = "may not specified at the same time as requirements"
        yield invalid_value(f"{path}.rawSelector", raw, detail)
    if not raw and not terms:
        detail = f"when {path} is specified, requirements or rawSelector is required"
        yield required(f"{path}.requirements", detail)
    for i, item in enumerate(terms):
        yield from term(item, f"{path}.requirements[{i}]")


def _field_term(term: Json, path: str) -> Errors:
    if not term.get("key"):
        yield required(f"{path}.key", "must be specified")
    yield from _values(term, path)


def _label_term(term: Json, path: str) -> Errors:
    yield from _values(term, path)
    yield from names.qualified(term.get("key") or "", f"{path}.key")
    for i, value in enumerate(term.get("values") or ()):
        for fault in names.label_value_faults(value):
            yield invalid_value(f"{path}.values[{i}]", value, fault)


def _values(term: Json, path: str) -> Errors:
    """Operators that nobody knows yet are let through: newer clients may ask about them."""
    operator, values = term.get("operator"), term.get("values")
    if operator in ("In", "NotIn") and not values:
        yield required(f"{path}.values", NEEDS_VALUES)
    if operator in ("Exists", "DoesNotExist") and values:
        yield forbidden_field(f"{path}.values", NO_VALUES)


def _bare(review: Json, detail: str, *allowed: str) -> Errors:
    kept: dict[str, Any] = {
        key: value
        for key, value in review["metadata"].items()
        if key not in _UNKEPT and key != "managedFields" and value not in ("", None, [], {})
    }
    if kept.keys() - set(allowed):
        yield invalid_value("metadata", kept, detail)
