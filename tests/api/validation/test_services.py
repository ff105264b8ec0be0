"""Services: types, ports, addresses, policies, and what stays as it is."""

from typing import Any

import pytest

from argosy.api.names import LABEL_RULE
from tests.api.kit import GONE, errors, made, put

PORT = {"port": 80}
IP = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ipFamilies": ["IPv4"]}
SERVICE = made("v1", "Service", spec={"ports": [PORT], **IP, "ipFamilyPolicy": "SingleStack"})
HEADLESS = made("v1", "Service", spec={"clusterIP": "None", "clusterIPs": ["None"]})
NAMED = made("v1", "Service", spec={"type": "ExternalName", "externalName": "a.b."})
NODES = put(SERVICE, "spec.type", "NodePort")
BALANCED = put(SERVICE, "spec.type", "LoadBalancer")
LOCAL = put(put(BALANCED, "spec.externalTrafficPolicy", "Local"), "spec.healthCheckNodePort", 30001)


@pytest.mark.parametrize(
    "obj",
    [
        SERVICE,
        HEADLESS,
        NAMED,
        NODES,
        BALANCED,
        LOCAL,
        put(NODES, "spec.ports.0.nodePort", 30000),
        put(SERVICE, "spec.sessionAffinity", "ClientIP"),
        put(
            SERVICE,
            "spec.ports",
            [{"port": 53, "name": "a"}, {"port": 53, "name": "b", "protocol": "UDP"}],
        ),
        put(SERVICE, "spec.ports.0.targetPort", "http"),
        put(SERVICE, "spec.externalIPs", ["192.0.2.1"]),
        put(SERVICE, "spec.trafficDistribution", "PreferSameZone"),
        put(BALANCED, "spec.loadBalancerSourceRanges", ["10.0.0.0/8 "]),
        put(BALANCED, "spec.loadBalancerClass", "example.com/lb"),
        put(SERVICE, "metadata.name", "1-web"),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(put(obj, "metadata.labels", {"a": "b"}), obj) == []


@pytest.mark.parametrize(
    "obj, path, value, expected",
    [
        (
            SERVICE,
            "metadata.name",
            "a.b",
            'metadata.name: Invalid value: "a.b": must not contain dots',
        ),
        (SERVICE, "spec.ports", [], "spec.ports: Required value"),
        (
            SERVICE,
            "spec.type",
            "Magic",
            'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", '
            '"ExternalName", "LoadBalancer", "NodePort"',
        ),
        (
            put(SERVICE, "spec.ports.0.targetPort", 1),
            "spec.ports.0.port",
            0,
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            SERVICE,
            "spec.ports.0.nodePort",
            30000,
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            SERVICE,
            "spec.ports",
            [PORT, {"port": 81, "name": "x"}],
            "spec.ports[0].name: Required value",
        ),
        (
            SERVICE,
            "spec.ports",
            [{"port": 1, "name": "x"}, {"port": 2, "name": "x"}],
            'spec.ports[1].name: Duplicate value: "x"',
        ),
        (
            NODES,
            "spec.ports",
            [
                {"port": 1, "name": "x", "nodePort": 30000},
                {"port": 2, "name": "y", "nodePort": 30000},
            ],
            "spec.ports[1].nodePort: Duplicate value: 30000",
        ),
        (
            SERVICE,
            "spec.ports.0.name",
            "A",
            f'spec.ports[0].name: Invalid value: "A": {LABEL_RULE}',
        ),
        (
            SERVICE,
            "spec.sessionAffinity",
            "Cookie",
            'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", '
            '"None"',
        ),
        (
            put(SERVICE, "spec.sessionAffinity", "ClientIP"),
            "spec.sessionAffinityConfig",
            {"clientIP": {"timeoutSeconds": 86401}},
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be "
            "greater than 0 and less than 86400",
        ),
        (
            SERVICE,
            "spec.clusterIPs",
            ["10.96.0.8"],
            'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`',
        ),
        (
            SERVICE,
            "spec.ipFamilies",
            ["IPv6"],
            'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated '
            "by `ipFamilies[0]`",
        ),
        (
            SERVICE,
            "spec.ipFamilies",
            ["IPv4", "IPv4"],
            'spec.ipFamilies[1]: Duplicate value: "IPv4"',
        ),
        (
            HEADLESS,
            "spec.clusterIPs",
            ["None", "10.0.0.1"],
            'spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and '
            "only value",
        ),
        (
            put(HEADLESS, "spec.ports", [PORT]),
            "spec.type",
            "NodePort",
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort "
            "services",
        ),
        (NAMED, "spec.externalName", GONE, "spec.externalName: Required value"),
        (
            NAMED,
            "spec.ipFamilies",
            ["IPv4"],
            "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
        ),
        (
            SERVICE,
            "spec.externalIPs",
            ["127.0.0.1"],
            'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range '
            "(127.0.0.0/8, ::1/128)",
        ),
        (
            SERVICE,
            "spec.loadBalancerSourceRanges",
            ["10.0.0.0/8"],
            "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is "
            "'LoadBalancer'",
        ),
        (
            BALANCED,
            "spec.loadBalancerSourceRanges",
            ["10.0.0.1/8"],
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits '
            "set beyond the prefix length",
        ),
        (
            SERVICE,
            "spec.externalTrafficPolicy",
            "Local",
            'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for '
            "externally-accessible services",
        ),
        (LOCAL, "spec.healthCheckNodePort", GONE, "spec.healthCheckNodePort: Required value"),
        (
            BALANCED,
            "spec.healthCheckNodePort",
            30001,
            "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is "
            "'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ),
        (
            SERVICE,
            "spec.internalTrafficPolicy",
            "Near",
            'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", '
            '"Local"',
        ),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, expected: str) -> None:
    assert errors(put(obj, path, value)) == [expected]


@pytest.mark.parametrize(
    "old, path, value, expected",
    [
        (
            SERVICE,
            "spec.clusterIPs",
            ["10.96.0.8"],
            'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
        ),
        (
            SERVICE,
            "spec.clusterIPs",
            [],
            "spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset",
        ),
        (
            put(BALANCED, "spec.loadBalancerClass", "a.b/c"),
            "spec.loadBalancerClass",
            "a.b/d",
            'spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set',
        ),
        (
            LOCAL,
            "spec.healthCheckNodePort",
            30002,
            "spec.healthCheckNodePort: Forbidden: field is immutable",
        ),
    ],
)
def test_what_stays(old: dict[str, Any], path: str, value: Any, expected: str) -> None:
    assert expected in errors(put(old, path, value), old)


@pytest.mark.parametrize(
    "obj, ingress, expected",
    [
        (BALANCED, [{"ip": "192.0.2.1"}], []),
        (BALANCED, [{"hostname": "a.b"}], []),
        (
            SERVICE,
            [{"ip": "192.0.2.1"}],
            [
                "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
                "'LoadBalancer'"
            ],
        ),
        (
            BALANCED,
            [{"hostname": "1.2.3.4"}],
            [
                'status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS '
                "name, not an IP address"
            ],
        ),
    ],
)
def test_the_status(obj: dict[str, Any], ingress: list[Any], expected: list[str]) -> None:
    assert errors(put(obj, "status", {"loadBalancer": {"ingress": ingress}}), obj) == expected
