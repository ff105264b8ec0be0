"""Terms that pods on nodes carry, found by the pod that they may select.

A cluster has a term for each of thousands of workloads, and a new pod is selected by one or two of
them. So each term is filed under one condition that a selected pod must fulfil: a label's value
where it asks for one, a label's presence, or nothing.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

from argosy.base.selectors import Requirement, Selector
from argosy.scheduler.terms import Term

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Anchor = tuple[str, str] | str | None
"""A label with its value, a label's name, or nothing at all."""


class Seekers(Generic[K, V]):
    """Values by term; `K` tells apart what carries the same term."""

    def __init__(self) -> None:
        self._shelves: dict[str | None, dict[Anchor, dict[K, V]]] = {}

    def put(self, term: Term, key: K, value: V) -> None:
        """Something with this term is there."""
        for space, anchor in _places(term):
            self._shelves.setdefault(space, {}).setdefault(anchor, {})[key] = value

    def drop(self, term: Term, key: K) -> None:
        """It is no longer there."""
        for space, anchor in _places(term):
            shelf = self._shelves[space]
            del shelf[anchor][key]
            if not shelf[anchor]:
                del shelf[anchor]
            if not shelf:
                del self._shelves[space]

    def of(self, namespace: str, labels: Mapping[str, str]) -> Iterator[tuple[K, V]]:
        """What may select a pod of `namespace` with `labels`, each once; most of it does."""
        for space in (namespace, None) if self._shelves else ():
            shelf = self._shelves.get(space)
            if shelf is None:
                continue
            for anchor in (*labels.items(), *labels, None):
                if found := shelf.get(anchor):
                    yield from found.items()


def _places(term: Term) -> Iterator[tuple[str | None, Anchor]]:
    """Where a term is filed: by namespace (None: any), then by what a pod must have."""
    selector = term.pods.selector
    if selector is None:
        return
    spaces = term.namespaces if term.namespace_selector is None else (None,)
    for space in spaces:
        for anchor in _anchors(selector):
            yield space, anchor


def _anchors(selector: Selector) -> tuple[Anchor, ...]:
    """One of them holds for every pod that is selected, and never two."""
    best = min(selector.requirements, key=_width, default=None)
    if best is None or best.operator in ("NotIn", "DoesNotExist"):
        return (None,)
    if best.operator == "Exists":
        return (best.key,)
    return tuple((best.key, value) for value in best.values)


def _width(requirement: Requirement) -> float:
    """How many pods a condition lets through, roughly: the fewer, the better to file by."""
    match requirement.operator:
        case "In":
            return len(requirement.values)
        case "Exists":
            return 1e9
        case _:
            return 2e9
