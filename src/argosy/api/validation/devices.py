"""The rules of `resource.k8s.io`: claims, their templates, classes of devices, taint rules.

What is well formed is taken; whether a scheduler can satisfy it is the scheduler's to say. Slices
are in `deviceslices`, allocations in `allocations`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from argosy.api import names
from argosy.api.dra import plain_driver
from argosy.api.validation import allocations, deviceslices, resources
from argosy.api.validation.conditions import conditions
from argosy.api.validation.deviceparts import (
    EFFECTS,
    REQUEST_NAMES,
    configuration,
    full_attribute,
    pool_name,
    request_names,
    request_references,
    taint,
)
from argosy.api.validation.fields import (
    NEEDED,
    Table,
    each,
    fields,
    items_at_most,
    one_of,
    together,
    unique_by,
    unless_empty,
)
from argosy.api.validation.formats import driver
from argosy.api.validation.rule import Json, Rule, immutable, of_part
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)

Errors = Iterator[FieldError]
Part = Callable[[Any, str], Iterable[FieldError]]

LONGEST = 10 * 1024
LONGEST_TOGETHER = 20_000

MODES = ("All", "ExactCount")
ONE_FORM = "exactly one of `exactly` or `firstAvailable` is required"
ONE_ATTRIBUTE = (
    'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are '
    "set"
)


def _toleration(toleration: Json, path: str) -> Errors:
    operator, value = toleration.get("operator") or "", toleration.get("value") or ""
    field = f"{path}.value"
    if operator == "Exists":
        if value:
            yield invalid_value(field, value, "must be empty for operator `Exists`")
    elif operator == "Equal":
        yield from (invalid_value(field, value, text) for text in names.label_value_faults(value))
    elif operator:
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    else:
        yield required(f"{path}.operator")


def _count(request: Json, path: str) -> Errors:
    mode, count = request.get("allocationMode") or "", request.get("count") or 0
    if mode == "All":
        if count:
            detail = "must not be specified when allocationMode is 'All'"
            yield invalid_value(f"{path}.count", count, detail)
    elif mode == "ExactCount":
        if count <= 0:
            yield invalid_value(f"{path}.count", count, "must be greater than zero")
    else:
        yield not_supported(f"{path}.allocationMode", mode, MODES)


def _request(request: Json, path: str) -> Errors:
    yield from names.label(request["name"], f"{path}.name")
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable")
    if exactly is not None and alternatives:
        yield invalid_value(path, None, f"{ONE_FORM}, but multiple fields are set")
    elif exactly is not None:
        yield from WANTED(exactly, f"{path}.exactly")
    elif alternatives:
        yield from ALTERNATIVES(request, path)
    else:
        yield required(path, ONE_FORM)


def _claim(claim: Json, path: str) -> Errors:
    yield from REQUESTS(claim, path)
    known = request_names(claim)
    for i, constraint in enumerate(claim.get("constraints") or ()):
        yield from _constraint(constraint, f"{path}.constraints[{i}]", known)
    for i, entry in enumerate(claim.get("config") or ()):
        yield from configuration(entry, f"{path}.config[{i}]", known)


def _constraint(constraint: Json, path: str, known: frozenset[str]) -> Errors:
    yield from request_references(constraint.get("requests") or (), f"{path}.requests", known)
    for name in ("matchAttribute", "distinctAttribute"):
        if (attribute := constraint.get(name)) is not None:
            yield from full_attribute(attribute, f"{path}.{name}")
            return
    yield required(path, ONE_ATTRIBUTE)


def _extended_resource(name: str, path: str) -> Errors:
    if not resources.is_extended(name):
        yield invalid_value(path, name, "must be a valid extended resource name")


def _expression(text: str, path: str) -> Errors:
    if len(text.encode()) > LONGEST:
        yield too_long(path, LONGEST)
    elif plain_driver(text) is None:
        from argosy.api.cel.devices import SelectorError, selector  # seldom, and large

        try:
            selector(text)
        except SelectorError as error:
            words = str(error)
            yield forbidden_field(path, words) if error.dear else invalid_value(path, text, words)


def _bounded(rule: Part) -> Part:
    """`rule`, unless the selectors below are so long together that reading them takes seconds."""

    def judged(value: Json, path: str) -> Iterable[FieldError]:
        if _length(value) > LONGEST_TOGETHER:
            words = f"selectors may have at most {LONGEST_TOGETHER} characters together"
            return [forbidden_field(path, words)]
        return rule(value, path)

    return judged


def _length(value: Any) -> int:
    """Characters of all expressions in a claim or a class."""
    if isinstance(value, list):
        return sum(map(_length, value))
    if not isinstance(value, dict):
        return 0
    own = value.get("expression")
    return (len(own) if isinstance(own, str) else 0) + sum(map(_length, value.values()))


SELECTORS: Table = {
    "selectors": items_at_most(32),
    "selectors[].cel": NEEDED,
    "selectors[].cel.expression": _expression,
}
TOLERATION = together(
    fields({"key": unless_empty(names.qualified), "effect": unless_empty(one_of(*EFFECTS))}),
    _toleration,
)
WANTED = together(
    fields(
        {
            "deviceClassName": (NEEDED, names.subdomain),
            **SELECTORS,
            "tolerations[]": TOLERATION,
        }
    ),
    _count,
)
ALTERNATIVES = fields(
    {
        "firstAvailable": (
            items_at_most(8),
            together(each(fields({"name": names.label})), each(WANTED), unique_by("name")),
        )
    }
)
REQUESTS = fields(
    {
        "requests": (items_at_most(REQUEST_NAMES), together(each(_request), unique_by("name"))),
        "constraints": items_at_most(32),
        "config": items_at_most(32),
    }
)
CLAIM_SPEC = fields({"devices": _bounded(_claim)})
TEMPLATE_SPEC = fields(
    {"metadata.labels": names.labels, "metadata.annotations": names.annotations, "spec": CLAIM_SPEC}
)
CLASS_SPEC = _bounded(
    fields(
        {
            **SELECTORS,
            "config": items_at_most(32),
            "config[]": lambda entry, path: configuration(entry, path, None),
            "extendedResourceName": _extended_resource,
        }
    )
)
TAINT_RULE = fields(
    {
        "deviceSelector.driver": driver,
        "deviceSelector.pool": pool_name,
        "deviceSelector.device": names.label,
        "taint": taint,
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "DeviceClass": (of_part("spec", CLASS_SPEC),),
    "DeviceTaintRule": (
        of_part("spec", TAINT_RULE),
        of_part("status", fields({"conditions": (items_at_most(8), conditions)})),
    ),
    "ResourceClaim": (of_part("spec", CLAIM_SPEC), immutable("spec"), allocations.status),
    "ResourceClaimTemplate": (of_part("spec", TEMPLATE_SPEC), immutable("spec")),
    "ResourceSlice": deviceslices.RULES,
}
