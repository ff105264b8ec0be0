"""Formats of strings: what Kubernetes checks of the names that a schema may give under `format`.

A format that is not here is only told to people: nothing is checked. Hyphens in a format's name do
not count.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from argosy.api.structural import is_base64, is_time

Test = Callable[[str], bool]

_HEX = "[0-9a-fA-F]"
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def _matching(text: str) -> Test:
    found = re.compile(text, re.ASCII)
    return lambda value: found.fullmatch(value) is not None


def _uuid(version: str = f"{_HEX}", variant: str = f"{_HEX}") -> Test:
    return _matching(
        f"{_HEX}{{8}}-?{_HEX}{{4}}-?{version}{_HEX}{{3}}-?{variant}{_HEX}{{3}}-?{_HEX}{{12}}"
    )


def _reads(parse: Callable[[str], object]) -> Test:
    def test(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return test


def _cidr(value: str) -> object:
    if "/" not in value or "." in value.partition("/")[2]:
        raise ValueError(value)
    return ipaddress.ip_interface(value)


def _uri(value: str) -> bool:
    """An absolute URI or path."""
    if not value or any(char <= " " or char == "\x7f" for char in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) or value.startswith("/")


def _email(value: str) -> bool:
    address = value.rpartition("<")[2].removesuffix(">").strip()
    return re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", address) is not None


def _hostname(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    return len(value) <= 255 and all(
        re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?", label) for label in labels
    )


def _isbn10(value: str) -> bool:
    digits = re.sub(r"[\s-]", "", value)
    if re.fullmatch(r"[0-9]{9}[0-9X]", digits) is None:
        return False
    weights = (10 if char == "X" else int(char) for char in digits)
    return sum(weight * (10 - at) for at, weight in enumerate(weights)) % 11 == 0


def _isbn13(value: str) -> bool:
    digits = re.sub(r"[\s-]", "", value)
    if re.fullmatch(r"[0-9]{13}", digits) is None:
        return False
    return sum(int(char) * (3 if at % 2 else 1) for at, char in enumerate(digits)) % 10 == 0


def _card(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    known = (
        r"4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|6(011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
        r"|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35[0-9]{3})[0-9]{11}"
    )
    return re.fullmatch(known, digits) is not None


def _ipv4(value: str) -> object:
    return ipaddress.IPv4Address(value)


def _ipv6(value: str) -> object:
    if "%" in value:
        raise ValueError(value)
    return ipaddress.IPv6Address(value)


def _date(value: str) -> object:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        raise ValueError(value)
    return date.fromisoformat(value)


_DURATION = _matching(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)")
_WORDS = _matching(
    r"\s*[0-9]+\s*(ns|nanos?(econds?)?|us|µs|micros?(econds?)?|ms|millis?(econds?)?"
    r"|s|sec(ond)?s?|m|min(ute)?s?|h|hr|hours?|d|days?|w|wk|weeks?)\s*"
)

FORMATS: Mapping[str, Test] = {
    "bsonobjectid": _matching(f"{_HEX}{{24}}"),
    "uri": _uri,
    "email": _email,
    "hostname": _hostname,
    "ipv4": _reads(_ipv4),
    "ipv6": _reads(_ipv6),
    "cidr": _reads(_cidr),
    "mac": _matching(
        f"({_HEX}{{2}}([-:]{_HEX}{{2}}){{5}}(([-:]{_HEX}{{2}}){{2}}(([-:]{_HEX}{{2}}){{12}})?)?"
        rf"|{_HEX}{{4}}(\.{_HEX}{{4}}){{2}}(\.{_HEX}{{4}}(\.{_HEX}{{4}}){{0,6}})?)"
    ),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
    "isbn": lambda value: _isbn10(value) or _isbn13(value),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "creditcard": _card,
    "ssn": _matching(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}"),
    "hexcolor": _matching(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "rgbcolor": _matching(r"rgb\((\s*(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\s*,){2}\s*\d{1,3}\s*\)"),
    "byte": is_base64,
    "password": lambda value: True,
    "date": _reads(_date),
    "duration": lambda value: _DURATION(value) or _WORDS(value),
    "datetime": is_time,
    "k8sshortname": lambda value: len(value) <= 63 and _matching(_LABEL)(value),
    "k8slongname": lambda value: len(value) <= 253 and _matching(rf"{_LABEL}(\.{_LABEL})*")(value),
}


def format_test(name: str) -> Test | None:
    """What tests a string of that format; None where nothing is checked."""
    return FORMATS.get(name.replace("-", ""))
