"""The best node for one pod, and what it gets there of claims and volumes.

Filters and scores come from the rankings, rules about other pods from surveys, and what the
columns don't hold from reservers, which are asked node by node. A pod that is nominated for a node
goes there if it can; all others leave the room of nominated pods alone.
"""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.framework import Lack, Plugin, Reserver, UnschedulableError
from argosy.scheduler.gangs.within import WITHIN, Within
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.placement import Grant, Placement, VolumeGrant
from argosy.scheduler.ranking import Ranking, Rankings, Surveys
from argosy.scheduler.refusals import Refusals, Refused
from argosy.scheduler.sentences import available
from argosy.scheduler.shape import Shape, shape_of
from argosy.scheduler.state import State
from argosy.scheduler.trial import Trial
from argosy.scheduler.yielding import yielding

FEW = 64
"""So few nodes are looked up by name; more are picked out on the way."""
YIELDING = Plugin(name="NominatedPods")
"""In whose name the room of nominated pods is kept."""


class NoRoomError(UnschedulableError):
    """No node can have the pod as things stand: with fewer pods on the nodes one might."""


@dataclass(frozen=True, slots=True)
class Search:
    """One pod that looks for a node. `exempt` are uids that it need not yield to: its own, and
    those of its gang."""

    pod: Pod
    shape: Shape
    ranking: Ranking
    surveys: Surveys
    reservers: Sequence[Reserver]
    exempt: Collection[str]
    within: Within | None = None
    steady: bool = False

    @property
    def kind(self) -> Hashable:
        """Equal for pods of which one is refused as the other; None where that can't be said.

        A survey that refuses all of a kind alike says so by a `kind` of its own.
        """
        refusing = [survey for plugin, survey in self.surveys if not plugin.prefers]
        kinds = [getattr(it, "kind", None) for it in refusing if it is not self.within]
        if None in kinds:
            return None
        domain = self.within.name if self.within else ()
        return (self.shape, domain, *kinds, *(reserver.kind for reserver in self.reservers))


class Placer:
    """Finds places by a table of plugins over one state."""

    def __init__(self, state: State, plugins: Sequence[Plugin]) -> None:
        self._state = state
        self._plugins = plugins
        self._refuse = [plugin.refuse for plugin in plugins if plugin.refuse]
        self._reserver = [(plugin, plugin.reserver) for plugin in plugins if plugin.reserver]
        self._survey = [(plugin, plugin.survey) for plugin in plugins if plugin.survey]
        self._volumes = [plugin.volumes for plugin in plugins if plugin.volumes]
        self._rankings = Rankings(state.nodes, plugins)
        self._refusals = Refusals(state)
        self.fit = next((plugin for plugin in plugins if plugin.asked), None)

    def place(
        self,
        pod: Pod,
        hopeless: dict[Hashable, str],
        exempt: Collection[str] = (),
        within: Within | None = None,
    ) -> Placement:
        """The best node for `pod`, and its claims there. Raises UnschedulableError.

        `hopeless` tells what failed before in this unit: within it, room only shrinks.
        """
        search = self.search(pod, exempt, within)
        kind = search.kind
        if kind in hopeless:
            raise NoRoomError(hopeless[kind])
        try:
            return self._choose(search)
        except NoRoomError as error:
            if kind is not None:
                hopeless[kind] = str(error)
            raise

    def search(
        self, pod: Pod, exempt: Collection[str] = (), within: Within | None = None
    ) -> Search:
        """All that is asked for `pod`, which stays `within` a domain where one is given. Raises
        UnschedulableError for one that no node can have."""
        shape = _shape(pod)
        for refuse in self._refuse:
            if text := refuse(pod):
                raise UnschedulableError(text)
        made = [(plugin, reserver(self._state.devices, pod)) for plugin, reserver in self._reserver]
        reservers = [reserver for _, reserver in made if reserver is not None]
        steady = all(plugin.steady for plugin, reserver in made if reserver is not None)
        exempt = exempt or (pod.metadata.uid,)
        surveys = self._surveys(pod, shape, exempt)
        if within is not None:
            surveys = [*surveys, (WITHIN, within)]
        ranking = self._rankings.of(shape)
        return Search(pod, shape, ranking, surveys, reservers, exempt, within, steady)

    def asked(self, shape: Shape) -> Sequence[int]:
        """The resource columns that have to have enough left for the shape."""
        if self.fit is None or self.fit.asked is None:
            return ()
        return self.fit.asked(self._state.nodes, shape)

    def by_resources(self, search: Search) -> bool:
        """Whether nothing but resources that pods hold may stand in the pod's way."""
        if self.fit is None or search.reservers:
            return False
        if any(plugin is not YIELDING and not plugin.prefers for plugin, _ in search.surveys):
            return False
        return search.ranking.hang_on_usage == [self.fit.name]

    def trial(self, search: Search) -> Trial:
        """Whether the pod fits on single rows while others come and go."""
        return Trial(
            self._state,
            self._plugins,
            search.pod,
            search.shape,
            reservers=search.reservers,
            exempt=search.exempt,
        )

    def _surveys(self, pod: Pod, shape: Shape, exempt: Collection[str]) -> Surveys:
        state = self._state
        made = [(plugin, survey(state, pod)) for plugin, survey in self._survey]
        found = [(plugin, survey) for plugin, survey in made if survey is not None]
        if len(state.nodes.nominated):
            columns, priority = self.asked(shape), pod.spec.priority
            kept = yielding(state.nodes, shape, columns, priority=priority, exempt=exempt)
            if kept is not None:
                found.append((YIELDING, kept))
        return found

    def attempt(self, search: Search, row: int | None = None) -> Placement | None:
        """As `place`, without a word where there is no room; on `row`, where it is said that the
        pod fits there."""
        if search.reservers:
            try:
                return self._reserve(search)
            except NoRoomError:
                return None
        if row is None:
            row = self._best(search)
        return None if row is None else self._placement(search.pod, search.shape, row)

    def _choose(self, search: Search) -> Placement:
        if search.reservers:
            return self._reserve(search)
        row = self._best(search)
        if row is None:
            raise NoRoomError(self._sentence(search))
        return self._placement(search.pod, search.shape, row)

    def _best(self, search: Search) -> int | None:
        if len(self._state.nodes.nominated):
            return next(self._rows(search, None), None)
        return search.ranking.best(search.surveys)

    def _rows(self, search: Search, within: NDArray[np.intp] | None) -> Iterator[int]:
        """The rows that can have the pod, best first; the one it is nominated for before all."""
        nodes = self._state.nodes
        own = nodes.row_of.get(nodes.nominated.node_of(search.pod.metadata.uid))
        if own is not None and (within is None or own in within):
            if search.ranking.feasible(search.surveys)[own] and self._yields(search, own):
                yield own
        for row in search.ranking.ordered(within, search.surveys):
            if row != own and self._yields(search, row):
                yield row

    def _yields(self, search: Search, row: int) -> bool:
        """Whether the pod leaves those alone who are nominated for the row and come first."""
        nodes = self._state.nodes
        if not len(nodes.nominated):
            return True
        priority = search.pod.spec.priority
        first = nodes.nominated.before(nodes.names[row], priority, search.exempt)
        return not first or self.trial(search).fits(row)

    def _reserve(self, search: Search) -> Placement:
        """The best node on which every reserver gets what the pod needs."""
        nodes, reservers = self._state.nodes, search.reservers
        wanted = reservers[0].nodes
        for reserver in reservers[1:]:
            wanted &= reserver.nodes
        refused, within = self._refused(search), None
        if len(wanted) <= FEW:
            rows = sorted(nodes.row_of[name] for name in wanted if name in nodes.row_of)
            within = np.array(rows, dtype=np.intp)
        for row in self._rows(search, _still_open(refused, within)):
            name = nodes.names[row]
            if name not in wanted:
                refused.close(row, None)
                continue
            answers = [reserver.reserve(name) for reserver in reservers]
            lack = next((answer for answer in answers if isinstance(answer, Lack)), None)
            if lack is None:
                grants = tuple(g for a in answers if not isinstance(a, Lack) for g in a)
                return self._placement(search.pod, search.shape, row, grants)
            refused.close(row, lack)
        asked = [row for row in self._rows(search, within) if row in refused.lacks]
        raise NoRoomError(self._sentence(search, [refused.lacks[row] for row in asked]))

    def _refused(self, search: Search) -> Refused:
        """What such pods were told before, where that still holds."""
        if not search.steady:
            return Refused(self._state.nodes.size)
        return self._refusals.of(tuple(reserver.kind for reserver in search.reservers))

    def _placement(
        self, pod: Pod, shape: Shape, row: int, grants: tuple[Grant, ...] = ()
    ) -> Placement:
        node = self._state.nodes.names[row]
        volumes: tuple[VolumeGrant, ...] = ()
        if pod.spec.volumes:
            made = (granted(self._state, pod, node) for granted in self._volumes)
            volumes = tuple(grant for several in made for grant in several)
        return Placement(pod, node, occupant_of(pod, shape.request), grants, volumes)

    def _sentence(self, search: Search, lacks: Sequence[Lack] = ()) -> str:
        reasons = search.ranking.explain(search.surveys)
        feasible = search.ranking.feasible(search.surveys)
        if search.reservers:
            unasked = int(feasible.sum()) - len(lacks)
            if unasked:
                reasons[search.reservers[0].elsewhere()] += unasked
        elif len(self._state.nodes.nominated):
            trial = self.trial(search)
            for row in np.flatnonzero(feasible):
                reasons.update(trial.lacks(int(row)))
        return available(self._state.nodes.count, reasons, lacks)


def _still_open(refused: Refused, within: NDArray[np.intp] | None) -> NDArray[np.intp] | None:
    """The rows of those in `within` (None: of all) that are worth asking."""
    if within is not None:
        return within[refused.open[within]]
    return None if refused.open.all() else np.flatnonzero(refused.open)


def _shape(pod: Pod) -> Shape:
    try:
        return shape_of(pod)
    except ValueError as error:
        raise UnschedulableError(str(error)) from error
