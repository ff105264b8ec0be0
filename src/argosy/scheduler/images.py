"""Which nodes have which images, by name, and what that is worth to a pod that uses them.

Of each image the rows that have it are kept, four bytes for each; images of the same names and size
are one. What was worked out for a pod is kept until an image comes or goes, as pods of one
workload use the same. Source: kube-scheduler's ImageLocality.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import NodeImage

Numbers = NDArray[np.int64]
FULL = 100
_MIB = 1024 * 1024
LEAST = 23 * _MIB
MOST = 1000 * _MIB
"""So much of images counts: all together at least, and for each container at most."""

_LARGEST = 2**52
_MOST_KEPT = 256


class Images:
    """The images of all nodes."""

    def __init__(self) -> None:
        self._rows: dict[NodeImage, array[int]] = {}
        self._named: dict[str, list[NodeImage]] = {}
        self._kept: dict[tuple[object, ...], Numbers | None] = {}

    def __bool__(self) -> bool:
        """Whether any node has any."""
        return bool(self._named)

    def put(self, row: int, old: Sequence[NodeImage], new: Sequence[NodeImage]) -> None:
        """The node of `row` has the `new` images in place of the `old` ones."""
        if old == new:
            return
        self._kept.clear()
        before, after = dict.fromkeys(old), dict.fromkeys(new)
        for image in before.keys() - after.keys():
            self._drop(row, image)
        for image in after.keys() - before.keys():
            self._add(row, image)

    def anywhere(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names` that any node has."""
        return tuple(name for name in names if name in self._named)

    def worths(
        self, names: tuple[str, ...], *, containers: int, nodes: int, size: int
    ) -> Numbers | None:
        """0 to 100 for each of `size` rows, for a pod of so many containers with images of these
        names in a cluster of so many nodes; None where all are alike. Don't change it."""
        key = (names, containers, nodes, size)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            total = np.zeros(size, dtype=np.int64)
            for name in names:
                total += self._held(name, nodes, size)
            most = MOST * containers
            worths = FULL * (np.clip(total, LEAST, most) - LEAST) // (most - LEAST)
            self._kept[key] = worths if worths.min() < worths.max() else None
        return self._kept[key]

    def _held(self, name: str, nodes: int, size: int) -> Numbers:
        """The bytes of an image on each row, less where few nodes have it.

        In floats, as upstream: what is cut off depends on it. Of two images that a node has under
        one name the larger counts.
        """
        bytes_, there = np.zeros(size), np.zeros(size, dtype=np.bool_)
        for image in self._named[name]:
            rows = np.array(self._rows[image], dtype=np.intp)
            there[rows] = True
            bytes_[rows] = np.maximum(bytes_[rows], min(max(image.size_bytes, 0), _LARGEST))
        spread = np.count_nonzero(there) / nodes
        return (bytes_ * spread).astype(np.int64)

    def _add(self, row: int, image: NodeImage) -> None:
        rows = self._rows.get(image)
        if rows is None:
            rows = self._rows[image] = array("i")
            for name in dict.fromkeys(image.names):
                self._named.setdefault(name, []).append(image)
        rows.append(row)

    def _drop(self, row: int, image: NodeImage) -> None:
        rows = self._rows[image]
        rows.remove(row)
        if rows:
            return
        del self._rows[image]
        for name in dict.fromkeys(image.names):
            self._named[name].remove(image)
            if not self._named[name]:
                del self._named[name]
