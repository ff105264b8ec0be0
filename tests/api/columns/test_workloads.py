"""Tests of the rows of kinds that make pods, and of plain data."""

from typing import Any

import pytest

from tests.api.columns.kit import HOUR_AGO, SELECTED, SELECTOR, row, true

Json = dict[str, Any]
TEMPLATE: Json = {
    "metadata": {"labels": {"b": "2", "a": "1"}},
    "spec": {
        "containers": [{"name": "one", "image": "x:1"}, {"name": "two", "image": "y"}],
        "nodeSelector": {"gpu": "yes"},
    },
}
CASES: list[tuple[str, Json, Json]] = [
    ("ConfigMap", {"data": {"a": ""}, "binaryData": {"b": ""}}, {"Name": "it", "Data": 2}),
    ("ConfigMap", {}, {"Data": 0, "Age": "60m"}),
    ("Secret", {"type": "Opaque", "data": {"a": ""}}, {"Type": "Opaque", "Data": 1}),
    ("LimitRange", {}, {"Created At": HOUR_AGO}),
    ("Namespace", {"status": {"phase": "Active"}}, {"Status": "Active"}),
    (
        "Deployment",
        {
            "spec": {"replicas": 3, "template": TEMPLATE, "selector": SELECTOR},
            "status": {"readyReplicas": 1, "updatedReplicas": 2},
        },
        {
            "Ready": "1/3",
            "Up-to-date": 2,
            "Available": 0,
            "Containers": "one,two",
            "Images": "x:1,y",
            "Selector": SELECTED,
        },
    ),
    ("StatefulSet", {"spec": {"template": TEMPLATE}}, {"Ready": "0/0", "Images": "x:1,y"}),
    (
        "ReplicaSet",
        {"spec": {"replicas": 2, "selector": {}}, "status": {"replicas": 1}},
        {"Desired": 2, "Current": 1, "Ready": 0, "Containers": "", "Selector": "<none>"},
    ),
    (
        "ReplicationController",
        {"spec": {"selector": {"b": "2", "a": "1"}}},
        {"Desired": 0, "Selector": "a=1,b=2"},
    ),
    (
        "DaemonSet",
        {"spec": {"template": TEMPLATE}, "status": {"desiredNumberScheduled": 4}},
        {"Desired": 4, "Current": 0, "Node Selector": "gpu=yes", "Selector": "<none>"},
    ),
    ("PodTemplate", {"template": TEMPLATE}, {"Containers": "one,two", "Pod Labels": "a=1,b=2"}),
    (
        "Job",
        {
            "spec": {"completions": 3, "template": TEMPLATE},
            "status": {"succeeded": 1, "startTime": "2026-11-21T11:58:30Z"},
        },
        {"Status": "Running", "Completions": "1/3", "Duration": "90s"},
    ),
    (
        "Job",
        {
            "spec": {"parallelism": 4},
            "status": {
                "startTime": HOUR_AGO,
                "completionTime": "2026-11-21T11:00:05Z",
                "conditions": true("SuccessCriteriaMet", "Complete"),
            },
        },
        {"Status": "Complete", "Completions": "0/1 of 4", "Duration": "5s"},
    ),
    ("Job", {"spec": {"parallelism": 1}}, {"Completions": "0/1", "Duration": ""}),
    ("Job", {"status": {"conditions": true("Suspended")}}, {"Status": "Suspended"}),
    (
        "Job",
        {"metadata": {"deletionTimestamp": HOUR_AGO}, "status": {"conditions": true("Suspended")}},
        {"Status": "Terminating"},
    ),
    (
        "CronJob",
        {
            "spec": {
                "schedule": "* * * * *",
                "suspend": False,
                "jobTemplate": {"spec": {"template": TEMPLATE, "selector": SELECTOR}},
            },
            "status": {"active": [{}, {}]},
        },
        {
            "Schedule": "* * * * *",
            "Timezone": "<none>",
            "Suspend": "False",
            "Active": 2,
            "Last Schedule": "<none>",
            "Containers": "one,two",
            "Selector": SELECTED,
        },
    ),
    ("CronJob", {"status": {"lastScheduleTime": HOUR_AGO}}, {"Last Schedule": "60m"}),
    (
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"averageUtilization": 50}},
                    },
                    {"type": "Pods", "pods": {"target": {"averageValue": "1k"}}},
                    {"type": "Object", "object": {"target": {"value": "2k"}}},
                ],
            },
            "status": {
                "currentMetrics": [{"resource": {"current": {"averageUtilization": 7}}}],
            },
        },
        {
            "Reference": "Deployment/web",
            "Targets": "cpu: 7%/50%, <unknown>/1k + 1 more...",
            "MinPods": "<unset>",
            "MaxPods": 5,
            "Replicas": 0,
        },
    ),
    (
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "metrics": [
                    {"type": "External", "external": {"target": {"averageValue": "3"}}},
                    {"type": "Other"},
                ]
            },
            "status": {"currentMetrics": [{"external": {"current": {"averageValue": "1"}}}]},
        },
        {"Targets": "1/3 (avg), <unknown type>"},
    ),
    ("HorizontalPodAutoscaler", {"spec": {}}, {"Targets": "<none>", "Reference": "/"}),
    (
        "PodDisruptionBudget",
        {"spec": {"minAvailable": 0}},
        {"Min Available": 0, "Max Unavailable": "N/A", "Allowed Disruptions": 0},
    ),
    (
        "ControllerRevision",
        {
            "revision": 4,
            "metadata": {
                "ownerReferences": [
                    {"kind": "Other", "name": "x", "apiVersion": "v1"},
                    {"kind": "DaemonSet", "name": "d", "apiVersion": "apps/v1", "controller": True},
                ]
            },
        },
        {"Controller": "daemonset.apps/d", "Revision": 4},
    ),
    ("ControllerRevision", {}, {"Controller": "<none>", "Revision": 0}),
]


@pytest.mark.parametrize("kind, obj, shown", CASES, ids=[case[0] for case in CASES])
def test_what_is_shown(kind: str, obj: Json, shown: Json) -> None:
    assert shown.items() <= row(kind, obj).items()
