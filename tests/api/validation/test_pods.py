"""What pods may say of themselves: names, places, limits, network; and templates of pods."""

from typing import Any

import pytest

from argosy.api.names import LABEL_RULE, SUBDOMAIN_RULE
from tests.api.kit import errors, made, put

CONTAINER = {"name": "main", "image": "python"}
POD = made("v1", "Pod", spec={"containers": [CONTAINER]})
DNS_NONE = put(POD, "spec.dnsPolicy", "None")
RESOURCES = put(POD, "spec.containers.0.resources", {"requests": {"cpu": "2", "memory": "1Gi"}})


@pytest.mark.parametrize(
    "obj",
    [
        POD,
        put(POD, "spec.restartPolicy", "OnFailure"),
        put(POD, "spec.hostname", "web-1"),
        put(POD, "spec.activeDeadlineSeconds", 1),
        put(POD, "spec.dnsConfig", {"searches": [".", "_a.b.", "x"], "nameservers": ["::1"]}),
        put(put(POD, "spec.dnsPolicy", "None"), "spec.dnsConfig", {"nameservers": ["10.0.0.1"]}),
        put(POD, "spec.overhead", {"cpu": "10m", "memory": "5Mi"}),
        put(POD, "spec.resourceClaims", [{"name": "gpu", "resourceClaimName": "one"}]),
        put(POD, "spec.schedulingGroup", {"podGroupName": "gang"}),
        put(POD, "metadata.annotations", {"controller.kubernetes.io/pod-deletion-cost": "-5"}),
        put(RESOURCES, "spec.resources", {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}}),
        put(POD, "spec.hostAliases", [{"ip": "10.0.0.1", "hostnames": ["a.b"]}]),
        put(POD, "spec.hostnameOverride", "a.b"),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("containers", [], "spec.containers: Required value"),
        (
            "restartPolicy",
            "Sometimes",
            'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", '
            '"OnFailure", "Never"',
        ),
        (
            "dnsPolicy",
            "Magic",
            'spec.dnsPolicy: Unsupported value: "Magic": supported values: '
            '"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        ),
        (
            "preemptionPolicy",
            "Ever",
            'spec.preemptionPolicy: Unsupported value: "Ever": supported values: '
            '"PreemptLowerPriority", "Never"',
        ),
        (
            "activeDeadlineSeconds",
            0,
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
            "inclusive",
        ),
        (
            "hostname",
            "a.b",
            'spec.hostname: Invalid value: "a.b": must not contain dots',
        ),
        ("subdomain", "A", f'spec.subdomain: Invalid value: "A": {LABEL_RULE}'),
        ("nodeName", "A", f'spec.nodeName: Invalid value: "A": {SUBDOMAIN_RULE}'),
        ("runtimeClassName", "_", f'spec.runtimeClassName: Invalid value: "_": {SUBDOMAIN_RULE}'),
        (
            "dnsConfig",
            {"nameservers": ["10.0.0.1"] * 4},
            'spec.dnsConfig.nameservers: Invalid value: ["10.0.0.1","10.0.0.1","10.0.0.1",'
            '"10.0.0.1"]: must not have more than 3 nameservers',
        ),
        (
            "dnsConfig",
            {"nameservers": ["10.0.0.01"]},
            'spec.dnsConfig.nameservers[0]: Invalid value: "10.0.0.01": must not have leading 0s',
        ),
        (
            "dnsConfig",
            {"options": [{"value": "x"}]},
            "spec.dnsConfig.options[0]: Required value: must not be empty",
        ),
        (
            "hostAliases",
            [{"ip": "here"}],
            'spec.hostAliases[0].ip: Invalid value: "here": must be a valid IP address, (e.g. '
            "10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            "resourceClaims",
            [{"name": "gpu"}],
            'spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: '
            "`resourceClaimName`, `resourceClaimTemplateName`",
        ),
        (
            "resourceClaims",
            [{"name": "gpu", "resourceClaimName": "a"}] * 2,
            'spec.resourceClaims[1].name: Duplicate value: "gpu"',
        ),
        (
            "overhead",
            {"pods": "1"},
            'spec.overhead.limits[pods]: Invalid value: "pods": must be a standard resource for '
            "containers",
        ),
        (
            "ephemeralContainers",
            [{"name": "debug", "image": "x"}],
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ),
        (
            "schedulingGroup",
            {},
            "spec.schedulingGroup.podGroupName: Invalid value: null: must specify one of: "
            "`podGroupName`",
        ),
        (
            "resources",
            {"limits": {"pods": "1"}},
            'spec.resources.limits[pods]: Unsupported value: "pods": supported values: "cpu", '
            '"hugepages-", "memory"',
        ),
        (
            "resources",
            {"claims": []},
            "spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level",
        ),
    ],
)
def test_what_a_pod_may_not_say(path: str, value: Any, expected: str) -> None:
    assert errors(put(POD, f"spec.{path}", value)) == [expected]


@pytest.mark.parametrize(
    "obj, expected",
    [
        (
            DNS_NONE,
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            put(DNS_NONE, "spec.dnsConfig", {}),
            "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver "
            "when `dnsPolicy` is None",
        ),
        (
            put(put(POD, "spec.nodeName", "n"), "spec.schedulingGates", [{"name": "a.b/c"}]),
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
        (
            put(put(POD, "spec.hostNetwork", True), "spec.hostnameOverride", "a"),
            "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
        ),
        (
            put(
                put(POD, "spec.hostNetwork", True),
                "spec.containers.0.ports",
                [{"containerPort": 80, "hostPort": 81}],
            ),
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
            "when `hostNetwork` is true",
        ),
        (
            put(RESOURCES, "spec.resources", {"requests": {"cpu": "1"}}),
            'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to '
            "aggregate container requests of 2",
        ),
        (
            put(POD, "metadata.annotations", {"kubernetes.io/config.mirror": "x"}),
            'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set '
            "spec.nodeName if mirror pod annotation is set",
        ),
        (
            put(POD, "metadata.annotations", {"controller.kubernetes.io/pod-deletion-cost": "01"}),
            "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "
            '"01": must be a 32bit integer',
        ),
        (
            put(POD, "spec.containers.0.image", " x"),
            'spec.containers[0].image: Invalid value: " x": must not have leading or trailing '
            "whitespace",
        ),
    ],
)
def test_what_does_not_go_together(obj: dict[str, Any], expected: str) -> None:
    assert errors(obj) == [expected]


TEMPLATE = made("v1", "PodTemplate", template={"spec": {"containers": [CONTAINER]}})


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("spec.containers.0.image", " x", []),
        ("metadata", {"labels": {"a": "b"}}, []),
        (
            "metadata",
            {"labels": {"a/b/c": ""}},
            [
                'template.labels: Invalid value: "a/b/c": a valid label key must consist of '
                "alphanumeric characters, '-', '_' or '.', and must start and end with an "
                "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
                "for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional "
                "DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ],
        ),
        (
            "spec.ephemeralContainers",
            [{"name": "debug", "image": "x"}],
            [
                "template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed "
                "in pod template"
            ],
        ),
    ],
)
def test_templates(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(TEMPLATE, f"template.{path}", value)) == expected


def test_what_was_taken_once_does_not_stand_in_the_way_of_other_changes() -> None:
    old = put(POD, "spec.hostname", "A")
    assert errors(put(old, "metadata.labels", {"a": "b"}), old) == []
