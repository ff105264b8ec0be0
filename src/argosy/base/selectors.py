"""Label and field selectors: parsed once, then matched against plain mappings.

Source: Kubernetes' "Labels and Selectors" and "Field Selectors".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_TERM = re.compile(
    rf"\s*(?:(?P<absent>!\s*{_KEY})"
    rf"|(?P<key>{_KEY})(?:\s*(?P<equal>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*"
)
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one key."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` satisfy this condition."""
        present = self.key in labels
        if self.operator == "In":
            return present and labels[self.key] in self.values
        if self.operator == "NotIn":
            return not present or labels[self.key] not in self.values
        return present is (self.operator == "Exists")


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` satisfy every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)


EVERYTHING = Selector()


def parse_labels(text: str) -> Selector:
    """Read `a=b,c!=d,e in (f,g),h,!i`. Raises ValueError."""
    _bounded(text)
    requirements = []
    position = 0
    while text.strip():
        match = _TERM.match(text, position)
        if match is None:
            raise ValueError(f"unable to parse requirement: {text[position : position + 64]!r}")
        requirements.append(_requirement(match))
        position = match.end()
        if position == len(text):
            break
        if text[position] != ",":
            raise ValueError(f"unable to parse requirement: {text[position : position + 64]!r}")
        position += 1
    return Selector(tuple(requirements))


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["absent"][1:].strip(), "DoesNotExist")
    if match["equal"]:
        operator: Operator = "NotIn" if match["equal"] == "!=" else "In"
        return Requirement(match["key"], operator, frozenset({match["value"] or ""}))
    if match["set"]:
        values = frozenset(value.strip() for value in match["values"].split(","))
        if not match["values"].strip():
            raise ValueError("for 'in', 'notin' operators, values set can't be empty")
        if wrong := sorted(value for value in values if not re.fullmatch(_VALUE, value)):
            raise ValueError(f"unable to parse requirement: values: Invalid value: {wrong[0]!r}")
        return Requirement(match["key"], "In" if match["set"] == "in" else "NotIn", values)
    return Requirement(match["key"], "Exists")


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """`path=value`, or `path!=value` where `equal` is false."""

    path: tuple[str, ...]
    value: str
    equal: bool


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All terms must hold; an absent field reads as the empty string."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether the decoded object satisfies every term."""
        return all((_at(obj, term.path) == term.value) is term.equal for term in self.terms)


def parse_fields(text: str) -> FieldSelector:
    """Read `metadata.name=a,status.phase!=Running`. Raises ValueError."""
    _bounded(text)
    terms = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(==|!=|=)(.*)", part)
        if match is None:
            raise ValueError(f"invalid field selector: {part[:64]!r}")
        terms.append(FieldTerm(tuple(match[1].split(".")), match[3], match[2] != "!="))
    return FieldSelector(tuple(terms))


def _bounded(text: str) -> None:
    if len(text) > _LONGEST:
        raise ValueError(f"the selector is longer than {_LONGEST} bytes")


def _at(obj: Any, path: tuple[str, ...]) -> str:
    for name in path:
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    if isinstance(obj, bool):
        return "true" if obj else "false"
    return "" if obj is None else str(obj)
