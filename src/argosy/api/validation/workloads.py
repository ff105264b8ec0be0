"""Controllers of pods: ReplicationController, ReplicaSet, Deployment, StatefulSet, DaemonSet."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.claims import claim_spec
from argosy.api.validation.pods import pod_template
from argosy.api.validation.rule import (
    Errors,
    Json,
    Rule,
    at_most,
    immutable,
    never_less,
    nonnegative,
    of_part,
    one_of,
)
from argosy.api.validation.selectors import MISMATCH, is_empty, label_selector, parsed
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

ABOVE = "cannot be greater than status.replicas"
STATEFUL_FREE = frozenset(
    {
        "replicas",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "ordinals",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    }
)
STATEFUL_FIXED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)


def _selected_template(
    spec: Json, path: str, *, owner: str, selector: Json | None = None, empty: str = ""
) -> Errors:
    """A selector that is there, a template that it selects, and whose pods run for ever."""
    selector = spec.get("selector") if selector is None else selector
    yield from label_selector(selector, f"{path}.selector")
    if empty and is_empty(selector or {}):
        detail = f"empty selector is invalid for {empty}"
        yield invalid_value(f"{path}.selector", selector or {}, detail)
    ready = parsed(selector)
    if ready is None:
        yield invalid_value(f"{path}.selector", selector, "invalid label selector")
        return
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not ready.matches(labels):
        yield invalid_value(f"{path}.template.metadata.labels", labels, MISMATCH)
    yield from pod_template(template, f"{path}.template", restart="Always", owner=owner)


def _replication_controller(spec: Json, path: str) -> Errors:
    selector = spec.get("selector") or {}
    if not selector:
        yield required(f"{path}.selector")
    if "template" not in spec:
        yield required(f"{path}.template")
        return
    template = spec["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        yield invalid_value(f"{path}.template.metadata.labels", labels, MISMATCH)
    owner = "ReplicationController"
    yield from pod_template(template, f"{path}.template", restart="Always", owner=owner)


def _replica_set(spec: Json, path: str) -> Errors:
    yield from _selected_template(spec, path, owner="ReplicaSet", empty="deployment")


def _deployment(spec: Json, path: str) -> Errors:
    yield from _selected_template(spec, path, owner="ReplicaSet", empty="deployment")
    strategy, field = spec.get("strategy") or {}, f"{path}.strategy"
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type")
    if kind == "Recreate":
        if rolling is not None:
            detail = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden_field(f"{field}.rollingUpdate", detail)
    elif kind == "RollingUpdate":
        yield from _rolling(rolling or {}, f"{field}.rollingUpdate")
    else:
        yield not_supported(field, strategy, ("Recreate", "RollingUpdate"))
    progress = spec.get("progressDeadlineSeconds")
    if progress is not None and progress <= spec.get("minReadySeconds", 0):
        detail = "must be greater than minReadySeconds"
        yield invalid_value(f"{path}.progressDeadlineSeconds", progress, detail)


def _rolling(update: Json, path: str) -> Errors:
    unavailable, surge = update.get("maxUnavailable"), update.get("maxSurge")
    yield from values.count_or_percent(f"{path}.maxUnavailable", unavailable)
    yield from values.count_or_percent(f"{path}.maxSurge", surge)
    if not values.share(unavailable) and not values.share(surge):
        detail = "may not be 0 when `maxSurge` is 0"
        yield invalid_value(f"{path}.maxUnavailable", unavailable, detail)
    yield from values.not_above_all(f"{path}.maxUnavailable", unavailable)


def _daemon_set(spec: Json, path: str) -> Errors:
    yield from _selected_template(spec, path, owner="DaemonSet", empty="daemonset")
    strategy, field = spec.get("updateStrategy") or {}, f"{path}.updateStrategy"
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        yield not_supported(field, strategy, ("RollingUpdate", "OnDelete"))
    elif kind == "RollingUpdate" and rolling is None:
        yield required(f"{field}.rollingUpdate")
    elif kind == "RollingUpdate":
        yield from _daemon_rolling(rolling or {}, f"{field}.rollingUpdate")


def _daemon_rolling(update: Json, path: str) -> Errors:
    shares = {name: update.get(name) for name in ("maxUnavailable", "maxSurge")}
    for name, value in shares.items():
        yield from values.count_or_percent(f"{path}.{name}", value)
    for name, value in shares.items():
        yield from values.not_above_all(f"{path}.{name}", value)
    unavailable, surge = (values.share(value) for value in shares.values())
    if unavailable and surge:
        detail = "may not be set when maxUnavailable is non-zero"
        yield invalid_value(f"{path}.maxSurge", shares["maxSurge"], detail)
    elif not unavailable and not surge:
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def _stateful_set(spec: Json, path: str) -> Errors:
    policy = spec.get("podManagementPolicy")
    if policy not in (None, "OrderedReady", "Parallel"):
        detail = "must be 'OrderedReady' or 'Parallel'"
        yield invalid_value(f"{path}.podManagementPolicy", policy, detail)
    yield from _stateful_update(spec.get("updateStrategy") or {}, f"{path}.updateStrategy")
    retention, field = spec.get("persistentVolumeClaimRetentionPolicy") or {}, f"{path}."
    for name in ("whenDeleted", "whenScaled"):
        place = f"{field}persistentVolumeClaimRetentionPolicy.{name}"
        yield from one_of(place, retention.get(name), ("Retain", "Delete"))
    for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from claim_spec(claim.get("spec") or {}, f"{path}.volumeClaimTemplates[{i}].spec")
    if spec.get("serviceName"):
        yield from names.label(spec["serviceName"], f"{path}.serviceName")
    template = {**spec, "template": _with_claims(spec)}
    yield from _selected_template(template, path, owner="StatefulSet", empty="statefulset")


def _with_claims(spec: Json) -> Json:
    """The template as its pods will be: with the volumes that the claims become."""
    template = spec.get("template") or {}
    templates = spec.get("volumeClaimTemplates") or ()
    claims = [(claim.get("metadata") or {}).get("name", "") for claim in templates]
    pod = {k: v for k, v in (template.get("spec") or {}).items() if k != "hostname"}
    pod.pop("subdomain", None)
    own = [item for item in pod.get("volumes") or () if item["name"] not in claims]
    added = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**template, "spec": {**pod, "volumes": [*added, *own]}}


def _stateful_update(strategy: Json, path: str) -> Errors:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        if rolling is not None:
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid_value(f"{path}.rollingUpdate", rolling, detail)
    elif kind != "RollingUpdate":
        yield invalid_value(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None and "maxUnavailable" in rolling:
        field, value = f"{path}.rollingUpdate.maxUnavailable", rolling["maxUnavailable"]
        yield from values.count_or_percent(field, value)
        if not values.share(value):
            yield invalid_value(field, value, "cannot be 0")
        yield from values.not_above_all(field, value)


def _stateful_changes(new: Json, old: Json | None) -> list[FieldError]:
    if old is None:
        return []
    before, after = (
        {name: value for name, value in obj["spec"].items() if name not in STATEFUL_FREE}
        for obj in (old, new)
    )
    return [] if before == after else [forbidden_field("spec", STATEFUL_FIXED)]


def _replicas(
    *others: str, ready: str = "cannot be greater than readyReplicas"
) -> tuple[Rule, ...]:
    """The counters of a status: none above all replicas, none available that is not ready."""
    counters = tuple(f"status.{name}" for name in (*others, "readyReplicas", "availableReplicas"))
    return (
        nonnegative("status.replicas", *counters, "status.observedGeneration"),
        at_most("status.replicas", *counters, detail=ABOVE),
        at_most("status.readyReplicas", "status.availableReplicas", detail=ready),
    )


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ControllerRevision": (nonnegative("revision"), immutable("data")),
    "DaemonSet": (
        of_part("spec", _daemon_set),
        immutable("spec.selector"),
        nonnegative(
            "spec.minReadySeconds",
            "spec.revisionHistoryLimit",
            "status.currentNumberScheduled",
            "status.numberMisscheduled",
            "status.desiredNumberScheduled",
            "status.numberReady",
            "status.observedGeneration",
            "status.updatedNumberScheduled",
            "status.numberAvailable",
            "status.numberUnavailable",
            "status.collisionCount",
        ),
        never_less("status.collisionCount"),
    ),
    "Deployment": (
        nonnegative("spec.replicas"),
        of_part("spec", _deployment),
        nonnegative(
            "spec.minReadySeconds",
            "spec.revisionHistoryLimit",
            "spec.progressDeadlineSeconds",
            "status.unavailableReplicas",
            "status.terminatingReplicas",
            "status.collisionCount",
        ),
        immutable("spec.selector"),
        *_replicas("updatedReplicas"),
        never_less("status.collisionCount"),
    ),
    "ReplicaSet": (
        nonnegative("spec.replicas", "spec.minReadySeconds", "status.terminatingReplicas"),
        of_part("spec", _replica_set),
        immutable("spec.selector"),
        *_replicas("fullyLabeledReplicas"),
    ),
    "ReplicationController": (
        nonnegative("spec.minReadySeconds", "spec.replicas"),
        of_part("spec", _replication_controller),
        *_replicas("fullyLabeledReplicas"),
    ),
    "StatefulSet": (
        of_part("spec", _stateful_set),
        nonnegative(
            "spec.replicas",
            "spec.minReadySeconds",
            "spec.ordinals.start",
            "spec.updateStrategy.rollingUpdate.partition",
            "status.collisionCount",
        ),
        _stateful_changes,
        *_replicas(
            "currentReplicas",
            "updatedReplicas",
            ready="cannot be greater than status.readyReplicas",
        ),
        never_less("status.collisionCount"),
    ),
}
