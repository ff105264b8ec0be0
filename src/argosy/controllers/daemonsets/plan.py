"""What to do next with a DaemonSet: a pure function of what is there.

First each node is brought in order: one pod where one belongs, none where none does, and none that
has ended (`_node`). Once that asks for nothing, `update` replaces pods of other revisions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from argosy.api.core import Node, Pod
from argosy.api.daemonsets import DaemonSet, DaemonSetStatus
from argosy.controllers.daemonsets.daemonpods import HASH, Fit, by_node, fits, updated
from argosy.controllers.daemonsets.update import ROLLING, Limits, Scene, limits, surging, unsurging
from argosy.controllers.podstates import available, next_available, ready
from argosy.runtime.events import Note

BURST = 250
"""So many pods are made, and so many deleted, before the next look."""
NOWHERE = Fit(run=False, stay=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is there. `hash` is that of the set's own revision.

    `held` tells for how many seconds a node's failed pod is to be left alone.
    """

    hash: str
    nodes: Sequence[Node]
    pods: Sequence[Pod]
    held: Callable[[str], float]
    collisions: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided. `create` names nodes; `failed` those whose failed pod is deleted."""

    create: Sequence[str] = ()
    delete: Sequence[Pod] = ()
    failed: frozenset[str] = frozenset()
    status: DaemonSetStatus
    notes: Sequence[Note] = ()
    after: float | None = None


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    create: list[str] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


def make_plan(owner: DaemonSet, seen: Seen) -> Plan:
    """The next step for `owner`."""
    judge = fits(owner)
    scene = Scene(
        owner=owner,
        hash=seen.hash,
        fits={node.metadata.name: judge.of(node) for node in seen.nodes},
        pods=by_node(seen.pods),
        now=seen.now,
    )
    allowed, draft = limits(owner, scene), _Draft()
    for name, fit in scene.fits.items():
        _node(draft, scene, name, fit, allowed, seen.held)
    _lost(draft, scene)
    if not draft.create and not draft.delete:
        _update(draft, scene, allowed)
    status = _status(scene, seen)
    waits = [*draft.waits, *_next_look(owner, seen, status)]
    return Plan(
        create=draft.create[:BURST],
        delete=draft.delete[:BURST],
        failed=frozenset(draft.failed),
        status=status,
        notes=draft.notes,
        after=min(waits, default=None),
    )


def _node(
    draft: _Draft,
    scene: Scene,
    name: str,
    fit: Fit,
    allowed: Limits,
    held: Callable[[str], float],
) -> None:
    """Bring one node in order."""
    pods = scene.pods.get(name, [])
    if not fit.stay:
        draft.delete += [pod for pod in pods if not _going(pod)]
    elif not pods:
        draft.create += [name] if fit.run else []
    else:
        running = _running(draft, scene, name, held)
        if not scene.owner_surges:
            draft.delete += running[1:]
        elif running:
            draft.delete += _superseded(scene, running)
        elif fit.run:
            draft.create.append(name)


def _running(draft: _Draft, scene: Scene, name: str, held: Callable[[str], float]) -> list[Pod]:
    """A node's pods that have not ended; the others are deleted, failed ones ever more slowly."""
    running = []
    for pod in scene.pods[name]:
        if _going(pod):
            continue
        if not pod.finished:
            running.append(pod)
        elif pod.status.phase == "Failed" and (left := held(name)) > 0:
            draft.waits.append(left)
        else:
            draft.delete.append(pod)
            draft.notes.append(_ended(pod, name))
            if pod.status.phase == "Failed":
                draft.failed.add(name)
    return running


def _ended(pod: Pod, node: str) -> Note:
    where = f"daemon pod {pod.metadata.namespace}/{pod.metadata.name} on node {node}"
    if pod.status.phase == "Failed":
        text = f"Found failed {where}, will try to kill it"
        return Note("FailedDaemonPod", text, "Warning")
    return Note("SucceededDaemonPod", f"Found succeeded {where}, will try to delete it")


def _superseded(scene: Scene, running: Sequence[Pod]) -> list[Pod]:
    """Of an old and a new pod on a node, which have come by an update, the one to go.

    The old one stays as long as it is ready and the new one is not available.
    """
    new = [pod for pod in running if pod.metadata.labels.get(HASH) == scene.hash]
    old = [pod for pod in running if pod not in new]
    spare = [*new[1:], *old[1:]]
    if new and old:
        least = scene.owner.spec.min_ready_seconds
        if not ready(old[0]) or available(new[0], least, scene.now):
            spare.append(old[0])
    return spare


def _lost(draft: _Draft, scene: Scene) -> None:
    """Pods that wait for nodes that are not there: nobody else would ever take them away."""
    for name, pods in scene.pods.items():
        if name not in scene.fits:
            draft.delete += [pod for pod in pods if not pod.spec.node_name and not _going(pod)]


def _update(draft: _Draft, scene: Scene, allowed: Limits) -> None:
    if scene.owner.spec.update_strategy.type != ROLLING:
        return
    if allowed.surge:
        nodes, pods = surging(scene, allowed)
        draft.create += nodes
        draft.delete += pods
    else:
        draft.delete += unsurging(scene, allowed)


def _status(scene: Scene, seen: Seen) -> DaemonSetStatus:
    """The nodes, counted; of a node's pods the oldest stands for all."""
    owner, placed = scene.owner, scene.pods
    wanted = [name for name, fit in scene.fits.items() if fit.run]
    first = [placed[name][0] for name in wanted if placed.get(name)]
    up = [pod for pod in first if ready(pod)]
    least = owner.spec.min_ready_seconds
    there = sum(1 for pod in up if available(pod, least, seen.now))
    return DaemonSetStatus(
        current_number_scheduled=len(first),
        number_misscheduled=_misplaced(scene.fits, placed),
        desired_number_scheduled=len(wanted),
        number_ready=len(up),
        observed_generation=owner.metadata.generation,
        updated_number_scheduled=sum(1 for pod in first if updated(owner, pod, seen.hash)),
        number_available=there,
        number_unavailable=len(wanted) - there,
        collision_count=seen.collisions or owner.status.collision_count,
        conditions=owner.status.conditions,
    )


def _misplaced(fits: Mapping[str, Fit], placed: Mapping[str, Sequence[Pod]]) -> int:
    return sum(1 for name, fit in fits.items() if not fit.run and placed.get(name))


def _next_look(owner: DaemonSet, seen: Seen, status: DaemonSetStatus) -> list[float]:
    least = owner.spec.min_ready_seconds
    if not least or status.number_ready == status.number_available:
        return []
    return [next_available(seen.pods, least, seen.now) or float(least)]


def _going(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None
