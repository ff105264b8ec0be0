"""Which pods a change of other pods may help: so that not every pod that lands wakes all who wait.

That a pod is gone may help anybody: it gives room back. That one has come may help only who must be
near others, or evenly among them.
"""

from argosy.api.core import Pod


def heeds_others(pod: Pod) -> bool:
    """Whether the pod may be placed because another one has been."""
    spec = pod.spec
    return bool(spec.topology_spread_constraints or (spec.affinity or {}).get("podAffinity"))


def stirs(old: Pod | None, new: Pod) -> bool:
    """Whether a pod on a node may help those that heed others: it has come, or is to go."""
    if not new.spec.node_name:
        return False
    if old is None or not old.spec.node_name:
        return True
    return old.metadata.deletion_timestamp is None and new.metadata.deletion_timestamp is not None


def relabelled(old: Pod | None, new: Pod) -> bool:
    """Whether a pod on a node is another one to selectors: that may help anybody."""
    if old is None or not old.spec.node_name:
        return False
    return old.metadata.labels != new.metadata.labels
