"""What a write makes of an object beside its defaults: the parts that are the server's to say.

Each function gets the new object, which it changes in place, and at an update the old one. It runs
after the defaults and before the rules. Keys are a kind and a subresource; '' is the kind itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.defaults import certificates, devices, registration
from argosy.api.defaults.fill import Json

NAMESPACE_FINALIZER = "kubernetes"
DAEMON_GENERATION = "deprecated.daemonset.template.generation"
JOB_NAMES = ("job-name", "batch.kubernetes.io/job-name")
JOB_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Prepare = Callable[[Json, Json | None], None]


def _namespace(new: Json, old: Json | None) -> None:
    """Its finalizers are set at the beginning, and changed by `finalize` only."""
    spec = new.setdefault("spec", {})
    if old is not None:
        spec["finalizers"] = (old.get("spec") or {}).get("finalizers") or []
    elif NAMESPACE_FINALIZER not in (spec.get("finalizers") or ()):
        spec["finalizers"] = [*(spec.get("finalizers") or ()), NAMESPACE_FINALIZER]


def _pod(new: Json, old: Json | None) -> None:
    if old is not None:
        return
    spec, labels = new["spec"], new["metadata"].get("labels") or {}
    _gate(new)
    affinity = spec.get("affinity") or {}
    for name in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(name) or {}
        for term in terms.get(REQUIRED) or ():
            _match_keys(term, labels)
        for weighted in terms.get(PREFERRED) or ():
            _match_keys(weighted["podAffinityTerm"], labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        _match_keys(constraint, labels)


def _gate(pod: Json) -> None:
    if pod["spec"].get("schedulingGates"):
        conditions = pod["status"].setdefault("conditions", [])
        if not any(item["type"] == "PodScheduled" for item in conditions):
            conditions.append(dict(GATED))


def _match_keys(term: Json, labels: Mapping[str, str]) -> None:
    """The keys become conditions on the values that this pod has."""
    selector = term.get("labelSelector")
    if selector is None:
        return
    for name, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in term.get(name) or ():
            if key in labels:
                condition = {"key": key, "operator": operator, "values": [labels[key]]}
                selector.setdefault("matchExpressions", []).append(condition)


def _pod_status(new: Json, old: Json | None) -> None:
    """What a writer leaves out of the status stays as it was."""
    before = (old or {}).get("status") or {}
    after = new.setdefault("status", {})
    for name in ("qosClass", "observedGeneration"):
        if not after.get(name) and before.get(name):
            after[name] = before[name]


def _job(new: Json, old: Json | None) -> None:
    """A job that does not choose its pods by itself selects those with its identity."""
    spec, meta = new["spec"], new["metadata"]
    if old is not None or spec.get("manualSelector"):
        return
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    for key in JOB_NAMES:
        labels.setdefault(key, meta.get("name", ""))
    for key in JOB_UIDS:
        labels.setdefault(key, meta.get("uid", ""))
    selector = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    selector.setdefault(JOB_UIDS[1], meta.get("uid", ""))


def _daemon_set(new: Json, old: Json | None) -> None:
    """Each change of the template is counted, for clients of old."""
    annotations = new["metadata"].setdefault("annotations", {})
    count = 1
    if old is not None:
        before = (old["metadata"].get("annotations") or {}).get(DAEMON_GENERATION, "1")
        changed = new["spec"]["template"] != old["spec"]["template"]
        count = int(before) + changed
    annotations[DAEMON_GENERATION] = str(count)


def _endpoint_slice(new: Json, old: Json | None) -> None:
    if old is None or old.get("endpoints") != new.get("endpoints"):
        for endpoint in new.get("endpoints") or ():
            endpoint.pop("deprecatedTopology", None)


PREPARE: Mapping[tuple[str, str], Prepare] = {
    ("DaemonSet", ""): _daemon_set,
    ("EndpointSlice", ""): _endpoint_slice,
    ("Job", ""): _job,
    ("Namespace", ""): _namespace,
    ("Pod", ""): _pod,
    ("Pod", "status"): _pod_status,
    **certificates.PREPARE,
    **devices.PREPARE,
    **registration.PREPARE,
}


def prepare(kind: str, subresource: str, new: dict[str, Any], old: Json | None) -> None:
    """Change `new`, if there is anything to be said."""
    function = PREPARE.get((kind, subresource))
    if function is not None:
        function(new, old)


def prepare_again(kind: str, subresource: str, new: dict[str, Any], old: Json | None) -> None:
    """The same for an object that was prepared and then changed by a webhook, say: what adds to a
    pod's terms is not done twice.
    """
    if (kind, subresource) != ("Pod", ""):
        prepare(kind, subresource, new, old)
    elif old is None:
        _gate(new)
