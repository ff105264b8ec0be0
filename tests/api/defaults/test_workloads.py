"""Defaults of `apps`, `batch` and `autoscaling`."""

from typing import Any

import pytest

from tests.api.kit import Json, defaulted, made

TEMPLATE: Json = {"spec": {"containers": [{"name": "main", "image": "i"}]}}


def spec_of(version: str, kind: str, **spec: Any) -> Json:
    """The defaulted spec, without its template, which is in it."""
    found: Json = defaulted(made(version, kind, spec={**spec, "template": TEMPLATE}))["spec"]
    assert found.pop("template")["spec"]["restartPolicy"] == "Always"
    return found


def test_deployments() -> None:
    assert spec_of("apps/v1", "Deployment") == {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
        },
    }
    recreated = spec_of("apps/v1", "Deployment", replicas=0, strategy={"type": "Recreate"})
    assert (recreated["replicas"], recreated["strategy"]) == (0, {"type": "Recreate"})


def test_stateful_sets() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {}}
    spec = spec_of("apps/v1", "StatefulSet", volumeClaimTemplates=[claim])
    assert spec.pop("volumeClaimTemplates") == [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"volumeMode": "Filesystem"},
            "status": {"phase": "Pending"},
        }
    ]
    assert spec == {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    }
    once = spec_of("apps/v1", "StatefulSet")["persistentVolumeClaimRetentionPolicy"]
    once["whenDeleted"] = "Delete"
    again = spec_of("apps/v1", "StatefulSet")["persistentVolumeClaimRetentionPolicy"]
    assert again["whenDeleted"] == "Retain"


def test_daemon_sets() -> None:
    assert spec_of("apps/v1", "DaemonSet") == {
        "revisionHistoryLimit": 10,
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
        },
    }


@pytest.mark.parametrize(
    "given, expected",
    [
        ({}, {"completions": 1, "parallelism": 1, "backoffLimit": 6}),
        ({"parallelism": 3}, {"parallelism": 3}),
        ({"backoffLimitPerIndex": 1}, {"backoffLimit": 2**31 - 1}),
        ({"podFailurePolicy": {"rules": []}}, {"podReplacementPolicy": "Failed"}),
    ],
)
def test_jobs(given: Json, expected: Json) -> None:
    spec = spec_of("batch/v1", "Job", **given)
    assert expected.items() <= spec.items()
    assert ("completions" in spec) is ("parallelism" not in given)
    assert spec["completionMode"] == "NonIndexed" and spec["suspend"] is False


def test_cron_jobs() -> None:
    job = {"spec": {"template": TEMPLATE}}
    spec = defaulted(made("batch/v1", "CronJob", spec={"schedule": "@daily", "jobTemplate": job}))[
        "spec"
    ]
    assert spec.pop("jobTemplate")["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"
    assert spec == {
        "schedule": "@daily",
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }


def test_autoscalers() -> None:
    reference = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    scaler = made(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": reference,
            "maxReplicas": 3,
            "behavior": {"scaleUp": {"policies": []}},
        },
    )
    spec = defaulted(scaler)["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"] == {
        "type": "Utilization",
        "averageUtilization": 80,
    }
    assert spec["behavior"] == {
        "scaleUp": {"policies": [], "stabilizationWindowSeconds": 0, "selectPolicy": "Max"},
        "scaleDown": {
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
    }
