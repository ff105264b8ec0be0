"""All rules by the names of their plugins: `feasible` for a node, `scores` for a list of nodes.

Scores are normalized, from 0 to 100, before the plugin's weight. `args` are the plugin's as in a
KubeSchedulerConfiguration; those left out have their defaults.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.scheduler.reference import (
    node_rules,
    podaffinity,
    resources,
    spread,
    volumebinding,
    volumes,
)
from tests.scheduler.reference.kit import Args, Cluster, Object, name_of, node_named

Filter: TypeAlias = Callable[[Cluster, Object, Object, Args], bool]
Score: TypeAlias = Callable[[Cluster, Object, list[Object], Args], dict[str, int]]


@dataclass(frozen=True)
class Rule:
    """A plugin: what it refuses, what it prefers and how much that weighs by default."""

    filter: Filter | None = None
    score: Score | None = None
    weight: int = 0


PLUGINS: dict[str, Rule] = {
    "NodeUnschedulable": Rule(node_rules.is_schedulable),
    "NodeName": Rule(node_rules.has_the_name),
    "TaintToleration": Rule(node_rules.tolerates_taints, node_rules.taint_scores, 3),
    "NodeAffinity": Rule(node_rules.matches_affinity, node_rules.affinity_scores, 2),
    "NodePorts": Rule(node_rules.ports_free),
    "NodeResourcesFit": Rule(resources.fits, resources.fit_scores, 1),
    "VolumeRestrictions": Rule(volumes.may_share),
    "NodeVolumeLimits": Rule(volumes.attachable),
    "VolumeBinding": Rule(volumebinding.binds),
    "VolumeZone": Rule(volumes.in_zone),
    "PodTopologySpread": Rule(spread.spreads, spread.spread_scores, 2),
    "InterPodAffinity": Rule(podaffinity.affine, podaffinity.affine_scores, 2),
    "NodeResourcesBalancedAllocation": Rule(None, resources.balance_scores, 1),
    "ImageLocality": Rule(None, node_rules.image_scores, 1),
    "NodeDeclaredFeatures": Rule(node_rules.declares_features),
}

FILTERS = [name for name, rule in PLUGINS.items() if rule.filter]
SCORES = [name for name, rule in PLUGINS.items() if rule.score]


def default_weights() -> dict[str, int]:
    """Of the plugins that score."""
    return {name: PLUGINS[name].weight for name in SCORES}


def feasible(
    plugin: str, cluster: Cluster, pod: Object, node: str, args: Args | None = None
) -> bool:
    """Whether the plugin alone would let the pod onto that node."""
    rule = PLUGINS[plugin]
    return rule.filter is None or rule.filter(cluster, pod, node_named(cluster, node), args or {})


def feasible_nodes(cluster: Cluster, pod: Object, args: dict[str, Args] | None = None) -> list[str]:
    """The nodes that no plugin refuses; `args` by plugin."""
    return [
        name_of(node)
        for node in cluster["nodes"]
        if all(feasible(p, cluster, pod, name_of(node), (args or {}).get(p)) for p in FILTERS)
    ]


def scores(
    plugin: str,
    cluster: Cluster,
    pod: Object,
    feasible_nodes: list[str],
    args: Args | None = None,
) -> dict[str, int]:
    """What the plugin gives each of the nodes that are left."""
    rule = PLUGINS[plugin]
    nodes = [node_named(cluster, name) for name in feasible_nodes]
    if rule.score is None:
        return dict.fromkeys(feasible_nodes, 0)
    return rule.score(cluster, pod, nodes, args or {})
