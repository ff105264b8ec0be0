"""Which volume each waiting claim of a pod gets on which node, or that one must be made there.

As kube-scheduler: claims that ask for less choose first, each takes the smallest volume that suits
it and can be had on the node; a volume that is kept for the claim goes before all others, wherever
it is. Seldom do claims compete for the same volumes; only then is each node looked at by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import volume_class
from argosy.scheduler.columns import Columns, Flags
from argosy.scheduler.volumes.free import Want, want_of
from argosy.scheduler.volumes.index import Volumes
from argosy.scheduler.volumes.reach import near, reachable, rules_for


@dataclass(frozen=True, slots=True)
class Need:
    """A claim that looks for a volume; `kept` is the one that is kept for it."""

    claim: PersistentVolumeClaim
    want: Want
    kept: PersistentVolume | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What the claims of one pod can choose from; in the order of `needs`."""

    volumes: Volumes
    nodes: Columns
    needs: tuple[Need, ...]

    def found(self) -> list[Flags]:
        """Of each claim, the rows on which it gets a volume that is there."""
        if self._compete():
            return self._one_by_one()
        asked: Counter[Want] = Counter()
        masks: list[Flags] = []
        for need in self.needs:
            if need.kept is not None:
                masks.append(reachable(self.nodes, rules_for(need.kept)))
                continue
            asked[need.want] += 1
            offer = self.volumes.free.offer(need.want, self.nodes)
            masks.append(offer.counts >= asked[need.want])
        return masks

    def at(self, row: int) -> list[PersistentVolume | None]:
        """What each claim gets on one node; None where a volume must be made."""
        taken: set[str] = set()
        found: list[PersistentVolume | None] = []
        for need in self.needs:
            volume = self._first(need, row, taken)
            if volume is not None:
                taken.add(volume.metadata.name)
            found.append(volume)
        return found

    def _first(self, need: Need, row: int, taken: set[str]) -> PersistentVolume | None:
        if need.kept is not None:
            return need.kept if near(self.nodes, rules_for(need.kept), row) else None
        names = self.volumes.free.offer(need.want, self.nodes).at(row)
        name = next((name for name in names if name not in taken), None)
        return self.volumes.volume(name) if name is not None else None

    def _compete(self) -> bool:
        """Whether two claims want volumes of one class, but not alike."""
        wants: defaultdict[str, set[Want]] = defaultdict(set)
        for need in self.needs:
            if need.kept is None:
                wants[need.want.storage_class].add(need.want)
        return any(len(some) > 1 for some in wants.values())

    def _one_by_one(self) -> list[Flags]:
        masks: list[Flags] = [np.zeros(self.nodes.size, dtype=np.bool_) for _ in self.needs]
        for row in np.flatnonzero(self.nodes.live[: self.nodes.size]):
            for mask, volume in zip(masks, self.at(int(row)), strict=True):
                mask[row] = volume is not None
        return masks


def choice_of(volumes: Volumes, nodes: Columns, claims: Iterable[PersistentVolumeClaim]) -> Choice:
    """The choice of claims. Raises ValueError where one asks for a broken quantity."""
    needs = [_need(volumes, claim) for claim in claims]
    return Choice(volumes, nodes, tuple(sorted(needs, key=lambda need: need.want.size)))


def _need(volumes: Volumes, claim: PersistentVolumeClaim) -> Need:
    want = want_of(claim)
    return Need(claim, want, _kept(volumes.kept_for(claim), want))


def _kept(volumes: Sequence[PersistentVolume], want: Want) -> PersistentVolume | None:
    same = (volume for volume in volumes if volume_class(volume) == want.storage_class)
    return next((volume for volume in same if want.could_hold(volume)), None)
