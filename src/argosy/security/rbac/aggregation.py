"""The rules of an aggregated role: those of all cluster roles that its selectors choose.

Source: kube-controller-manager's clusterrole-aggregation.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from argosy.base.selectors import Operator, Requirement, Selector
from argosy.security.rbac.objects import CLUSTER_ROLE

Json = dict[str, Any]


def aggregated(role: Json, roles: Iterable[Json]) -> list[Json] | None:
    """The rules that `role` should have, of all `roles`; None where it is not aggregated."""
    rule = role.get("aggregationRule")
    if rule is None:
        return None
    found: list[Json] = []
    others = sorted((one for one in roles if _name(one) != _name(role)), key=lambda one: _name(one))
    for given in rule.get("clusterRoleSelectors") or ():
        selector = selector_of(given)
        for other in others:
            if selector.matches(other["metadata"].get("labels") or {}):
                found += [one for one in other.get("rules") or () if one not in found]
    return found


def complete(items: list[Json]) -> list[Json]:
    """`items`, where those that are aggregated have got the rules that they gather.

    What is gathered may be aggregated itself, so it is done again until nothing changes.
    """
    roles = [item for item in items if item["kind"] == CLUSTER_ROLE]
    changing = True
    while changing:
        changing = False
        for role in roles:
            gathered = aggregated(role, roles)
            if gathered is not None and gathered != role["rules"]:
                role["rules"] = gathered
                changing = True
    return items


def selector_of(given: Mapping[str, Any]) -> Selector:
    """A label selector as objects have it."""
    plain = (given.get("matchLabels") or {}).items()
    terms = [Requirement(key, "In", frozenset({value})) for key, value in plain]
    known: tuple[Operator, ...] = get_args(Operator)
    for term in given.get("matchExpressions") or ():
        operator = next(item for item in known if item == term["operator"])
        terms.append(Requirement(term["key"], operator, frozenset(term.get("values") or ())))
    return Selector(tuple(terms))


def _name(role: Json) -> str:
    return str(role["metadata"]["name"])
