"""Autoscalers and disruption budgets."""

from typing import Any

import pytest

from argosy.api.validation.values import PERCENT_RULE
from tests.api.kit import errors, made, put

SCALER = made(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    spec={
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": 3,
    },
)
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 15}
M = "spec.metrics[0]"
TARGET = {"type": "Value", "value": "5"}


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("behavior", {"scaleDown": {"stabilizationWindowSeconds": 60}}, []),
        (
            "metrics",
            [{"type": "External", "external": {"metric": {"name": "q"}, "target": TARGET}}],
            [],
        ),
        (
            "maxReplicas",
            0,
            [
                "spec.maxReplicas: Required value: must be set and greater than 0",
                "spec.maxReplicas: Invalid value: 0: must be greater than or equal to "
                "`minReplicas`",
            ],
        ),
        (
            "minReplicas",
            4,
            ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
        ),
        (
            "scaleTargetRef.apiVersion",
            "v1",
            [
                'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API '
                "group"
            ],
        ),
        (
            "scaleTargetRef.name",
            "a/b",
            ["spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'"],
        ),
        (
            "metrics",
            [{"type": "Feeling"}],
            [
                f'{M}.type: Unsupported value: "Feeling": supported values: "ContainerResource", '
                '"External", "Object", "Pods", "Resource"'
            ],
        ),
        (
            "metrics",
            [{"type": "Pods"}],
            [f"{M}.pods: Required value: must populate information for the given metric source"],
        ),
        (
            "metrics",
            [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Value"}}}],
            [
                f"{M}.resource.target.averageUtilization: Required value: must set either a "
                "target raw value or a target utilization"
            ],
        ),
        (
            "metrics",
            [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 0},
                    },
                }
            ],
            [f"{M}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0"],
        ),
        (
            "behavior",
            {"scaleUp": {"policies": [{**POLICY, "periodSeconds": 1801}]}},
            [
                "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be "
                "less than or equal to 1800"
            ],
        ),
        (
            "behavior",
            {"scaleUp": {"selectPolicy": "Best", "policies": []}},
            [
                'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Best": supported values: '
                '"Disabled", "Max", "Min"',
                "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
            ],
        ),
        (
            "behavior",
            {"scaleDown": {"stabilizationWindowSeconds": 3601}},
            [
                "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be "
                "less than or equal to 3600"
            ],
        ),
    ],
)
def test_autoscalers(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(SCALER, f"spec.{path}", value)) == expected


def test_a_target_that_is_there_may_stay() -> None:
    old = put(SCALER, "spec.scaleTargetRef.apiVersion", "v1")
    assert errors(put(old, "spec.maxReplicas", 5), old) == []


BUDGET = made("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1})


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("minAvailable", "50%", []),
        (
            "minAvailable",
            -1,
            ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"],
        ),
        ("minAvailable", "half", [f'spec.minAvailable: Invalid value: "half": {PERCENT_RULE}']),
        (
            "minAvailable",
            "101%",
            ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (
            "maxUnavailable",
            1,
            [
                'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and '
                "maxUnavailable cannot be both set"
            ],
        ),
        (
            "unhealthyPodEvictionPolicy",
            "Never",
            [
                'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: '
                '"AlwaysAllow", "IfHealthyBudget"'
            ],
        ),
    ],
)
def test_budgets(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(BUDGET, f"spec.{path}", value)) == expected


def test_the_status_of_a_budget() -> None:
    assert errors(put(BUDGET, "status", {"currentHealthy": -1}), BUDGET) == [
        "status.currentHealthy: Invalid value: -1: must be greater than or equal to 0"
    ]
