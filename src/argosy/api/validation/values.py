"""Checks of single values: numbers, ports, percentages, addresses, paths, keys, amounts.

Each gives the errors of one value at one path, in Kubernetes' words.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from argosy.api import names
from argosy.api.validation.rule import NEGATIVE, Errors
from argosy.base import quantity
from argosy.base.errors import invalid_value, required

Amount = str | int | float

NOT_POSITIVE = "must be greater than zero"
PORT_RANGE = "must be between 1 and 65535, inclusive"
PROTOCOLS = ("SCTP", "TCP", "UDP")
FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
PORT_NAME = re.compile(r"(?!.{16})(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
LARGEST_ID = 2**31 - 1
FIRST_OF_PODS = bytes((127, 64))
PERCENT = re.compile(r"[0-9]+%")
PERCENT_RULE = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
CONFIG_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
    "'[-._a-zA-Z0-9]+')"
)
ENV_NAME_RULE = (
    "a valid environment variable name must consist only of printable ASCII characters other "
    "than '='"
)
HEADER = re.compile(r"[-A-Za-z0-9]+")
HEADER_RULE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
    "regex used for validation is '[-A-Za-z0-9]+')"
)
HTTP_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def nonnegative(path: str, value: int | None) -> Errors:
    """A number that is not below zero, if there."""
    if value is not None and value < 0:
        yield invalid_value(path, value, NEGATIVE)


def port(path: str, value: int) -> Errors:
    """A port's number."""
    if not 0 < value < 65536:
        yield invalid_value(path, value, PORT_RANGE)


def port_name_faults(name: str) -> list[str]:
    """What keeps `name` from being a port's name."""
    if PORT_NAME.fullmatch(name):
        return []
    found = (
        (len(name) > 15, "must be no more than 15 characters"),
        (
            not re.fullmatch(r"[-a-z0-9]+", name),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (not re.search("[a-z]", name), "must contain at least one letter (a-z)"),
        ("--" in name, "must not contain consecutive hyphens"),
        (name[:1] == "-" or name[-1:] == "-", "must not begin or end with a hyphen"),
    )
    return [text for wrong, text in found if wrong]


def port_or_name(path: str, value: int | str) -> Errors:
    """A port by number or by name."""
    if isinstance(value, int):
        yield from port(path, value)
        return
    for fault in port_name_faults(value):
        yield invalid_value(path, value, fault)


def count_or_percent(path: str, value: int | str | None) -> Errors:
    """A number that is not below zero, or a percentage."""
    if isinstance(value, int):
        yield from nonnegative(path, value)
    elif isinstance(value, str) and not PERCENT.fullmatch(value):
        yield invalid_value(path, value, PERCENT_RULE)


def share(value: int | str | None) -> int:
    """The number in a number or percentage; 0 where it is neither."""
    if isinstance(value, str):
        return int(value[:-1]) if PERCENT.fullmatch(value) else 0
    return value or 0


def not_above_all(path: str, value: int | str | None) -> Errors:
    """A percentage of at most a hundred."""
    if isinstance(value, str) and share(value) > 100:
        yield invalid_value(path, value, "must not be greater than 100%")


def identity(path: str, value: int | None) -> Errors:
    """A user's or a group's number."""
    if value is not None and not 0 <= value <= LARGEST_ID:
        yield invalid_value(path, value, f"must be between 0 and {LARGEST_ID}, inclusive")


def file_mode(path: str, value: int | None) -> Errors:
    """A file's permissions."""
    if value is not None and not 0 <= value <= 0o777:
        yield invalid_value(path, value, FILE_MODE)


def key_faults(key: str) -> list[str]:
    """What keeps `key` from being a key of a ConfigMap or Secret."""
    faults = [] if len(key) <= 253 else ["must be no more than 253 characters"]
    if not CONFIG_KEY.fullmatch(key):
        faults.append(CONFIG_KEY_RULE)
    if key in (".", ".."):
        faults.append(f"must not be '{key}'")
    elif key.startswith(".."):
        faults.append("must not start with '..'")
    return faults


def env_name(path: str, name: str) -> Errors:
    """An environment variable's name, by the relaxed rule of 1.34."""
    if not name:
        yield invalid_value(path, name, "environment variable name must be non-empty")
    elif not (name.isascii() and name.isprintable()) or "=" in name:
        yield invalid_value(path, name, ENV_NAME_RULE)


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in `text`, read as leniently as Kubernetes does; None where there is none."""
    try:
        return ipaddress.ip_address(re.sub(r"(?<![0-9a-fA-F:])0+(?=[0-9])", "", text))
    except ValueError:
        return None


def ip(path: str, text: str, known: Sequence[str] = ()) -> Errors:
    """An IP address without leading zeros; one that was there before is taken as it is."""
    if text in known:
        return
    address = parse_ip(text) if "%" not in text else None
    if address is None:
        detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        yield invalid_value(path, text, detail)
    elif isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        yield invalid_value(path, text, "must not be an IPv4-mapped IPv6 address")
    elif address.version == 4 and str(address) != text:
        yield invalid_value(path, text, "must not have leading 0s")


def cidr(path: str, text: str, known: Sequence[str] = ()) -> Errors:
    """A block of addresses whose host bits are zero."""
    if text in known:
        return
    try:
        ipaddress.ip_network(text, strict="/" in text)
        if "/" in text:
            return
        detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    except ValueError as error:
        detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        if "host bits" in str(error):
            detail = "must not have bits set beyond the prefix length"
    yield invalid_value(path, text, detail)


def endpoint_ip(path: str, text: str, *, of_pods: bool = False) -> Errors:
    """An address that traffic can be sent to. `of_pods`: also one that nodes give to pods which
    share the machine's network, from 127.64.0.0 on; upstream takes none of these.
    """
    address = parse_ip(text)
    if address is None:
        yield invalid_value(path, text, "must be a valid IP address")
        return
    found = (
        (address.is_unspecified, f"may not be unspecified ({text})"),
        (
            address.is_loopback and not (of_pods and address.packed[:2] >= FIRST_OF_PODS),
            "may not be in the loopback range (127.0.0.0/8, ::1/128)",
        ),
        (
            address.is_link_local,
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
        (
            text.startswith("224.0.0.") or text.lower().startswith("ff02:"),
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    )
    yield from (invalid_value(path, text, detail) for wrong, detail in found if wrong)


def dual_stack(addresses: Sequence[str]) -> bool:
    """Whether both families are among `addresses`."""
    return len({":" in address for address in addresses}) == 2


def no_backsteps(path: str, text: str) -> Errors:
    """A path that never goes up."""
    if ".." in text.split("/"):
        yield invalid_value(path, text, "must not contain '..'")


def descending(path: str, text: str) -> Errors:
    """A path that is relative and never goes up."""
    if text.startswith("/"):
        yield invalid_value(path, text, "must be a relative path")
    yield from no_backsteps(path, text)


def own_path(path: str, text: str) -> Errors:
    """A descending path that is not reserved."""
    yield from descending(path, text)
    if text.startswith("..") and not text.startswith("../"):
        yield invalid_value(path, text, "must not start with '..'")


def present(parent: str, value: Any, *fields: str) -> Errors:
    """`fields` of `value` that must be there and not be empty."""
    for name in fields:
        if not value.get(name):
            yield required(f"{parent}.{name}")


def positive_amount(path: str, amount: Amount) -> Errors:
    """A quantity above zero."""
    if quantity.parse(amount) <= 0:
        yield invalid_value(path, str(amount), NOT_POSITIVE)


def amount(path: str, value: Amount) -> Errors:
    """A quantity that is not below zero."""
    if quantity.parse(value) < 0:
        yield invalid_value(path, str(value), NEGATIVE)


def domain_path(path: str, text: str) -> Errors:
    """A domain and a path below it, such as `acme.io/foo`."""
    if not text:
        yield required(path)
        return
    domain, _, rest = text.partition("/")
    if not domain or not rest:
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid_value(path, text, detail)
        return
    yield from names.subdomain(domain, path)
    if not HTTP_PATH.fullmatch(rest):
        pattern = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
        yield invalid_value(path, rest, f"Invalid path (regex used for validation is '{pattern}')")
