"""Defaults of `scheduling.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill


def _priority_class(priority: Json) -> None:
    fill(priority, {"preemptionPolicy": "PreemptLowerPriority", "value": 0})


def _group(group: Json) -> None:
    group["spec"].setdefault("disruptionMode", {"single": {}})


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "CompositePodGroup": _group,
    "PodGroup": _group,
    "PriorityClass": _priority_class,
}
