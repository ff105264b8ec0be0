"""Preemption for one pod: the node where the least important pods have to go.

As kube-scheduler's DefaultPreemption. Rows are narrowed down by resources (`sketch`); where other
rules hang on the pods of a node, the dry run is made on the columns themselves (`careful`). The
row that is chosen is tried as a whole where anything but resources counts, so no pod goes for one
that won't fit then.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from heapq import merge

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.framework import Mask, PreemptionTerms
from argosy.scheduler.gangs.within import WITHIN, Within
from argosy.scheduler.holdings import Slots
from argosy.scheduler.placing import YIELDING, Placer, Search
from argosy.scheduler.preemption.careful import MOST_LOOKS, careful
from argosy.scheduler.preemption.lower import Lower, Rows
from argosy.scheduler.preemption.ratings import Memory
from argosy.scheduler.preemption.record import Candidate, Preemption, leaving, victims_of
from argosy.scheduler.preemption.sketch import NOT_HELPFUL, Sketch, Wish
from argosy.scheduler.sentences import available
from argosy.scheduler.state import State
from argosy.scheduler.trial import Trial
from argosy.scheduler.yielding import claims

NEVER = "preemption: not eligible due to preemptionPolicy=Never."
GOING = "preemption: not eligible due to a terminating pod on the nominated node."
MOST_TRIED = 16
"""So many candidates of the sketch are tried as a whole, before it is said that none will do."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """What preemption can do for a pod: `preemption`, or `reason` tells why nothing."""

    preemption: Preemption | None
    reason: str = ""


class Preemptor:
    """Finds room for pods of one profile; changes nothing but nominations."""

    def __init__(self, state: State, placer: Placer, terms: PreemptionTerms) -> None:
        self._state = state
        self._placer = placer
        self._terms = terms
        self._turn = 0
        self._memory = Memory(state.nodes)
        self._hopeless: dict[tuple[Hashable, int], str] = {}
        self._seen = (-1, -1)

    def rescue(self, pod: Pod, exempt: Collection[str], within: Within | None = None) -> Rescue:
        """Nominate `pod` for a node where others go, or tell why it can't be."""
        if pod.spec.preemption_policy == "Never":
            return Rescue(None, NEVER)
        search = self._placer.search(pod, exempt, within)
        if self.expecting(search):
            return Rescue(None, GOING)
        candidate, reason = self.find(search)
        nominated = self._state.nodes.nominated
        if candidate is None:
            nominated.drop(pod.metadata.uid)
            return Rescue(None, reason)
        node = self._state.nodes.names[candidate.row]
        displaced = self.displaced(node, pod.spec.priority)
        nominated.put(pod, node)
        self._state.evicting.update(it.pod.metadata.uid for it in candidate.victims)
        preemption = Preemption(
            scheduler=pod.spec.scheduler_name,
            kind="pod",
            uid=pod.metadata.uid,
            victims=victims_of(candidate.victims, node),
            displaced=displaced,
            preemptors=(pod,),
        )
        return Rescue(preemption)

    def expecting(self, search: Search) -> bool:
        """Whether victims of the pod are still on their way out, on a node that is good for it."""
        nodes = self._state.nodes
        row = nodes.row_of.get(nodes.nominated.node_of(search.pod.metadata.uid))
        if row is None or not search.ranking.mendable()[row]:
            return False
        return expecting(self._state, search.pod)

    def displaced(self, node: str, priority: int) -> tuple[Pod, ...]:
        """Take the nomination from pods of lower priority that were to have room on `node`."""
        nominated = self._state.nodes.nominated
        found = tuple(item.pod for item in nominated.on(node) if item.pod.spec.priority < priority)
        for pod in found:
            nominated.drop(pod.metadata.uid)
        return found

    def find(self, search: Search) -> tuple[Candidate | None, str]:
        """The best candidate for a pod, or why there is none."""
        hopeless = self._remembered()
        kind = None if search.reservers else search.kind
        alike = (kind, search.pod.spec.priority)
        if alike in hopeless:
            return None, hopeless[alike]
        reasons: Counter[str] = Counter()
        candidate = next(self.candidates(search, search.pod.spec.priority, reasons=reasons), None)
        if candidate is not None:
            return candidate, ""
        count = self._state.nodes.count
        rest = count - sum(reasons.values())
        if rest > 0:
            reasons[NOT_HELPFUL] += rest
        text = "preemption: " + available(count, reasons)
        if kind is not None:
            hopeless[alike] = text
        return None, text

    def _remembered(self) -> dict[tuple[Hashable, int], str]:
        """For which pods there was no candidate, as long as nodes and pods on them are the same."""
        nodes = self._state.nodes
        now = (nodes.node_changes.position, nodes.usage_changes.position)
        if now != self._seen:
            self._seen = now
            self._hopeless.clear()
        return self._hopeless

    def candidates(
        self,
        search: Search,
        priority: int,
        *,
        spared: Callable[[Slots], Mask] | None = None,
        reasons: Counter[str],
    ) -> Iterator[Candidate]:
        """The candidates that hold at the moment when each is asked for, best first. `spared` are
        the pods that are left alone; `reasons` tell of the other rows."""
        kept = spared is None
        sketch = self.sketched(search, priority, spared)
        trial = self._placer.trial(search)
        sure = kept and self._placer.by_resources(search)
        rest = MOST_TRIED
        for candidate in self._candidates(search, sketch, trial, reasons, kept=kept):
            if (sure and not trial.first(candidate.row)) or self._holds(candidate, trial):
                yield candidate
            else:
                rest -= 1
            if not rest:
                break
        reasons.update(sketch.reasons)

    def sketched(
        self, search: Search, priority: int, spared: Callable[[Slots], Mask] | None
    ) -> Sketch:
        """The pods that may go, and what comes of it as far as resources go."""
        nodes = self._state.nodes
        if spared is None:
            lower = self._memory.lower(priority)
        else:
            lower = Lower(nodes, priority, spared)
        return Sketch(nodes, self._wish(search, priority), self._stake(search), lower)

    def _candidates(
        self, search: Search, sketch: Sketch, trial: Trial, reasons: Counter[str], *, kept: bool
    ) -> Iterator[Candidate]:
        """The candidates, best first: those of the sketch, and those that needed more care."""
        rows = sketch.rows
        if not len(rows):
            return iter(())
        number = self._terms.number(sketch.potential)
        simple = self._simple(search)[rows]
        exact = careful(
            self._state,
            trial,
            self._turned(rows[~simple]),
            lower=sketch.lower,
            number=number,
            reasons=reasons,
        )
        drafts = self._drafts(search, sketch, rows[simple], number, kept=kept)
        return merge(drafts, sorted(exact, key=_key), key=_key) if exact else drafts

    def _drafts(
        self, search: Search, sketch: Sketch, rows: Rows, number: int, *, kept: bool
    ) -> Iterator[Candidate]:
        """As many as upstream looks at: more where each of them would violate a budget."""
        budgets = self._state.budgets
        ratings = None
        if kept and len(rows):
            ratings = self._memory.ratings((search.shape, search.pod.spec.priority))
            ratings.refresh(sketch, budgets)
        end = number
        while True:
            some = rows[:end]
            drafts = (
                ratings.ranked(sketch, some, budgets) if ratings else sketch.drafts(some, budgets)
            )
            if end >= len(rows) or (drafts.violations == 0).any():
                break
            end *= 4
        yield from drafts

    def _turned(self, rows: Rows) -> Rows:
        """Where not all rows are looked at, others have their turn the next time."""
        if len(rows) <= MOST_LOOKS:
            return rows
        self._turn = (self._turn + MOST_LOOKS) % len(rows)
        return np.concatenate((rows[self._turn :], rows[: self._turn]))

    def _wish(self, search: Search, priority: int) -> Wish:
        nodes = self._state.nodes
        asked = np.array(self._placer.asked(search.shape), dtype=np.intp)
        return Wish(
            asked,
            nodes.vector(search.shape.request)[asked],
            claims(nodes, asked, priority, search.exempt),
        )

    def _stake(self, search: Search) -> Mask:
        """The rows that nothing stands in the way of but other pods."""
        nodes = self._state.nodes
        stake = search.ranking.mendable()
        for reserver in search.reservers:
            chosen = np.zeros(nodes.size, dtype=np.bool_)
            chosen[[nodes.row_of[name] for name in reserver.nodes if name in nodes.row_of]] = True
            stake = stake & chosen
        for plugin, survey in search.surveys:
            if plugin.lasting and survey.mask is not None:
                stake = stake & survey.mask
        return stake

    def _simple(self, search: Search) -> Mask:
        """The rows on which resources are all that is missing, whoever goes."""
        nodes = self._state.nodes
        plain = (YIELDING, WITHIN)
        others = (it for it, _ in search.surveys if it not in plain and not it.prefers)
        if search.reservers or any(others):
            return np.zeros(nodes.size, dtype=np.bool_)
        return search.ranking.mendable(but=self._placer.fit.name if self._placer.fit else "")

    def _holds(self, candidate: Candidate, trial: Trial) -> bool:
        """Whether the pod really fits once the victims, who must still be there, are gone."""
        nodes = self._state.nodes
        name = nodes.names[candidate.row]
        if any(nodes.place_of(it.pod.metadata.uid) != name for it in candidate.victims):
            return False
        for victim in candidate.victims:
            nodes.drop_pod(victim.pod.metadata.uid)
        try:
            return trial.fits(candidate.row)
        finally:
            for victim in candidate.victims:
                nodes.put_pod(name, victim)


def expecting(state: State, pod: Pod) -> bool:
    """Whether pods that had to go for `pod` are still on the node that it is nominated for."""
    nodes = state.nodes
    return any(
        item.pod.spec.priority < pod.spec.priority
        and (leaving(item.pod) or item.pod.metadata.uid in state.evicting)
        for item in nodes.pods_on(nodes.nominated.node_of(pod.metadata.uid))
    )


def _key(candidate: Candidate) -> tuple[int, int, int, int, float, int]:
    return candidate.key
