"""The selectors of an access review: what of them can be read, and what is said of the rest.

A term that can't be read is left out, which asks for more than was meant and so allows no less than
it should. Source: kube-apiserver's access reviews (KEP-4601).
"""

from typing import Any, get_args

from argosy.api.names import label_value_faults, qualified_faults
from argosy.base.selectors import (
    EVERYTHING,
    FieldSelector,
    FieldTerm,
    Operator,
    Requirement,
    Selector,
    parse_fields,
    parse_labels,
)

Json = dict[str, Any]
_PATH = "spec.resourceAttributes"
_WITH_VALUES = ("In", "NotIn")


def labels_asked(selector: Json | None) -> tuple[Selector, str]:
    """A label selector, and what is to be said of it, if anything."""
    terms = (selector or {}).get("requirements") or ()
    raw = (selector or {}).get("rawSelector") or ""
    if not terms:
        try:
            return parse_labels(raw), ""
        except ValueError:
            return EVERYTHING, _ignored("labelSelector", partly=False)
    read = tuple(term for item in terms if (term := _requirement(item)) is not None)
    whole = len(read) == len(terms)
    return Selector(read), "" if whole else _ignored("labelSelector", partly=bool(read))


def fields_asked(selector: Json | None) -> tuple[FieldSelector, str]:
    """A field selector, and what is to be said of it, if anything."""
    terms = (selector or {}).get("requirements") or ()
    raw = (selector or {}).get("rawSelector") or ""
    if not terms:
        try:
            return parse_fields(raw), ""
        except ValueError:
            return FieldSelector(), _ignored("fieldSelector", partly=False)
    read = tuple(term for item in terms if (term := _field_term(item)) is not None)
    whole = len(read) == len(terms)
    return FieldSelector(read), "" if whole else _ignored("fieldSelector", partly=bool(read))


def _requirement(term: Json) -> Requirement | None:
    key, operator, values = _parts(term)
    known: tuple[Operator, ...] = get_args(Operator)
    found = next((item for item in known if item == operator), None)
    if found is None or bool(values) is not (operator in _WITH_VALUES):
        return None
    if qualified_faults(key) or any(label_value_faults(value) for value in values):
        return None
    return Requirement(key, found, frozenset(values))


def _field_term(term: Json) -> FieldTerm | None:
    key, operator, values = _parts(term)
    if operator not in _WITH_VALUES or len(values) != 1:
        return None
    return FieldTerm(tuple(key.split(".")), values[0], operator == "In")


def _parts(term: Json) -> tuple[str, str, list[str]]:
    return term.get("key") or "", term.get("operator") or "", term.get("values") or []


def _ignored(name: str, *, partly: bool) -> str:
    return f"{_PATH}.{name} {'partially ' * partly}ignored due to parse error"
