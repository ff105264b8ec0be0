"""Fixes that are proven: each was tried, and the pod would be placed.

Guesses come from the hurdles: what keeps the pod from the nodes that are closest to it, and what
would help there. Then each guess is tried by a dry run, the smallest change first, until enough of
them are found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.explain.closest import nearest
from argosy.scheduler.explain.hurdles import Hurdle, Look
from argosy.scheduler.explain.remedies import Remedy, like, remedies, together
from argosy.scheduler.explain.snapshot import Change, Snapshot
from argosy.scheduler.explain.trials import Trials
from argosy.scheduler.explain.victims import deletions
from argosy.scheduler.explain.waiting import open_waits, waits
from argosy.scheduler.framework import Mask

MOST_FIXES = 6
MOST_PER_KIND = 2
MOST_GROUPS = 8
"""So many sorts of nodes are looked at, by what they fail at."""
MOST_OF_GROUP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What would help. `node`: where the pod would go. `start`: when, where it is known.

    `change` is what was tried; `command` does it, where one command can.
    """

    kind: str
    text: str
    node: str
    command: str = ""
    start: str = ""
    change: Change = field(default=(), repr=False)


def fixes_of(snapshot: Snapshot, trials: Trials, look: Look, now: datetime) -> tuple[Fix, ...]:
    """The fixes for a pod that no node takes, the smallest change first."""
    guesses = sorted(_guesses(trials, look), key=lambda item: item[0].size)
    found = list(islice(proven(trials, guesses), MOST_FIXES))
    within = _by_others(look)
    if within.any():
        bigger = [
            *waits(snapshot, trials, look, within, now),
            *deletions(snapshot, trials, look, within),
        ]
        if not any(remedy.kind == "Wait" for remedy in bigger):
            bigger += open_waits(snapshot, trials, look, within)
        found += proven(trials, [(remedy, None) for remedy in bigger])
        found += islice(proven(trials, _more_nodes(trials, look, within)), 1)
    return tuple(found)


def _more_nodes(trials: Trials, look: Look, within: Mask) -> Iterator[tuple[Remedy, None]]:
    """More of a node that would take the pod were it empty; for a gang, up to one for each pod."""
    row = nearest(trials.state, look, within, 1)[0]
    number = 1
    while number <= len(trials.unit.pods):
        yield like(trials.state.nodes.node(row), number), None
        number *= 2


def _by_others(look: Look) -> Mask:
    """The nodes that only other pods keep from the pod."""
    found = look.live & (look.fails > 0)
    for hurdle in look.hurdles:
        lasting = hurdle.plugin in _LASTING
        found = found & (hurdle.passed if lasting else ~hurdle.never)
    return found


_LASTING = ("TaintToleration", "NodeUnschedulable")


def proven(trials: Trials, guesses: Iterable[tuple[Remedy, int | None]]) -> Iterator[Fix]:
    """Those of the guesses that place the pod; few of a kind, each text once."""
    kinds: dict[str, int] = {}
    texts: set[str] = set()
    for remedy, row in guesses:
        if trials.over:
            return
        alike = remedy.alike or remedy.text
        if alike in texts or kinds.get(remedy.kind, 0) >= MOST_PER_KIND:
            continue
        change = remedy.change(trials.state, trials.unit.pods, row)
        placed = trials.placed(change)
        if placed is None:
            continue
        texts.add(alike)
        kinds[remedy.kind] = kinds.get(remedy.kind, 0) + 1
        yield Fix(
            kind=remedy.kind,
            text=remedy.text,
            node=placed[trials.pod.metadata.uid],
            command=remedy.command,
            start=remedy.start,
            change=change,
        )


def _guesses(trials: Trials, look: Look) -> Iterator[tuple[Remedy, int | None]]:
    """What would help at the nodes of each sort."""
    for row in _telling_rows(trials, look):
        failed = [hurdle for hurdle in look.hurdles if not hurdle.passed[row]]
        for remedy in _at(trials, look, failed, row):
            yield remedy, row


def _at(trials: Trials, look: Look, failed: list[Hurdle], row: int) -> Iterator[Remedy]:
    """All remedies of a node's only hurdle; of several, the smallest of each together."""
    options = [remedies(trials.state, look, hurdle, row) for hurdle in failed]
    if len(options) == 1:
        yield from options[0]
    elif all(options):
        yield together([found[0] for found in options])


def _telling_rows(trials: Trials, look: Look) -> list[int]:
    """Some nodes of each sort, those that fail at few things first."""
    codes = _codes(look)
    found: list[int] = []
    sorts = {codes[row] for row in np.flatnonzero(look.live)} - {0}
    for code in sorted(sorts, key=lambda code: (code.bit_count(), code))[:MOST_GROUPS]:
        alike: Mask = np.fromiter((one == code for one in codes), np.bool_, len(codes))
        found += nearest(trials.state, look, alike, MOST_OF_GROUP)
        found += _kinds_of_taints(trials, alike)
    return list(dict.fromkeys(found))


def _codes(look: Look) -> list[int]:
    """What each row fails at, a bit for each hurdle: a pod may ask for more than an array's whole
    numbers have bits."""
    if not look.hurdles:
        return [0] * len(look.live)
    failed = np.stack([~hurdle.passed for hurdle in look.hurdles], axis=1)
    packed = np.packbits(failed, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _kinds_of_taints(trials: Trials, rows: Mask) -> list[int]:
    """One node for each set of taints."""
    chosen: NDArray[np.intp] = np.flatnonzero(rows & trials.state.nodes.live[: len(rows)])
    _, first = np.unique(trials.state.nodes.taint_ids[chosen], return_index=True)
    return [int(row) for row in chosen[first[:MOST_OF_GROUP]]]
