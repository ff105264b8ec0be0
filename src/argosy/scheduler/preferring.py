"""Surveys that refuse nobody: they only say what each node is worth for one pod."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.framework import Mask


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
