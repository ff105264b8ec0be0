"""HorizontalPodAutoscalers in `autoscaling/v1`, which knows no metric but the share of cpu.

What it can't say stands in annotations, as JSON: other metrics, behaviour, what was measured, and
conditions (`autoscaling_notes` reads them). Source: upstream's conversions of `autoscaling/v1`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api import autoscaling_notes as read
from argosy.api.autoscaling_notes import BEHAVIOR, CONDITIONS, CURRENT, METRICS, OURS
from argosy.api.defaults.workloads import DEFAULTS
from argosy.base import quantity

Json = dict[str, Any]
V1, V2 = "autoscaling/v1", "autoscaling/v2"
Names = Mapping[str, Mapping[str, str]]
_SELECTED = {"metricName": "metric.name", "selector": "metric.selector"}
_OBJECT = {"target": "describedObject", **_SELECTED}
_EXTERNAL = {"metricName": "metric.name", "metricSelector": "metric.selector"}
_SHARE = {
    "targetAverageUtilization": "target.averageUtilization",
    "targetAverageValue": "target.averageValue",
}
_USED = {
    "currentAverageUtilization": "current.averageUtilization",
    "currentAverageValue": "current.averageValue",
}
SPEC: Names = {
    "resource": {"name": "name", **_SHARE},
    "containerResource": {"name": "name", **_SHARE, "container": "container"},
    "pods": {**_SELECTED, "targetAverageValue": "target.averageValue"},
    "object": {**_OBJECT, "targetValue": "target.value", "averageValue": "target.averageValue"},
    "external": {
        **_EXTERNAL,
        "targetValue": "target.value",
        "targetAverageValue": "target.averageValue",
    },
}
"""By source: what a field of v1 is called in v2, in the order in which it is written."""
STATUS: Names = {
    "resource": {"name": "name", **_USED},
    "containerResource": {"name": "name", **_USED, "container": "container"},
    "pods": {**_SELECTED, "currentAverageValue": "current.averageValue"},
    "object": {**_OBJECT, "currentValue": "current.value", "averageValue": "current.averageValue"},
    "external": {
        **_EXTERNAL,
        "currentValue": "current.value",
        "currentAverageValue": "current.averageValue",
    },
}
"""The same of what was measured."""
ALWAYS: Names = {
    "resource": {"currentAverageValue": "0"},
    "containerResource": {"currentAverageValue": "0"},
    "pods": {"targetAverageValue": "0", "currentAverageValue": "0"},
    "object": {"targetValue": "0", "currentValue": "0"},
    "external": {"currentValue": "0"},
}
"""What v1 can't leave out."""


def as_v1(obj: Mapping[str, Any]) -> Json:
    """An autoscaler of v2 as one of v1."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    notes = {**_notes(obj), **_said(spec, status)}
    turned = {**obj, "apiVersion": V1, **_annotated(obj, notes)}
    if "spec" in obj:
        turned["spec"] = {
            **_picked(spec, "scaleTargetRef", "minReplicas", "maxReplicas"),
            **_first_share(spec),
        }
    if "status" in obj:
        numbers = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        turned["status"] = {**_picked(status, *numbers), **_last_share(status)}
    return turned


def as_v2(obj: Mapping[str, Any]) -> Json:
    """An autoscaler of v1 as one of v2, with its defaults."""
    notes: Json = _annotations(obj)
    turned = {**obj, "apiVersion": V2, **_annotated(obj, _notes(obj))}
    if "spec" in obj:
        turned["spec"] = _spec(obj["spec"] or {}, notes)
        DEFAULTS["HorizontalPodAutoscaler"](turned)
    if "status" in obj:
        turned["status"] = _status(obj["status"] or {}, notes)
    return turned


def _annotations(obj: Mapping[str, Any]) -> Json:
    found: Json = (obj.get("metadata") or {}).get("annotations") or {}
    return found


def _notes(obj: Mapping[str, Any]) -> Json:
    """The annotations that are somebody else's."""
    return {name: text for name, text in _annotations(obj).items() if name not in OURS}


def _annotated(obj: Mapping[str, Any], notes: Json) -> Json:
    if "metadata" not in obj:
        return {}
    meta = {name: value for name, value in obj["metadata"].items() if name != "annotations"}
    return {"metadata": {**meta, "annotations": notes} if notes else meta}


def _picked(obj: Json, *names: str) -> Json:
    return {name: obj[name] for name in names if name in obj}


def _is_share(metric: Json) -> bool:
    """Whether v1 can say it: a share of cpu."""
    source = metric.get("resource") or {}
    target = source.get("target") or {}
    is_cpu = metric.get("type") == "Resource" and source.get("name") == "cpu"
    return is_cpu and target.get("averageUtilization") is not None


def _first_share(spec: Json) -> Json:
    shares = (one["resource"]["target"] for one in spec.get("metrics") or () if _is_share(one))
    found = next(shares, None)
    return {} if found is None else {"targetCPUUtilizationPercentage": found["averageUtilization"]}


def _last_share(status: Json) -> Json:
    sources = (one.get("resource") or {} for one in status.get("currentMetrics") or ())
    used = [one.get("current") or {} for one in sources if one.get("name") == "cpu"]
    shares = [one["averageUtilization"] for one in used if "averageUtilization" in one]
    return {"currentCPUUtilizationPercentage": shares[-1]} if shares else {}


def _said(spec: Json, status: Json) -> dict[str, str]:
    """What v1 says in annotations."""
    others = [_lowered(one, SPEC) for one in spec.get("metrics") or () if not _is_share(one)]
    current = [_lowered(one, STATUS) for one in status.get("currentMetrics") or ()]
    parts = {
        METRICS: others,
        CURRENT: current,
        BEHAVIOR: _capitals(spec.get("behavior")),
        CONDITIONS: status.get("conditions"),
    }
    return {name: msgspec.json.encode(part).decode() for name, part in parts.items() if part}


def _lowered(metric: Json, names: Names) -> Json:
    """A metric of v2 as v1 has it."""
    turned: Json = {"type": metric.get("type", "")}
    for source, fields in names.items():
        if (found := metric.get(source)) is None:
            continue
        values = {old: _at(found, new) for old, new in fields.items()}
        always = {name: zero for name, zero in ALWAYS[source].items() if name in fields}
        turned[source] = {
            name: always.get(name) if value is None else value
            for name, value in values.items()
            if value is not None or name in always
        }
    return turned


def _at(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _capitals(value: Any) -> Any:
    """As upstream writes a behaviour: its own fields have capitals."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _capitals(item) for name, item in value.items()}
    return [_capitals(item) for item in value] if isinstance(value, list) else value


def _spec(spec: Json, notes: Json) -> Json:
    turned = _picked(spec, "scaleTargetRef", "minReplicas", "maxReplicas")
    metrics = [_raised(one, SPEC) for one in read.metrics(notes, METRICS) or ()]
    share = spec.get("targetCPUUtilizationPercentage")
    if share is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        turned["metrics"] = metrics
    if behavior := read.behavior(notes):
        turned["behavior"] = behavior
    return turned


def _status(status: Json, notes: Json) -> Json:
    numbers = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    turned = _picked(status, *numbers)
    share = status.get("currentCPUUtilizationPercentage")
    current = read.metrics(notes, CURRENT)
    if current is not None:
        turned["currentMetrics"] = [_raised(one, STATUS) for one in current]
    elif share is not None:
        used = {"averageUtilization": share}
        turned["currentMetrics"] = [
            {"type": "Resource", "resource": {"name": "cpu", "current": used}}
        ]
    if conditions := read.conditions(notes):
        turned["conditions"] = conditions
    return turned


def _raised(metric: Json, names: Names) -> Json:
    """A metric of v1 as v2 has it."""
    turned: Json = {"type": metric.get("type", "")}
    for source, fields in names.items():
        if (found := metric.get(source)) is None:
            continue
        raised: Json = _whole(source, "target" if names is SPEC else "current")
        for old, new in fields.items():
            if old in found:
                *above, name = new.split(".")
                (raised[above[0]] if above else raised)[name] = found[old]
        if names is SPEC:
            _typed(source, raised["target"])
        turned[source] = raised
    return turned


def _whole(source: str, amounts: str) -> Json:
    """What v2 can't leave out."""
    if source.lower().endswith("resource"):
        return {"name": "", **({"container": ""} if source != "resource" else {}), amounts: {}}
    described: Json = {"describedObject": {}} if source == "object" else {}
    return {"metric": {"name": ""}, **described, amounts: {}}


def _typed(source: str, target: Json) -> None:
    """v1 doesn't say of which type a target is."""
    if (
        source == "object"
        and "averageValue" in target
        and not quantity.parse(target.get("value", 1))
    ):
        del target["value"]  # v1 can't leave it out
    if "averageUtilization" in target:
        target["type"] = "Utilization"
    elif source == "object":
        target["type"] = "AverageValue" if "averageValue" in target else "Value"
    else:
        target["type"] = "Value" if "value" in target else "AverageValue"
