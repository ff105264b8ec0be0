"""Security contexts."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
P, C = "spec.securityContext", "spec.containers[0].securityContext"
RANGE = "must be between 0 and 2147483647, inclusive"
WINDOWS = put(POD, "spec.os", {"name": "windows"})


@pytest.mark.parametrize(
    "context",
    [
        {"runAsUser": 0, "fsGroup": 2**31 - 1, "fsGroupChangePolicy": "OnRootMismatch"},
        {"seccompProfile": {"type": "Localhost", "localhostProfile": "a/b"}},
        {"appArmorProfile": {"type": "RuntimeDefault"}},
        {"sysctls": [{"name": "net/core.a_b", "value": "1"}]},
    ],
)
def test_what_is_taken(context: dict[str, Any]) -> None:
    assert errors(put(POD, "spec.securityContext", context)) == []


@pytest.mark.parametrize(
    "context, expected",
    [
        ({"runAsUser": -1}, f"{P}.runAsUser: Invalid value: -1: {RANGE}"),
        (
            {"supplementalGroups": [1, 2**31]},
            f"{P}.supplementalGroups[1]: Invalid value: 2147483648: {RANGE}",
        ),
        (
            {"fsGroupChangePolicy": "Never"},
            f'{P}.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", '
            '"OnRootMismatch"',
        ),
        (
            {"seLinuxChangePolicy": "MountOption"},
            f'{P}.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: '
            '"Recursive"',
        ),
        (
            {"seccompProfile": {"type": "Localhost"}},
            f"{P}.seccompProfile.localhostProfile: Required value: must be set when seccomp type "
            "is Localhost",
        ),
        (
            {"seccompProfile": {"type": "Unconfined", "localhostProfile": "a"}},
            f'{P}.seccompProfile.localhostProfile: Invalid value: {{"type":"Unconfined",'
            '"localhostProfile":"a"}: can only be set when seccomp type is Localhost',
        ),
        (
            {"seccompProfile": {"type": "Half"}},
            f'{P}.seccompProfile.type: Unsupported value: "Half": supported values: "Localhost", '
            '"RuntimeDefault", "Unconfined"',
        ),
        (
            {"appArmorProfile": {"type": "Localhost", "localhostProfile": " a"}},
            f'{P}.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with '
            "whitespace",
        ),
        (
            {"sysctls": [{"name": "a", "value": ""}, {"name": "a", "value": ""}]},
            f'{P}.sysctls[1].name: Duplicate value: "a"',
        ),
        (
            {"windowsOptions": {"runAsUserName": "a\\b\\c"}},
            f'{P}.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName '
            "cannot contain more than one backslash",
        ),
    ],
)
def test_contexts_of_pods(context: dict[str, Any], expected: str) -> None:
    assert errors(put(POD, "spec.securityContext", context)) == [expected]


@pytest.mark.parametrize(
    "context, expected",
    [
        ({"runAsGroup": -1}, [f"{C}.runAsGroup: Invalid value: -1: {RANGE}"]),
        (
            {"allowPrivilegeEscalation": False, "privileged": True},
            [
                f'{C}: Invalid value: {{"allowPrivilegeEscalation":false,"privileged":true}}: '
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            ],
        ),
        (
            {"procMount": "Unmasked"},
            [
                f'{C}.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use '
                "`Unmasked`"
            ],
        ),
        ({"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}}, []),
    ],
)
def test_contexts_of_containers(context: dict[str, Any], expected: list[str]) -> None:
    assert errors(put(POD, "spec.containers.0.securityContext", context)) == expected


@pytest.mark.parametrize(
    "obj, expected",
    [
        (
            put(put(POD, "spec.hostPID", True), "spec.shareProcessNamespace", True),
            "spec.securityContext.shareProcessNamespace: Invalid value: true: "
            "ShareProcessNamespace and HostPID cannot both be enabled",
        ),
        (
            put(put(POD, "spec.hostPID", True), "spec.hostUsers", False),
            "spec.HostPID: Forbidden: when `hostUsers` is false",
        ),
        (
            put(POD, "spec.os", {"name": "plan9"}),
            'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
        ),
        (
            put(WINDOWS, "spec.securityContext", {"runAsUser": 1}),
            "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
        ),
        (
            put(WINDOWS, "spec.hostUsers", True),
            "spec.hostUsers: Forbidden: cannot be set for a windows pod",
        ),
        (
            put(WINDOWS, "spec.containers.0.securityContext", {"privileged": False}),
            f"{C}.privileged: Forbidden: cannot be set for a windows pod",
        ),
        (
            put(
                put(POD, "spec.os", {"name": "linux"}),
                "spec.containers.0.securityContext",
                {"windowsOptions": {}},
            ),
            f"{C}.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
        ),
        (
            put(
                put(POD, "spec.hostNetwork", True),
                "spec.securityContext",
                {"sysctls": [{"name": "net.a", "value": "1"}]},
            ),
            f'{P}.sysctls[0].name: Invalid value: "net.a": may not be specified when '
            "'hostNetwork' is true",
        ),
        (
            put(POD, "spec.securityContext", {"windowsOptions": {"hostProcess": True}}),
            "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any "
            "hostProcess containers",
        ),
    ],
)
def test_what_a_pod_shares_with_its_host(obj: dict[str, Any], expected: str) -> None:
    assert expected in errors(obj)
