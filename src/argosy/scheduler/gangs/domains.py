"""The domains that a group may be in: those of one label, within a domain that is given already,
and the one alone that pods of the group are in, where some are on nodes."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask
from argosy.scheduler.gangs.room import Room
from argosy.scheduler.gangs.tree import Part
from argosy.scheduler.gangs.within import Within
from argosy.scheduler.topology import Topology


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains of the label `key` that a group may be in.

    `present` tells of each domain whether it is one of them. Where pods of the group are in one
    already, `fixed` is its name. `fault` tells why there are none.
    """

    key: str
    topology: Topology
    around: Within
    present: Mask
    fixed: str | None = None
    fault: str = ""

    @property
    def where(self) -> str:
        """What was tried, in words."""
        if self.fixed is not None:
            return f' in domain "{self.fixed}" of "{self.key}"'
        count = int(self.present.sum())
        best = "the only domain" if count == 1 else f"the best of {count} domains"
        return f' in {best} of "{self.key}"'

    def within(self, domain: int) -> Within:
        """The rows of one domain."""
        return self.around.narrowed(self.key, domain, self.topology.ids == domain)

    def ordered(self, found: Room, least: int, first: Collection[int]) -> NDArray[np.intp]:
        """The domains that may have room for `least` pods, in the order in which they are tried:
        those of the rows in `first`, then by what they hold, then by what they have to spare."""
        own = np.zeros(len(self.present), dtype=np.bool_)
        own[self.topology.ids[list(first)]] = True
        domains = np.flatnonzero(self.present & (found.most >= max(least, 1)))
        return domains[np.lexsort((found.times[domains], -found.most[domains], ~own[domains]))]


def domains_of(nodes: Columns, part: Part, key: str, within: Within | None) -> Domains:
    """Where the part may be."""
    topology = nodes.topology(key)
    around = within or Within(nodes.live[: nodes.size], ())
    present = topology.present(around.mask)
    present[0] = False
    settled = _settled(nodes, part, key, topology)
    if len(settled) > 1:
        names = " and ".join(f'"{name}"' for name in sorted(filter(None, settled.values()))[:2])
        fault = f'its pods on nodes are not in one domain of "{key}": {names}'
        return Domains(key, topology, around, present, fault=fault)
    for domain, name in settled.items():
        present &= np.arange(len(present)) == domain
        fault = "" if present.any() else f'its pods on nodes are in no domain of "{key}"'
        return Domains(key, topology, around, present, fixed=name, fault=fault)
    fault = "" if present.any() else f'no node has the label "{key}"'
    return Domains(key, topology, around, present, fault=fault)


def _settled(nodes: Columns, part: Part, key: str, topology: Topology) -> dict[int, str]:
    """The domains that pods of the part are in, with their names; 0 stands for none of them."""
    found: dict[int, str] = {}
    for place in filter(None, map(nodes.place_of, part.there)):  # who is done is on none
        row = nodes.row_of.get(place)
        domain = 0 if row is None else int(topology.ids[row])
        if domain not in found:
            labels = nodes.node(row).metadata.labels if row is not None else {}
            found[domain] = labels.get(key, "")
    return found
