"""The flow schemas and priority levels that every cluster begins with.

Two of each are mandatory: nobody can change or remove them for long. The others are suggested: they
follow the server's version as long as nobody edits them. Numbers and words are those of upstream's
`flowcontrol/bootstrap`, Kubernetes 1.36.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.api.resources.control import FLOW_CONTROL, FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.api.validation.mandatory import FLOW_SCHEMAS, PRIORITY_LEVELS

Json = dict[str, Any]

AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec"
MANDATORY = frozenset({"exempt", "catch-all"})
_EVERYBODY = ("system:unauthenticated", "system:authenticated")
_SYSTEM_ACCOUNTS: Json = {
    "kind": "ServiceAccount",
    "serviceAccount": {"name": "*", "namespace": "kube-system"},
}


def defaults() -> list[tuple[str, Json]]:
    """All of them, levels first, each with the kind that it is of."""
    levels = {**{name: _limited(*numbers) for name, numbers in _LEVELS.items()}, **PRIORITY_LEVELS}
    schemas = {**_suggested(), **FLOW_SCHEMAS}
    return [
        *((PRIORITY_LEVEL.kind, _object(PRIORITY_LEVEL.kind, *item)) for item in levels.items()),
        *((FLOW_SCHEMA.kind, _object(FLOW_SCHEMA.kind, *item)) for item in schemas.items()),
    ]


def revised(now: Json, wanted: Json) -> Json | None:
    """What shall be there instead of `now`; None where nothing is to be done.

    A suggested object whose annotation is no boolean follows the server as long as its spec was
    never edited, which its generation tells.
    """
    meta = now["metadata"]
    annotations = meta.get("annotations") or {}
    said = _boolean(annotations.get(AUTO_UPDATE))
    follows = said if said is not None else meta.get("generation") == 1
    if meta["name"] in MANDATORY:
        follows = True
    spec = _merged(now, wanted) if follows else now["spec"]
    if said == follows and spec == now["spec"]:
        return None
    annotations = {**annotations, AUTO_UPDATE: str(follows).lower()}
    return {**now, "metadata": {**meta, "annotations": annotations}, "spec": spec}


def unwanted(now: Json, names: frozenset[str]) -> bool:
    """Whether it was a default of another version, which nobody edited."""
    meta = now["metadata"]
    said = _boolean((meta.get("annotations") or {}).get(AUTO_UPDATE))
    return meta["name"] not in names and said is True


def _merged(now: Json, wanted: Json) -> Json:
    """The wanted spec; how much the exempt level has and lends is the administrator's."""
    spec: Json = wanted["spec"]
    if spec.get("type") == "Exempt" and "exempt" in now["spec"]:
        return {**spec, "exempt": now["spec"]["exempt"]}
    return spec


def _boolean(text: str | None) -> bool | None:
    """As Go's `strconv.ParseBool` reads it."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    return False if text in ("0", "f", "F", "FALSE", "false", "False") else None


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> Json:
    return {
        "apiVersion": f"{FLOW_CONTROL}/v1",
        "kind": kind,
        "metadata": {"name": name, "annotations": {AUTO_UPDATE: "true"}},
        "spec": dict(spec),
    }


_LEVELS: Mapping[str, tuple[int, int, int, int]] = {
    "system": (30, 33, 64, 6),
    "node-high": (40, 25, 64, 6),
    "leader-election": (10, 0, 16, 4),
    "workload-high": (40, 50, 128, 6),
    "workload-low": (100, 90, 128, 6),
    "global-default": (20, 50, 128, 6),
}
"""Shares, percent that may be lent, queues, and how many of these a flow is dealt."""


def _limited(shares: int, lendable: int, queues: int, hand: int) -> Json:
    queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": 50}
    return {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": shares,
            "lendablePercent": lendable,
            "limitResponse": {"type": "Queue", "queuing": queuing},
        },
    }


def _suggested() -> dict[str, Json]:
    manager, scheduler = _users("system:kube-controller-manager"), _users("system:kube-scheduler")
    nodes = _groups("system:nodes")
    leases = _resources(["*"], ["coordination.k8s.io"], ["leases"], cluster=False)
    electing = _resources(
        ["get", "create", "update"], ["coordination.k8s.io"], ["leases"], cluster=False
    )
    healthy = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}
    probes = {"subjects": _groups(*_EVERYBODY), "nonResourceRules": [healthy]}
    election = {
        "subjects": [*manager, *scheduler, _SYSTEM_ACCOUNTS],
        "resourceRules": [electing],
    }
    high = {
        "subjects": nodes,
        "resourceRules": [_resources(["*"], [""], ["nodes", "nodes/status"]), leases],
    }
    accounts = _groups("system:serviceaccounts")
    return {
        "probes": _schema("exempt", 2, "", probes),
        "system-leader-election": _schema("leader-election", 100, "ByUser", election),
        "system-node-high": _schema("node-high", 400, "ByUser", high),
        "system-nodes": _schema("system", 500, "ByUser", _all(nodes)),
        "kube-controller-manager": _schema("workload-high", 800, "ByNamespace", _all(manager)),
        "kube-scheduler": _schema("workload-high", 800, "ByNamespace", _all(scheduler)),
        "kube-system-service-accounts": _schema(
            "workload-high", 900, "ByNamespace", _all([_SYSTEM_ACCOUNTS])
        ),
        "service-accounts": _schema("workload-low", 9000, "ByUser", _all(accounts)),
        "global-default": _schema("global-default", 9900, "ByUser", _all(_groups(*_EVERYBODY))),
    }


def _schema(level: str, precedence: int, method: str, rule: Json) -> Json:
    spec: Json = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [rule],
    }
    return {**spec, "distinguisherMethod": {"type": method}} if method else spec


def _all(subjects: Sequence[Json]) -> Json:
    return {
        "subjects": list(subjects),
        "resourceRules": [_resources(["*"], ["*"], ["*"])],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }


def _resources(
    verbs: list[str], groups: list[str], resources: list[str], *, cluster: bool = True
) -> Json:
    rule: Json = {"verbs": verbs, "apiGroups": groups, "resources": resources, "namespaces": ["*"]}
    return {**rule, "clusterScope": True} if cluster else rule


def _groups(*names: str) -> list[Json]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[Json]:
    return [{"kind": "User", "user": {"name": name}} for name in names]
