"""The rules of admission policies and of their bindings.

What can be told without CEL: expressions must be there, but are not compiled.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from argosy.api import names
from argosy.api.validation.conditions import conditions
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Needed,
    Table,
    each,
    fields,
    one_of,
    together,
    unique,
    unique_by,
)
from argosy.api.validation.formats import old_label_faults, path_segment
from argosy.api.validation.matching import (
    FAILURE_POLICIES,
    changing_only,
    match_conditions,
    match_resources,
)
from argosy.api.validation.rule import Json, Rule, of_part
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import FieldError, forbidden_field, invalid_value, required

Errors = Iterator[FieldError]

IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
RESERVED = frozenset(
    "true false null in as break const continue else for function if import let loop package "
    "namespace return var void while".split()
)
"""What no variable of CEL can be called."""
MOST_ANNOTATIONS = 20
LONGEST_VALUE = 5 * 1024
NOTHING_CHECKED = "validations or auditAnnotations must contain at least one item"
TWICE_TOLD = (
    "must not contain both Deny and Warn (repeating the same validation failure information in "
    "the API response and headers serves no purpose)"
)
EXCLUSIVE = "name and selector are mutually exclusive"
FORMS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
"""What a mutation is told by, by the type of its patch."""


def _needed_text(detail: str = "") -> Check:
    def check(text: str, path: str) -> Errors:
        if not text.strip():
            yield required(path, detail)

    return check


def _api_version(text: str, path: str) -> Errors:
    if text.count("/") > 1:
        yield invalid_value(path, text, f"unexpected GroupVersion string: {text}")
        return
    group, _, version = text.rpartition("/")
    if group and (faults := names.subdomain_faults(group)):
        yield invalid_value(path, group, ",".join(faults))
    if not version:
        yield invalid_value(path, text, "version must be specified")
    elif faults := old_label_faults(version):
        yield invalid_value(path, version, ",".join(faults))


def _kind(text: str, path: str) -> Errors:
    if faults := old_label_faults(text.lower()):
        detail = f"may have mixed case, but should otherwise match: {','.join(faults)}"
        yield invalid_value(path, text, detail)


def _variable_name(text: str, path: str) -> Errors:
    if not text.strip():
        yield required(path, "name is not specified")
    elif not IDENTIFIER.fullmatch(text) or text in RESERVED:
        yield invalid_value(path, text, "must be a valid CEL identifier")


def _message(text: str, path: str) -> Errors:
    if text and not text.strip():
        yield invalid_value(path, text, "must be non-empty if specified")
    elif {"\n", "\r"}.intersection(text.strip()) and path.endswith(".message"):
        yield invalid_value(path, text, "must not contain line breaks")


def _something(spec: Json, path: str) -> Errors:
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        for name in ("validations", "auditAnnotations"):
            yield required(f"{path}.{name}", NOTHING_CHECKED)


def _value_expression(text: str, path: str) -> Errors:
    if not text.strip():
        yield required(path, "valueExpression is not specified")
    elif len(text.strip().encode()) > LONGEST_VALUE:
        yield required(path, f"must not exceed {LONGEST_VALUE} bytes in length")


def _annotation_keys(new: Json, old: Json | None) -> list[FieldError]:
    """A policy's audit annotations are keyed below its own name."""
    found = (new.get("spec") or {}).get("auditAnnotations") or []
    path, errors = "spec.auditAnnotations", []
    if old is not None and found == ((old.get("spec") or {}).get("auditAnnotations") or []):
        return []
    if len(found) > MOST_ANNOTATIONS:
        detail = f"must not have more than {MOST_ANNOTATIONS} auditAnnotations"
        told = [
            {"Key": item["key"], "ValueExpression": item["valueExpression"]} for item in found
        ]  # as upstream's own type has the names
        errors.append(invalid_value(path, told, detail))
    name = new["metadata"].get("name") or ""
    for i, annotation in enumerate(found):
        errors += names.qualified(f"{name}/{annotation['key']}", f"{path}[{i}].key")
    return [*errors, *unique_by("key", at="key")(found, path)]


def _mutation(mutation: Json, path: str) -> Errors:
    kind = mutation["patchType"]
    for other, name in FORMS.items():
        field = f"{path}.{name}"
        if other == kind and name not in mutation:
            yield required(field, f"must be specified when patchType is {kind}")
        elif other == kind:
            yield from EXPRESSION(mutation[name], field)
        elif kind in FORMS and name in mutation:
            detail = f"must not be specified when patchType is {kind}"
            yield invalid_value(field, f"{{{name}}}", detail)


def _parameters(reference: Json, path: str) -> Errors:
    name, selector = reference.get("name"), reference.get("selector")
    if name and selector is not None:
        yield forbidden_field(f"{path}.name", EXCLUSIVE)
        yield forbidden_field(f"{path}.selector", EXCLUSIVE)
    elif not name and selector is None:
        yield required(path, "one of name or selector must be specified")


def _actions(actions: Sequence[str], path: str) -> Errors:
    if {"Deny", "Warn"}.issubset(actions):
        yield invalid_value(path, actions, TWICE_TOLD)


EXPRESSION = fields({"expression": (NEEDED, _needed_text())})
POLICY: Table = {
    "failurePolicy": one_of(*FAILURE_POLICIES),
    "paramKind.apiVersion": (NEEDED, _api_version),
    "paramKind.kind": (NEEDED, _kind),
    "matchConstraints": (Needed(), match_resources),
    "matchConstraints.resourceRules": NEEDED,
    "matchConditions": match_conditions,
    "variables[].name": _variable_name,
    "variables[].expression": _needed_text("expression is not specified"),
}
VALIDATING = together(
    fields(
        {
            **POLICY,
            "validations[].expression": _needed_text("expression is not specified"),
            "validations[].messageExpression": _message,
            "validations[].message": _message,
            "validations[].reason": one_of("Forbidden", "Invalid", "RequestEntityTooLarge"),
            "auditAnnotations[].valueExpression": _value_expression,
        }
    ),
    _something,
)
MUTATING = fields(
    {
        **POLICY,
        "matchConstraints": (Needed(), together(match_resources, changing_only)),
        "mutations": Needed("mutations must contain at least one item"),
        "mutations[].patchType": (NEEDED, one_of(*FORMS)),
        "mutations[]": _mutation,
        "reinvocationPolicy": (NEEDED, one_of("IfNeeded", "Never")),
    }
)
BINDING: Table = {
    "policyName": (NEEDED, names.subdomain),
    "paramRef": _parameters,
    "paramRef.name": path_segment,
    "paramRef.selector": label_selector,
    "paramRef.parameterNotFoundAction": (NEEDED, one_of("Deny", "Allow")),
    "matchResources": match_resources,
}
VALIDATING_BINDING = fields(
    {
        **BINDING,
        "validationActions": (
            Needed("at least one validation action is required"),
            together(each(one_of("Audit", "Deny", "Warn")), unique, _actions),
        ),
    }
)
MUTATING_BINDING = fields({**BINDING, "matchResources": together(match_resources, changing_only)})
STATUS = fields(
    {
        "typeChecking.expressionWarnings[].warning": NEEDED,
        "typeChecking.expressionWarnings[].fieldRef": NEEDED,
        "conditions": conditions,
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "MutatingAdmissionPolicy": (of_part("spec", MUTATING),),
    "MutatingAdmissionPolicyBinding": (of_part("spec", MUTATING_BINDING),),
    "ValidatingAdmissionPolicy": (
        of_part("spec", VALIDATING),
        _annotation_keys,
        of_part("status", STATUS),
    ),
    "ValidatingAdmissionPolicyBinding": (of_part("spec", VALIDATING_BINDING),),
}
