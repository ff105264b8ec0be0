"""Whose going would make room: pods of lower or equal priority that could be deleted."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.scheduler.columns import Amounts
from argosy.scheduler.explain.closest import nearest
from argosy.scheduler.explain.hurdles import FIT, Look
from argosy.scheduler.explain.remedies import Remedy
from argosy.scheduler.explain.snapshot import Change, Snapshot, Swap
from argosy.scheduler.explain.trials import Trials
from argosy.scheduler.framework import Mask
from argosy.scheduler.holdings import priority_of
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.state import State

replace = msgspec.structs.replace
MOST_NODES = 24
"""So many nodes are searched for pods that could go."""
MOST_REPRIEVED = 16
MOST_NAMED = 3


def deletions(snapshot: Snapshot, trials: Trials, look: Look, within: Mask) -> Iterator[Remedy]:
    """Pods whose deletion makes room on one node, the fewest first; tried already."""
    found: list[list[Pod]] = []
    for row in nearest(trials.state, look, within, MOST_NODES):
        pods = enough(trials.state, look, row, _evictable(trials.state, trials.pod, row))
        if pods and not trials.over:
            kept = fewest(snapshot, trials, pods)
            if kept:
                found.append(kept)
    for pods in sorted(found, key=_dearness)[:2]:
        yield _deletion(snapshot, pods)


def _dearness(pods: Sequence[Pod]) -> tuple[int, int]:
    return (max(map(priority_of, pods)), len(pods))


def _deletion(snapshot: Snapshot, pods: Sequence[Pod]) -> Remedy:
    names = [f"{'/'.join(pod.key)} (priority {pod.spec.priority})" for pod in pods]
    by_namespace: dict[str, list[str]] = {}
    for pod in pods:
        by_namespace.setdefault(pod.metadata.namespace, []).append(pod.metadata.name)
    commands = [
        f"kubectl delete pod -n {namespace} {' '.join(found)}"
        for namespace, found in by_namespace.items()
    ]
    return Remedy(
        kind="DeletePods",
        text=f"delete pod{'s' if len(pods) > 1 else ''} {listed(names)}",
        size=20 + min(len(pods), 50),
        command=" && ".join(commands),
        others=without(snapshot, pods),
    )


def without(snapshot: Snapshot, pods: Sequence[Pod]) -> Change:
    """The pods are gone, and what of claims was theirs alone is given back."""
    uids = {pod.metadata.uid for pod in pods}
    swaps: list[Swap] = [(pod, None) for pod in pods]
    claims = snapshot.of(ResourceClaim)
    named = {
        (pod.metadata.namespace, claim_name(pod, entry) or "")
        for pod in pods
        for entry in pod.spec.resource_claims
    }
    for key in sorted(named & claims.keys()):
        users = {user.uid for user in claims[key].status.reserved_for}
        if users and users <= uids:
            swaps.append((claims[key], _given_back(claims[key])))
    return tuple(swaps)


def _given_back(claim: ResourceClaim) -> ResourceClaim:
    status = replace(claim.status, allocation=None, reserved_for=())
    return replace(claim, status=status)


def _evictable(state: State, pod: Pod, row: int) -> list[Pod]:
    """Pods of a node that may go for `pod`, in the order in which they would. A pod of a DaemonSet
    comes back at once, and one of its own gang is none to lose."""
    most, group = pod.spec.priority, pod.spec.scheduling_group
    found = [
        occupant.pod
        for occupant in state.nodes.pods_on(state.nodes.names[row])
        if priority_of(occupant.pod) <= most
        and (group is None or occupant.pod.spec.scheduling_group != group)
        and not any(owner.kind == "DaemonSet" for owner in occupant.pod.metadata.owner_references)
    ]
    return sorted(found, key=lambda item: (item.spec.priority, item.key))


def enough(state: State, look: Look, row: int, pods: Sequence[Pod]) -> list[Pod]:
    """Those of `pods` whose amounts make up for what a node is short of, few and large ones first;
    all of them where amounts are not what is lacking."""
    if any(not h.passed[row] and h.plugin != FIT for h in look.hurdles):
        return list(pods)
    nodes, short = state.nodes, _shortage(state, look, row)
    held = {
        occupant.pod.metadata.uid: nodes.vector(occupant.request)
        for occupant in nodes.pods_on(nodes.names[row])
    }
    left, taken = list(pods), []
    while short.any() and left:
        help_of = [
            float(np.minimum(held[p.metadata.uid] / np.maximum(short, 1), 1)[short > 0].sum())
            for p in left
        ]
        best = max(range(len(left)), key=lambda i: (help_of[i], -left[i].spec.priority))
        if help_of[best] <= 0:
            return []
        pod = left.pop(best)
        taken.append(pod)
        short = np.maximum(short - held[pod.metadata.uid], 0)
    return [] if short.any() else taken


def _shortage(state: State, look: Look, row: int) -> Amounts:
    """How much a node is short of, by resource."""
    nodes = state.nodes
    asked = nodes.vector(look.shape.request)
    short = asked - nodes.allocatable[row] + nodes.requested[row]
    found: Amounts = np.where(asked > 0, np.maximum(short, 0), 0)
    return found


def fewest(snapshot: Snapshot, trials: Trials, pods: Sequence[Pod]) -> list[Pod]:
    """As few of `pods` as place the pod: the dearest are reprieved first. Empty where none do."""
    if trials.placed(without(snapshot, pods)) is None:
        return []
    kept = list(pods)
    for one in sorted(pods, key=lambda item: -item.spec.priority)[:MOST_REPRIEVED]:
        fewer = [item for item in kept if item is not one]
        if fewer and not trials.over and trials.placed(without(snapshot, fewer)) is not None:
            kept = fewer
    return kept


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    told = ", ".join(names[:MOST_NAMED])
    return f"{told} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else told
