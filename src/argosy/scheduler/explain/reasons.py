"""Which of many hurdles is the reason: the one that, were it away, would help most.

First come the nodes that would do by their nature: a pod that asks for a label or a size has said
which nodes it means, and the others are none of its concern. Where no node is left, what the pod
asks for is the reason. Else it is the hurdle whose lifting alone frees most of the nodes left;
where no single one frees any, the one that most of the nodes nearest to it fail at. Nodes that are
kept for others by a taint don't count as long as there are any that aren't.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from argosy.scheduler.explain.hurdles import Hurdle, Look
from argosy.scheduler.framework import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominant:
    """The reason. never: no node will do, whoever goes. among: the nodes that came into question.

    alone: how many of them nothing else keeps from the pod.
    """

    hurdle: Hurdle
    never: bool
    among: Mask
    alone: int

    @property
    def failed(self) -> Mask:
        """Those in question that fail at it."""
        passed = self.hurdle.passed if not self.never else ~self.hurdle.never
        found: Mask = self.among & ~passed
        return found


def dominant(look: Look) -> Dominant | None:
    """The reason why no node takes the pod; None where one does."""
    hurdles = look.hurdles
    if not (look.live & (look.fails > 0)).any() or (look.live & (look.fails == 0)).any():
        return None
    able = look.live.copy()
    for hurdle in hurdles:
        able &= ~hurdle.never
    if not able.any():
        wishes = [hurdle for hurdle in hurdles if hurdle.never[look.live].any()]
        position, alone = _most([hurdle.never for hurdle in wishes], look.live)
        return Dominant(hurdle=wishes[position], never=True, among=look.live, alone=alone)
    if (able & ~look.apart).any():
        able &= ~look.apart
    position, alone = _most([~hurdle.passed for hurdle in hurdles], able)
    return Dominant(hurdle=hurdles[position], never=False, among=able, alone=alone)


def _most(failing: Sequence[Mask], rows: Mask) -> tuple[int, int]:
    """Which of the masks frees most of `rows` when it is lifted alone, and how many."""
    fails = np.sum(failing, axis=0)
    alone = [int((mask & rows & (fails == 1)).sum()) for mask in failing]
    if any(alone):
        best = int(np.argmax(alone))
        return best, alone[best]
    nearest = rows & (fails == fails[rows].min())
    return int(np.argmax([int((mask & nearest).sum()) for mask in failing])), 0
