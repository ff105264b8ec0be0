"""HorizontalPodAutoscaler, in both versions, and PodDisruptionBudget."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.autoscaling_v1 import V1, as_v2
from argosy.api.validation import values
from argosy.api.validation.conditions import conditions
from argosy.api.validation.formats import path_segment
from argosy.api.validation.resources import container_resource
from argosy.api.validation.rule import (
    Errors,
    Json,
    Rule,
    at,
    nonnegative,
    of_part,
    one_of,
)
from argosy.api.validation.selectors import label_selector
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

SOURCES = ("ContainerResource", "External", "Object", "Pods", "Resource")
FIELDS = {kind: kind[0].lower() + kind[1:] for kind in SOURCES}
ORDER = ("object", "external", "pods", "resource", "containerResource")
TARGETS = ("Utilization", "Value", "AverageValue")
EITHER = "must set either a target raw value or a target utilization"
BOTH = "may not set both a target raw value and a target utilization"
PERIOD, WINDOW = 1800, 3600


def _autoscaler(new: Json, old: Json | None) -> list[FieldError]:
    if new["apiVersion"] == V1:  # what its annotations say has rules, too
        new, old = as_v2(new), None if old is None else as_v2(old)
    spec, before = new["spec"], (old or {}).get("spec") or {}
    if old is not None and spec == before:
        return []
    return [
        *_bounds(spec),
        *_target(spec.get("scaleTargetRef") or {}, before.get("scaleTargetRef") or {}),
        *_metrics(spec),
        *_behavior(spec.get("behavior") or {}),
    ]


def _bounds(spec: Json) -> Errors:
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if low < 0:
        yield invalid_value("spec.minReplicas", low, "must be greater than or equal to 0")
    if high == 0:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    elif high < 0:
        yield invalid_value("spec.maxReplicas", high, "must be greater than or equal to 1")
    if high < low:
        detail = "must be greater than or equal to `minReplicas`"
        yield invalid_value("spec.maxReplicas", high, detail)


def _target(reference: Json, before: Json) -> Errors:
    same = all(reference.get(name) == before.get(name) for name in ("apiVersion", "kind"))
    core = reference.get("kind") == "ReplicationController"
    yield from _reference(reference, "spec.scaleTargetRef", grouped=not core, lenient=same)


def _reference(reference: Json, path: str, *, grouped: bool, lenient: bool) -> Errors:
    yield from values.present(path, reference, "kind", "name")
    for name in ("kind", "name"):
        yield from path_segment(reference.get(name, ""), f"{path}.{name}")
    version = reference.get("apiVersion") or ""
    if lenient:
        return
    if version.count("/") > 1:
        detail = f"unexpected GroupVersion string: {version}"
        yield invalid_value(f"{path}.apiVersion", version, detail)
    elif grouped and not version.partition("/")[1]:
        detail = "apiVersion must specify API group"
        yield invalid_value(f"{path}.apiVersion", version, detail)


def _metrics(spec: Json) -> Errors:
    metrics = spec.get("metrics") or ()
    for i, metric in enumerate(metrics):
        yield from _metric(metric, f"spec.metrics[{i}]")
    kinds = {metric["type"] for metric in metrics}
    if spec.get("minReplicas") == 0 and not kinds & {"Object", "External"}:
        detail = (
            "must specify at least one Object or External metric to support scaling to zero "
            "replicas"
        )
        yield forbidden_field("spec.metrics", detail)


def _metric(metric: Json, path: str) -> Errors:
    kind = metric["type"]
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in SOURCES:
        yield not_supported(f"{path}.type", kind, SOURCES)
    found = [name for name in ORDER if name in metric]
    for name in found[:1]:
        yield from CHECKS[name](metric[name], f"{path}.{name}")
    wanted = FIELDS.get(kind, "")
    if wanted and wanted not in metric:
        detail = "must populate information for the given metric source"
        yield required(f"{path}.{wanted}", detail)
    if len(found) != 1:
        for name in found:
            if name != wanted:
                detail = "must populate the given metric source only"
                yield forbidden_field(f"{path}.{name}", detail)


def _identifier(metric: Json, path: str) -> Errors:
    if not metric["name"]:
        yield required(f"{path}.name", "must specify a metric name")
    yield from path_segment(metric["name"], f"{path}.name")


def _metric_target(target: Json, path: str) -> Errors:
    if not target["type"]:
        yield required(f"{path}.type", "must specify a metric target type")
    if target["type"] not in TARGETS:
        detail = "must be either Utilization, Value, or AverageValue"
        yield invalid_value(f"{path}.type", target["type"], detail)
    for name in ("value", "averageValue"):
        if name in target and quantity.parse(target[name]) <= 0:
            yield invalid_value(f"{path}.{name}", target[name], "must be positive")
    share = target.get("averageUtilization", 1)
    if share < 1:
        yield invalid_value(f"{path}.averageUtilization", share, "must be greater than 0")


def _object(source: Json, path: str) -> Errors:
    described = source["describedObject"]
    yield from _reference(described, f"{path}.describedObject", grouped=False, lenient=False)
    yield from _identifier(source["metric"], f"{path}.metric")
    yield from _metric_target(source["target"], f"{path}.target")
    if not {"value", "averageValue"} & source["target"].keys():
        detail = "must set either a target value or averageValue"
        yield required(f"{path}.target.averageValue", detail)


def _external(source: Json, path: str) -> Errors:
    yield from _identifier(source["metric"], f"{path}.metric")
    yield from _metric_target(source["target"], f"{path}.target")
    found = {"value", "averageValue"} & source["target"].keys()
    if not found:
        detail = "must set either a target value for metric or a per-pod target"
        yield required(f"{path}.target.averageValue", detail)
    elif len(found) == 2:
        detail = "may not set both a target value for metric and a per-pod target"
        yield forbidden_field(f"{path}.target.value", detail)


def _pods(source: Json, path: str) -> Errors:
    yield from _identifier(source["metric"], f"{path}.metric")
    yield from _metric_target(source["target"], f"{path}.target")
    if "averageValue" not in source["target"]:
        detail = "must specify a positive target averageValue"
        yield required(f"{path}.target.averageValue", detail)


def _resource(source: Json, path: str) -> Errors:
    if not source["name"]:
        yield required(f"{path}.name", "must specify a resource name")
    yield from _metric_target(source["target"], f"{path}.target")
    found = {"averageUtilization", "averageValue"} & source["target"].keys()
    if not found:
        yield required(f"{path}.target.averageUtilization", EITHER)
    elif len(found) == 2:
        yield forbidden_field(f"{path}.target.averageValue", BOTH)


def _container_resource(source: Json, path: str) -> Errors:
    if source["name"]:
        yield from container_resource(source["name"], f"{path}.name")
    if source["container"]:
        yield from names.label(source["container"], f"{path}.container")
    else:
        yield required(f"{path}.container", "must specify a container")
    yield from _resource(source, path)


CHECKS = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}


def _behavior(behavior: Json) -> Errors:
    for name in ("scaleUp", "scaleDown"):
        if name in behavior:
            yield from _scaling(behavior[name], f"spec.behavior.{name}")


def _scaling(rules: Json, path: str) -> Errors:
    seconds, field = (
        rules.get("stabilizationWindowSeconds", 0),
        f"{path}.stabilizationWindowSeconds",
    )
    if seconds < 0:
        yield invalid_value(field, seconds, "must be greater than or equal to zero")
    if seconds > WINDOW:
        yield invalid_value(field, seconds, f"must be less than or equal to {WINDOW}")
    allowed = ("Disabled", "Max", "Min")
    yield from one_of(f"{path}.selectPolicy", rules.get("selectPolicy"), allowed)
    policies = rules.get("policies") or ()
    if not policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for i, policy in enumerate(policies):
        yield from _policy(policy, f"{path}.policies[{i}]")
    if "tolerance" in rules:
        yield from values.amount(f"{path}.tolerance", rules["tolerance"])


def _policy(policy: Json, path: str) -> Errors:
    yield from one_of(f"{path}.type", policy["type"], ("Percent", "Pods"))
    for name in ("value", "periodSeconds"):
        if policy[name] <= 0:
            yield invalid_value(f"{path}.{name}", policy[name], "must be greater than zero")
    if policy["periodSeconds"] > PERIOD:
        detail = f"must be less than or equal to {PERIOD}"
        yield invalid_value(f"{path}.periodSeconds", policy["periodSeconds"], detail)


def _budget(spec: Json, path: str) -> Errors:
    both = ("minAvailable", "maxUnavailable")
    if all(name in spec for name in both):
        detail = "minAvailable and maxUnavailable cannot be both set"
        yield invalid_value(path, spec, detail)
    for name in both:
        yield from values.count_or_percent(f"{path}.{name}", spec.get(name))
        yield from values.not_above_all(f"{path}.{name}", spec.get(name))
    yield from label_selector(spec.get("selector"), f"{path}.selector")
    policy, field = spec.get("unhealthyPodEvictionPolicy"), f"{path}.unhealthyPodEvictionPolicy"
    yield from one_of(field, policy, ("AlwaysAllow", "IfHealthyBudget"))


def _budget_conditions(new: Json, old: Json | None) -> list[FieldError]:
    found = at(new, "status.conditions")
    if old is None or found == at(old, "status.conditions"):
        return []
    return list(conditions(found or (), "status.conditions"))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "HorizontalPodAutoscaler": (
        _autoscaler,
        nonnegative("status.currentReplicas", "status.desiredReplicas"),
    ),
    "PodDisruptionBudget": (
        of_part("spec", _budget),
        _budget_conditions,
        nonnegative(
            "status.disruptionsAllowed",
            "status.currentHealthy",
            "status.desiredHealthy",
            "status.expectedPods",
        ),
    ),
}
