"""Surveys that refuse nobody: they only say what each node is worth for one pod."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.framework import Mask, Scores


class Preferring:
    """The part of a survey that is alike in all of them."""

    __slots__ = ()

    @property
    def mask(self) -> Mask | None:
        """It stands in nobody's way."""
        return None

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """Nobody is refused."""
        return {}


@dataclass(frozen=True, slots=True)
class Worths(Preferring):
    """What each row is worth for one pod, whichever are feasible."""

    worths: Scores

    def score(self, feasible: Mask) -> Scores | None:
        """As it was worked out."""
        return self.worths
