"""Endpoints and slices of them."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

ENDPOINTS = made(
    "v1", "Endpoints", subsets=[{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 1}]}]
)
SLICE = made(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    addressType="IPv4",
    endpoints=[{"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}]}}],
    ports=[{"port": 1}],
)


@pytest.mark.parametrize(
    "obj",
    [
        ENDPOINTS,
        SLICE,
        put(put(SLICE, "addressType", "FQDN"), "endpoints.0.addresses", ["a.example."]),
        put(put(SLICE, "addressType", "IPv6"), "endpoints.0.addresses", ["2001:db8::1"]),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []


@pytest.mark.parametrize(
    "obj, path, value, expected",
    [
        (
            ENDPOINTS,
            "subsets.0.addresses",
            [],
            "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
        ),
        (
            ENDPOINTS,
            "subsets.0.addresses.0.ip",
            "169.254.1.1",
            'subsets[0].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the '
            "link-local range (169.254.0.0/16, fe80::/10)",
        ),
        (
            ENDPOINTS,
            "subsets.0.ports",
            [{"port": 1, "name": "a"}, {"port": 2}],
            "subsets[0].ports[1].name: Required value",
        ),
        (
            ENDPOINTS,
            "subsets.0.ports.0.protocol",
            "QUIC",
            'subsets[0].ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", '
            '"TCP", "UDP"',
        ),
        (
            SLICE,
            "addressType",
            "Mail",
            'addressType: Unsupported value: "Mail": supported values: "FQDN", "IPv4", "IPv6"',
        ),
        (
            SLICE,
            "endpoints.0.addresses",
            [],
            "endpoints[0].addresses: Required value: must contain at least 1 address",
        ),
        (
            SLICE,
            "endpoints.0.addresses",
            ["2001:db8::1"],
            'endpoints[0].addresses: Invalid value: "2001:db8::1": must be an IPv4 address',
        ),
        (
            SLICE,
            "endpoints.0.addresses",
            ["0.0.0.0"],
            'endpoints[0].addresses[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        ),
        (
            SLICE,
            "endpoints.0.hints.forZones",
            [{"name": str(i)} for i in range(9)],
            "endpoints[0].hints.forZones: Too many: 9: must have at most 8 items",
        ),
        (SLICE, "ports", [{"port": 1}, {"port": 2}], 'ports[1].name: Duplicate value: ""'),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, expected: str) -> None:
    assert errors(put(obj, path, value)) == [expected]


def test_the_type_of_addresses_stays() -> None:
    new = put(put(SLICE, "addressType", "IPv6"), "endpoints", [])
    assert errors(new, SLICE) == ['addressType: Invalid value: "IPv6": field is immutable']


def test_too_many_endpoints() -> None:
    many = [{"addresses": ["10.0.0.1"]}] * 1001
    assert errors(put(SLICE, "endpoints", many)) == [
        "endpoints: Too many: 1001: must have at most 1000 items"
    ]


@pytest.mark.parametrize(
    ("address", "taken"),
    [("127.0.0.1", False), ("127.63.255.255", False), ("127.64.0.2", True), ("127.254.9.9", True)],
)
def test_loopback_addresses_are_taken_where_nodes_give_them_to_pods(
    address: str, taken: bool
) -> None:
    field = "endpoints[0].addresses[0]"
    refusal = f"{field}: Invalid value: " + f'"{address}": may not be in the loopback range'
    found = errors(put(SLICE, "endpoints.0.addresses", [address]))
    assert not found if taken else found[0].startswith(refusal)
