"""What a scheduler plugin is, and the words that plugins and decisions share.

A plugin is a record of functions, so it can be read, tested and listed as data. A filter answers
for many nodes at once (a mask over `rows`), a score likewise; what a function may look at is in
its arguments, so every decision can be repeated. What a filter says of a row depends on that row
and the pod's shape alone. Rules about other pods and their places need more: for those a plugin
makes a survey, anew for each pod. The table is `plugins.table`, the caches over filters and scores
are in `ranking`, the decision itself in `decide`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.placement import Grant, VolumeGrant
from argosy.scheduler.shape import Shape
from argosy.scheduler.state import State

Mask = NDArray[np.bool_]
Scores = NDArray[np.int64]
HIGHEST_SCORE = 100


class UnschedulableError(Exception):
    """The pod can't be placed; the message is for its condition."""


class BusyError(UnschedulableError):
    """Something that the pod needs is just being written for another: ask again soon."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Why one node can't have the pod; `detail` names the node's own shortage."""

    reason: str
    detail: str = ""


class Reserver(Protocol):
    """What one pod needs of nodes beside the columns; asked node by node, best score first."""

    @property
    def nodes(self) -> frozenset[str]:
        """The only nodes worth asking."""
        ...

    @property
    def kind(self) -> Hashable:
        """Equal for pods that need the very same."""
        ...

    def reserve(self, node: str) -> tuple[Grant, ...] | Lack:
        """What the pod would get on `node`; nothing is taken yet."""
        ...

    def elsewhere(self) -> str:
        """Why a node outside of `nodes` can't have the pod."""
        ...


class Survey(Protocol):
    """What one pod may do in view of all nodes and the pods on them, as they are just now."""

    @property
    def mask(self) -> Mask | None:
        """The rows that can have the pod (of all rows); None where nothing stands in its way."""
        ...

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """The reasons of rows that can't, counted."""
        ...

    def score(self, feasible: Mask) -> Scores | None:
        """0 to 100 for each row, normalized over the feasible ones; None where all are alike."""
        ...


Filter = Callable[[Columns, Shape, Rows], Mask]
Explain = Callable[[Columns, Shape, Rows], Mapping[str, int]]
Score = Callable[[Columns, Shape, Rows], Scores]
FilterRow = Callable[[Columns, Shape, int], bool]
ScoreRow = Callable[[Columns, Shape, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreemptionTerms:
    """Of how many nodes the best is chosen: a percentage of those that preemption may help on, but
    at least `absolute`."""

    percentage: int = 10
    absolute: int = 100

    def number(self, nodes: int) -> int:
        """The number of candidates among so many nodes."""
        return max(nodes * self.percentage // 100, self.absolute, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One concern of placing pods. Functions that a plugin has no use for are left out.

    gate: why the pod isn't queued yet. refuse: why the pod can't be placed anywhere.
    applies: whether filter and score have anything to say of a shape; left out: of every one.
    filter and explain: which of the rows can have the pod, and the reasons of those that can't,
    counted. `usage` tells that the filter or score depends on what other pods use, otherwise it
    depends on the node's spec alone. score: more is better; `normalize` turns raw counts into
    0..100 by the highest among the feasible rows, "up" with more being better, "down" with less.
    filter_row and score_row: the very same of one row, in plain numbers, which for one are many
    times as fast as arrays; for what is asked whenever a pod was placed.
    survey: for rules about other pods; None for a pod that the plugin has nothing to say of.
    `lasting` tells that no pod's going away changes what it refuses; `prefers` that its surveys
    refuse nobody, so that whoever only wants to know whether a pod fits need not ask.
    reserver: for what the columns don't hold. `steady` tells that what it says of a node is the
    same for equal kinds as long as nothing changes about that node and its devices.
    asked: the resource columns of which the filter wants enough to be left, and nothing else: so
    preemption knows who may go without asking it.
    volumes: what the pod's volume claims get on the node that was chosen for it.
    preemption: that pods of lower priority may be evicted, and how far is looked for them.
    patience: for how many seconds room is reserved for a gang at first (see `reserving`).
    """

    name: str
    gate: Callable[[Pod], str | None] | None = None
    refuse: Callable[[Pod], str | None] | None = None
    applies: Callable[[Shape], bool] | None = None
    filter: Filter | None = None
    filter_row: FilterRow | None = None
    explain: Explain | None = None
    score: Score | None = None
    score_row: ScoreRow | None = None
    asked: Callable[[Columns, Shape], Sequence[int]] | None = None
    weight: int = 1
    normalize: Literal["", "up", "down"] = ""
    usage: bool = False
    survey: Callable[[State, Pod], Survey | None] | None = None
    lasting: bool = False
    prefers: bool = False
    reserver: Callable[[Devices, Pod], Reserver | None] | None = None
    steady: bool = False
    volumes: Callable[[State, Pod, str], tuple[VolumeGrant, ...]] | None = None
    preemption: PreemptionTerms | None = None
    patience: int | None = None
