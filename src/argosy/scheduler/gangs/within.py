"""A survey that keeps a pod within one domain of its group's topology constraint."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.framework import Mask, Plugin, Scores

ELSEWHERE = "node(s) weren't in the pod group's topology domain"
WITHIN = Plugin(name="TopologyPlacement", lasting=True)
"""In whose name it is kept there: no pod's going away changes where a domain ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """The rows of one domain, of a constraint's and of those around it.

    `name` is equal for equal domains, as long as no node changes.
    """

    mask: Mask
    name: tuple[tuple[str, int], ...]

    def narrowed(self, key: str, domain: int, rows: Mask) -> "Within":
        """What of it is in a domain of another label."""
        return Within(self.mask & rows, (*self.name, (key, domain)))

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """All of them are elsewhere."""
        return Counter({ELSEWHERE: len(rows)})

    def score(self, feasible: Mask) -> Scores | None:
        """All rows are alike."""
        return None
