"""PodTopologySpread: pods that lie evenly over zones, nodes or whatever a label tells apart.

A hard constraint keeps a pod from domains that are too full already, a soft one scores them. What
a constraint selects is counted by node and kept (tallies); here the counts are summed by domain.
Pods that state none have the profile's (spread_defaults).
Source: Kubernetes' "Pod Topology Spread Constraints".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.nodeaffinity import only_pinned, pinned
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    Mask,
    Plugin,
    Scores,
    Survey,
    UnschedulableError,
)
from argosy.scheduler.plugins import node_affinity, taint_toleration
from argosy.scheduler.shape import shape_of
from argosy.scheduler.spread_defaults import HOSTNAME, SYSTEM, Defaults, defaults_of
from argosy.scheduler.spreading import Constraint, constraints_of
from argosy.scheduler.state import State
from argosy.scheduler.tallies import Choice, Counts
from argosy.scheduler.topology import Numbers, Topology

NAME = "PodTopologySpread"
WEIGHT = 2
UNEVEN = "node(s) didn't match pod topology spread constraints"
UNLABELLED = f"{UNEVEN} (missing required label)"


@dataclass(frozen=True, slots=True)
class Counted:
    """A constraint and what it counts.

    `counts` by row, None where nothing is counted; `eligible` rows are taken into account.
    """

    constraint: Constraint
    place: Topology
    counts: Counts | None
    eligible: Mask

    def by_row(self) -> Numbers:
        """The pods in each row's domain, as far as they are on eligible rows."""
        if self.counts is None:
            return np.zeros(len(self.eligible))
        return self.place.by_row(self.counts * self.eligible)

    def emptiest(self, by_row: Numbers) -> int:
        """The pods of the domain with the fewest; none where there are too few domains."""
        if self.counts is None:
            return 0
        size = int(np.count_nonzero(self.eligible))
        if size == self.place.size:
            domains = self.place.count
        else:
            domains = int(np.count_nonzero(self.place.present(self.eligible)))
        if domains < self.constraint.least:
            return 0
        among = by_row if size == len(by_row) else by_row[self.eligible]
        return int(among.min())

    def kinds(self, scored: Mask) -> int:
        """How many domains the scored rows are in; having none is one too."""
        if self.constraint.key == HOSTNAME:
            return int(np.count_nonzero(scored))
        return int(np.count_nonzero(self.place.present(scored)))


@dataclass(frozen=True, slots=True)
class Evenness:
    """What one pod may do: `mask` of the hard constraints, and the soft ones for the score.

    `unlabelled` are the rows that lack a label before anything else forbids them. `strict` tells
    that a node without one of the labels is not scored at all.
    """

    mask: Mask | None
    unlabelled: Mask | None
    soft: Sequence[Counted]
    strict: bool

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """The first constraint that each row breaks."""
        lacking = 0 if self.unlabelled is None else int(self.unlabelled[rows].sum())
        reasons = {UNLABELLED: lacking, UNEVEN: len(rows) - lacking}
        return {reason: count for reason, count in reasons.items() if count}

    def score(self, feasible: Mask) -> Scores | None:
        """The fewer pods there are in a node's domains, the better; few domains weigh less."""
        if not self.soft:
            return None
        scored = feasible
        if self.strict:
            for item in self.soft:
                scored = scored & item.place.labelled
        costs = np.zeros(len(feasible))
        for item in self.soft:
            costs += _cost(item, scored)
        return _from_most_to_least(_rounded(costs), scored)


def configured(args: Mapping[str, Any]) -> Plugin:
    """With PodTopologySpreadArgs as JSON. Raises ValueError, which begins with the field's path."""
    defaults = defaults_of(args)
    return Plugin(name=NAME, survey=lambda state, pod: survey(state, pod, defaults), weight=WEIGHT)


def survey(state: State, pod: Pod, defaults: Defaults = SYSTEM) -> Survey | None:
    """None for a pod that nothing is said of."""
    stated = pod.spec.topology_spread_constraints
    if not stated:
        constraints = defaults.of(state.owners, pod)
        return _surveyed(state, pod, constraints, strict=defaults.strict) if constraints else None
    try:
        return _surveyed(state, pod, constraints_of(stated), strict=True)
    except ValueError as error:
        raise UnschedulableError(str(error)) from error


def _surveyed(state: State, pod: Pod, constraints: Sequence[Constraint], *, strict: bool) -> Survey:
    nodes = state.nodes
    hard = _counted(nodes, pod, [item for item in constraints if item.hard], strict=True)
    soft = _counted(nodes, pod, [item for item in constraints if not item.hard], strict=strict)
    mask, unlabelled = _even(nodes, pod, hard) if hard else (None, None)
    return Evenness(mask, unlabelled, soft, strict)


def _counted(
    nodes: Columns, pod: Pod, constraints: Sequence[Constraint], *, strict: bool
) -> Sequence[Counted]:
    """The constraints up to the first one that finds no node: none counts anything then."""
    there = nodes.live[: nodes.size]
    places = []
    for item in constraints:
        places.append(nodes.topology(item.key))
        if strict:
            there = there & places[-1].labelled
            if not there.any():
                break
    reached = constraints[: len(places)]
    of_affinity = _allowed(nodes, pod) if any(item.of_affinity for item in reached) else None
    of_taints = None
    if any(item.of_taints for item in reached):
        of_taints = taint_toleration.tolerated(nodes, shape_of(pod), nodes.everything)
    found = []
    for item, place in zip(reached, places, strict=True):
        eligible = there
        if item.of_affinity and of_affinity is not None:
            eligible = eligible & of_affinity
        if item.of_taints and of_taints is not None:
            eligible = eligible & of_taints
        found.append(Counted(item, place, _counts(nodes, pod, item), eligible))
    return found


def _allowed(nodes: Columns, pod: Pod) -> Mask | None:
    """The rows that node selector and affinity let the pod have; None where they say nothing."""
    if not pod.spec.node_selector and not pod.spec.affinity:
        return None
    mask = node_affinity.asked_for(nodes, shape_of(pod), nodes.everything)
    if pod.spec.affinity and only_pinned(pod.spec.affinity):
        here = np.zeros_like(mask)
        here[nodes.row_of.get(pinned(pod.spec.affinity), [])] = True
        mask &= here
    return mask


def _counts(nodes: Columns, pod: Pod, constraint: Constraint) -> Counts | None:
    """How many pods each node has that are selected and stay.

    A selector that says nothing counts none, though it selects the pod itself.
    """
    pods = constraint.selecting(pod.metadata.labels)
    if pods.selector is None or not pods.selector.requirements:
        return None
    choice = Choice(frozenset((pod.metadata.namespace,)), pods, leaving=False)
    tally = nodes.tallies.matching(choice)
    return tally.array(nodes.size) if tally.rows else None


def _even(nodes: Columns, pod: Pod, hard: Iterable[Counted]) -> tuple[Mask, Mask]:
    """The rows where no domain gets too full; and those that lack a label before that."""
    labels = pod.metadata.labels
    allowed = nodes.live[: nodes.size].copy()
    unlabelled = np.zeros(nodes.size, dtype=np.bool_)
    for item in hard:
        constraint, labelled = item.constraint, item.place.labelled
        if item.place.size < len(labelled):
            unlabelled |= allowed & ~labelled
        allowed &= labelled
        by_row = item.by_row()
        itself = constraint.selecting(labels).matches(labels)
        allowed &= by_row <= constraint.skew - itself + item.emptiest(by_row)
    return allowed, unlabelled


def _cost(item: Counted, scored: Mask) -> Numbers:
    """What one constraint counts against each row."""
    weight, least = log(item.kinds(scored) + 2), item.constraint.skew - 1
    if item.constraint.key == HOSTNAME and item.counts is not None:
        cost: Numbers = item.counts * weight + least
    else:
        cost = item.by_row() * weight + least
    return cost if item.place.size == len(cost) else np.where(item.place.labelled, cost, 0.0)


def _rounded(values: Numbers) -> NDArray[np.int64]:
    """Halves go up; none is negative."""
    whole = np.floor(values)
    return (whole + (values - whole >= 0.5)).astype(np.int64)


def _from_most_to_least(costs: NDArray[np.int64], scored: Mask) -> Scores:
    """100 for the least cost and less for more; 0 for what is not scored."""
    chosen = costs[scored]
    if not len(chosen):
        return np.zeros_like(costs)
    least, most = int(chosen.min()), int(chosen.max())
    if most == 0:
        return np.where(scored, HIGHEST_SCORE, 0)
    return np.where(scored, HIGHEST_SCORE * (most + least - costs) // most, 0)


PLUGIN = Plugin(name=NAME, survey=survey, weight=WEIGHT)
