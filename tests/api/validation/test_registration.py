"""What APIServices may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "apiregistration.k8s.io/v1"
SPEC = {
    "group": "metrics.k8s.io",
    "version": "v1beta1",
    "groupPriorityMinimum": 100,
    "versionPriority": 100,
    "service": {"namespace": "a", "name": "b"},
}
REMOTE = made(V1, "APIService", "v1beta1.metrics.k8s.io", spec=SPEC)
LOCAL = put(REMOTE, "spec.service", GONE)
SHARED = "spec.insecureSkipTLSVerify"


def place(group: str, version: str, **spec: Any) -> dict[str, Any]:
    whole = {**SPEC, "group": group, "version": version, **spec}
    return made(V1, "APIService", f"{version}.{group}", spec=whole)


@pytest.mark.parametrize(
    "obj",
    [
        REMOTE,
        LOCAL,
        put(REMOTE, "spec.caBundle", "YWJj"),
        put(REMOTE, SHARED, True),
        place("", "v1", service=None),
        place("apps", "v1", service=None),
        place("apps", "v9"),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("obj", "error"),
    [
        (
            put(REMOTE, "metadata.name", "metrics"),
            'metadata.name: Invalid value: "metrics": '
            'must be `spec.version+"."+spec.group`: "v1beta1.metrics.k8s.io"',
        ),
        (
            place("", "v2"),
            "spec.group: Required value: "
            "only v1 may have an empty group and it better be legacy kube",
        ),
        (
            put(REMOTE, "spec.groupPriorityMinimum", 20001),
            "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000",
        ),
        (
            put(REMOTE, "spec.versionPriority", 0),
            "spec.versionPriority: Invalid value: 0: must be positive and less than 1000",
        ),
        (
            put(REMOTE, "spec.service.namespace", ""),
            "spec.service.namespace: Required value",
        ),
        (put(REMOTE, "spec.service.name", GONE), "spec.service.name: Required value"),
        (
            put(REMOTE, "spec.service.port", 65536),
            "spec.service.port: Invalid value: 65536: "
            "port is not valid: must be between 1 and 65535, inclusive",
        ),
        (
            put(put(REMOTE, "spec.caBundle", "YWJj"), SHARED, True),
            f"{SHARED}: Invalid value: true: may not be true if caBundle is present",
        ),
        (
            put(LOCAL, SHARED, True),
            f"{SHARED}: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
        ),
        (
            put(LOCAL, "spec.caBundle", "YWJj"),
            'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
        ),
        (
            place("apps", "v1"),
            "spec.service: Forbidden: apps/v1 is served by this server itself",
        ),
        (place("", "v1"), "spec.service: Forbidden: v1 is served by this server itself"),
    ],
)
def test_what_is_refused(obj: dict[str, Any], error: str) -> None:
    assert errors(obj) == [error]


@pytest.mark.parametrize(("group", "version"), [("A", "v1"), ("a", "1"), ("a", "V1")])
def test_groups_and_versions_are_names(group: str, version: str) -> None:
    (error,) = errors(place(group, version))
    assert error.startswith(("spec.group: Invalid value", "spec.version: Invalid value"))


def test_a_condition_is_one_of_three() -> None:
    conditions = {"conditions": [{"type": "Available", "status": "Perhaps"}]}
    obj = put(REMOTE, "status", conditions)
    assert errors(obj, REMOTE, subresource="status") == [
        'status.conditions[0].status: Unsupported value: "Perhaps": '
        'supported values: "True", "False", "Unknown"'
    ]
