"""Who gets how many pods: a rollout's steps, and a change of scale in the middle of one.

Pure functions that change drafts. A rolling update keeps two promises: together the sets are never
asked for more than the replicas and the surge, and no set shrinks where that leaves fewer pods
available than the replicas without those that may be missing.
"""

from collections.abc import Sequence

from argosy.controllers.deployments.amounts import (
    DESIRED,
    annotated,
    fraction,
    max_surge,
    max_unavailable,
    rolling,
    saturated,
)
from argosy.controllers.deployments.drafts import Draft, Scaling, total


def grown(scaling: Scaling, new: Draft, everything: Sequence[Draft]) -> int:
    """How many replicas the newest set may have now, of all sets that there are."""
    wanted = scaling.deployment.spec.replicas
    if not rolling(scaling.deployment):
        return wanted
    room = wanted + max_surge(scaling.deployment) - total(everything)
    return new.replicas + min(room, wanted - new.replicas) if room > 0 else new.replicas


def roll(scaling: Scaling, new: Draft, old: Sequence[Draft]) -> bool:
    """One step of a rolling update: grow the newest set, or else shrink the old ones.

    Whether a set changed its scale.
    """
    wanted = scaling.deployment.spec.replicas
    if new.replicas != wanted:
        more = new.replicas < wanted
        target = grown(scaling, new, [*old, new]) if more else wanted
        if scaling.scale(new, target):
            return True
    return _shrink(scaling, new, [item for item in old if item.replicas > 0])


def _shrink(scaling: Scaling, new: Draft, old: Sequence[Draft]) -> bool:
    """Take from the old sets first what is not available, then what is not needed any more.

    A set that has not looked since its scale was changed may have fewer pods than it tells: while
    there is one, nothing is taken.
    """
    if any(_unheard(item) for item in (*old, new)):
        return False
    least = scaling.deployment.spec.replicas - max_unavailable(scaling.deployment)
    missing = new.replicas - new.available
    spare = total(old) + new.replicas - least - missing
    if not old or spare <= 0:
        return False
    unhealthy = [max(item.replicas - item.available, 0) for item in old]
    taken = _take(scaling, old, unhealthy, spare)
    spare = sum(item.available for item in (*old, new)) - least
    return _take(scaling, old, [item.replicas for item in old], spare) + taken > 0


def _unheard(item: Draft) -> bool:
    known = item.old
    return known is not None and known.status.observed_generation < known.metadata.generation


def _take(scaling: Scaling, old: Sequence[Draft], most: Sequence[int], count: int) -> int:
    """Take `count` pods, but of each set at most `most`, the oldest set first; how many it was."""
    left = max(count, 0)
    for item, limit in zip(old, most, strict=True):
        taken = min(left, limit)
        scaling.scale(item, item.replicas - taken)
        left -= taken
    return max(count, 0) - left


def scaled(scaling: Scaling, drafts: Sequence[Draft]) -> bool:
    """Whether the Deployment asks for another number than when its sets were scaled last."""
    told = (annotated(item.annotations, DESIRED) for item in drafts if item.replicas > 0)
    wanted = scaling.deployment.spec.replicas
    return any(number is not None and number != wanted for number in told)


def rescale(scaling: Scaling, new: Draft | None, old: Sequence[Draft]) -> None:
    """Follow a change of scale: the one set that has pods, or each by its part.

    What each set is told last is the Deployment's number, also where its own stays: as long as one
    says otherwise nothing but the scale is looked at, and a new template would wait for ever.
    """
    wanted = scaling.deployment.spec.replicas
    everything = [*old, *([new] if new is not None else [])]
    busy = [item for item in everything if item.replicas > 0]
    if len(busy) < 2:
        if target := (busy[0] if busy else new or (old[-1] if old else None)):
            scaling.scale(target, wanted, anyway=bool(busy))
    elif new is not None and saturated(scaling.deployment, new.old):
        for item in old:
            scaling.scale(item, 0)
    elif rolling(scaling.deployment):
        _share(scaling, busy)
    else:
        for item in busy:
            scaling.annotate(item)


def _share(scaling: Scaling, busy: Sequence[Draft]) -> None:
    """Give each set its part of what comes or goes; the rest is the largest one's."""
    deployment = scaling.deployment
    wanted = deployment.spec.replicas
    change = (wanted + max_surge(deployment) if wanted else 0) - total(busy)
    # Of sets of equal size the newest grows, and the oldest shrinks.
    by_age = sorted(busy, key=lambda item: item.made, reverse=change > 0)
    ordered = sorted(by_age, key=lambda item: -item.replicas)
    parts, left = [], change
    for item in ordered:
        part = fraction(item.replicas, item.annotations, deployment) if change else 0
        part = min(part, left) if change > 0 else max(part, left)
        parts.append(part if left else 0)
        left -= parts[-1]
    parts[0] += left
    for item, part in zip(ordered, parts, strict=True):
        scaling.scale(item, max(item.replicas + part, 0), anyway=True)
