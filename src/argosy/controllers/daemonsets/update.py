"""How a DaemonSet's pods are replaced by those of its newest revision: pure.

Without a surge old pods are deleted, as many as may be unavailable, and made anew by the next look.
With one, a new pod comes beside the old one, on as many nodes at once as the surge says, and the
old one goes when the new one is available. What is unavailable already is replaced in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from argosy.api.core import Pod
from argosy.api.daemonsets import DaemonSet
from argosy.controllers.daemonsets.daemonpods import Fit, updated
from argosy.controllers.podstates import available
from argosy.controllers.rollout import scaled

ROLLING = "RollingUpdate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The nodes as they are for a set, and its pods on them."""

    owner: DaemonSet
    hash: str
    fits: Mapping[str, Fit]
    pods: Mapping[str, Sequence[Pod]]
    now: datetime

    @property
    def desired(self) -> int:
        """How many nodes shall have a pod."""
        return sum(1 for fit in self.fits.values() if fit.run)

    @property
    def owner_surges(self) -> bool:
        """Whether a node may have two pods."""
        strategy = self.owner.spec.update_strategy
        rolling = strategy.rolling_update if strategy.type == ROLLING else None
        return rolling is not None and scaled(rolling.max_surge, 1, up=True) > 0

    def nodes(self) -> list[str]:
        """All nodes that have a pod or shall have one."""
        wanted = {name for name, fit in self.fits.items() if fit.run}
        return sorted(wanted | self.pods.keys())

    def available(self, pod: Pod) -> bool:
        """Whether the pod has been ready for long enough."""
        return available(pod, self.owner.spec.min_ready_seconds, self.now)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an update may go at once."""

    unavailable: int
    surge: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The pods on a node: of the newest revision, and of another. `crowded`: there are more."""

    new: Pod | None = None
    old: Pod | None = None
    crowded: bool = False


def limits(owner: DaemonSet, scene: Scene) -> Limits:
    """What the strategy allows, in nodes; where it allows nothing, one may be unavailable."""
    strategy = owner.spec.update_strategy
    rolling = strategy.rolling_update if strategy.type == ROLLING else None
    if rolling is None:
        return Limits(1, 0)
    desired = scene.desired
    unavailable = scaled(rolling.max_unavailable, desired, up=True)
    surge = scaled(rolling.max_surge, desired, up=True)
    return Limits(unavailable if unavailable or surge else 1, surge)


def pair_of(scene: Scene, node: str) -> Pair:
    """What is on a node, without what is being deleted."""
    here = [p for p in scene.pods.get(node, ()) if p.metadata.deletion_timestamp is None]
    new = [pod for pod in here if updated(scene.owner, pod, scene.hash)]
    old = [pod for pod in here if pod not in new]
    if len(new) > 1 or len(old) > 1:
        return Pair(crowded=True)
    return Pair(new[0] if new else None, old[0] if old else None)


def unsurging(scene: Scene, allowed: Limits) -> list[Pod]:
    """The old pods to delete."""
    unavailable, broken, candidates = 0, [], []
    for node in scene.nodes():
        pair = pair_of(scene, node)
        if pair.old is None or pair.new is not None:
            # None, too many, or a new one: unavailable unless that one is.
            fine = pair.new is not None and pair.old is None and scene.available(pair.new)
            unavailable += not fine
        elif scene.available(pair.old):
            candidates.append(pair.old)
        else:
            broken.append(pair.old)
            unavailable += 1
    return broken + candidates[: max(allowed.unavailable - unavailable, 0)]


def surging(scene: Scene, allowed: Limits) -> tuple[list[str], list[Pod]]:
    """The nodes for a new pod beside the old one, and the old pods to delete."""
    pairs = {node: pair_of(scene, node) for node in scene.nodes()}
    moved = [p for node, pair in pairs.items() if (p := _replaced(scene, node, pair)) is not None]
    broken: list[str] = []
    candidates: list[str] = []
    surge = 0
    for node, pair in pairs.items():
        surge += pair.crowded or _arriving(scene, pair)
        if pair.old is None or pair.new is not None or not _wanted(scene, node):
            continue
        (candidates if scene.available(pair.old) else broken).append(node)
    nodes = broken + candidates[: max(allowed.surge - surge, 0)]
    return nodes, [*moved, *_sunset(scene, pairs)]


def _wanted(scene: Scene, node: str) -> bool:
    fit = scene.fits.get(node)
    return fit is not None and fit.run


def _arriving(scene: Scene, pair: Pair) -> bool:
    """Whether a new pod is there beside the old one, and not available yet."""
    return pair.old is not None and pair.new is not None and not scene.available(pair.new)


def _replaced(scene: Scene, node: str, pair: Pair) -> Pod | None:
    """The old pod, where it may go: its successor is available, or it is of no use there."""
    if pair.old is None:
        return None
    if pair.new is not None:
        return pair.old if scene.available(pair.new) else None
    useless = not scene.available(pair.old) and not _wanted(scene, node)
    return pair.old if useless else None


def _sunset(scene: Scene, pairs: Mapping[str, Pair]) -> list[Pod]:
    """Old pods on nodes that shall have none: they go when there are enough elsewhere."""
    serving = [pair.old or pair.new for pair in pairs.values()]
    count = sum(1 for pod in serving if pod is not None and scene.available(pod))
    leaving = [
        pair.old
        for node, pair in pairs.items()
        if pair.old is not None and pair.new is None
        if scene.available(pair.old) and not _wanted(scene, node)
    ]
    return leaving[: max(count - scene.desired, 0)]
