"""The rule that others leave a gang's room alone, as a survey.

A pod that comes after the gang, by priority and age, may take of that room only what it gives back
in time. One that is nominated for a node may have its place there: others went for it before.

All profiles have this rule. One that names the plugin may say for how long room is reserved at
first: `patienceSeconds`, and 0 for never.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.base.errors import invalid_value
from argosy.scheduler.framework import Mask, Plugin, Scores, Survey
from argosy.scheduler.pluginargs import Args, Int64, read, refuse
from argosy.scheduler.reserving.reservation import Reservation, order_of
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State


class Keeping:
    """All rows but those where a gang needs the room."""

    def __init__(self, size: int, rows: NDArray[np.intp], reason: str) -> None:
        self._mask = np.ones(size, dtype=np.bool_)
        self._mask[rows] = False
        self._reason = reason
        self.kind = (reason, rows.tobytes())
        """Equal for pods that are kept from the same rows."""

    @property
    def mask(self) -> Mask | None:
        """The rows with room enough for both."""
        return self._mask

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """For whom it is kept."""
        count = int(np.count_nonzero(~self._mask[rows]))
        return {self._reason: count} if count else {}

    def score(self, feasible: Mask) -> Scores | None:
        """All rows are alike."""
        return None


def keeping(state: State, pod: Pod) -> Survey | None:
    """None where nothing is kept from the pod."""
    kept = state.reserved
    if kept is None or not _yields(pod, kept):
        return None
    nodes = state.nodes
    rows = kept.refused(nodes, request_of(pod))
    own = nodes.row_of.get(nodes.nominated.node_of(pod.metadata.uid))
    rows = rows[rows != own] if own is not None else rows
    if not len(rows):
        return None
    return Keeping(nodes.size, rows, f"node(s) had room reserved for {kept.title}")


def _yields(pod: Pod, kept: Reservation) -> bool:
    if pod.metadata.uid in kept.members or kept.over_by_then(pod):
        return False
    return order_of((pod,), pod.key) > kept.order


NAME = "GangReservation"
RESERVATION = Plugin(name=NAME, survey=keeping)
MOST_PATIENCE = 86_400


class ReservationArgs(Args, frozen=True, kw_only=True):
    """The arguments."""

    patience_seconds: Int64 | None = None


def configured(args: Mapping[str, Any]) -> Plugin:
    """The plugin with the arguments of a profile. Raises ValueError for broken ones."""
    seconds = read(args, ReservationArgs).patience_seconds
    if seconds is not None and not 0 <= seconds <= MOST_PATIENCE:
        text = f"not in valid range [0, {MOST_PATIENCE}]"
        refuse([invalid_value("patienceSeconds", seconds, text)])
    return replace(RESERVATION, patience=seconds)
