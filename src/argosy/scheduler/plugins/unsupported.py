"""Unsupported: rules that this scheduler does not know yet are refused by name, never ignored."""

from argosy.api.core import Pod
from argosy.api.nodeaffinity import only_pinned
from argosy.scheduler.framework import Plugin


def refused(pod: Pod) -> str | None:
    """The first rule of the pod that can't be kept."""
    spec = pod.spec
    rules = (
        (bool(spec.affinity and not only_pinned(spec.affinity)), "affinity"),
        (bool(spec.topology_spread_constraints), "topologySpreadConstraints"),
        # Their requests would raise the pod's; counting without them would overcommit.
        (bool(spec.init_containers), "initContainers"),
    )
    name = next((name for found, name in rules if found), None)
    return f"spec.{name} is not supported yet" if name else None


PLUGIN = Plugin(name="Unsupported", refuse=refused)
