"""A third party's plugin as the scheduler asks it: watched, and believed only what can be true.

An answer of the wrong form would be a wrong decision, or an error far from where it was made. So
masks and scores are looked at, and whoever throws, hangs or answers nonsense is named
(`PluginError`): that decision fails, and nothing else.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.faults import PluginError
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    Explain,
    Filter,
    Lack,
    Mask,
    Plugin,
    Reserver,
    Score,
    Scores,
    Survey,
)
from argosy.scheduler.placement import Grant, VolumeGrant
from argosy.scheduler.shape import Shape
from argosy.scheduler.state import State
from argosy.scheduler.thirdparty.watch import Watch

HIGHEST_COUNT = 2**53
"""Of raw scores, which are multiplied before they are 0 to 100."""


def guarded(plugin: Plugin, watch: Watch) -> Plugin:
    """The plugin with a guard before each of its functions."""
    guard = _Guard(plugin.name, watch)
    highest = HIGHEST_COUNT if plugin.normalize else HIGHEST_SCORE
    return replace(
        plugin,
        gate=plugin.gate and guard.sentence("gate", plugin.gate),
        refuse=plugin.refuse and guard.sentence("refuse", plugin.refuse),
        applies=plugin.applies and guard.applies(plugin.applies),
        filter=plugin.filter and guard.filter(plugin.filter),
        filter_row=None,  # the same again, only faster
        score_row=None,
        explain=plugin.explain and guard.explain(plugin.explain),
        score=plugin.score and guard.score(plugin.score, highest),
        survey=plugin.survey and guard.survey(plugin.survey),
        reserver=plugin.reserver and guard.reserver(plugin.reserver),
        volumes=plugin.volumes and guard.volumes(plugin.volumes),
    )


@dataclass(frozen=True, slots=True)
class _Guard:
    """Asks one plugin."""

    name: str
    watch: Watch

    def ask(self, what: str, function: Callable[..., Any], *args: object) -> Any:
        """What the function answers, whatever it is. Raises PluginError."""
        return self.watch.call(self.name, what, function, *args)

    def sentence(
        self, what: str, function: Callable[[Pod], str | None]
    ) -> Callable[[Pod], str | None]:
        """Of `gate` and `refuse`."""

        def guarded(pod: Pod) -> str | None:
            said = self.ask(what, function, pod)
            if said is not None and not isinstance(said, str):
                raise self.nonsense(what, f"{type(said).__name__} is no text")
            return said

        return guarded

    def applies(self, function: Callable[[Shape], bool]) -> Callable[[Shape], bool]:
        """The answer is taken for yes or no."""

        def guarded(shape: Shape) -> bool:
            return bool(self.ask("applies", lambda: bool(function(shape))))

        return guarded

    def volumes(
        self, function: Callable[[State, Pod, str], tuple[VolumeGrant, ...]]
    ) -> Callable[[State, Pod, str], tuple[VolumeGrant, ...]]:
        """The answer is what claims get."""

        def guarded(state: State, pod: Pod, node: str) -> tuple[VolumeGrant, ...]:
            said = self.ask("volumes", lambda: tuple(function(state, pod, node)))
            if not all(isinstance(item, VolumeGrant) for item in said):
                raise self.nonsense("volumes", "what is granted are no VolumeGrants")
            return tuple(said)

        return guarded

    def filter(self, function: Filter) -> Filter:
        """The answer is a mask over the rows."""

        def guarded(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
            said = self.ask("filter", function, nodes, shape, rows)
            return self.mask("filter", said, len(nodes.live[rows]))

        return guarded

    def explain(self, function: Explain) -> Explain:
        """The answer is how many rows there are for each reason."""

        def guarded(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
            return self.counts(self.ask("explain", function, nodes, shape, rows))

        return guarded

    def score(self, function: Score, highest: int) -> Score:
        """The answer is a number for each row."""

        def guarded(nodes: Columns, shape: Shape, rows: Rows) -> Scores:
            said = self.ask("score", function, nodes, shape, rows)
            return self.scores("score", said, len(nodes.live[rows]), highest)

        return guarded

    def survey(
        self, function: Callable[[State, Pod], Survey | None]
    ) -> Callable[[State, Pod], Survey | None]:
        """The answer is None, or is guarded itself."""

        def guarded(state: State, pod: Pod) -> Survey | None:
            made = self.ask("survey", function, state, pod)
            return None if made is None else _Surveyed(self, made, state.nodes.size)

        return guarded

    def reserver(
        self, function: Callable[[Devices, Pod], Reserver | None]
    ) -> Callable[[Devices, Pod], Reserver | None]:
        """The answer is None, or is guarded itself."""

        def guarded(devices: Devices, pod: Pod) -> Reserver | None:
            made = self.ask("reserver", function, devices, pod)
            return None if made is None else _Reserving(self, made)

        return guarded

    def mask(self, what: str, said: Any, size: int) -> Mask:
        """What is a mask over so many rows."""
        if not isinstance(said, np.ndarray) or said.dtype != np.bool_:
            raise self.nonsense(what, f"{_form(said)} is no mask")
        if said.shape != (size,):
            raise self.nonsense(what, f"a mask of {said.shape} for {size} rows")
        return said

    def scores(self, what: str, said: Any, size: int, highest: int) -> Scores:
        """What is so many whole numbers from 0 to `highest`."""
        if not isinstance(said, np.ndarray) or not np.issubdtype(said.dtype, np.integer):
            raise self.nonsense(what, f"{_form(said)} are no whole numbers")
        if said.shape != (size,):
            raise self.nonsense(what, f"scores of {said.shape} for {size} rows")
        if size and (int(said.min()) < 0 or int(said.max()) > highest):
            wrong = int(said.min()) if int(said.min()) < 0 else int(said.max())
            raise self.nonsense(what, f"{wrong} is not from 0 to {highest}")
        return said.astype(np.int64, copy=False)

    def counts(self, said: Any) -> Mapping[str, int]:
        """A copy of what is texts with numbers."""
        fits = isinstance(said, Mapping) and all(
            isinstance(key, str) and isinstance(value, int | np.integer)
            for key, value in said.items()
        )
        if not fits:
            raise self.nonsense("explain", f"{_form(said)} is no count of reasons")
        return {key: int(value) for key, value in said.items()}

    def nonsense(self, what: str, text: str) -> PluginError:
        """What is wrong with an answer."""
        return PluginError(self.name, f"answered nonsense: {what}: {text}")


@dataclass(frozen=True, slots=True)
class _Surveyed:
    """A survey over `size` rows."""

    guard: _Guard
    survey: Survey
    size: int

    @property
    def mask(self) -> Mask | None:
        """Of all rows."""
        said = self.guard.ask("survey", lambda: self.survey.mask)
        return None if said is None else self.guard.mask("survey", said, self.size)

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """The reasons, counted."""
        return self.guard.counts(self.guard.ask("survey", self.survey.explain, rows))

    def score(self, feasible: Mask) -> Scores | None:
        """0 to 100 for each row."""
        said = self.guard.ask("survey", self.survey.score, feasible.copy())
        if said is None:
            return None
        return self.guard.scores("survey", said, self.size, HIGHEST_SCORE)


@dataclass(frozen=True, slots=True)
class _Reserving:
    """What a pod needs beside the columns."""

    guard: _Guard
    reserver: Reserver

    @property
    def nodes(self) -> frozenset[str]:
        """Those worth asking."""
        said = self._of("nodes", frozenset, lambda: frozenset(self.reserver.nodes))
        return frozenset(map(str, said))

    @property
    def kind(self) -> Hashable:
        """Hashed here, where that may fail."""
        said: Hashable = self._of("kind", Hashable, lambda: self.reserver.kind)
        self.guard.ask("kind", hash, said)
        return said

    def reserve(self, node: str) -> tuple[Grant, ...] | Lack:
        """What the pod gets there."""
        forms = (tuple, Lack)
        said: tuple[Grant, ...] | Lack = self._of(
            "reserve", forms, lambda: self.reserver.reserve(node)
        )
        if isinstance(said, tuple) and not all(isinstance(item, Grant) for item in said):
            raise self.guard.nonsense("reserve", "what is granted are no Grants")
        return said

    def elsewhere(self) -> str:
        """Why not on other nodes."""
        return str(self._of("elsewhere", str, self.reserver.elsewhere))

    def _of(self, what: str, form: Any, function: Callable[[], Any]) -> Any:
        said = self.guard.ask(what, function)
        if not isinstance(said, form):
            raise self.guard.nonsense(what, f"{type(said).__name__} is not what it should be")
        return said


def _form(said: Any) -> str:
    return f"an array of {said.dtype}" if isinstance(said, np.ndarray) else type(said).__name__
