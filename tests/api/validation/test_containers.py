"""What containers may say: regular ones, init containers, sidecars and ephemeral ones."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

C = "spec.containers[0]"
POD = made(
    "v1",
    "Pod",
    spec={
        "containers": [{"name": "main", "image": "python"}],
        "volumes": [
            {"name": "v", "emptyDir": {}},
            {"name": "block", "persistentVolumeClaim": {"claimName": "c"}},
        ],
    },
)
RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}


@pytest.mark.parametrize(
    "field, value",
    [
        (
            "ports",
            [{"containerPort": 80, "name": "http"}, {"containerPort": 80, "protocol": "UDP"}],
        ),
        ("volumeMounts", [{"name": "v", "mountPath": "/v", "subPath": "a/b"}]),
        ("volumeDevices", [{"name": "block", "devicePath": "/dev/x"}]),
        ("restartPolicy", "Never"),
        ("resizePolicy", [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]),
        ("imagePullPolicy", "Never"),
    ],
)
def test_what_is_taken(field: str, value: Any) -> None:
    assert errors(put(POD, f"spec.containers.0.{field}", value)) == []


@pytest.mark.parametrize(
    "field, value, expected",
    [
        ("name", "", [f"{C}.name: Required value"]),
        ("image", "", [f"{C}.image: Required value"]),
        (
            "imagePullPolicy",
            "Maybe",
            [
                f'{C}.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", '
                '"IfNotPresent", "Never"'
            ],
        ),
        (
            "ports",
            [{"containerPort": 0}, {"containerPort": 70000, "hostPort": 70000}],
            [
                f"{C}.ports[0].containerPort: Required value",
                f"{C}.ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, "
                "inclusive",
                f"{C}.ports[1].hostPort: Invalid value: 70000: must be between 1 and 65535, "
                "inclusive",
            ],
        ),
        (
            "ports",
            [{"containerPort": 1, "name": "a--b"}, {"containerPort": 2, "name": "1-"}],
            [
                f'{C}.ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens',
                f'{C}.ports[1].name: Invalid value: "1-": must contain at least one letter (a-z)',
                f'{C}.ports[1].name: Invalid value: "1-": must not begin or end with a hyphen',
            ],
        ),
        (
            "ports",
            [{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}],
            [f'{C}.ports[1].hostPort: Duplicate value: "TCP//9"'],
        ),
        (
            "ports",
            [{"containerPort": 1, "protocol": "QUIC"}],
            [
                f'{C}.ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", '
                '"TCP", "UDP"'
            ],
        ),
        (
            "volumeMounts",
            [{"name": "w", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}],
            [
                f'{C}.volumeMounts[0].name: Not found: "w"',
                f'{C}.volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
            ],
        ),
        (
            "volumeMounts",
            [{"name": "v", "mountPath": "/a", "subPath": "/x", "subPathExpr": "../y"}],
            [
                f'{C}.volumeMounts.subPath: Invalid value: "/x": must be a relative path',
                f'{C}.volumeMounts[0].subPathExpr: Invalid value: "../y": subPathExpr and subPath '
                "are mutually exclusive",
                f"{C}.volumeMounts.subPathExpr: Invalid value: \"../y\": must not contain '..'",
            ],
        ),
        (
            "volumeMounts",
            [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}],
            [
                f"{C}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is "
                "available only to privileged containers"
            ],
        ),
        (
            "volumeMounts",
            [{"name": "v", "mountPath": "/a", "recursiveReadOnly": "Enabled"}],
            [
                f"{C}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when "
                "readOnly is true"
            ],
        ),
        (
            "volumeDevices",
            [{"name": "v", "devicePath": "/a/../b"}, {"name": "gone", "devicePath": ""}],
            [
                f'{C}.volumeDevices[0].name: Invalid value: "v": can only use volume source type '
                "of PersistentVolumeClaim or Ephemeral for block mode",
                f'{C}.volumeDevices[0].devicePath: Invalid value: "/a/../b": can not contain '
                "backsteps ('..')",
                f"{C}.volumeDevices[1].devicePath: Required value",
                f'{C}.volumeDevices[1].name: Not found: "gone"',
            ],
        ),
        (
            "restartPolicyRules",
            [RULE],
            [
                f"{C}.restartPolicy: Required value: must specify restartPolicy when restart "
                "rules are used"
            ],
        ),
        (
            "resizePolicy",
            [{"resourceName": "gpu", "restartPolicy": "NotRequired"}],
            [f'{C}.resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"'],
        ),
        (
            "terminationMessagePolicy",
            "Both",
            [
                f'{C}.terminationMessagePolicy: Unsupported value: "Both": supported values: '
                '"File", "FallbackToLogsOnError"'
            ],
        ),
    ],
)
def test_what_a_container_may_not_say(field: str, value: Any, expected: list[str]) -> None:
    assert errors(put(POD, f"spec.containers.0.{field}", value)) == expected


def test_restart_rules() -> None:
    container = {"name": "main", "image": "i", "restartPolicy": "Never"}
    wrong = [{"action": "Stop", "exitCodes": {"operator": "Is"}}, {"action": "Restart"}]
    found = errors(put(POD, "spec.containers.0", {**container, "restartPolicyRules": wrong}))
    assert found == [
        f'{C}.restartPolicyRules[0].action: Unsupported value: "Stop": supported values: '
        '"Restart", "RestartAllContainers"',
        f'{C}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported '
        'values: "In", "NotIn"',
        f"{C}.restartPolicyRules[1].exitCodes: Required value: must be specified",
    ]
    many = [RULE] * 21
    found = errors(put(POD, "spec.containers.0", {**container, "restartPolicyRules": many}))
    assert found == [f"{C}.restartPolicyRules: Too many: 21: must have at most 20 items"]


PROBE = {"tcpSocket": {"port": 80}}


def test_init_containers_have_no_probes_unless_they_stay() -> None:
    init = {"name": "first", "image": "i", "readinessProbe": PROBE}
    assert errors(put(POD, "spec.initContainers", [init])) == [
        "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers "
        "without restartPolicy=Always"
    ]
    assert errors(put(POD, "spec.initContainers", [{**init, "restartPolicy": "Always"}])) == []


def test_all_containers_of_a_pod_have_names_of_their_own() -> None:
    same = [{"name": "main", "image": "i"}]
    assert errors(put(POD, "spec.initContainers", same)) == [
        'spec.initContainers[0].name: Duplicate value: "main"'
    ]


def test_only_sidecars_are_restarted_to_be_resized() -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    init = {"name": "first", "image": "i", "resizePolicy": policy}
    assert errors(put(POD, "spec.initContainers", [init])) == [
        "spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: "
        "\"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers"
    ]


def test_ephemeral_containers_are_bare() -> None:
    old = put(POD, "spec.nodeName", "n")
    debug = {
        "name": "debug",
        "image": "i",
        "targetContainerName": "other",
        "ports": [{"containerPort": 1}],
        "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a"}],
    }
    new = put(old, "spec.ephemeralContainers", [debug])
    assert errors(new, old, subresource="ephemeralcontainers") == [
        'spec.ephemeralContainers[0].targetContainerName: Not found: "other"',
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
        "spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an "
        "Ephemeral Container",
    ]


def test_files_of_variables_come_from_empty_volumes() -> None:
    source = {"fileKeyRef": {"volumeName": "block", "path": "a", "key": "K"}}
    missing = {"fileKeyRef": {"volumeName": "none", "path": "a", "key": "K"}}
    env = [{"name": "A", "valueFrom": source}, {"name": "B", "valueFrom": missing}]
    path = f"{C}.env[0].valueFrom.fileKeyRef.volumeName"
    assert errors(put(POD, "spec.containers.0.env", env)) == [
        f'{path}: Invalid value: "block": referenced volume must be of type emptyDir',
        f'{C}.env[1].valueFrom.fileKeyRef.volumeName: Not found: "none"',
    ]
