"""Which part of an object each of its paths writes: the object itself, `status`, `resize` and more.

A writer sends a whole object; what its path does not write stays as it was. The field manager is
told the same, so that nobody owns a field that they cannot write. The table follows the strategies
of kube-apiserver's registry (its resets of fields, and what it prepares for an update).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from argosy.apiserver.catalog import Served

Json = dict[str, Any]
Settle = Callable[[Json, Json, str], None]
"""(the new object, which it changes in place; the one there was; the time)"""

FIXED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)
"""Metadata that no path writes."""
FREE = ("labels", "annotations", "finalizers", "ownerReferences")
"""Metadata that the object itself writes, and the status of kinds of old too."""
BESIDE_SPEC = ("status", *(f"metadata.{name}" for name in FREE))
CONTAINERS = ("containers", "initContainers")
EPHEMERAL = "ephemeralContainers"
VERDICTS = ("Approved", "Denied")


@dataclass(frozen=True, slots=True)
class Part:
    """What a path does not write, and what it does beside.

    `kept` are dotted paths that stay as they were. Nobody is noted to own these, nor `unowned`,
    though something of those may be written. `narrow` leaves of the spec of a configuration that
    is applied, of whatever types it be, what the path writes, where paths can't say that.
    """

    kept: tuple[str, ...] = ()
    unowned: tuple[str, ...] = ()
    settle: Settle | None = None
    narrow: Callable[[Json], Json] | None = None


def _dated(new: Json, old: Json, now: str) -> None:
    """A condition of a request for a certificate says since when, even if its writer does not."""
    before = (old.get("status") or {}).get("conditions") or ()
    for condition in (new.get("status") or {}).get("conditions") or ():
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        if condition.get("lastTransitionTime"):
            continue
        condition["lastTransitionTime"] = next(
            (
                one["lastTransitionTime"]
                for one in before
                if (one.get("type"), one.get("status"))
                == (condition.get("type"), condition.get("status"))
                and one.get("lastTransitionTime")
            ),
            now,
        )


def _same_verdict(new: Json, old: Json, now: str) -> None:
    """A verdict stays as it was given; one too many or too few is for the rules to refuse."""
    before = (old.get("status") or {}).get("conditions") or []
    after = (new.get("status") or {}).get("conditions") or []
    for kind in VERDICTS:
        was = [one for one in before if one.get("type") == kind]
        places = [i for i, one in enumerate(after) if one.get("type") == kind]
        if len(was) == len(places):
            for i, one in zip(places, was, strict=True):
                after[i] = one
    _dated(new, old, now)


def _volume_phase(new: Json, old: Json, now: str) -> None:
    """A volume says since when it is in its phase."""
    name, after, before = (
        "lastPhaseTransitionTime",
        new.get("status") or {},
        old.get("status") or {},
    )
    said, was = after.get(name), before.get(name)
    if after.get("phase") != before.get("phase"):
        if not said or said == was:
            new["status"] = {**after, name: now}
    elif not said and was:
        new["status"] = {**after, name: was}


def _debugged(new: Json, old: Json, _now: str) -> None:
    """Of the spec, only the ephemeral containers."""
    spec = dict(old["spec"])
    _keep(spec, new.get("spec") or {}, EPHEMERAL)
    new["spec"] = spec


def _only_ephemeral(spec: Json) -> Json:
    return {key: item for key, item in spec.items() if key == EPHEMERAL}


def _resized(new: Json, old: Json, _now: str) -> None:
    """Of the spec, only what containers and the pod ask for.

    Containers that come, go, change their order or their names are for the rules to refuse.
    """
    after, before = new.get("spec") or {}, old["spec"]
    if any(len(after.get(key) or ()) != len(before.get(key) or ()) for key in CONTAINERS):
        return
    spec = dict(before)
    _keep(spec, after, "resources")
    for key in CONTAINERS:
        was, now = before.get(key) or [], after.get(key) or []
        if [one.get("name") for one in was] != [one.get("name") for one in now]:
            spec[key] = now
        elif was:
            spec[key] = [_asking(one, other) for one, other in zip(now, was, strict=True)]
    new["spec"] = spec


def _asking(new: Json, old: Json) -> Json:
    container = dict(old)
    for name in ("resources", "resizePolicy"):
        _keep(container, new, name)
    return container


def _only_resources(spec: Json) -> Json:
    kept = {key: item for key, item in spec.items() if key in ("resources", *CONTAINERS)}
    for key in CONTAINERS:
        if isinstance(kept.get(key), list):
            kept[key] = [_named_resources(one) for one in kept[key]]
    return kept


def _named_resources(container: Any) -> Any:
    if not isinstance(container, dict):
        return container
    names = ("name", "resizePolicy", "resources")
    return {key: item for key, item in container.items() if key in names}


OPEN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "CertificateSigningRequest",
            "CronJob",
            "DaemonSet",
            "HorizontalPodAutoscaler",
            "Ingress",
            "Job",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "PodDisruptionBudget",
            "ReplicaSet",
            "ReplicationController",
            "ResourceQuota",
            "Service",
            "StatefulSet",
        ),
        (),
    ),
    "Deployment": ("labels",),
    "Pod": ("ownerReferences",),
}
"""Kinds whose status writes metadata too: all of `FREE` but what is named here."""
SPECIAL: Mapping[tuple[str, str], Part] = {
    ("CertificateSigningRequest", "approval"): Part(("spec", "status.certificate"), (), _dated),
    ("CertificateSigningRequest", "status"): Part(("spec",), ("status.conditions",), _same_verdict),
    ("Namespace", "finalize"): Part(("status",)),
    ("Pod", "ephemeralcontainers"): Part(BESIDE_SPEC, (), _debugged, _only_ephemeral),
    ("Pod", "resize"): Part(BESIDE_SPEC, (), _resized, _only_resources),
    ("PersistentVolume", "status"): Part(("spec",), (), _volume_phase),
}
"""Paths that write otherwise than the object, and its status, do in general."""
OBJECT = Part(("status",))


def laid_over(what: Part, new: Json, old: Json) -> Json:
    """`new`, with the top-level fields that the path does not write as they are in `old`."""
    kept = [name for name in what.kept if "." not in name]
    rest = {name: value for name, value in new.items() if name not in kept}
    return {**rest, **{name: old[name] for name in kept if name in old}}


def limited(what: Part, new: Json, old: Json, now: Callable[[], str]) -> Json:
    """`new`, as far as the path writes it, and for the rest `old`."""
    new = {**new, "metadata": dict(new["metadata"])}
    for name in FIXED:
        _keep(new["metadata"], old["metadata"], name)
    for path in what.kept:
        _keep(new, old, *path.split("."))
    if what.settle is not None:
        what.settle(new, old, now())
    return new


def _keep(new: Json, old: Json, name: str, *below: str) -> None:
    """Let what stands at a path in `new` be as in `old`. Of what `new` holds nothing is changed."""
    if below and (name in new or name in old):
        new[name] = dict(new.get(name) or {})
        _keep(new[name], old.get(name) or {}, *below)
    elif name in old and not below:
        new[name] = old[name]
    else:
        new.pop(name, None)


def part(served: Served, subresource: str) -> Part:
    """What the path to an object of that kind, or to its subresource, writes."""
    special = SPECIAL.get((served.name, subresource))
    if special is not None:
        return special
    if subresource == "status":
        closed = FREE if served.own else OPEN.get(served.name, FREE)
        return _status(served.beside_status, closed)
    return OBJECT if served.resource.status else Part()


@cache
def _status(beside: tuple[str, ...], closed: tuple[str, ...]) -> Part:
    return Part((*beside, *(f"metadata.{name}" for name in closed)))


def unowned(served: Served, subresource: str) -> tuple[str, ...]:
    """The fields whose writers are not noted at that path."""
    what = part(served, subresource)
    return what.kept + what.unowned


def narrowed(served: Served, subresource: str, configuration: Json) -> Json:
    """Of a configuration that is applied, what its path writes."""
    narrow = part(served, subresource).narrow
    spec = configuration.get("spec")
    if narrow is None or not isinstance(spec, dict):
        return configuration
    return {**configuration, "spec": narrow(spec)}
