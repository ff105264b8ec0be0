"""The nodes that come closest to having the pod, and what exactly they lack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Taint
from argosy.scheduler.explain.hurdles import CORDON, FIT, SELECTOR, TAINTS, Hurdle, Look
from argosy.scheduler.explain.words import MOST_HOLDERS, forbidding, holders, left, shown, written
from argosy.scheduler.framework import Mask
from argosy.scheduler.state import State

MOST_CLOSEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A node and all that it lacks, a text each."""

    node: str
    lacks: tuple[str, ...]


def nearest(state: State, look: Look, among: Mask, most: int = MOST_CLOSEST) -> list[int]:
    """Rows of `among`, those with the fewest hurdles first, then those that lack least."""
    rows = np.flatnonzero(among & look.live)
    order = np.lexsort((shortfall(state, look)[rows], look.fails[rows]))
    return [int(row) for row in rows[order[:most]]]


def shortfall(state: State, look: Look) -> NDArray[np.float64]:
    """How much of what the pod asks for each row is short of: 1 for a whole resource's worth."""
    nodes = state.nodes
    asked = nodes.vector(look.shape.request)
    columns = np.flatnonzero(asked)
    free = nodes.allocatable[: nodes.size] - nodes.requested[: nodes.size]
    short = np.maximum(asked[columns] - free[:, columns], 0) / asked[columns]
    found: NDArray[np.float64] = short.sum(axis=1)
    return found


def told(state: State, look: Look, rows: Sequence[int]) -> tuple[Near, ...]:
    """What each of `rows` lacks."""
    return tuple(
        Near(
            node=state.nodes.names[row],
            lacks=tuple(
                _lack(state, look, hurdle, row) for hurdle in look.hurdles if not hurdle.passed[row]
            ),
        )
        for row in rows
    )


def taints_of(state: State, look: Look, row: int) -> list[Taint]:
    """The node's taints that keep the pod away, but for that of cordoned nodes."""
    return forbidding(state.nodes.node(row).spec.taints, look.shape)


def missing_labels(state: State, look: Look, row: int) -> dict[str, str]:
    """What of the pod's nodeSelector the node has not."""
    labels = state.nodes.node(row).metadata.labels
    return {key: value for key, value in look.shape.node_selector if labels.get(key) != value}


def _lack(state: State, look: Look, hurdle: Hurdle, row: int) -> str:
    if hurdle.plugin == FIT:
        return _short(state, look, hurdle.part, row)
    if hurdle.plugin == TAINTS:
        return ", ".join(f"taint {written(taint)}" for taint in taints_of(state, look, row))
    if hurdle.plugin == CORDON:
        return "is cordoned"
    if hurdle.part == SELECTOR:
        missing = missing_labels(state, look, row)
        return ", ".join(_label(state, key, value, row) for key, value in missing.items())
    told = "; ".join(hurdle.reasons(np.array([row], dtype=np.intp)))
    users = _device_users(state, row) if hurdle.plugin == "DynamicResources" else ""
    return f"{told}; held by {users}" if users else told


def _short(state: State, look: Look, resource: str, row: int) -> str:
    whole = int(state.nodes.allocatable[row, state.nodes.column(resource)])
    free = shown(resource, max(0, left(state.nodes, resource, row)))
    asked = shown(resource, dict(look.shape.request.amounts)[resource])
    held = holders(state.nodes, resource, row)
    text = f"{free} of {shown(resource, whole)} {resource} free, {asked} needed"
    return f"{text}; held by {held}" if held else text


def _device_users(state: State, row: int) -> str:
    """The pods of a node that have claims."""
    on = state.nodes.pods_on(state.nodes.names[row])
    names = sorted("/".join(item.pod.key) for item in on if item.pod.spec.resource_claims)
    told = ", ".join(names[:MOST_HOLDERS])
    return f"{told} and {len(names) - MOST_HOLDERS} more" if len(names) > MOST_HOLDERS else told


def _label(state: State, key: str, value: str, row: int) -> str:
    there = state.nodes.node(row).metadata.labels.get(key)
    if there is None:
        return f"no label {key}={value}"
    return f"label {key} is {there}, not {value}"
