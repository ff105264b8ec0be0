"""What a cluster's start makes of a default role or binding that is there already.

What is missing is added: rules, subjects, labels, annotations. What somebody added stays. Nothing
is touched where `rbac.authorization.kubernetes.io/autoupdate` is `false`. Source: kube-apiserver's
rbac/bootstrap-roles.
"""

from typing import Any

import msgspec

from argosy.security.rbac.cover import lacking
from argosy.security.rbac.defaults import AUTO_UPDATE
from argosy.security.rbac.objects import PolicyRule

Json = dict[str, Any]
_SELECTORS = "clusterRoleSelectors"


def reconciled(now: Json, wanted: Json) -> Json:
    """`now` with what it lacks of `wanted`; `now` itself where it lacks nothing.

    A binding to another role can't be mended: it comes back as `wanted`, without a revision.
    """
    meta = now["metadata"]
    if (meta.get("annotations") or {}).get(AUTO_UPDATE) == "false":
        return now
    if "roleRef" in wanted and not _same_role(now["roleRef"], wanted["roleRef"]):
        return wanted
    new = {**now, "metadata": {**meta}}
    for name in ("labels", "annotations"):
        new["metadata"][name] = {**wanted["metadata"][name], **(meta.get(name) or {})}
    if "roleRef" in wanted:
        _add_subjects(new, wanted)
    else:
        if "aggregationRule" not in wanted:  # else they are what is gathered
            _add_rules(new, wanted)
        _set_aggregation(new, wanted)
    return now if new == now else new


def _same_role(one: Json, other: Json) -> bool:
    return all(one.get(key) == other[key] for key in other)


def _add_subjects(new: Json, wanted: Json) -> None:
    present = new.get("subjects") or []
    missing = [subject for subject in wanted["subjects"] if subject not in present]
    if missing:
        new["subjects"] = [*present, *missing]


def _add_rules(new: Json, wanted: Json) -> None:
    present = new.get("rules") or []
    missing = lacking(_rules(present), _rules(wanted["rules"]))
    if missing:
        added = [{key: value for key, value in _json(rule).items() if value} for rule in missing]
        new["rules"] = [*present, *added]


def _set_aggregation(new: Json, wanted: Json) -> None:
    if "aggregationRule" not in wanted:
        new.pop("aggregationRule", None)
        return
    present = (new.get("aggregationRule") or {}).get(_SELECTORS) or []
    missing = [one for one in wanted["aggregationRule"][_SELECTORS] if one not in present]
    if missing:
        new["aggregationRule"] = {_SELECTORS: [*present, *missing]}


def _rules(given: list[Json]) -> tuple[PolicyRule, ...]:
    return msgspec.convert(given, tuple[PolicyRule, ...])


def _json(rule: PolicyRule) -> Json:
    found: Json = msgspec.to_builtins(rule)
    return {key: list(value) for key, value in found.items() if value}
