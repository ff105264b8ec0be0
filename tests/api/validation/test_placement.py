"""What priorities, runtimes, workloads and groups of pods may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "scheduling.k8s.io/v1"
GANGS = "scheduling.k8s.io/v1beta1"
PRIORITY = made(V1, "PriorityClass", value=1000)
SYSTEM = made(V1, "PriorityClass", "system-node-critical", value=2_000_001_000)
GROUP = made(
    GANGS,
    "PodGroup",
    spec={
        "schedulingPolicy": {"gang": {"minCount": 2}},
        "workloadRef": {"workloadName": "w", "templateName": "t"},
        "resourceClaims": [{"name": "gpu", "resourceClaimName": "shared"}],
    },
)
TEMPLATE = {"name": "workers", "schedulingPolicy": {"gang": {"minCount": 2}}}
WORKLOAD = made(GANGS, "Workload", spec={"podGroupTemplates": [TEMPLATE]})
RUNTIME = made(
    "node.k8s.io/v1",
    "RuntimeClass",
    handler="runsc",
    overhead={"podFixed": {"cpu": "100m"}},
    scheduling={"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]},
)


@pytest.mark.parametrize(
    "obj",
    [
        PRIORITY,
        SYSTEM,
        GROUP,
        WORKLOAD,
        RUNTIME,
        put(PRIORITY, "value", GONE),
        put(GROUP, "spec", {"schedulingPolicy": {"basic": {}}}),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (
            PRIORITY,
            "value",
            1_000_000_001,
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            PRIORITY,
            "metadata.name",
            "system-mine",
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
            "system use only. error: system-mine is not a known system priority class",
        ),
        (
            SYSTEM,
            "value",
            1,
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
            "system use only. error: value of system-node-critical PriorityClass must be "
            "2000001000",
        ),
        (
            PRIORITY,
            "preemptionPolicy",
            "Maybe",
            'preemptionPolicy: Unsupported value: "Maybe": supported values: '
            '"PreemptLowerPriority", "Never"',
        ),
        (
            GROUP,
            "spec.schedulingPolicy",
            {},
            'spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`',
        ),
        (
            GROUP,
            "spec.schedulingPolicy.basic",
            {},
            'spec.schedulingPolicy: Invalid value: "{basic, gang}": '
            "must specify exactly one of: `basic`, `gang`",
        ),
        (
            GROUP,
            "spec.schedulingPolicy.gang.minCount",
            0,
            "spec.schedulingPolicy.gang.minCount: Invalid value: 0: "
            "must be greater than or equal to 1",
        ),
        (
            GROUP,
            "spec.priority",
            1_000_000_001,
            "spec.priority: Invalid value: 1000000001: must be less than or equal to 1000000000",
        ),
        (
            GROUP,
            "spec.resourceClaims.1",
            {"name": "gpu", "resourceClaimName": "b"},
            'spec.resourceClaims[1]: Duplicate value: {"name":"gpu","resourceClaimName":"b"}',
        ),
        (
            GROUP,
            "spec.resourceClaims.0.resourceClaimTemplateName",
            "t",
            "spec.resourceClaims[0]: Invalid value: "
            '"{resourceClaimName, resourceClaimTemplateName}": must specify exactly one of: '
            "`resourceClaimName`, `resourceClaimTemplateName`",
        ),
        (
            GROUP,
            "spec.resourceClaims",
            [{"name": f"c{i}", "resourceClaimName": "b"} for i in range(5)],
            "spec.resourceClaims: Too many: 5: must have at most 4 items",
        ),
        (
            GROUP,
            "spec.schedulingConstraints",
            {"topology": [{"key": "a"}, {"key": "b"}]},
            "spec.schedulingConstraints.topology: Too many: 2: must have at most 1 item",
        ),
        (
            GROUP,
            "spec.workloadRef.workloadName",
            "",
            "spec.workloadRef.workloadName: Required value",
        ),
        (
            WORKLOAD,
            "spec",
            {},
            'spec: Invalid value: "": must specify one of: `podGroupTemplates`, '
            "`compositePodGroupTemplates`",
        ),
        (
            WORKLOAD,
            "spec.podGroupTemplates",
            [{**TEMPLATE, "name": f"t{i}"} for i in range(9)],
            "spec.podGroupTemplates: Too many: 9: must have at most 8 items",
        ),
        (
            WORKLOAD,
            "spec.podGroupTemplates.0.schedulingPolicy.gang.minCount",
            -1,
            "spec.podGroupTemplates[0].schedulingPolicy.gang.minCount: Invalid value: -1: "
            "must be greater than or equal to 1",
        ),
        (
            WORKLOAD,
            "spec.controllerRef",
            {"kind": "Job", "name": ""},
            "spec.controllerRef.name: Required value",
        ),
        (RUNTIME, "handler", "", "handler: Required value"),
        (
            RUNTIME,
            "overhead.podFixed.cpu",
            "-1",
            'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ),
        (
            RUNTIME,
            "scheduling.tolerations.1",
            {"key": "k", "operator": "Exists"},
            'scheduling.tolerations[1]: Duplicate value: {"key":"k","operator":"Exists"}',
        ),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value)) == [error]


FROZEN = "Invalid value: null: field is immutable"


@pytest.mark.parametrize(
    ("obj", "path", "value", "found"),
    [
        (PRIORITY, "description", "x", []),
        (PRIORITY, "value", 1, ["value: Forbidden: may not be changed in an update."]),
        (
            PRIORITY,
            "preemptionPolicy",
            "Never",
            ['preemptionPolicy: Invalid value: "Never": field is immutable'],
        ),
        (RUNTIME, "handler", "kata", ['handler: Invalid value: "kata": field is immutable']),
        (GROUP, "spec.schedulingPolicy.gang.minCount", 5, []),
        (GROUP, "spec.priority", 5, [f"spec.priority: {FROZEN}"]),
        (GROUP, "spec.workloadRef", GONE, [f"spec.workloadRef: {FROZEN}"]),
        (GROUP, "spec.disruptionMode", {"all": {}}, [f"spec.disruptionMode: {FROZEN}"]),
        (
            GROUP,
            "spec.schedulingPolicy",
            {"basic": {}},
            [
                f"spec.schedulingPolicy.basic: {FROZEN}",
                "spec.schedulingPolicy.gang: Invalid value: null: field cannot be cleared once set",
            ],
        ),
        (WORKLOAD, "spec.podGroupTemplates.0.schedulingPolicy.gang.minCount", 3, []),
        (
            WORKLOAD,
            "spec.podGroupTemplates.0.priority",
            3,
            [f"spec.podGroupTemplates[0].priority: {FROZEN}"],
        ),
        (
            WORKLOAD,
            "spec.podGroupTemplates.1",
            {**TEMPLATE, "name": "more"},
            ["spec.podGroupTemplates[1]: Forbidden: item may not be added"],
        ),
        (
            WORKLOAD,
            "spec.podGroupTemplates.0.name",
            "others",
            [
                "spec.podGroupTemplates[0]: Forbidden: item may not be added",
                "spec.podGroupTemplates: Forbidden: item may not be removed",
            ],
        ),
        (
            WORKLOAD,
            "spec.controllerRef",
            {"kind": "Job", "name": "j"},
            [f"spec.controllerRef: {FROZEN}"],
        ),
    ],
)
def test_what_may_change(obj: dict[str, Any], path: str, value: Any, found: list[str]) -> None:
    assert errors(put(obj, path, value), obj) == found


def test_a_group_is_told_of_its_own_claims() -> None:
    path = "status.resourceClaimStatuses"
    told = put(GROUP, path, [{"name": "gpu", "resourceClaimName": "a"}])
    assert errors(told, GROUP, subresource="status") == []
    other = put(GROUP, path, [{"name": "nic"}])
    assert errors(other, GROUP, subresource="status") == [
        f'{path}[0].name: Invalid value: "nic": '
        "must match the name of an entry in `spec.resourceClaims`"
    ]


def test_conditions_are_whole() -> None:
    condition = {
        "type": "Scheduled",
        "status": "Yes",
        "reason": "-",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    bad = put(GROUP, "status.conditions", [condition])
    status, reason = errors(bad, GROUP, subresource="status")
    assert status == (
        'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", '
        '"True", "Unknown"'
    )
    assert reason.startswith(
        'status.conditions[0].reason: Invalid value: "-": a condition reason must start with'
    )


def test_composite_templates_nest() -> None:
    inner = {"name": "inner", "schedulingPolicy": {"basic": {}}, "podGroupTemplates": [TEMPLATE]}
    outer = {
        "name": "outer",
        "schedulingPolicy": {"gang": {"minGroupCount": 1}},
        "compositePodGroupTemplates": [inner],
    }
    tree = made(GANGS, "Workload", spec={"compositePodGroupTemplates": [outer]})
    assert errors(tree) == []
    deep = "spec.compositePodGroupTemplates.0.compositePodGroupTemplates.0.podGroupTemplates.0"
    shown = "spec.compositePodGroupTemplates[0].compositePodGroupTemplates[0].podGroupTemplates[0]"
    assert errors(put(tree, f"{deep}.priority", 1), tree) == [f"{shown}.priority: {FROZEN}"]
    (error,) = errors(put(tree, f"{deep}.name", "A"))
    assert error.startswith(f'{shown}.name: Invalid value: "A": a lowercase RFC 1123 label')
