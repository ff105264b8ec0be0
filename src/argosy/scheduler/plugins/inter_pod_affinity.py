"""InterPodAffinity: pods that must, must not, or had better be near one another.

Near is: on nodes with the same value of a term's topology label. What a term selects is counted by
node and kept (tallies); here the counts are summed by domain. Terms hold both ways: those of the
pod select pods on nodes, and those of pods on nodes may select this one.
Source: Kubernetes' "Inter-pod affinity and anti-affinity"; KEP-3633 (label keys, which the API
server has made conditions of the selector).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.base.errors import invalid_value
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    Mask,
    Plugin,
    Scores,
    Survey,
    UnschedulableError,
)
from argosy.scheduler.occupants import Mark
from argosy.scheduler.pluginargs import Args, Int32, read, refuse
from argosy.scheduler.state import State
from argosy.scheduler.tallies import Choice, Tally, term_of
from argosy.scheduler.terms import NO_RULES, Rules, Term, joined, rules_of
from argosy.scheduler.topology import Sums

NAME = "InterPodAffinity"
WEIGHT = 2
FAR = "node(s) didn't match pod affinity rules"
NEAR = "node(s) didn't match pod anti-affinity rules"
UNWELCOME = "node(s) didn't satisfy existing pods anti-affinity rules"

Found = Sequence[tuple[Mark, Tally]]


class InterPodAffinityArgs(Args, frozen=True, kw_only=True):
    """What a pod weighs that must be near this one, and whether a pod without preferences is
    indifferent to those of others."""

    hard_pod_affinity_weight: Int32 = 1
    ignore_preferred_terms_of_existing_pods: bool = False


DEFAULTS = InterPodAffinityArgs()


@dataclass(frozen=True, slots=True)
class Nearness:
    """What one pod may do: by each sort of rule the rows that obey it, and what is preferred."""

    rules: Sequence[tuple[str, Mask]]
    wishes: Sequence[Sums]

    @property
    def mask(self) -> Mask | None:
        """The rows that obey all rules."""
        if not self.rules:
            return None
        mask = self.rules[0][1]
        for _, allowed in self.rules[1:]:
            mask = mask & allowed
        return mask

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """The first rule that each row breaks."""
        reasons: dict[str, int] = {}
        for reason, allowed in self.rules:
            broken = ~allowed[rows]
            if count := int(broken.sum()):
                reasons[reason] = count
            rows = rows[~broken]
        return reasons

    def score(self, feasible: Mask) -> Scores | None:
        """From 0 for what is wished least to 100 for what is wished most."""
        if not self.wishes:
            return None
        raw = self.wishes[0].by_row()
        for wish in self.wishes[1:]:
            raw = raw + wish.by_row()
        chosen = raw[feasible]
        least, most = chosen.min(initial=np.inf), chosen.max(initial=-np.inf)
        if least >= most:
            return None
        share = np.clip((raw - least) / (most - least), 0, 1)
        scores: Scores = (HIGHEST_SCORE * share).astype(np.int64)
        return scores


def configured(args: Mapping[str, Any]) -> Plugin:
    """With InterPodAffinityArgs as JSON. Raises ValueError, which begins with the field's path."""
    given = read(args, InterPodAffinityArgs)
    weight = given.hard_pod_affinity_weight
    if not 0 <= weight <= 100:
        refuse([invalid_value("hardPodAffinityWeight", weight, "not in valid range [0, 100]")])
    return Plugin(name=NAME, survey=lambda state, pod: survey(state, pod, given), weight=WEIGHT)


def survey(state: State, pod: Pod, args: InterPodAffinityArgs = DEFAULTS) -> Survey | None:
    """None for a pod that has no such rules and that nobody's rules select."""
    meta = pod.metadata
    rules = _rules(pod) if pod.spec.affinity else NO_RULES
    sought: Found = tuple(state.nodes.tallies.seeking(meta.namespace, meta.labels))
    if not sought and rules is NO_RULES:
        return None
    if sought:
        sought = tuple(_selecting(state, pod, sought))
    found = Nearness(tuple(_obeyed(state, pod, rules, sought)), _wishes(state, rules, sought, args))
    return found if found.rules or found.wishes else None


def _rules(pod: Pod) -> Rules:
    try:
        return rules_of(pod.metadata.namespace, pod.spec.affinity)
    except ValueError as error:
        raise UnschedulableError(str(error)) from error


def _selecting(state: State, pod: Pod, sought: Found) -> Iterator[tuple[Mark, Tally]]:
    """The terms of pods on nodes that do select this one."""
    space, labels = pod.metadata.namespace, pod.metadata.labels
    of_space = state.namespaces.labels(space)
    for mark, tally in sought:
        term = term_of(mark)
        if term and term.covers(space, of_space) and term.pods.matches(labels):
            yield mark, tally


def _obeyed(state: State, pod: Pod, rules: Rules, sought: Found) -> Iterator[tuple[str, Mask]]:
    """Each sort of rule that stands in the pod's way, with the rows that obey it."""
    if rules.together:
        yield FAR, _near_friends(state, pod, rules.together)
    foes = _summed(state, ((term, _selected(state, term), 1) for term in rules.apart))
    if foes:
        yield NEAR, _none_near(foes)
    unwelcome = ((mark.key, tally, 1) for mark, tally in sought if mark.room == "apart")
    if refusing := _summed(state, unwelcome):
        yield UNWELCOME, _none_near(refusing)


def _near_friends(state: State, pod: Pod, terms: Sequence[Term]) -> Mask:
    """Rows near pods that all terms select, by each term.

    The first of a group that wants its own kind finds none: it may go wherever the labels are.
    """
    nodes = state.nodes
    keys = dict.fromkeys(term.topology_key for term in terms)
    friends = nodes.tallies.matching(_all_of(state, terms))
    there = near = nodes.live[: nodes.size]
    found = False
    for key in keys:
        place = nodes.topology(key)
        totals = place.by_row(friends.array(nodes.size)) > 0
        found = found or bool(totals.any())
        there, near = there & place.labelled, near & totals
    if found or not all(_selects(state, term, pod) for term in terms):
        return near
    return there


def _all_of(state: State, terms: Sequence[Term]) -> Choice:
    """The pods that every term selects."""
    named = [state.namespaces.matching(term) for term in terms]
    some = [spaces for spaces in named if spaces is not None]
    spaces = frozenset.intersection(*some) if some else None
    if len(terms) == 1:
        return Choice(spaces, terms[0].pods)
    return Choice(spaces, joined([term.pods for term in terms]))


def _selected(state: State, term: Term) -> Tally:
    return state.nodes.tallies.matching(Choice(state.namespaces.matching(term), term.pods))


def _selects(state: State, term: Term, pod: Pod) -> bool:
    spaces = state.namespaces.matching(term)
    within = spaces is None or pod.metadata.namespace in spaces
    return within and term.pods.matches(pod.metadata.labels)


def _wishes(
    state: State, rules: Rules, sought: Found, args: InterPodAffinityArgs
) -> Sequence[Sums]:
    """What is preferred, by the pod and by those on nodes."""
    own = [(item.term, _selected(state, item.term), item.weight) for item in rules.preferred]
    if args.ignore_preferred_terms_of_existing_pods and not own:
        return ()
    others = []
    for mark, tally in sought:
        if mark.room == "preferred":
            others.append((mark.key.term, tally, mark.key.weight))
        elif mark.room == "together" and args.hard_pod_affinity_weight:
            others.append((mark.key, tally, args.hard_pod_affinity_weight))
    return _summed(state, (*own, *others))


def _summed(state: State, weighed: Iterable[tuple[Term, Tally, int]]) -> Sequence[Sums]:
    """Counts that there are, summed by topology key."""
    sums: dict[str, Sums] = {}
    for term, tally, weight in weighed:
        if tally.rows:
            key = term.topology_key
            if key not in sums:
                sums[key] = Sums(state.nodes.topology(key))
            sums[key].add(tally, weight)
    return tuple(sums.values())


def _none_near(sums: Sequence[Sums]) -> Mask:
    """The rows in whose domains there is none of what was counted."""
    free = sums[0].by_row() <= 0
    for item in sums[1:]:
        free &= item.by_row() <= 0
    return free


PLUGIN = Plugin(name=NAME, survey=survey, weight=WEIGHT)
