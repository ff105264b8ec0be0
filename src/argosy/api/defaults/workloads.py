"""Defaults of `apps`, `batch` and `autoscaling`."""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.defaults.fill import Json, fill, fill_empty
from argosy.api.defaults.pods import pod_template

ROLLING = "RollingUpdate"
LARGEST = 2**31 - 1
SCALING: Mapping[str, Mapping[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": (("Pods", 4), ("Percent", 100)),
    },
    "scaleDown": {"selectPolicy": "Max", "policies": (("Percent", 100),)},
}
PERIOD = 15


def _replica_set(replicas: Json) -> None:
    spec = replicas.setdefault("spec", {})
    fill(spec, {"replicas": 1})
    pod_template(spec.setdefault("template", {}))


def _deployment(deployment: Json) -> None:
    _replica_set(deployment)
    spec = deployment["spec"]
    fill(spec, {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = spec.setdefault("strategy", {})
    fill_empty(strategy, {"type": ROLLING})
    if strategy["type"] == ROLLING:
        update = strategy.setdefault("rollingUpdate", {})
        fill(update, {"maxUnavailable": "25%", "maxSurge": "25%"})


def _daemon_set(daemons: Json) -> None:
    spec = daemons.setdefault("spec", {})
    fill(spec, {"revisionHistoryLimit": 10})
    pod_template(spec.setdefault("template", {}))
    strategy = spec.setdefault("updateStrategy", {})
    fill_empty(strategy, {"type": ROLLING})
    if strategy["type"] == ROLLING:
        fill(strategy.setdefault("rollingUpdate", {}), {"maxUnavailable": 1, "maxSurge": 0})


def _stateful_set(replicas: Json) -> None:
    _replica_set(replicas)
    spec = replicas["spec"]
    fill(spec, {"revisionHistoryLimit": 10, "persistentVolumeClaimRetentionPolicy": {}})
    fill_empty(spec, {"podManagementPolicy": "OrderedReady"})
    retention = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    fill_empty(spec["persistentVolumeClaimRetentionPolicy"], retention)
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = ROLLING
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == ROLLING and "rollingUpdate" in strategy:
        fill(strategy["rollingUpdate"], {"partition": 0})
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.update({"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
        fill(claim.setdefault("spec", {}), {"volumeMode": "Filesystem"})
        fill_empty(claim.setdefault("status", {}), {"phase": "Pending"})


def _job(job: Json) -> None:
    spec = job.setdefault("spec", {})
    if "parallelism" not in spec:
        fill(spec, {"completions": 1})
    fill(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": LARGEST if "backoffLimitPerIndex" in spec else 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": (
                "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
            ),
            "manualSelector": False,
        },
    )
    _job_template(spec)
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if labels:
        fill_empty(job["metadata"], {"labels": dict(labels)})


def _job_template(spec: Json) -> None:
    pod_template(spec.setdefault("template", {}))
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill_empty(pattern, {"status": "True"})


def _cron_job(job: Json) -> None:
    spec = job.setdefault("spec", {})
    fill_empty(spec, {"concurrencyPolicy": "Allow"})
    limits = {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}
    fill(spec, {"suspend": False, **limits})
    _job_template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _autoscaler(scaler: Json) -> None:
    spec = scaler.setdefault("spec", {})
    fill(spec, {"minReplicas": 1})
    if scaler.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if "behavior" in spec:
        for name, defaults in SCALING.items():
            rules = spec["behavior"].setdefault(name, {})
            policies = [
                {"type": kind, "value": value, "periodSeconds": PERIOD}
                for kind, value in defaults["policies"]
            ]
            fill(rules, {**defaults, "policies": policies})


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
}
