"""PodTopologySpread: how evenly the pods that a constraint selects lie over its domains.

`args["defaultConstraints"]` with `args["defaultSelector"]` stand for the profile's defaults: the
selector is what a Service or an owner of the pod gives upstream. `args["defaultingType"]` is System
or List.
"""

import math
from dataclasses import dataclass

from tests.scheduler.reference.kit import (
    BEST,
    HOSTNAME,
    ZONE,
    Args,
    Cluster,
    Labels,
    Object,
    labels_of,
    name_of,
    namespace_of,
    pods_on,
    rounded,
    selector_matches,
    terminating,
)
from tests.scheduler.reference.node_rules import required_by_pod, taints_tolerated

SYSTEM_DEFAULTS = [
    {"topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 3},
    {"topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 5},
]


@dataclass(frozen=True)
class Constraint:
    """One constraint of a pod, its defaults filled in."""

    stated: Object
    pod: Object

    @property
    def key(self) -> str:
        key: str = self.stated["topologyKey"]
        return key

    @property
    def skew(self) -> int:
        skew: int = self.stated["maxSkew"]
        return skew

    @property
    def least_domains(self) -> int:
        return self.stated.get("minDomains") or 1

    def _pinned(self) -> Labels:
        """matchLabelKeys, with the pod's own values; those that it lacks are of no account."""
        own = labels_of(self.pod)
        return {key: own[key] for key in self.stated.get("matchLabelKeys") or [] if key in own}

    def selects(self, labels: Labels) -> bool:
        pinned = all(labels.get(key) == value for key, value in self._pinned().items())
        return pinned and selector_matches(self.stated.get("labelSelector"), labels)

    def selects_all(self) -> bool:
        """A selector that says nothing at all."""
        selector = self.stated.get("labelSelector")
        said = selector is None or selector.get("matchLabels") or selector.get("matchExpressions")
        return not said and not self._pinned()

    def counts(self, node: Object) -> bool:
        """Does this node take part? Affinity matters unless ignored, taints only if honored."""
        if (self.stated.get("nodeAffinityPolicy") or "Honor") == "Honor":
            if not required_by_pod(self.pod, node):
                return False
        if (self.stated.get("nodeTaintsPolicy") or "Ignore") == "Honor":
            return taints_tolerated(self.pod, node)
        return True

    def count_on(self, cluster: Cluster, node: Object) -> int:
        """Selected pods of the same namespace that are to stay.

        A selector that says nothing counts none, though it selects the pod itself.
        """
        if self.selects_all():
            return 0
        return sum(
            not terminating(other)
            and namespace_of(other) == namespace_of(self.pod)
            and self.selects(labels_of(other))
            for other in pods_on(cluster, name_of(node))
        )


def constraints_of(pod: Object, args: Args, action: str) -> list[Constraint]:
    stated: list[Object] = pod["spec"].get("topologySpreadConstraints") or []
    if not stated:
        stated = _defaults(args)
    return [Constraint(each, pod) for each in stated if each["whenUnsatisfiable"] == action]


def _defaults(args: Args) -> list[Object]:
    selector: Object = args.get("defaultSelector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return []
    listed = SYSTEM_DEFAULTS if _by_system(args) else args.get("defaultConstraints") or []
    return [{**each, "labelSelector": selector} for each in listed]


def _by_system(args: Args) -> bool:
    return bool(args.get("defaultingType", "System") == "System")


def _has_all_keys(node: Object, constraints: list[Constraint]) -> bool:
    return all(constraint.key in labels_of(node) for constraint in constraints)


def spreads(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    """No domain may be more than maxSkew fuller than the emptiest one."""
    constraints = constraints_of(pod, args, "DoNotSchedule")
    if not _has_all_keys(node, constraints):
        return False
    for constraint in constraints:
        domains: dict[str, int] = {}
        for other in cluster["nodes"]:
            if not _has_all_keys(other, constraints) or not constraint.counts(other):
                continue
            domain = labels_of(other)[constraint.key]
            domains[domain] = domains.get(domain, 0) + constraint.count_on(cluster, other)
        few = len(domains) < constraint.least_domains
        emptiest = 0 if few else min(domains.values())
        here = domains.get(labels_of(node)[constraint.key], 0)
        itself = int(constraint.selects(labels_of(pod)))
        if here + itself - emptiest > constraint.skew:
            return False
    return True


def spread_scores(cluster: Cluster, pod: Object, nodes: list[Object], args: Args) -> dict[str, int]:
    """The fewer selected pods a node's domains have, the better; few domains weigh less.

    A node that lacks a key gets nothing, except under the system's defaults. In floating point, as
    upstream.
    """
    constraints = constraints_of(pod, args, "ScheduleAnyway")
    if not constraints:
        return {name_of(node): 0 for node in nodes}
    by_pod = bool(pod["spec"].get("topologySpreadConstraints"))
    strict = by_pod or not _by_system(args)
    scored = [node for node in nodes if not strict or _has_all_keys(node, constraints)]
    raw = {
        name_of(node): rounded(
            _sum([_cost(cluster, each, node, scored, constraints, strict) for each in constraints])
        )
        for node in scored
    }
    least, most = min(raw.values(), default=0), max(raw.values(), default=0)
    scores = {name_of(node): 0 for node in nodes}
    for name, cost in raw.items():
        scores[name] = BEST if most == 0 else BEST * (most + least - cost) // most
    return scores


def _cost(
    cluster: Cluster,
    constraint: Constraint,
    node: Object,
    scored: list[Object],
    constraints: list[Constraint],
    strict: bool,
) -> float:
    """What one constraint counts against a node."""
    key = constraint.key
    if key not in labels_of(node):
        return 0.0
    if key == HOSTNAME:
        size, count = len(scored), constraint.count_on(cluster, node)
    else:
        size = len({labels_of(other).get(key, "") for other in scored})
        count = sum(
            constraint.count_on(cluster, other)
            for other in cluster["nodes"]
            if (not strict or _has_all_keys(other, constraints))
            and constraint.counts(other)
            and labels_of(other).get(key, "") == labels_of(node)[key]
        )
    return count * math.log(size + 2) + (constraint.skew - 1)


def _sum(values: list[float]) -> float:
    """One after the other, as Go would."""
    total = 0.0
    for value in values:
        total += value
    return total
