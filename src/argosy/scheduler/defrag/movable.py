"""Which pods may be moved: evicted, made anew by their controllers, and placed elsewhere.

As cluster-autoscaler and Karpenter have it, and more careful in one thing: what a Job's pod has
done is lost and may count as a failure, so it is moved only if it says that it may be. The same
holds for pods of controllers that nobody here knows.
"""

from typing import Final

from argosy.api.core import Pod
from argosy.scheduler.backlog import unit_of
from argosy.scheduler.holdings import MIRROR

SAFE: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SAFE_VOLUMES: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
KEEP: Final = "karpenter.sh/do-not-disrupt"
REPLACED: Final = frozenset(("ReplicaSet", "ReplicationController", "StatefulSet"))
"""Controllers that make another pod at once, which does the same again."""
SERVED: Final = ("default-scheduler", "argosy")
MOST_PRIORITY: Final = 1_000_000_000
"""The highest that a user's PriorityClass may have; above it is the system's own."""


def stays_with_node(pod: Pod) -> bool:
    """Whether the pod is its node's own: a DaemonSet's or a static one. It keeps no node in use."""
    owner = pod.controller
    kind = owner.kind if owner is not None else ""
    return MIRROR in pod.metadata.annotations or kind in ("DaemonSet", "Node")


def obstacle(pod: Pod) -> str:
    """Why the pod can't be moved, in a few words; empty where it can.

    Budgets are looked at elsewhere: of several pods not all may go.
    """
    meta, owner = pod.metadata, pod.controller
    told = meta.annotations.get(SAFE)
    if stays_with_node(pod):
        return "of the node itself"
    if not pod.spec.node_name:
        return "just being placed"
    if meta.deletion_timestamp:
        return "being deleted"
    if owner is None:
        return "without controller"
    if told == "false" or meta.annotations.get(KEEP) == "true":
        return "not to be disrupted, by annotation"
    if owner.kind not in REPLACED and told != "true":
        return f"of a {owner.kind[:63]}"
    return _bound(pod, told)


def _bound(pod: Pod, told: str | None) -> str:
    """What binds a pod that its controller would make anew."""
    if pod.spec.priority > MOST_PRIORITY:
        return "critical to the system"
    if unit_of(pod).gang:
        return "in a gang"
    if pod.spec.scheduler_name not in SERVED:
        return "of another scheduler"
    if told != "true" and _local(pod):
        return "with data on the node"
    return ""


def _local(pod: Pod) -> bool:
    """Whether it has files on its node that go with it, and does not say that they may."""
    free = {name.strip() for name in pod.metadata.annotations.get(SAFE_VOLUMES, "").split(",")}
    return any(
        volume.get("name") not in free
        and ("hostPath" in volume or ("emptyDir" in volume and not _in_memory(volume["emptyDir"])))
        for volume in pod.spec.volumes
    )


def _in_memory(source: object) -> bool:
    return isinstance(source, dict) and source.get("medium") == "Memory"
