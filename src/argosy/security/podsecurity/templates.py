"""Where pods stand in the kinds that make them, and which of their changes are judged."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


TEMPLATE = ("spec", "template")
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "pods": (),
    "podtemplates": ("template",),
    "replicationcontrollers": TEMPLATE,
    "daemonsets.apps": TEMPLATE,
    "deployments.apps": TEMPLATE,
    "replicasets.apps": TEMPLATE,
    "statefulsets.apps": TEMPLATE,
    "jobs.batch": TEMPLATE,
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""By resource, the way to what has the pod's metadata and spec."""


def pod_of(resource: str, obj: Json) -> tuple[Json, Json] | None:
    """Metadata and spec of the pod that an object is or makes; None where it names none."""
    found: Any = obj
    for name in TEMPLATES[resource]:
        found = found.get(name)
        if found is None:
            return None
    return found.get("metadata") or {}, found.get("spec") or {}


def significant(new: Json, old: Json) -> bool:
    """Whether a change of a pod's spec is judged: other containers, or other images."""
    for sort in ("containers", "initContainers"):
        after, before = new.get(sort) or (), old.get(sort) or ()
        if [one.get("image") for one in after] != [one.get("image") for one in before]:
            return True
    known = {one.get("name"): one.get("image") for one in old.get("ephemeralContainers") or ()}
    return any(
        one.get("name") not in known or known[one.get("name")] != one.get("image")
        for one in new.get("ephemeralContainers") or ()
    )
