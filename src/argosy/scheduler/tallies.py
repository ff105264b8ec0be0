"""How many pods of which kind are on each node: what rules about other pods are decided by.

Two sorts of counts by row. Of a mark (see occupants) there is one as long as a pod carries it. Of
what a selector selects there is one from when it was first asked for; pods of equal identity are
matched once, and the counts follow each pod that comes and goes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.occupants import Identity, Mark, Occupant, Room
from argosy.scheduler.seekers import Seekers
from argosy.scheduler.terms import Selected, Term

Counts = NDArray[np.int32]
_MOST_WATCHED = 256
"""Selectors whose counts are kept; one asked for after it was forgotten is counted anew."""


class Tally:
    """Counts by row; rows with none are absent. The array is made when it is first asked for."""

    __slots__ = ("_array", "rows")

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self._array: Counts | None = None

    def add(self, row: int, number: int) -> None:
        """So many more, or fewer."""
        left = self.rows.get(row, 0) + number
        if left:
            self.rows[row] = left
        else:
            self.rows.pop(row, None)
        if self._array is not None:
            if row >= len(self._array):
                self._array = None
            else:
                self._array[row] = left

    def array(self, size: int) -> Counts:
        """The counts of the first `size` rows; don't change it."""
        if self._array is None or len(self._array) < size:
            self._array = np.zeros(max(size, 64) * 2, dtype=np.int32)
            for row, number in self.rows.items():
                if row < len(self._array):
                    self._array[row] = number
        return self._array[:size]


@dataclass(frozen=True, slots=True)
class Choice:
    """Pods of `namespaces` (None: of all) that `pods` selects; `leaving` tells whether those on
    their way out count."""

    namespaces: frozenset[str] | None
    pods: Selected
    leaving: bool = True

    def matches(self, identity: Identity) -> bool:
        """Whether it selects a pod of this identity."""
        if self.namespaces is not None and identity.namespace not in self.namespaces:
            return False
        if identity.terminating and not self.leaving:
            return False
        return self.pods.matches(dict(identity.labels))


@dataclass(slots=True)
class _Group:
    """Pods of one identity, and the kept counts that they are in."""

    tally: Tally = field(default_factory=Tally)
    watchers: list[Tally] = field(default_factory=list)


class Tallies:
    """All counts over the pods that are on nodes which are known."""

    def __init__(self) -> None:
        self._marks: dict[Room, dict[Any, Tally]] = {}
        self._seekers: Seekers[Mark, Tally] = Seekers()
        self._groups: dict[Identity, _Group] = {}
        self._watched: dict[Choice, Tally] = {}

    def add(self, row: int, occupant: Occupant, sign: int) -> None:
        """The pod is on the node of `row` from now on (1), or no longer (-1)."""
        for mark in occupant.marks:
            self._mark(row, mark, sign)
        group = self._groups.get(occupant.identity)
        if group is None:
            group = self._groups[occupant.identity] = _Group()
            group.watchers.extend(
                tally
                for choice, tally in self._watched.items()
                if choice.matches(occupant.identity)
            )
        group.tally.add(row, sign)
        for tally in group.watchers:
            tally.add(row, sign)
        if not group.tally.rows:
            del self._groups[occupant.identity]

    def carried(self, room: Room) -> Mapping[Any, Tally]:
        """What pods carry of one sort; don't change it."""
        return self._marks.get(room, _NOTHING)

    def seeking(self, namespace: str, labels: Mapping[str, str]) -> Iterator[tuple[Mark, Tally]]:
        """The carried terms that may select a pod of `namespace` with `labels`."""
        return self._seekers.of(namespace, labels)

    def matching(self, choice: Choice) -> Tally:
        """How many pods of each node `choice` selects; kept for the next time."""
        known = self._watched.pop(choice, None)
        if known is None:
            known = self._counted(choice)
        self._watched[choice] = known
        if len(self._watched) > _MOST_WATCHED:
            self._forget(next(iter(self._watched)))
        return known

    def _mark(self, row: int, mark: Mark, sign: int) -> None:
        of_sort = self._marks.setdefault(mark.room, {})
        tally = of_sort.get(mark.key)
        if tally is None:
            tally = of_sort[mark.key] = Tally()
            if (term := term_of(mark)) is not None:
                self._seekers.put(term, mark, tally)
        tally.add(row, sign)
        if not tally.rows:
            del of_sort[mark.key]
            if (term := term_of(mark)) is not None:
                self._seekers.drop(term, mark)

    def _counted(self, choice: Choice) -> Tally:
        tally = Tally()
        for identity, group in self._groups.items():
            if choice.matches(identity):
                group.watchers.append(tally)
                for row, number in group.tally.rows.items():
                    tally.add(row, number)
        return tally

    def _forget(self, choice: Choice) -> None:
        tally = self._watched.pop(choice)
        for group in self._groups.values():
            if tally in group.watchers:
                group.watchers.remove(tally)


def term_of(mark: Mark) -> Term | None:
    """The term that a mark stands for; None where it is something else."""
    match mark:
        case ("apart" | "together", term):
            return cast(Term, term)
        case ("preferred", weighed):
            return cast(Term, weighed.term)
        case _:
            return None


_NOTHING: Mapping[Any, Tally] = {}
