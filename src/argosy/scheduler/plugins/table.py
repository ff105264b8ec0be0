"""The plugins, in the order in which they are asked: cheap and telling ones first.

To add one: a file beside this one, a line here; a second line where a profile may give it
arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins import (
    default_preemption,
    dynamic_resources,
    gpu_packing,
    image_locality,
    inference_headroom,
    inter_pod_affinity,
    node_affinity,
    node_declared_features,
    node_name_affinity,
    node_ports,
    node_reliability,
    node_resources_balanced_allocation,
    node_resources_fit,
    node_unschedulable,
    node_volume_limits,
    pod_topology_spread,
    rank_closeness,
    scheduling_gates,
    taint_toleration,
    volume_binding,
    volume_restrictions,
    volume_zone,
)
from argosy.scheduler.reserving import keeping

PLUGINS: tuple[Plugin, ...] = (
    scheduling_gates.PLUGIN,
    node_unschedulable.PLUGIN,
    taint_toleration.PLUGIN,
    node_affinity.PLUGIN,
    node_name_affinity.PLUGIN,
    node_ports.PLUGIN,
    node_resources_fit.PLUGIN,
    volume_restrictions.PLUGIN,
    node_volume_limits.PLUGIN,
    volume_binding.PLUGIN,
    volume_zone.PLUGIN,
    pod_topology_spread.PLUGIN,
    inter_pod_affinity.PLUGIN,
    node_declared_features.PLUGIN,
    node_resources_balanced_allocation.PLUGIN,
    image_locality.PLUGIN,
    dynamic_resources.PLUGIN,
    default_preemption.PLUGIN,
)

PART_OF: Mapping[str, str] = {"NodeNameAffinity": "NodeAffinity"}
"""Plugins that are one with another, by whose name a profile chooses them all."""

ELSEWHERE: Mapping[str, frozenset[str]] = {
    "NodeName": frozenset(("filter",)),
    "PrioritySort": frozenset(("queueSort",)),
    "DefaultBinder": frozenset(("bind",)),
    "GangScheduling": frozenset(),
}
"""Plugins of kube-scheduler that are no plugins here, with the extension points that they serve: a
profile may name them, and they stay as they are.
"""

Factory = Callable[[Mapping[str, Any]], Plugin]

FACTORIES: Mapping[str, Factory] = {
    default_preemption.NAME: default_preemption.configured,
    gpu_packing.NAME: gpu_packing.configured,
    keeping.NAME: keeping.configured,
    inference_headroom.NAME: inference_headroom.configured,
    inter_pod_affinity.NAME: inter_pod_affinity.configured,
    node_affinity.NAME: node_affinity.configured,
    node_reliability.NAME: node_reliability.configured,
    node_resources_balanced_allocation.NAME: node_resources_balanced_allocation.configured,
    node_resources_fit.NAME: node_resources_fit.configured,
    pod_topology_spread.NAME: pod_topology_spread.configured,
    rank_closeness.NAME: rank_closeness.configured,
    volume_binding.PLUGIN.name: volume_binding.configured,
}
"""Plugins that take arguments, by name: `configured` of their modules makes one of the arguments of
a profile's `pluginConfig` (as JSON, without `apiVersion` and `kind`). It raises ValueError with a
text that begins with the argument's path: `scoringStrategy.type: Unsupported value: …`. One that is
not in `PLUGINS` is for profiles that name it.
"""
