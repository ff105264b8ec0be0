"""Short ways to write clusters whose pods have places, and what a survey says of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from argosy.api.core import Namespace, Pod
from argosy.scheduler.framework import Plugin, Survey
from argosy.scheduler.state import State
from tests.scheduler.builders import node, occupant, pod

HARD = "requiredDuringSchedulingIgnoredDuringExecution"
SOFT = "preferredDuringSchedulingIgnoredDuringExecution"
ZONES = {"n1": "z1", "n2": "z1", "n3": "z2", "n4": ""}
"""Four nodes; the last one has no zone."""

Placed = Sequence[tuple[str, Mapping[str, Any]]]


def cluster(placed: Placed = (), zones: Mapping[str, str] = ZONES, **spec: Any) -> State:
    """Nodes with hostname and `zone`, and pods with options of `pod_body` on them."""
    state = State()
    for name, zone in zones.items():
        labels = {"kubernetes.io/hostname": name, **({"zone": zone} if zone else {})}
        state.nodes.put_node(node(name, labels=labels, spec=spec.get(name)))
    for i, (name, options) in enumerate(placed):
        state.nodes.put_pod(name, occupant(f"old-{i}", **options))
    return state


def namespace(name: str, **labels: str) -> Namespace:
    return msgspec.convert({"metadata": {"name": name, "labels": labels}}, Namespace)


def labelled(space: str = "default", **labels: str) -> dict[str, Any]:
    """Options of a pod with these labels."""
    return {"metadata": {"namespace": space, "labels": labels}}


def feasible(plugin: Plugin, state: State, wanted: Pod) -> list[str]:
    """The nodes that the plugin lets the pod have."""
    survey = _surveyed(plugin, state, wanted)
    mask = survey.mask if survey else None
    return [name for name, row in state.nodes.row_of.items() if mask is None or mask[row]]


def reasons(plugin: Plugin, state: State, wanted: Pod) -> Mapping[str, int]:
    """Why the pod can't have the others."""
    survey = _surveyed(plugin, state, wanted)
    assert survey is not None and survey.mask is not None
    return survey.explain(np.flatnonzero(state.nodes.live[: state.nodes.size] & ~survey.mask))


def scores(
    plugin: Plugin, state: State, wanted: Pod, among: Sequence[str] | None = None
) -> dict[str, int] | None:
    """What each node is worth among the feasible ones (all of them, unless named)."""
    names = list(state.nodes.row_of) if among is None else among
    rows = [state.nodes.row_of[name] for name in names]
    chosen = np.zeros(state.nodes.size, dtype=np.bool_)
    chosen[rows] = True
    survey = _surveyed(plugin, state, wanted)
    found = survey.score(chosen) if survey else None
    return None if found is None else {name: int(found[state.nodes.row_of[name]]) for name in names}


def _surveyed(plugin: Plugin, state: State, wanted: Pod) -> Survey | None:
    assert plugin.survey is not None
    return plugin.survey(state, wanted)


def asking(*, space: str = "default", labels: Mapping[str, str] | None = None, **spec: Any) -> Pod:
    """The pod to be placed."""
    return pod("new", metadata={"namespace": space, "labels": dict(labels or {})}, spec=spec)
