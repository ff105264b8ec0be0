"""Volumes that are nobody's: for each sort of claim, on which nodes one can be had.

Claims of a StatefulSet want the same, so what is found for the first is kept and brought up to date
volume by volume. Most volumes are on one node (`local`), some can be had from many.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import merge
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import claim_class, size, volume_class
from argosy.base import quantity
from argosy.base.selectors import Selector
from argosy.scheduler.columns import Columns
from argosy.scheduler.nodeterms import NodeRules
from argosy.scheduler.volumes.reach import Places, near, rules_for

FEW = 8
"""A volume that no more nodes can have is looked for node by node."""

_MOST_SORTS = 64


@dataclass(frozen=True, slots=True)
class Want:
    """What a claim asks of a volume; equal for claims that any volume suits alike."""

    storage_class: str
    size: int
    modes: frozenset[str]
    mode: str
    attributes: str
    selector: str
    parsed: Selector | None = field(compare=False)

    def could_hold(self, volume: PersistentVolume) -> bool:
        """What must hold even of a volume that is kept for the claim."""
        spec = volume.spec
        return (
            bytes_of(volume) >= self.size
            and spec.volume_mode == self.mode
            and (spec.volume_attributes_class_name or "") == self.attributes
            and volume.metadata.deletion_timestamp is None
        )

    def suits(self, volume: PersistentVolume) -> bool:
        """What must hold of one that is nobody's."""
        return (
            self.could_hold(volume)
            and self.modes <= set(volume.spec.access_modes)
            and (self.parsed is None or self.parsed.matches(volume.metadata.labels))
        )


class Found(NamedTuple):
    """A volume; the smallest first, among equals by name."""

    size: int
    name: str


def want_of(claim: PersistentVolumeClaim) -> Want:
    """What the claim asks for. Raises ValueError for a broken quantity."""
    spec, selector = claim.spec, claim.spec.selector
    return Want(
        storage_class=claim_class(claim),
        size=size(spec.resources.requests),
        modes=frozenset(spec.access_modes),
        mode=spec.volume_mode,
        attributes=spec.volume_attributes_class_name or "",
        selector=msgspec.json.encode(selector).decode() if selector is not None else "",
        parsed=selector.parsed if selector is not None else None,
    )


def bytes_of(volume: PersistentVolume) -> int:
    """The volume's size; of one that says nonsense, less than anybody asks for."""
    return _bytes(volume.spec.capacity.get("storage", 0))


@lru_cache(maxsize=4096)
def _bytes(text: str | int | float) -> int:
    try:
        return quantity.whole(text)
    except ValueError:
        return -1


@dataclass(frozen=True, slots=True)
class Free:
    """A volume that is nobody's, and what it takes time to tell."""

    volume: PersistentVolume
    found: Found
    rules: NodeRules


class Offer:
    """The free volumes that suit one sort of claim."""

    def __init__(self, nodes: Columns, places: Places) -> None:
        self._nodes = nodes
        self._position = (nodes.size, nodes.node_changes.position)
        self._places = places
        self.counts: NDArray[np.int32] = np.zeros(nodes.size, dtype=np.int32)
        self._local: dict[int, list[Found]] = {}
        self._wide: dict[str, NodeRules] = {}
        self._sorted: list[Found] = []
        self._rows: dict[str, tuple[Found, NDArray[np.intp]]] = {}

    def fresh(self, nodes: Columns | None = None) -> bool:
        """Whether the nodes are what they were (and those that are given)."""
        now = (self._nodes.size, self._nodes.node_changes.position)
        return now == self._position and (nodes is None or nodes is self._nodes)

    def add(self, free: Free) -> None:
        """A volume that suits."""
        found = free.found
        rows = self._places.rows(free.rules)
        self._rows[found.name] = (found, rows)
        self.counts[rows] += 1
        if len(rows) <= FEW:
            for row in rows.tolist():
                insort(self._local.setdefault(row, []), found)
        else:
            self._wide[found.name] = free.rules
            insort(self._sorted, found)

    def drop(self, name: str) -> None:
        """The volume is somebody's, or gone."""
        known = self._rows.pop(name, None)
        if known is None:
            return
        found, rows = known
        self.counts[rows] -= 1
        if self._wide.pop(name, None) is not None:
            self._sorted.remove(found)
            return
        for row in rows.tolist():
            self._local[row].remove(found)

    def at(self, row: int) -> Iterator[str]:
        """The volumes that can be had on one node, the smallest first."""
        if not self.counts[row]:
            return
        for found in merge(self._local.get(row, ()), self._sorted):
            wide = self._wide.get(found.name)
            if wide is None or near(self._nodes, wide, row):
                yield found.name


class FreeVolumes:
    """Free volumes by class, and what is offered of them."""

    def __init__(self) -> None:
        self._classes: dict[str, dict[str, Free]] = {}
        self._class_of: dict[str, str] = {}
        self._offers: dict[Want, Offer] = {}
        self._places: tuple[Columns, int, Places] | None = None

    def put(self, volume: PersistentVolume) -> None:
        """A volume is there, or is another."""
        name = volume.metadata.name
        self.drop(name)
        spec = volume.spec
        if spec.claim_ref is not None or volume.status.phase != "Available":
            return
        storage = volume_class(volume)
        self._class_of[name] = storage
        free = Free(volume, Found(bytes_of(volume), name), rules_for(volume))
        self._classes.setdefault(storage, {})[name] = free
        for want, offer in list(self._offers.items()):
            if want.storage_class != storage or not want.suits(volume):
                continue
            if offer.fresh():
                offer.add(free)
            else:
                del self._offers[want]  # made anew when it is asked for

    def drop(self, name: str) -> None:
        """The volume is somebody's, or gone."""
        storage = self._class_of.pop(name, None)
        if storage is None:
            return
        del self._classes[storage][name]
        if not self._classes[storage]:
            del self._classes[storage]
        for offer in self._offers.values():
            offer.drop(name)

    def offer(self, want: Want, nodes: Columns) -> Offer:
        """What there is for a sort of claim."""
        offer = self._offers.pop(want, None)
        if offer is None or not offer.fresh(nodes):
            offer = Offer(nodes, self._now(nodes))
            for free in self._classes.get(want.storage_class, {}).values():
                if want.suits(free.volume):
                    offer.add(free)
        self._offers[want] = offer
        if len(self._offers) > _MOST_SORTS:
            del self._offers[next(iter(self._offers))]
        return offer

    def _now(self, nodes: Columns) -> Places:
        """What is known of the places of the nodes, shared by all offers."""
        position = nodes.node_changes.position
        known = self._places
        if known is None or known[0] is not nodes or known[1] != position:
            known = self._places = (nodes, position, Places(nodes))
        return known[2]
