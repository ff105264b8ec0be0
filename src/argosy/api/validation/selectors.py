"""Label selectors, node selectors and scope: what they must look like, and what they match."""

from argosy.api import names
from argosy.api.validation.rule import Errors, Json
from argosy.base.errors import forbidden_field, invalid_value, required
from argosy.base.selectors import Requirement, Selector

NEEDS_VALUES = "must be specified when `operator` is 'In' or 'NotIn'"
NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
BAD_OPERATOR = "not a valid selector operator"
SET_OPERATORS = ("In", "NotIn")
EXISTENCE = ("Exists", "DoesNotExist")
MISMATCH = "`selector` does not match template `labels`"


def label_selector(selector: Json | None, path: str) -> Errors:
    """A label selector, if there is one."""
    if not selector:
        return
    yield from names.labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for i, term in enumerate(selector.get("matchExpressions") or ()):
        field = f"{path}.matchExpressions[{i}]"
        yield from _values(term, field)
        yield from names.qualified(term["key"], f"{field}.key")
        yield from _label_values(term, field)


def _values(term: Json, field: str) -> Errors:
    values, operator = term.get("values") or (), term["operator"]
    if operator in SET_OPERATORS:
        if not values:
            yield required(f"{field}.values", NEEDS_VALUES)
    elif operator in EXISTENCE:
        if values:
            yield forbidden_field(f"{field}.values", NO_VALUES)
    else:
        yield invalid_value(f"{field}.operator", operator, BAD_OPERATOR)


def _label_values(term: Json, field: str) -> Errors:
    for i, value in enumerate(term.get("values") or ()):
        for fault in names.label_value_faults(value):
            yield invalid_value(f"{field}.values[{i}]", value, fault)


def is_empty(selector: Json) -> bool:
    """Whether the selector selects everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def parsed(selector: Json | None) -> Selector | None:
    """The selector, ready to match; None where it can't be read."""
    selector = selector or {}
    terms = [
        Requirement(key, "In", frozenset({value}))
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for term in selector.get("matchExpressions") or ():
        operator, values = term["operator"], frozenset(term.get("values") or ())
        if operator not in (*SET_OPERATORS, *EXISTENCE):
            return None
        if bool(values) is (operator in EXISTENCE):
            return None
        terms.append(Requirement(term["key"], operator, values))
    return Selector(tuple(terms))


def node_selector(selector: Json, path: str) -> Errors:
    """Terms of which one must hold."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        detail = "must have at least one node selector term"
        yield required(f"{path}.nodeSelectorTerms", detail)
    for i, term in enumerate(terms):
        yield from node_term(term, f"{path}.nodeSelectorTerms[{i}]")


def node_term(term: Json, path: str, *, strict: bool = True) -> Errors:
    """One term. A preferred one (not `strict`) may have values that no label can have."""
    for i, condition in enumerate(term.get("matchExpressions") or ()):
        field = f"{path}.matchExpressions[{i}]"
        yield from _node_condition(condition, field)
        yield from names.qualified(condition["key"], f"{field}.key")
        if strict:
            yield from _label_values(condition, field)
    for i, condition in enumerate(term.get("matchFields") or ()):
        yield from _node_field(condition, f"{path}.matchFields[{i}]")


def _node_condition(condition: Json, field: str) -> Errors:
    if condition["operator"] not in ("Gt", "Lt"):
        yield from _values(condition, field)
    elif len(condition.get("values") or ()) != 1:
        detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        yield required(f"{field}.values", detail)


def _node_field(condition: Json, field: str) -> Errors:
    values = condition.get("values") or ()
    if condition["operator"] not in SET_OPERATORS:
        yield invalid_value(f"{field}.operator", condition["operator"], BAD_OPERATOR)
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{field}.values", detail)
    if condition["key"] != "metadata.name":
        yield invalid_value(f"{field}.key", condition["key"], "not a valid field selector key")
        return
    for i, value in enumerate(values):
        yield from names.subdomain(value, f"{field}.values[{i}]")
