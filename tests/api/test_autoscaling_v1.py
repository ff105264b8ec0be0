"""Autoscalers between autoscaling/v1 and v2."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.autoscaling_notes import BEHAVIOR, CONDITIONS, CURRENT, METRICS, OURS
from argosy.api.autoscaling_v1 import V1, V2, as_v1, as_v2

Json = dict[str, Any]
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"}
SELECTOR = {"matchLabels": {"a": "b"}}
NOW = "2026-01-01T00:00:00Z"


def old(annotations: Json | None = None, **spec: Any) -> Json:
    meta: Json = {"name": "web"}
    if annotations is not None:
        meta["annotations"] = annotations
    return {
        "apiVersion": V1,
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, **spec},
    }


def share(percent: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def test_a_share_of_cpu_is_a_field() -> None:
    new = as_v2(old(targetCPUUtilizationPercentage=50))
    assert new["apiVersion"] == V2
    assert new["spec"]["metrics"] == [share(50)]
    assert as_v1(new) == old(targetCPUUtilizationPercentage=50)


def test_without_metrics_there_is_the_default() -> None:
    assert as_v2(old())["spec"]["metrics"] == [share(80)]


PAIRS: list[tuple[Json, Json]] = [
    (
        {
            "type": "Pods",
            "pods": {"metricName": "hits", "targetAverageValue": "1k", "selector": SELECTOR},
        },
        {
            "type": "Pods",
            "pods": {
                "metric": {"name": "hits", "selector": SELECTOR},
                "target": {"type": "AverageValue", "averageValue": "1k"},
            },
        },
    ),
    (
        {
            "type": "Object",
            "object": {"target": INGRESS, "metricName": "hits", "targetValue": "2"},
        },
        {
            "type": "Object",
            "object": {
                "describedObject": INGRESS,
                "metric": {"name": "hits"},
                "target": {"type": "Value", "value": "2"},
            },
        },
    ),
    (
        {
            "type": "Object",
            "object": {
                "target": INGRESS,
                "metricName": "hits",
                "targetValue": "0",
                "averageValue": "3",
            },
        },
        {
            "type": "Object",
            "object": {
                "describedObject": INGRESS,
                "metric": {"name": "hits"},
                "target": {"type": "AverageValue", "averageValue": "3"},
            },
        },
    ),
    (
        {
            "type": "External",
            "external": {"metricName": "q", "metricSelector": SELECTOR, "targetValue": "4"},
        },
        {
            "type": "External",
            "external": {
                "metric": {"name": "q", "selector": SELECTOR},
                "target": {"type": "Value", "value": "4"},
            },
        },
    ),
    (
        {"type": "External", "external": {"metricName": "q", "targetAverageValue": "4"}},
        {
            "type": "External",
            "external": {
                "metric": {"name": "q"},
                "target": {"type": "AverageValue", "averageValue": "4"},
            },
        },
    ),
    (
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}},
        {
            "type": "Resource",
            "resource": {
                "name": "memory",
                "target": {"type": "AverageValue", "averageValue": "1Gi"},
            },
        },
    ),
    (
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "cpu",
                "targetAverageUtilization": 70,
                "container": "app",
            },
        },
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 70},
                "container": "app",
            },
        },
    ),
]


@pytest.mark.parametrize("before, after", PAIRS)
def test_other_metrics_are_annotations(before: Json, after: Json) -> None:
    obj = old({METRICS: json.dumps([before]), "mine": "x"}, targetCPUUtilizationPercentage=50)
    new = as_v2(obj)
    assert new["spec"]["metrics"] == [after, share(50)]
    assert new["metadata"]["annotations"] == {"mine": "x"}
    back = as_v1(new)
    assert json.loads(back["metadata"]["annotations"][METRICS]) == [before]
    assert back["metadata"]["annotations"]["mine"] == "x"
    assert back["spec"] == obj["spec"]


UPSTREAM_BEHAVIOR = {
    "ScaleUp": {
        "StabilizationWindowSeconds": 0,
        "SelectPolicy": "Max",
        "Policies": [{"Type": "Pods", "Value": 4, "PeriodSeconds": 15}],
        "Tolerance": None,
    },
    "ScaleDown": {
        "StabilizationWindowSeconds": None,
        "SelectPolicy": "Min",
        "Policies": [{"Type": "Percent", "Value": 10, "PeriodSeconds": 60}],
        "Tolerance": "50m",
    },
}
BEHAVIOUR = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    },
    "scaleDown": {
        "selectPolicy": "Min",
        "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
        "tolerance": "50m",
    },
}


def test_behaviour_is_an_annotation_with_capitals() -> None:
    new = as_v2(old({BEHAVIOR: json.dumps(UPSTREAM_BEHAVIOR)}))
    assert new["spec"]["behavior"] == BEHAVIOUR
    assert "annotations" not in new["metadata"]
    again = as_v2(as_v1(new))
    assert again["spec"]["behavior"] == BEHAVIOUR
    lower = as_v2(old({BEHAVIOR: json.dumps(UPSTREAM_BEHAVIOR).lower()}))["spec"]["behavior"]
    assert lower["scaleUp"]["policies"] == [{"type": "pods", "value": 4, "periodSeconds": 15}]


def test_the_status() -> None:
    used = {"averageUtilization": 40, "averageValue": "40m"}
    conditions = [
        {
            "type": "AbleToScale",
            "status": "True",
            "lastTransitionTime": NOW,
            "reason": "ReadyForNewScale",
            "message": "m",
        }
    ]
    status = {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "lastScaleTime": NOW,
        "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": used}},
            {"type": ""},
        ],
        "conditions": conditions,
    }
    new = {**as_v2(old(targetCPUUtilizationPercentage=50)), "status": status}
    seen = as_v1(new)
    assert seen["status"] == {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "lastScaleTime": NOW,
        "currentCPUUtilizationPercentage": 40,
    }
    notes = seen["metadata"]["annotations"]
    current = {
        "name": "cpu",
        "currentAverageUtilization": 40,
        "currentAverageValue": "40m",
    }
    assert json.loads(notes[CURRENT]) == [{"type": "Resource", "resource": current}, {"type": ""}]
    assert json.loads(notes[CONDITIONS]) == conditions
    assert as_v2(seen) == new
    del seen["metadata"]["annotations"]
    assert as_v2(seen)["status"]["currentMetrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}
    ]


@pytest.mark.parametrize(
    "names, text",
    [
        (OURS, ""),
        (OURS, "{"),
        (OURS, "null"),
        (OURS, "5"),
        (OURS, '[{"type": 5}]'),
        (OURS, "[" * 5000),
        ((METRICS, CURRENT), '[{"type": "Pods", "pods": {"targetAverageValue": "much"}}]'),
        ((METRICS, CURRENT), '[{"resource": {"targetAverageUtilization": 99999999999}}]'),
        ((BEHAVIOR,), '{"ScaleUp": {"Policies": [{"Value": "many"}]}}'),
        ((BEHAVIOR,), '{"ScaleUp": {"Tolerance": "much"}}'),
        ((CONDITIONS,), '[{"type": "a", "status": "True", "lastTransitionTime": "soon"}]'),
    ],
)
def test_annotations_that_make_no_sense_are_none(names: Iterable[str], text: str) -> None:
    obj = {**old(dict.fromkeys(names, text)), "status": {"currentReplicas": 1}}
    new = as_v2(obj)
    assert new["spec"]["metrics"] == [share(80)]
    assert "behavior" not in new["spec"]
    assert new["status"] == {"currentReplicas": 1}
    assert "annotations" not in new["metadata"]


def test_parts_that_are_missing() -> None:
    assert as_v1({"apiVersion": V2}) == {"apiVersion": V1}
    assert as_v2({"apiVersion": V1, "metadata": {}}) == {"apiVersion": V2, "metadata": {}}


@settings(max_examples=80, deadline=None)
@given(
    metrics=st.lists(st.sampled_from([after for _, after in PAIRS]), max_size=4),
    percent=st.none() | st.integers(1, 200),
    behavior=st.sampled_from([None, BEHAVIOUR]),
)
def test_there_and_back(metrics: list[Json], percent: int | None, behavior: Json | None) -> None:
    """What is once as v1 leaves it stays the same."""
    spec: Json = {"scaleTargetRef": TARGET, "maxReplicas": 3, "minReplicas": 2}
    shares = [] if percent is None else [share(percent)]
    if found := [*metrics, *shares]:
        spec["metrics"] = found
    if behavior is not None:
        spec["behavior"] = behavior
    new = as_v2(as_v1({"apiVersion": V2, "metadata": {"name": "web"}, "spec": spec}))
    assert new["spec"] == {**spec, "metrics": found or [share(80)]}
    assert as_v2(as_v1(new)) == new
