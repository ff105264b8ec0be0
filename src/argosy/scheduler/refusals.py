"""Which nodes are known not to have what a kind of pods needs beside the columns.

Where a reserver's answer depends on a node's devices alone, one that had nothing to give is not
asked again until something of it changed: on a cluster that is nearly full, most nodes are such.
"""

from collections.abc import Hashable

import numpy as np

from argosy.scheduler.framework import Lack, Mask
from argosy.scheduler.state import State

_MOST = 64
"""Of so many kinds it is remembered."""


class Refused:
    """What one kind was told; `open` are the rows that have not refused it."""

    def __init__(self, size: int) -> None:
        self.lacks: dict[int, Lack] = {}
        self.open: Mask = np.ones(size, dtype=np.bool_)

    def close(self, row: int, lack: Lack | None) -> None:
        """The row won't do; None where it was not worth asking."""
        self.open[row] = False
        if lack is not None:
            self.lacks[row] = lack

    def reopen(self, row: int) -> None:
        """Something may be different."""
        self.open[row] = True
        self.lacks.pop(row, None)


class Refusals:
    """What the kinds were told that came last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[Hashable, Refused] = {}
        self._made: tuple[int, int] = (-1, -1)
        self._nodes = self._taken = 0

    def of(self, kind: Hashable) -> Refused:
        """What is still true of it."""
        self._catch_up()
        found = self._known.pop(kind, None) or Refused(self._state.nodes.size)
        self._known[kind] = found
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return found

    def _catch_up(self) -> None:
        nodes, devices = self._state.nodes, self._state.devices
        made = (nodes.size, devices.inventory.version)
        rows = nodes.node_changes.since(self._nodes)
        taken = devices.ledger.since(self._taken)
        self._nodes, self._taken = nodes.node_changes.position, devices.ledger.position
        if made != self._made or rows is None or taken is None:
            self._made = made
            self._known.clear()
            return
        homes = {devices.inventory.home(device) for device in taken}
        found = [*rows, *(nodes.row_of[home] for home in homes if home in nodes.row_of)]
        for known in self._known.values():
            for row in found:
                known.reopen(row)
