"""The pods of a DaemonSet: on which nodes they belong, and what they look like.

Pure. A daemon's pod is pinned to its node by required affinity to the node's name, and the
scheduler places it; it tolerates what is wrong with nodes, so that it stays when others go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api import nodeaffinity
from argosy.api.core import Node, Pod, Toleration
from argosy.api.daemonsets import DaemonSet
from argosy.api.tolerations import untolerated
from argosy.controllers.podcontrol import pod_from

Json = dict[str, Any]
HASH = "controller-revision-hash"
GENERATION = "pod-template-generation"
COUNTED = "deprecated.daemonset.template.generation"
FORBIDDING = ("NoSchedule", "NoExecute")
EVICTING = ("NoExecute",)
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_OF_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a node shall have a pod, and whether a pod that is there may stay."""

    run: bool
    stay: bool


@dataclass(frozen=True, slots=True)
class Fits:
    """Judges nodes for one set; what it reads of the template is read once."""

    spec: Mapping[str, Any]
    tolerations: tuple[Toleration, ...]

    def of(self, node: Node) -> Fit:
        """How the node is for the set's pods."""
        name, only = node.metadata.name, self.spec.get("nodeName") or ""
        here = only in ("", name)
        if not here or not nodeaffinity.matches(self.spec, name, node.metadata.labels):
            return Fit(run=False, stay=False)
        taints = node.spec.taints
        run = not untolerated(taints, self.tolerations, FORBIDDING)
        return Fit(run, run or not untolerated(taints, self.tolerations, EVICTING))


def fits(owner: DaemonSet) -> Fits:
    """What judges nodes for `owner`."""
    spec = owner.spec.template.get("spec") or {}
    return Fits(spec, msgspec.convert(tolerations(spec), tuple[Toleration, ...]))


def tolerations(spec: Mapping[str, Any]) -> list[Json]:
    """Those of the template, and those that every daemon has; of the same, the daemon's."""
    wanted = (*_TOLERATED, *((_OF_HOST_NETWORK,) if spec.get("hostNetwork") else ()))
    own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in wanted]
    given = spec.get("tolerations") or ()
    known = {_identity(item) for item in own}
    return [*(item for item in given if _identity(item) not in known), *own]


def _identity(toleration: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(toleration.get(name) or "" for name in ("key", "effect", "operator", "value"))


def pod(owner: DaemonSet, hashed: str, node: str) -> Json:
    """The pod for `node`, of the revision with this hash."""
    body = pod_from(owner.spec.template, owner)
    told = {**(body["metadata"].get("labels") or {}), HASH: hashed}
    if generation := owner.metadata.annotations.get(COUNTED):
        told[GENERATION] = generation
    body["metadata"]["labels"] = told
    spec = body["spec"]
    affinity = nodeaffinity.pin(spec.get("affinity"), node)
    body["spec"] = {**spec, "tolerations": tolerations(spec), "affinity": affinity}
    return body


def updated(owner: DaemonSet, pod: Pod, hashed: str) -> bool:
    """Whether the pod is of the newest template: by its hash, or by the count of old."""
    generation = owner.metadata.annotations.get(COUNTED)
    labels = pod.metadata.labels
    return labels.get(HASH) == hashed or bool(generation and labels.get(GENERATION) == generation)


def target(pod: Pod) -> str:
    """The node that a pod is on, or is for; '' where nothing tells."""
    return pod.spec.node_name or nodeaffinity.pinned(pod.spec.affinity)


def by_node(pods: Sequence[Pod]) -> dict[str, list[Pod]]:
    """The pods of each node, those placed and the oldest first.

    What has ended and is being deleted is nobody's business any more.
    """
    found: dict[str, list[Pod]] = {}
    for item in sorted(pods, key=_age):
        if item.finished and item.metadata.deletion_timestamp is not None:
            continue
        if node := target(item):
            found.setdefault(node, []).append(item)
    return found


def _age(pod: Pod) -> tuple[bool, str, str]:
    meta = pod.metadata
    return (not pod.spec.node_name, meta.creation_timestamp or "", meta.name)
