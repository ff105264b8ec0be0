"""Which domain a group goes to, and where its pods go there.

Domains that can't hold enough pods are left out by arrays (`room`). The others are tried for real,
those first that can hold most pods, and among equals those that have least to spare, so that large
domains stay whole. The domain with most pods placed has the group: as kube-scheduler, which tries
them all. Groups of groups are placed part by part, each in a domain of its own within the domain of
the whole. What is assumed on the way is taken back unless it is part of the outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from argosy.scheduler.gangs.domains import Domains, domains_of
from argosy.scheduler.gangs.filling import Failure, Filler
from argosy.scheduler.gangs.room import Room, room
from argosy.scheduler.gangs.tree import Gang, Groups, Part
from argosy.scheduler.gangs.within import Within
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import Placer
from argosy.scheduler.state import State

MOST_PODS = 4096
"""So many pods are tried for one decision before it is put off, if there are not more to place."""
A_TRY = 8
"""What it counts, in pods, that a domain is tried at all."""
MOST_PUT_OFF = 256
"""Of so many parts it is known where to go on the next time."""


@dataclass(slots=True)
class Outcome:
    """What came of a part. Where it is `whole`, its `placements` are assumed.

    `count` is how many pods, or groups, were placed or are on nodes; where that is too few, `text`
    tells so, and they are taken back. `failures` are of the pods that found no place, `parts` what
    came of groups. `within` is the domain that has the part, or came closest.
    """

    part: Part
    whole: bool = False
    count: int = 0
    placements: list[Placement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    parts: list["Outcome"] = field(default_factory=list)
    text: str = ""
    within: Within | None = None
    busy: bool = False

    @property
    def merit(self) -> tuple[bool, int, int]:
        """The higher, the better."""
        return (self.whole, len(self.placements), self.count)

    def ends(self) -> Iterator["Outcome"]:
        """Of a whole, the gangs that are whole and the parts that are not; else itself."""
        if self.whole and self.parts:
            for part in self.parts:
                yield from part.ends()
        else:
            yield self

    @property
    def hopeless(self) -> bool:
        """Whether it is not for want of room that pods were refused: no other domain would do."""
        return bool(self.failures) and not any(failure.room for failure in self.failures)


@dataclass(slots=True)
class _Effort:
    """How many more pods may be tried, and whether that was too few. No pod of the unit yields to
    those in `exempt`. With `haste`, parts are given up as soon as they can't be whole."""

    left: int
    exempt: frozenset[str]
    haste: bool = False
    cut: bool = False


class Chooser:
    """Places parts over one state."""

    def __init__(self, state: State, placer: Placer, filler: Filler) -> None:
        self._state = state
        self._placer = placer
        self._filler = filler
        self._put_off: dict[tuple[str, str], int] = {}
        """By part, how many domains were tried in vain when there was no time for more."""

    def place(self, part: Part) -> Outcome:
        """Place the part, with as many pods and groups beyond its least as there is room for."""
        exempt = frozenset(pod.metadata.uid for pod in part.pods)
        effort = _Effort(max(MOST_PODS, 2 * len(exempt)), exempt)
        found = self._place(part, None, effort)
        found.busy = found.busy or (effort.cut and not found.whole)
        return found

    def _place(self, part: Part, within: Within | None, effort: _Effort) -> Outcome:
        if part.missing:
            return Outcome(part, text=part.missing, within=within)
        if part.key is None or not part.pods:
            return self._inside(part, within, effort)
        domains = domains_of(self._state.nodes, part, part.key, within)
        if domains.fault:
            return Outcome(part, text=f"{part.title}: {domains.fault}", within=within)
        return self._somewhere(part, domains, effort)

    def _somewhere(self, part: Part, domains: Domains, effort: _Effort) -> Outcome:
        """In the best domain, or why in none."""
        found = self._room(part, domains, effort)
        best = self._best(part, domains, found, effort)
        if best is not None and best.whole:
            return self._again(part, best, effort)
        if effort.haste:
            return best or Outcome(part, text=f"{part.title}: no room{domains.where}")
        # Once more, to the end: what is told is what there is in the domain that comes closest.
        closest = best.within if best and best.within else None
        if closest is None:
            closest = domains.within(int(np.argmax(np.where(domains.present, found.most, -1))))
        return self._inside(part, closest, effort, domains.where)

    def _again(self, part: Part, best: Outcome, effort: _Effort) -> Outcome:
        """What was found to be the best, assumed; with all that is to be told of groups that are
        not placed."""
        if isinstance(part, Groups) and not effort.haste and best.count < len(part.parts):
            again = self._inside(part, best.within, effort)
            if again.whole:
                return again
        self._filler.assume(best.placements)
        return best

    def _best(self, part: Part, domains: Domains, found: Room, effort: _Effort) -> Outcome | None:
        """The best of the domains that are tried; nothing of it is assumed."""
        best: Outcome | None = None
        order = domains.ordered(found, part.needed, self._nominated(part))
        key = (part.pods[0].metadata.namespace, part.title)
        before = self._put_off.pop(key, 0)
        haste, effort.haste = effort.haste, True
        for tried, domain in enumerate(np.roll(order, -before)):
            if tried and effort.left <= 0:
                effort.cut = True
                if best is None or not best.whole:
                    self._remember(key, before + tried)
                break
            if best is not None and best.whole and len(best.placements) >= found.most[domain]:
                continue
            outcome = self._inside(part, domains.within(int(domain)), effort)
            self._filler.retract(outcome.placements)
            if best is None or outcome.merit > best.merit:
                best = outcome
            if outcome.hopeless or len(best.placements) == len(part.pods):
                break
        effort.haste = haste
        return best

    def _inside(
        self, part: Part, within: Within | None, effort: _Effort, where: str = ""
    ) -> Outcome:
        """In one domain, or anywhere; `where` is for the text."""
        if isinstance(part, Gang):
            return self._gang(part, within, effort, where)
        return self._groups(part, within, effort, where)

    def _gang(self, gang: Gang, within: Within | None, effort: _Effort, where: str) -> Outcome:
        least = gang.needed if effort.haste else 0
        filled = self._filler.fill(gang.pods, effort.exempt, within, least=least)
        placements, failures = filled.placements, filled.failures
        effort.left -= len(placements) + len(failures) + A_TRY
        count = gang.bound + len(placements)
        found = Outcome(gang, count=count, failures=failures, within=within, busy=filled.busy)
        if count >= gang.least:
            found.whole, found.placements = True, placements
            return found
        self._filler.retract(placements)
        first = failures[0].text if failures else ""
        found.text = f"{gang.title}: {count} of {gang.least} pods can be placed{where}: {first}"
        return found

    def _groups(
        self, groups: Groups, within: Within | None, effort: _Effort, where: str
    ) -> Outcome:
        found = Outcome(groups, within=within)
        try:
            for number, part in enumerate(groups.parts):
                if effort.haste and found.count + len(groups.parts) - number < groups.least:
                    break
                self._add(found, self._place(part, within, effort))
        except BaseException:
            self._filler.retract(found.placements)
            raise
        if found.count >= groups.least:
            found.whole = True
            return found
        self._filler.retract(found.placements)
        found.placements = []
        first = next((outcome.text for outcome in found.parts if not outcome.whole), "")
        found.text = (
            f"{groups.title}: {found.count} of {groups.least} groups can be placed{where}: {first}"
        )
        return found

    def _add(self, found: Outcome, part: Outcome) -> None:
        found.parts.append(part)
        found.failures.extend(part.failures)
        found.busy = found.busy or part.busy
        if part.whole:
            found.count += 1
            found.placements.extend(part.placements)

    def _room(self, part: Part, domains: Domains, effort: _Effort) -> Room:
        return room(
            self._state,
            self._placer,
            part.pods,
            topology=domains.topology,
            rows=domains.around.mask,
            exempt=effort.exempt,
        )

    def _nominated(self, part: Part) -> set[int]:
        """The rows that pods of the part are nominated for."""
        nodes = self._state.nodes
        if not len(nodes.nominated):
            return set()
        names = {nodes.nominated.node_of(pod.metadata.uid) for pod in part.pods}
        return {nodes.row_of[name] for name in names if name in nodes.row_of}

    def _remember(self, key: tuple[str, str], tried: int) -> None:
        """The next time others come first."""
        self._put_off[key] = tried
        while len(self._put_off) > MOST_PUT_OFF:
            del self._put_off[next(iter(self._put_off))]
