"""Kinds that make pods: what they ask for, and how far they are."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.autoscaling_v1 import V1, as_v2
from argosy.api.columns.text import (
    UNKNOWN,
    Cell,
    Json,
    age,
    at,
    condition,
    items,
    joined,
    label_selector,
    pairs,
    shortened,
)
from argosy.base.clock import parse_timestamp

TEMPLATES = ("spec.template", "spec.jobTemplate.spec.template", "template")
HPA_SHOWN = 2
JOB_STATES = {
    "Complete": "Complete",
    "Failed": "Failed",
    "": "Terminating",
    "Suspended": "Suspended",
    "FailureTarget": "FailureTarget",
    "SuccessCriteriaMet": "SuccessCriteriaMet",
}
"""What a job is, in this order; the one without a condition is a deletion."""


def _template(obj: Json) -> Json:
    return next((found for path in TEMPLATES if (found := at(obj, path))), {})


def _of_containers(field: str) -> Callable[[Json, datetime], Cell]:
    def shown(obj: Json, now: datetime) -> Cell:
        containers = items(_template(obj), "spec.containers")
        return joined((item.get(field) or "" for item in containers), empty="")

    return shown


def _controller(obj: Json, now: datetime) -> Cell:
    owners = obj["metadata"].get("ownerReferences") or ()
    for owner in owners:
        if owner.get("controller"):
            group = owner["apiVersion"].rpartition("/")[0]
            kind = f"{owner['kind']}.{group}" if group else owner["kind"]
            return f"{kind.lower()}/{owner['name']}"
    return "<none>"


def _ready(obj: Json, now: datetime) -> Cell:
    return f"{at(obj, 'status.readyReplicas') or 0}/{at(obj, 'spec.replicas') or 0}"


def _selector(obj: Json, now: datetime) -> Cell:
    """A CronJob's is that of its jobs."""
    where = "spec.jobTemplate.spec.selector" if at(obj, "spec.jobTemplate") else "spec.selector"
    return label_selector(at(obj, where))


def _job_status(job: Json, now: datetime) -> Cell:
    deleted = bool(job["metadata"].get("deletionTimestamp"))
    for kind, shown in JOB_STATES.items():
        if condition(job, kind) == "True" or (deleted and not kind):
            return shown
    return "Running"


def _job_completions(job: Json, now: datetime) -> Cell:
    done = at(job, "status.succeeded") or 0
    wanted = at(job, "spec.completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallel = at(job, "spec.parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _job_duration(job: Json, now: datetime) -> Cell:
    began, ended = at(job, "status.startTime"), at(job, "status.completionTime")
    if not began:
        return ""
    return age(began, parse_timestamp(ended) if ended else now)


def _hpa_targets(hpa: Json, now: datetime) -> Cell:
    if hpa.get("apiVersion") == V1:
        hpa = as_v2(hpa)
    current = items(hpa, "status.currentMetrics")
    shown = [
        _metric(metric, current[i] if i < len(current) else {})
        for i, metric in enumerate(items(hpa, "spec.metrics"))
    ]
    return shortened(shown, shown=HPA_SHOWN, gap=", ", empty="<none>")


def _metric(spec: Json, status: Json) -> str:
    kind = str(spec.get("type") or "")
    field = kind[:1].lower() + kind[1:]
    source = spec.get(field)
    if not isinstance(source, Mapping):
        return "<unknown type>"
    target, now = source.get("target") or {}, at(status, f"{field}.current") or {}
    name = f"{source['name']}: " if "name" in source else ""
    if average := target.get("averageValue"):
        kinds = ("External", "Object")
        return f"{name}{now.get('averageValue', UNKNOWN)}/{average}" + " (avg)" * (kind in kinds)
    if not name:
        return f"{now.get('value', UNKNOWN)}/{target.get('value', UNKNOWN)}"
    used, wanted = (part.get("averageUtilization") for part in (now, target))
    return f"{name}{_percent(used, UNKNOWN)}/{_percent(wanted, '<auto>')}"


def _percent(value: object, otherwise: str) -> str:
    return otherwise if value is None else f"{value}%"


def _hpa_reference(hpa: Json, now: datetime) -> Cell:
    target = at(hpa, "spec.scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _suspend(obj: Json, now: datetime) -> Cell:
    value = at(obj, "spec.suspend")
    return "<unset>" if value is None else str(bool(value))


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "controller": _controller,
    "cronjob-active": lambda obj, now: len(items(obj, "status.active")),
    "cronjob-suspend": _suspend,
    "hpa-reference": _hpa_reference,
    "hpa-targets": _hpa_targets,
    "job-completions": _job_completions,
    "job-duration": _job_duration,
    "job-status": _job_status,
    "label-selector": _selector,
    "replicas-ready": _ready,
    "template-containers": _of_containers("name"),
    "template-images": _of_containers("image"),
    "template-labels": lambda obj, now: pairs(at(_template(obj), "metadata.labels")),
    "template-node-selector": lambda obj, now: pairs(at(_template(obj), "spec.nodeSelector")),
}
