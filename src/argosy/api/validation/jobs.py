"""Job; `cronjobs` has what runs one from time to time."""

from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.indexes import index_count
from argosy.api.validation.jobstatus import status, status_changes
from argosy.api.validation.pods import pod_template
from argosy.api.validation.rule import (
    Errors,
    Json,
    Rule,
    immutable,
    of_part,
    one_of,
)
from argosy.api.validation.selectors import MISMATCH, label_selector, parsed
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_combination,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_many,
)

COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
MOST = 100_000
MOST_WHEN_MANY = 10_000
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
TEMPLATE_META = "spec.template.metadata"


def job_spec(spec: Json, path: str) -> Errors:
    """The spec of a job, also inside of a CronJob."""
    for name in COUNTS:
        yield from values.nonnegative(f"{path}.{name}", spec.get(name))
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if "managedBy" in spec:
        yield from values.domain_path(f"{path}.managedBy", spec["managedBy"])
        if len(spec["managedBy"]) > 63:
            yield too_long(f"{path}.managedBy", 63)
    mode = spec.get("completionMode")
    yield from one_of(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    yield from (_indexed if mode == "Indexed" else _not_indexed)(spec, path)
    if "podFailurePolicy" in spec:
        yield from _failure_policy(spec, f"{path}.podFailurePolicy.rules")
    if "podReplacementPolicy" in spec:
        allowed = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
        yield from one_of(f"{path}.podReplacementPolicy", spec["podReplacementPolicy"], allowed)
    yield from pod_template(spec["template"], f"{path}.template", restart=None)
    yield from _restart(spec, f"{path}.template.spec.restartPolicy")


def _restart(spec: Json, field: str) -> Errors:
    policy = (spec["template"].get("spec") or {}).get("restartPolicy", "Always")
    if policy == "Always":
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(field, policy, ("OnFailure", "Never"))
    elif "podFailurePolicy" in spec and policy != "Never":
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid_value(field, policy, detail)


def _not_indexed(spec: Json, path: str) -> Errors:
    for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
        if name in spec:
            yield invalid_value(f"{path}.{name}", spec[name], "requires indexed completion mode")
    if "successPolicy" in spec:
        detail = "requires indexed completion mode"
        yield invalid_value(f"{path}.successPolicy", spec["successPolicy"], detail)


def _indexed(spec: Json, path: str) -> Errors:
    completions = spec.get("completions")
    parallel, failed = spec.get("parallelism", 0), spec.get("maxFailedIndexes", 0)
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallel > MOST:
        detail = f"must be less than or equal to {MOST} when completion mode is Indexed"
        yield invalid_value(f"{path}.parallelism", parallel, detail)
    if completions is not None and failed > completions:
        detail = "must be less than or equal to completions"
        yield invalid_value(f"{path}.maxFailedIndexes", failed, detail)
    if failed > MOST:
        detail = f"must be less than or equal to {MOST}"
        yield invalid_value(f"{path}.maxFailedIndexes", failed, detail)
    if (completions or 0) > MOST and "backoffLimitPerIndex" in spec:
        yield from _many(spec, path)
    if "successPolicy" in spec:
        yield from _success_policy(spec, f"{path}.successPolicy.rules")


def _many(spec: Json, path: str) -> Errors:
    if "maxFailedIndexes" not in spec:
        detail = f"must be specified when completions is above {MOST}"
        yield required(f"{path}.maxFailedIndexes", detail)
    for name in ("parallelism", "maxFailedIndexes"):
        if spec.get(name, 0) > MOST_WHEN_MANY:
            detail = (
                f"must be less than or equal to {MOST_WHEN_MANY} when completions are above "
                f"{MOST} and used with backoff limit per index"
            )
            yield invalid_value(f"{path}.{name}", spec[name], detail)


def _failure_policy(spec: Json, path: str) -> Errors:
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > 20:
        yield too_many(path, len(rules), 20)
    pod = spec["template"].get("spec") or {}
    known = {
        item["name"] for group in ("containers", "initContainers") for item in pod.get(group) or ()
    }
    for i, rule in enumerate(rules):
        yield from _failure_rule(rule, f"{path}[{i}]", spec)
        if "onExitCodes" in rule:
            yield from _exit_codes(rule["onExitCodes"], f"{path}[{i}].onExitCodes", known)


def _failure_rule(rule: Json, path: str, spec: Json) -> Errors:
    action, codes, conditions = rule["action"], "onExitCodes" in rule, rule.get("onPodConditions")
    if not action:
        yield required(f"{path}.action", 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]')
    elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
        detail = "requires the backoffLimitPerIndex to be set"
        yield invalid_value(f"{path}.action", action, detail)
    else:
        yield from one_of(f"{path}.action", action, ACTIONS)
    yield from _pod_conditions(conditions or (), f"{path}.onPodConditions")
    if codes and conditions:
        detail = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield invalid_combination(path, detail)
    if not codes and not conditions:
        detail = "specifying one of OnExitCodes and OnPodConditions is required"
        yield invalid_combination(path, detail)


def _pod_conditions(patterns: Sequence[Json], path: str) -> Errors:
    if len(patterns) > 20:
        yield too_many(path, len(patterns), 20)
    for j, pattern in enumerate(patterns):
        yield from names.qualified(pattern["type"], f"{path}[{j}].type")
        allowed = ("False", "True", "Unknown")
        yield from one_of(f"{path}[{j}].status", pattern.get("status"), allowed)


def _exit_codes(wanted: Json, path: str, known: set[str]) -> Errors:
    yield from one_of(f"{path}.operator", wanted["operator"], ("In", "NotIn"))
    if wanted.get("containerName", next(iter(known), "")) not in known:
        detail = "must be one of the container or initContainer names in the pod template"
        yield invalid_value(f"{path}.containerName", wanted["containerName"], detail)
    codes = wanted.get("values") or []
    if not codes:
        yield invalid_value(f"{path}.values", codes, "at least one value is required")
    elif len(codes) > 255:
        yield too_many(f"{path}.values", len(codes), 255)
    for j, code in enumerate(codes):
        if wanted["operator"] == "In" and code == 0:
            yield invalid_value(f"{path}.values[{j}]", 0, "must not be 0 for the In operator")
        if code in codes[:j]:
            yield duplicate(f"{path}.values[{j}]", code)
    if codes != sorted(codes):
        yield invalid_value(f"{path}.values", codes, "must be ordered")


def _success_policy(spec: Json, path: str) -> Errors:
    rules = spec["successPolicy"].get("rules") or ()
    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        yield required(path, detail)
    if len(rules) > 20:
        yield too_many(path, len(rules), 20)
    for i, rule in enumerate(rules):
        yield from _success_rule(rule, f"{path}[{i}]", spec.get("completions", 0))


def _success_rule(rule: Json, path: str, completions: int) -> Errors:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        detail = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, detail)
    total = 0
    if indexes is not None:
        if len(indexes) > 64 * 1024:
            yield too_long(f"{path}.succeededIndexes", 64 * 1024)
        try:
            total = index_count(indexes, completions)
        except ValueError as error:
            detail = f"error parsing succeededIndexes: {error}"
            yield invalid_value(f"{path}.succeededIndexes", indexes, detail)
    if count is None:
        return
    field = f"{path}.succeededCount"
    yield from values.nonnegative(field, count)
    if count > completions:
        detail = (
            f"must be less than or equal to {completions} (the number of specified completions)"
        )
        yield invalid_value(field, count, detail)
    if indexes is not None and count > total:
        detail = (
            f"must be less than or equal to {total} (the number of indexes in the specified "
            "succeededIndexes field)"
        )
        yield invalid_value(field, count, detail)


def _job(spec: Json, path: str) -> Errors:
    yield from job_spec(spec, path)
    selector = spec.get("selector")
    if selector is None:
        yield required(f"{path}.selector")
    yield from label_selector(selector, f"{path}.selector")
    ready = parsed(selector)
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if ready is not None and not ready.matches(labels):
        yield invalid_value(f"{path}.template.metadata.labels", labels, MISMATCH)


def _generated(new: Json, old: Json | None) -> list[FieldError]:
    """A selector that the server made stays as the server makes it; and pods have hostnames."""
    spec, meta = new["spec"], new["metadata"]
    if old is not None:
        return []
    name = meta.get("name", "")
    errors = []
    completions = spec.get("completions", 0)
    if spec.get("completionMode") == "Indexed" and completions > 0:
        host = f"{name}-{completions - 1}"
        if names.label_faults(host):
            detail = f"will not able to create pod with invalid DNS label: {host}"
            errors.append(invalid_value("metadata.name", name, detail))
    if spec.get("manualSelector") or "selector" not in spec:
        return errors
    expected = {
        "controller-uid": meta.get("uid", ""),
        "job-name": name,
        CONTROLLER_UID: meta.get("uid", ""),
        JOB_NAME: name,
    }
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    for key, value in expected.items():
        field = f"{TEMPLATE_META}.labels[{key}]"
        if key not in labels:
            errors.append(required(field, f"must be '{value}'"))
        elif labels[key] != value:
            errors.append(invalid_value(field, labels, f"must be '{value}'"))
    ready = parsed(spec["selector"])
    if ready is not None and not ready.matches(expected):
        detail = "`selector` not auto-generated"
        errors.append(invalid_value("spec.selector", spec["selector"], detail))
    return errors


def _changes(new: Json, old: Json | None) -> list[FieldError]:
    if old is None or new["spec"] == old["spec"]:
        return []
    before, after = old["spec"], new["spec"]
    return [*_completions(after, before), *_template(new, old)]


def _completions(after: Json, before: Json) -> Errors:
    now, was = after.get("completions"), before.get("completions")
    if now == was:
        return
    if after.get("completionMode") != "Indexed":
        yield invalid_value("spec.completions", now, "field is immutable")
    elif now is not None and now != after.get("parallelism"):
        detail = "can only be modified in tandem with spec.parallelism"
        yield invalid_value("spec.completions", now, detail)


def _template(new: Json, old: Json) -> Errors:
    """The template stays; of a job that is suspended and at rest some of it may change."""
    after, before = (obj["spec"]["template"] for obj in (new, old))
    if after == before:
        return
    suspended = bool(old["spec"].get("suspend"))
    if not (suspended and _at_rest(old)):
        yield invalid_value("spec.template", after, "field is immutable")
    elif _kept(after) != _kept(before):
        yield invalid_value("spec.template.spec", after.get("spec"), "field is immutable")


def _at_rest(job: Json) -> bool:
    state = job.get("status") or {}
    conditions = {item["type"]: item["status"] for item in state.get("conditions") or ()}
    paused = conditions.get("Suspended") == "True" or "startTime" not in state
    return paused and not state.get("active")


def _kept(template: Json) -> Json:
    spec = {
        name: value
        for name, value in (template.get("spec") or {}).items()
        if name not in ("nodeSelector", "tolerations", "schedulingGates")
    }
    affinity = {k: v for k, v in (spec.pop("affinity", None) or {}).items() if k != "nodeAffinity"}
    for group in ("containers", "initContainers"):
        spec[group] = [{**item, "resources": {}} for item in spec.get(group) or ()]
    return {**spec, "affinity": affinity}


RULES: Mapping[str, tuple[Rule, ...]] = {
    "Job": (
        _generated,
        of_part("spec", _job),
        _changes,
        immutable(
            "spec.selector",
            "spec.completionMode",
            "spec.podFailurePolicy",
            "spec.backoffLimitPerIndex",
            "spec.managedBy",
            "spec.successPolicy",
        ),
        status,
        status_changes,
    ),
}
