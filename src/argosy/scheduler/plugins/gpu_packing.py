"""GPUPacking: pods go where they strand the least of the GPUs that are free (see `packing`).

Not among the default plugins: a profile that packs switches off the scores that spread pods, and
gives this one a weight. Which pods are typical the profile says; else it learns it from those that
come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from argosy.api.cel.values import CelError
from argosy.api.core import Pod
from argosy.scheduler.dra.requests import RefusedError
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    Mask,
    Plugin,
    Scores,
    Survey,
    UnschedulableError,
)
from argosy.scheduler.packing.args import told
from argosy.scheduler.packing.live import Live, ranks
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.worths import Known
from argosy.scheduler.preferring import Preferring
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State

NAME = "GPUPacking"


@dataclass(frozen=True, slots=True)
class Packed(Preferring):
    """The nodes as one pod is packed onto them."""

    known: Known

    def score(self, feasible: Mask) -> Scores | None:
        """100 for the best node, one less for each that is worth less, down to 1."""
        rows = np.flatnonzero(feasible & self.known.fits)
        if not len(rows):
            return None
        scores = np.zeros(len(feasible), np.int64)
        scores[rows] = np.maximum(HIGHEST_SCORE - ranks(self.known, rows), 1)
        return scores


def configured(args: Mapping[str, Any]) -> Plugin:
    """The plugin under `args`, see `packing.args`. Raises ValueError with the argument's path."""
    policy, typical = told(args)
    lives: WeakKeyDictionary[State, Live] = WeakKeyDictionary()

    def survey(state: State, pod: Pod) -> Survey | None:
        live = lives.get(state)
        if live is None:
            live = lives[state] = Live(state, POLICIES[policy], typical)
        try:
            known = live.look(pod, request_of(pod))
        except (UnschedulableError, RefusedError, CelError, ValueError):
            return None  # whoever asks for its claims will tell
        return None if known is None else Packed(known)

    return Plugin(name=NAME, survey=survey, prefers=True)


PLUGIN = configured({})
