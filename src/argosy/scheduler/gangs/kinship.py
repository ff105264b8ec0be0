"""Which groups belong to which groups of groups.

Pod groups and composite ones name their parent. All below one that has no parent are one unit, also
while objects between are still to come: until then nothing of it is decided. A tree that is nested
too deep, goes in a circle, or refers to several workloads is no unit that can be placed.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVar

from argosy.api.meta import Key
from argosy.api.scheduling import CompositePodGroup, PodGroup

COMPOSITE = "CompositePodGroup"
"""Marks the unit that is made of groups of groups."""
DEEPEST = 4
"""So many levels may be nested, the pod groups' own among them."""
G = TypeVar("G", PodGroup, CompositePodGroup)


class Kinship:
    """The parents and children of all groups that have any."""

    def __init__(self) -> None:
        self._composites: dict[Key, CompositePodGroup] = {}
        self._gangs: dict[Key, PodGroup] = {}
        self._children: defaultdict[Key, dict[Key, None]] = defaultdict(dict)
        self._members: defaultdict[Key, dict[Key, None]] = defaultdict(dict)

    def put_group(self, old: PodGroup | None, new: PodGroup | None) -> None:
        """A pod group came, changed or went."""
        _put(self._gangs, self._members, old, new if new and parent_of(new) else None)

    def put_composite(self, old: CompositePodGroup | None, new: CompositePodGroup | None) -> None:
        """A composite group came, changed or went."""
        _put(self._composites, self._children, old, new)

    def top(self, gang: Key) -> Key | None:
        """The uppermost composite group that a pod group is in, as far as is known; of a circle
        always the same. None for a pod group that has no parent."""
        group = self._gangs.get(gang)
        return self.above(parent) if group and (parent := parent_of(group)) else None

    def above(self, key: Key) -> Key:
        """The same for a composite group, which may be its own."""
        seen: dict[Key, int] = {}
        while key not in seen:
            seen[key] = len(seen)
            known = self._composites.get(key)
            parent = parent_of(known) if known else None
            if parent is None:
                return key
            key = parent
        return min(it for it, place in seen.items() if place >= seen[key])

    def composite(self, key: Key) -> CompositePodGroup | None:
        """The composite group, if it is there."""
        return self._composites.get(key)

    def parts(self, key: Key) -> tuple[list[Key], list[Key]]:
        """The composite groups and the pod groups just below one."""
        return sorted(self._children.get(key, ())), sorted(self._members.get(key, ()))

    def below(self, key: Key) -> Iterator[Key]:
        """All pod groups below a composite one, whatever the tree is like."""
        for level in self._levels(key):
            for it in level:
                yield from self._members.get(it, ())

    def trouble(self, key: Key) -> str:
        """Why nothing below may be placed as yet; empty where it may."""
        if key not in self._composites:
            return "waiting for the composite pod group to be created"
        circle = parent_of(self._composites[key]) is not None
        for depth, level in enumerate(self._levels(key), start=1):
            if circle or depth + any(it in self._members for it in level) > DEEPEST:
                return f"groups must not be nested in a circle, or deeper than {DEEPEST} levels"
        names = sorted(self._workloads(key))
        if len(names) > 1:
            return f'its groups refer to more than one workload: "{names[0]}" and "{names[1]}"'
        return ""

    def _levels(self, key: Key) -> Iterator[list[Key]]:
        """The composite groups of a tree, level by level, each once."""
        seen = {key}
        level = [key]
        while level:
            yield level
            level = [it for one in level for it in self._children.get(one, ()) if it not in seen]
            seen.update(level)

    def _workloads(self, key: Key) -> set[str]:
        found = {self._gangs[it].spec.workload_ref.workload_name for it in self.below(key)}
        for level in self._levels(key):
            found.update(self._composites[it].spec.workload_ref.workload_name for it in level)
        return found - {""}


def parent_of(group: PodGroup | CompositePodGroup) -> Key | None:
    """The composite group that a group says it belongs to."""
    name = group.spec.parent_composite_pod_group_name
    return (group.metadata.namespace, name) if name else None


def _put(
    known: dict[Key, G], below: defaultdict[Key, dict[Key, None]], old: G | None, new: G | None
) -> None:
    for group in (old, new):
        if group is not None and (gone := known.pop(group.key, None)) is not None:
            parent = parent_of(gone)
            if parent is not None:
                below[parent].pop(group.key)
                if not below[parent]:
                    del below[parent]
    if new is not None:
        known[new.key] = new
        if (parent := parent_of(new)) is not None:
            below[parent][new.key] = None
