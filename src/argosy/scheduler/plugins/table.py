"""The plugins, in the order in which they are asked: cheap and telling ones first.

To add one: a file beside this one, a line here.
"""

from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins import (
    dynamic_resources,
    node_name_affinity,
    node_resources_fit,
    node_selector,
    node_unschedulable,
    scheduling_gates,
    taint_toleration,
    unsupported,
)

PLUGINS: tuple[Plugin, ...] = (
    scheduling_gates.PLUGIN,
    unsupported.PLUGIN,
    node_unschedulable.PLUGIN,
    taint_toleration.PLUGIN,
    node_selector.PLUGIN,
    node_name_affinity.PLUGIN,
    node_resources_fit.PLUGIN,
    dynamic_resources.PLUGIN,
)
