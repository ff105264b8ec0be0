"""Kubernetes' own values: quantities, semantic versions and named formats."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from argosy.api import names
from argosy.api.cel.dispatch import Function, overloads
from argosy.api.cel.lib_net import parse_url
from argosy.api.cel.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    CelError,
    Optional,
    parse_timestamp,
)
from argosy.base import quantity


@dataclass(frozen=True, slots=True)
class Quantity:
    """`quantity('1.5Gi')`, equal by amount."""

    cel_type: ClassVar[str] = "kubernetes.Quantity"
    amount: Decimal


def _quantity(text: str) -> Quantity:
    try:
        return Quantity(quantity.parse(text))
    except ValueError as error:
        raise CelError(str(error)) from None


def _sign(value: Quantity) -> int:
    return (value.amount > 0) - (value.amount < 0)


def _is_integer(value: Quantity) -> bool:
    whole = value.amount == value.amount.to_integral_value()
    return whole and INT_MIN <= value.amount <= INT_MAX


def _as_integer(value: Quantity) -> int:
    if not _is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(value.amount)


@dataclass(frozen=True, slots=True)
class Semver:
    """`semver('1.2.3-rc.1')`; what follows a plus is kept out of comparisons."""

    cel_type: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    def key(self) -> tuple[Any, ...]:
        """By which versions are ordered: a pre-release comes before its release."""
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre)
        return (*self.numbers, not self.pre, parts)


_NUMBER: Final = r"(0|[1-9]\d{0,18})"
_IDENTIFIER: Final = r"(?:0|[1-9]\d{0,18}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_LONGEST_VERSION: Final = 256
_LONGEST_NAME: Final = 512


def semver(text: str, normalize: bool = False) -> Semver:
    plain = _normalized(text) if normalize else text
    found = _SEMVER.fullmatch(plain) if len(plain) <= _LONGEST_VERSION else None
    if found is None:
        raise CelError(f"Invalid semantic version: {text[:64]!r}")
    major, minor, patch = (int(found[at]) for at in (1, 2, 3))
    return Semver((major, minor, patch), tuple(found[4].split(".")) if found[4] else ())


def _normalized(text: str) -> str:
    """Without a leading v and leading zeros, and with all three numbers."""
    head = re.match(r"[^-+]*", text.removeprefix("v"))
    numbers = head.group() if head else ""
    rest = text.removeprefix("v")[len(numbers) :]
    parts = [part.lstrip("0") or "0" if part else part for part in numbers.split(".")]
    if len(parts) < 3 and not rest:
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts) + rest


def _compare(one: Any, other: Any) -> int:
    left = one.amount if isinstance(one, Quantity) else one.key()
    right = other.amount if isinstance(other, Quantity) else other.key()
    return int(left > right) - int(left < right)


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """`format.dns1123Label()`."""

    cel_type: ClassVar[str] = "kubernetes.NamedFormat"
    name: str


def _old_label_faults(text: str) -> list[str]:
    faults = [] if names.OLD_LABEL.fullmatch(text) else [names.OLD_LABEL_RULE]
    if len(text) > 63:
        faults.insert(0, "must be no more than 63 characters")
    return faults


def _prefix(faults: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """A name's beginning may end with the dash that generateName continues."""
    return lambda text: faults(f"{text[:-1]}a" if text.endswith("-") else text)


def _failing(test: Callable[[str], Any], fault: str) -> Callable[[str], list[str]]:
    def faults(text: str) -> list[str]:
        try:
            return [] if test(text) else [fault]
        except (CelError, ValueError):
            return [fault]

    return faults


_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

_FORMATS: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "dns1123Label": names.label_faults,
    "dns1123Subdomain": names.subdomain_faults,
    "dns1035Label": _old_label_faults,
    "qualifiedName": names.qualified_faults,
    "dns1123LabelPrefix": _prefix(names.label_faults),
    "dns1123SubdomainPrefix": _prefix(names.subdomain_faults),
    "dns1035LabelPrefix": _prefix(_old_label_faults),
    "labelValue": names.label_value_faults,
    "uri": _failing(parse_url, "invalid URI for request"),
    "uuid": _failing(_UUID.fullmatch, "does not match the UUID format"),
    "byte": _failing(lambda a: base64.b64decode(a, validate=True) or not a, "invalid base64"),
    "date": _failing(lambda a: len(a) == 10 and parse_timestamp(a), "invalid date"),
    "datetime": _failing(lambda a: len(a) > 10 and parse_timestamp(a), "invalid datetime"),
}


def _validated(kind: NamedFormat, text: str) -> Optional:
    if not kind.name.islower():  # a name's format: longer than any name, and so at fault anyhow
        text = text[:_LONGEST_NAME]
    faults = _FORMATS[kind.name](text)
    return Optional(faults) if faults else NONE


def _named(name: str) -> Optional:
    return Optional(NamedFormat(name)) if name in _FORMATS else NONE


def _valid(parse: Callable[..., Any]) -> Callable[..., bool]:
    def test(*operands: Any) -> bool:
        try:
            parse(*operands)
        except CelError:
            return False
        return True

    return test


def _constant(name: str) -> Function:
    return lambda _: NamedFormat(name)


def _relation(test: Callable[[int], Any]) -> Function:
    return overloads(
        ((Quantity, Quantity), lambda a, b: test(_compare(a, b))),
        ((Semver, Semver), lambda a, b: test(_compare(a, b))),
    )


FUNCTIONS: Final[Mapping[str, Function]] = {
    "quantity": overloads(((str,), _quantity)),
    "isQuantity": overloads(((str,), _valid(_quantity))),
    "sign": overloads(((Quantity,), _sign)),
    "isInteger": overloads(((Quantity,), _is_integer)),
    "asInteger": overloads(((Quantity,), _as_integer)),
    "asApproximateFloat": overloads(((Quantity,), lambda a: float(a.amount))),
    "add": overloads(
        ((Quantity, Quantity), lambda a, b: Quantity(a.amount + b.amount)),
        ((Quantity, int), lambda a, b: Quantity(a.amount + b)),
    ),
    "sub": overloads(
        ((Quantity, Quantity), lambda a, b: Quantity(a.amount - b.amount)),
        ((Quantity, int), lambda a, b: Quantity(a.amount - b)),
    ),
    "isGreaterThan": _relation(lambda order: order > 0),
    "isLessThan": _relation(lambda order: order < 0),
    "compareTo": _relation(lambda order: order),
    "semver": overloads(((str,), semver), ((str, bool), semver)),
    "isSemver": overloads(((str,), _valid(semver)), ((str, bool), _valid(semver))),
    "major": overloads(((Semver,), lambda a: a.numbers[0])),
    "minor": overloads(((Semver,), lambda a: a.numbers[1])),
    "patch": overloads(((Semver,), lambda a: a.numbers[2])),
    "format.named": overloads(((str,), _named)),
    "validate": overloads(((NamedFormat, str), _validated)),
    **{f"format.{name}": _constant(name) for name in _FORMATS},
}
