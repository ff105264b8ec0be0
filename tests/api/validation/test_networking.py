"""What ingresses, network policies, addresses and their ranges may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "networking.k8s.io/v1"
SERVICE = {"service": {"name": "web", "port": {"number": 80}}}
PATH = {"path": "/", "pathType": "Prefix", "backend": SERVICE}
INGRESS = made(
    V1,
    "Ingress",
    spec={"rules": [{"host": "a.example", "http": {"paths": [PATH]}}], "tls": [{"hosts": ["b.c"]}]},
)
CLASS = made(
    V1,
    "IngressClass",
    spec={"controller": "example.com/c", "parameters": {"kind": "K", "name": "n"}},
)
POLICY = made(
    V1,
    "NetworkPolicy",
    spec={
        "podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [
            {
                "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                "ports": [{"port": 80, "endPort": 90}],
            }
        ],
        "egress": [
            {"to": [{"podSelector": {}, "namespaceSelector": {}}], "ports": [{"port": "a"}]}
        ],
    },
)
ADDRESS = made(
    V1,
    "IPAddress",
    "2001:db8::1",
    spec={"parentRef": {"resource": "services", "name": "s", "namespace": "default"}},
)
RANGE = made(V1, "ServiceCIDR", spec={"cidrs": ["10.0.0.0/24"]})


@pytest.mark.parametrize(
    "obj",
    [
        INGRESS,
        CLASS,
        POLICY,
        ADDRESS,
        RANGE,
        put(INGRESS, "spec", {"defaultBackend": SERVICE}),
        put(INGRESS, "spec.rules.0.host", "*.example.com"),
        put(INGRESS, "spec.rules.0.http.paths.0.pathType", "ImplementationSpecific"),
        put(INGRESS, "spec.rules.0.http.paths.0.backend.service.name", "1-web"),
        put(CLASS, "spec.parameters", GONE),
        put(RANGE, "spec.cidrs", ["10.0.0.0/24", "2001:db8::/64"]),
        put(POLICY, "spec", {}),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []


BACKEND = "spec.rules[0].http.paths[0].backend"


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "spec",
            {},
            "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
        ),
        (
            "spec.rules.0.host",
            "10.0.0.1",
            'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        ),
        ("spec.rules.0.http.paths", [], "spec.rules[0].http.paths: Required value"),
        (
            "spec.rules.0.http.paths.0.pathType",
            "Regex",
            'spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": supported values: '
            '"Exact", "ImplementationSpecific", "Prefix"',
        ),
        (
            "spec.rules.0.http.paths.0.path",
            "a",
            'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
        ),
        (
            "spec.rules.0.http.paths.0.path",
            "/a//b",
            """spec.rules[0].http.paths[0].path: Invalid value: "/a//b": must not contain '//'""",
        ),
        (
            "spec.rules.0.http.paths.0.path",
            "/a/..",
            """spec.rules[0].http.paths[0].path: Invalid value: "/a/..": cannot end with '/..'""",
        ),
        (
            "spec.rules.0.http.paths.0.backend",
            {},
            f'{BACKEND}: Invalid value: "": resource or service backend is required',
        ),
        (
            "spec.rules.0.http.paths.0.backend.resource",
            {"kind": "K", "name": "n"},
            f'{BACKEND}: Invalid value: "": cannot set both resource and service backends',
        ),
        (
            "spec.rules.0.http.paths.0.backend.service.port",
            {},
            f"{BACKEND}: Required value: port name or number is required",
        ),
        (
            "spec.rules.0.http.paths.0.backend.service.port.name",
            "http",
            f'{BACKEND}: Invalid value: "": cannot set both port name & port number',
        ),
        (
            "spec.rules.0.http.paths.0.backend.service.port.number",
            70000,
            f"{BACKEND}.service.port.number: Invalid value: 70000: "
            "must be between 1 and 65535, inclusive",
        ),
    ],
)
def test_ingresses_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(INGRESS, path, value)) == [error]


def test_a_wildcard_covers_one_label() -> None:
    (error,) = errors(put(INGRESS, "spec.rules.0.host", "*.*.com"))
    assert error.startswith('spec.rules[0].host: Invalid value: "*.*.com": a wildcard DNS-1123')


def test_field_and_annotation_name_one_class() -> None:
    annotated = put(INGRESS, "metadata.annotations", {"kubernetes.io/ingress.class": "a"})
    assert errors(put(annotated, "spec.ingressClassName", "a")) == []
    other = put(annotated, "spec.ingressClassName", "b")
    assert errors(other) == [
        'annotations.kubernetes.io/ingress.class: Invalid value: "a": '
        "must match `ingressClassName` when both are specified"
    ]
    assert errors(other, annotated) == []


def test_addresses_of_a_load_balancer() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "10.0.0.01", "hostname": "10.0.0.1"}]}}
    balanced = put(INGRESS, "status", status)
    assert errors(balanced, INGRESS, subresource="status") == [
        'status.loadBalancer.ingress[0].ip: Invalid value: "10.0.0.01": must not have leading 0s',
        'status.loadBalancer.ingress[0].hostname: Invalid value: "10.0.0.1": '
        "must be a DNS name, not an IP address",
    ]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "spec.controller",
            "c",
            'spec.controller: Invalid value: "c": must be a domain-prefixed path (such as '
            '"acme.io/foo")',
        ),
        ("spec.controller", "", "spec.controller: Required value"),
        (
            "spec.controller",
            f"a.b/{'c' * 250}",
            "spec.controller: Too long: may not be more than 250 bytes",
        ),
        (
            "spec.parameters.scope",
            "Node",
            'spec.parameters.scope: Unsupported value: "Node": supported values: "Cluster", '
            '"Namespace"',
        ),
        (
            "spec.parameters.scope",
            "Namespace",
            "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
        ),
        (
            "spec.parameters.namespace",
            "a",
            "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
        ),
    ],
)
def test_ingress_classes_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(CLASS, path, value)) == [error]


def test_a_class_keeps_its_controller() -> None:
    assert errors(put(CLASS, "spec.controller", "a.b/c"), CLASS) == [
        'spec.controller: Invalid value: "a.b/c": field is immutable'
    ]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "spec.ingress.0.from.0.ipBlock.cidr",
            "10.0.0.1/8",
            'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": '
            "must not have bits set beyond the prefix length",
        ),
        (
            "spec.ingress.0.from.0.ipBlock.except.0",
            "11.0.0.0/16",
            'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": '
            "must be a strict subset of `cidr`",
        ),
        (
            "spec.ingress.0.from.0.podSelector",
            {},
            "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer",
        ),
        (
            "spec.ingress.0.from.0",
            {},
            "spec.ingress[0].from[0]: Required value: must specify a peer",
        ),
        (
            "spec.ingress.0.ports.0.endPort",
            70,
            "spec.ingress[0].ports[0].endPort: Invalid value: 80: "
            "must be greater than or equal to `port`",
        ),
        (
            "spec.egress.0.ports.0.endPort",
            70,
            "spec.egress[0].ports[0].endPort: Invalid value: 70: "
            "may not be specified when `port` is non-numeric",
        ),
        (
            "spec.egress.0.ports.0",
            {"endPort": 70},
            "spec.egress[0].ports[0].endPort: Invalid value: 70: "
            "may not be specified when `port` is not specified",
        ),
        (
            "spec.egress.0.ports.0.protocol",
            "ICMP",
            'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: '
            '"TCP", "UDP", "SCTP"',
        ),
        (
            "spec.policyTypes",
            ["Both"],
            'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
        ),
        (
            "spec.podSelector.matchExpressions",
            [{"key": "a", "operator": "Is"}],
            'spec.podSelector.matchExpressions[0].operator: Invalid value: "Is": '
            "not a valid selector operator",
        ),
    ],
)
def test_policies_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(POLICY, path, value)) == [error]


def test_a_block_that_was_there_stays() -> None:
    old = put(POLICY, "spec.ingress.0.from.0.ipBlock", {"cidr": "10.0.0.1/8"})
    assert errors(put(old, "spec.policyTypes", ["Ingress"]), old) == []


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("2001:DB8::1", 'must be in canonical form ("2001:db8::1")'),
        ("010.0.0.1", "must not have leading 0s"),
        ("a", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
    ],
)
def test_an_address_is_called_what_it_is(name: str, detail: str) -> None:
    wrong = put(ADDRESS, "metadata.name", name)
    assert errors(wrong) == [f'metadata.name: Invalid value: "{name}": {detail}']


def test_an_address_is_of_something() -> None:
    path = "spec.parentRef.resource"
    assert errors(put(ADDRESS, path, "")) == [f"{path}: Required value"]
    assert errors(put(ADDRESS, path, "pods"), ADDRESS) == [
        'spec.parentRef: Invalid value: {"resource":"pods","name":"s","namespace":"default"}: '
        "field is immutable"
    ]


@pytest.mark.parametrize(
    ("cidrs", "error"),
    [
        ([], "spec.cidrs: Required value: at least one CIDR required"),
        (
            ["10.0.0.0/24", "10.1.0.0/24"],
            'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than '
            "one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
        ),
        (
            ["2001:DB8::/64"],
            'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form '
            '("2001:db8::/64")',
        ),
    ],
)
def test_ranges_that_are_refused(cidrs: list[str], error: str) -> None:
    assert errors(put(RANGE, "spec.cidrs", cidrs)) == [error]


@pytest.mark.parametrize(
    ("cidrs", "found"),
    [
        (["10.0.0.0/24"], []),
        (["10.0.0.0/24", "2001:db8::/64"], []),
        (["10.1.0.0/24"], ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']),
        ([], ["spec.cidrs: Invalid value: []: field is immutable"]),
    ],
)
def test_ranges_stay(cidrs: list[str], found: list[str]) -> None:
    assert errors(put(RANGE, "spec.cidrs", cidrs), RANGE) == found
