"""A part of a plugin: what is left of it where a profile does not want all of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.framework import Mask, Plugin, Scores, Survey
from argosy.scheduler.state import State

Surveying = Callable[[State, Pod], Survey | None]


def has(plugin: Plugin, point: str) -> bool:
    """Whether the plugin does something at the point."""
    if point == "preEnqueue":
        return plugin.gate is not None
    if point == "filter":
        own = (plugin.refuse, plugin.filter, plugin.survey, plugin.reserver)
        return any(function is not None for function in own)
    if point == "postFilter":
        return plugin.preemption is not None
    if point == "score":
        return plugin.score is not None or plugin.survey is not None
    return False


def without(plugin: Plugin, point: str) -> Plugin:
    """The plugin, silent at the point."""
    if not has(plugin, point):
        return plugin
    if point == "preEnqueue":
        return replace(plugin, gate=None)
    if point == "postFilter":
        return replace(plugin, preemption=None)
    if point == "filter":
        plain = replace(plugin, refuse=None, filter=None, filter_row=None, explain=None)
        return replace(plain, reserver=None, volumes=None, survey=_only(plugin, _Scoring))
    return replace(plugin, score=None, score_row=None, survey=_only(plugin, _Masking))


@dataclass(frozen=True, slots=True)
class _Scoring:
    """A survey of which the scores alone are wanted."""

    survey: Survey

    @property
    def mask(self) -> None:
        """Nothing stands in the way."""
        return None

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """Nobody is refused."""
        return {}

    def score(self, feasible: Mask) -> Scores | None:
        """As the plugin says."""
        return self.survey.score(feasible)


@dataclass(frozen=True, slots=True)
class _Masking:
    """A survey of which the scores are not wanted."""

    survey: Survey

    @property
    def mask(self) -> Mask | None:
        """As the plugin says."""
        return self.survey.mask

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """As the plugin says."""
        return self.survey.explain(rows)

    def score(self, feasible: Mask) -> None:
        """All are alike."""
        return None


def _only(plugin: Plugin, form: "type[_Scoring] | type[_Masking]") -> Surveying | None:
    survey = plugin.survey
    if survey is None:
        return None

    def surveyed(state: State, pod: Pod) -> Survey | None:
        found = survey(state, pod)
        return None if found is None else form(found)

    return surveyed
