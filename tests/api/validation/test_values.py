"""Checks of single values."""

import pytest

from argosy.api.validation import values


@pytest.mark.parametrize(
    "name, faults",
    [
        ("http", []),
        ("a-1", []),
        ("a" * 15, []),
        ("a" * 16, ["must be no more than 15 characters"]),
        ("1", ["must contain at least one letter (a-z)"]),
        ("a--b", ["must not contain consecutive hyphens"]),
        ("-a", ["must not begin or end with a hyphen"]),
        ("A1b", ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
    ],
)
def test_names_of_ports(name: str, faults: list[str]) -> None:
    assert values.port_name_faults(name) == faults


@pytest.mark.parametrize(
    "text, fault",
    [
        ("10.0.0.1", ""),
        ("2001:db8::1", ""),
        ("2001:DB8:0::1", ""),
        ("010.0.0.1", "must not have leading 0s"),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
        ("10.0.0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("fe80::1%eth0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    ],
)
def test_addresses(text: str, fault: str) -> None:
    found = [str(error) for error in values.ip("p", text)]
    assert found == ([f'p: Invalid value: "{text}": {fault}'] if fault else [])
    assert list(values.ip("p", text, [text])) == []


@pytest.mark.parametrize(
    "text, fault",
    [
        ("10.0.0.0/8", ""),
        ("2001:db8::/64", ""),
        ("10.0.0.0", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
        ("10.0.0.0/33", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
        ("10.0.0.1/8", "must not have bits set beyond the prefix length"),
    ],
)
def test_blocks_of_addresses(text: str, fault: str) -> None:
    found = [str(error) for error in values.cidr("p", text)]
    assert found == ([f'p: Invalid value: "{text}": {fault}'] if fault else [])


@pytest.mark.parametrize("value, share", [(3, 3), ("30%", 30), ("x", 0), (None, 0)])
def test_shares(value: int | str | None, share: int) -> None:
    assert values.share(value) == share
