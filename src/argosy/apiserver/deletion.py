"""What a delete makes of an object: nothing, a mark on it, or its end.

Pure decisions. An object stays while it has finalizers, and a pod on a node while its time is not
over; the options decide whether the garbage collector gets one of its two finalizers: with `orphan`
it takes the owner off its dependents, with `foregroundDeletion` it deletes them first. A namespace
stays until its controller has emptied it. The rules are those of kube-apiserver's registries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from argosy.api.core import Namespace, Pod
from argosy.api.resource import Resource
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.apiserver.deleteoptions import FOREGROUND, ORPHAN, DeleteOptions
from argosy.base.clock import parse_timestamp, timestamp

Json = dict[str, Any]

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"
NAMESPACE_FINALIZER = "kubernetes"
UNCOLLECTED = frozenset({"events"})
"""Plurals of kinds that the garbage collector knows nothing of."""
ORPHANING = frozenset({("v1", "replicationcontrollers"), ("batch/v1", "jobs")})
"""Kinds whose dependents stay where nothing else is said, for clients of old."""
LONGEST = 10**9
"""Seconds of grace that a deletion's moment counts: three decades."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an object: `obj` is kept as it was, written, or was its last state."""

    obj: Json
    step: Literal["keep", "write", "delete"]


def orphans_unasked(resource: Resource) -> bool:
    """Whether the kind's dependents stay where nothing else is said."""
    return (resource.api_version, resource.plural) in ORPHANING


def outcome(resource: Resource, current: Json, options: DeleteOptions, now: datetime) -> Outcome:
    """What deleting `current` comes to."""
    marked = {**current, "metadata": dict(current["metadata"])}
    if resource == CUSTOM_RESOURCE_DEFINITION and not current["metadata"].get("deletionTimestamp"):
        marked = _ending_definition(marked, now)
    if resource == Namespace.resource:
        if not current["metadata"].get("deletionTimestamp"):
            return Outcome(_ending_namespace(marked, options, now), "write")
        if (current.get("spec") or {}).get("finalizers"):
            return Outcome(current, "keep")
    graceful = False
    if resource == Pod.resource:
        if _is_ending(current["metadata"], options):
            return Outcome(current, "keep")
        graceful = _give_time(marked, options, now)
    return _finalized(resource, current, marked, options, now=None if graceful else now)


def _finalized(
    resource: Resource, current: Json, marked: Json, options: DeleteOptions, now: datetime | None
) -> Outcome:
    """The outcome, once time was given; not so with `now`."""
    meta = marked["metadata"]
    _set_finalizers(meta, finalizers(resource, meta.get("finalizers") or [], options))
    waiting = meta.get("finalizers")
    if waiting and now is not None:
        _mark(meta, now)
    if not waiting and (now is not None or not meta["deletionGracePeriodSeconds"]):
        return Outcome(marked, "delete")
    return Outcome(current, "keep") if marked == current else Outcome(marked, "write")


def finalizers(resource: Resource, known: list[str], options: DeleteOptions) -> list[str]:
    """The finalizers of an object that is deleted, given those that it has."""
    orphan, foreground = _policy(resource, known, options)
    kept = [name for name in known if name not in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)]
    wanted = [*kept, *[ORPHAN_FINALIZER] * orphan, *[FOREGROUND_FINALIZER] * foreground]
    return known if set(wanted) == set(known) else wanted


def _policy(resource: Resource, known: list[str], options: DeleteOptions) -> tuple[bool, bool]:
    """Whether dependents are orphaned, and whether they go first.

    What the options say comes first, then what the object's finalizers say, then its kind.
    """
    if resource.plural in UNCOLLECTED:
        return False, False
    if options.orphan is not None:
        # Only of a namespace does "not orphaned" say more than "in the background".
        return options.orphan, resource == Namespace.resource and not options.orphan
    if options.policy is not None:
        return options.policy == ORPHAN, options.policy == FOREGROUND
    for name in known:
        if name in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER):
            return name == ORPHAN_FINALIZER, name == FOREGROUND_FINALIZER
    return orphans_unasked(resource), False


def _set_finalizers(meta: Json, names: list[str]) -> None:
    if names:
        meta["finalizers"] = names
    else:
        meta.pop("finalizers", None)


def _mark(meta: Json, now: datetime) -> None:
    """Deleted now, with no time left."""
    if not meta.get("deletionTimestamp"):
        _count(meta)
    if not meta.get("deletionTimestamp") or parse_timestamp(meta["deletionTimestamp"]) > now:
        meta["deletionTimestamp"] = timestamp(now)
    meta["deletionGracePeriodSeconds"] = 0


def _count(meta: Json) -> None:
    """That an object is to end is a change of what is wanted of it."""
    if meta.get("generation"):
        meta["generation"] += 1


def _ending_namespace(namespace: Json, options: DeleteOptions, now: datetime) -> Json:
    """The namespace, left to its controller, which takes the finalizer of the spec away."""
    meta = namespace["metadata"]
    meta["deletionTimestamp"] = timestamp(now)
    names = finalizers(Namespace.resource, meta.get("finalizers") or [], options)
    _set_finalizers(meta, names)
    spec = dict(namespace.get("spec") or {})
    # Namespaces of old data folders have none; they too must be emptied first.
    spec["finalizers"] = spec.get("finalizers") or [NAMESPACE_FINALIZER]
    status = {**(namespace.get("status") or {}), "phase": "Terminating"}
    return {**namespace, "spec": spec, "status": status}


def _ending_definition(definition: Json, now: datetime) -> Json:
    """The definition of a kind, left to the controller that deletes the kind's objects."""
    # Few servers ever see one go: they start without what is said of it.
    from argosy.api.extensions.definition import CLEANUP
    from argosy.api.extensions.naming import ending

    meta = definition["metadata"]
    names = meta.get("finalizers") or []
    _set_finalizers(meta, [*names, *[CLEANUP] * (CLEANUP not in names)])
    return ending(definition, timestamp(now))


def _is_ending(meta: Json, options: DeleteOptions) -> bool:
    """Whether a pod is given time already, and no less than is asked for now."""
    known = meta.get("deletionGracePeriodSeconds") or 0
    if not meta.get("deletionTimestamp") or not known:
        return False
    return options.grace is None or options.grace >= known


def _give_time(pod: Json, options: DeleteOptions, now: datetime) -> bool:
    """Stamp the pod with the time that it is given; False where that was over already."""
    meta = pod["metadata"]
    known = meta.get("deletionGracePeriodSeconds") or 0
    if not meta.get("deletionTimestamp"):
        grace = _grace(pod, options)
        _count(meta)
        moment = now + _span(grace)
    elif known:
        grace = options.grace or 0
        moment = parse_timestamp(meta["deletionTimestamp"]) + _span(grace - known)
        if moment < now:
            # It is still the node that ends the pod, unless no time at all is asked for.
            moment, grace = now, min(grace, 1)
    else:
        return False
    meta["deletionTimestamp"] = timestamp(moment)
    meta["deletionGracePeriodSeconds"] = grace
    return True


def _grace(pod: Json, options: DeleteOptions) -> int:
    """Seconds that a pod is given to end by itself: one that does not run needs none."""
    finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if finished or not pod["spec"].get("nodeName"):
        return 0
    if options.grace is not None:
        return options.grace
    own = int(pod["spec"].get("terminationGracePeriodSeconds") or 0)
    return 1 if own < 0 else own


def _span(seconds: int) -> timedelta:
    """So many seconds, or as many as a moment in time can be moved by."""
    return timedelta(seconds=max(-LONGEST, min(seconds, LONGEST)))
