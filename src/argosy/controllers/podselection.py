"""Which pods the selectors of other objects select: kept up with, so that nobody searches.

A pod that changes is matched against the selectors of its namespace, an object whose selector
changes against the pods of its own; at all other times the answer is there already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from argosy.api.core import Pod
from argosy.api.meta import Key, Object
from argosy.base.selectors import Requirement, Selector
from argosy.runtime.informer import Informer

T = TypeVar("T", bound=Object)
SelectorOf = Callable[[T], Selector | None]


class PodSelection(Generic[T]):
    """Objects and the pods that they select; `selector` tells how, None where none are selected.

    It is to be made before any controller subscribes to the informers: it then knows of each change
    when they are told of it.
    """

    def __init__(self, pods: Informer[Pod], objects: Informer[T], selector: SelectorOf[T]) -> None:
        self._pods = pods
        self._selector = selector
        self._known: defaultdict[str, set[str]] = defaultdict(set)  # names of pods, by namespace
        self._selectors: defaultdict[str, dict[str, Selector]] = defaultdict(dict)
        self._members: dict[Key, set[str]] = {}
        pods.subscribe(self._pod_changed)
        objects.subscribe(self._object_changed)

    def pods(self, obj: T) -> list[Pod]:
        """The pods that `obj` selects, by name."""
        namespace = obj.metadata.namespace
        found = (self._pods.get(namespace, name) for name in sorted(self._members.get(obj.key, ())))
        return [pod for pod in found if pod is not None]

    def selecting(self, pod: Pod) -> Iterable[Key]:
        """The keys of the objects that select the pod."""
        namespace = pod.metadata.namespace
        for name, selector in self._selectors.get(namespace, {}).items():
            if selector.matches(pod.metadata.labels):
                yield (namespace, name)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and new is not None and old.metadata.labels == new.metadata.labels:
            return
        if old is not None:
            self._leave(old)
        if new is not None:
            self._known[new.metadata.namespace].add(new.metadata.name)
            for key in self.selecting(new):
                self._members[key].add(new.metadata.name)

    def _leave(self, pod: Pod) -> None:
        namespace, name = pod.key
        for key in self.selecting(pod):
            self._members[key].discard(name)
        self._known[namespace].discard(name)
        if not self._known[namespace]:
            del self._known[namespace]

    def _object_changed(self, old: T | None, new: T | None) -> None:
        selector = None if new is None else self._selector(new)
        known = new or old
        assert known is not None
        namespace, name = known.key
        selectors = self._selectors[namespace]
        if selector is None:
            selectors.pop(name, None)
            self._members.pop(known.key, None)
        elif selectors.get(name) != selector:
            selectors[name] = selector
            self._members[known.key] = set(self._matching(namespace, selector))
        if not selectors:
            del self._selectors[namespace]

    def _matching(self, namespace: str, selector: Selector) -> Iterable[str]:
        for name in self._known.get(namespace, ()):
            pod = self._pods.get(namespace, name)
            if pod is not None and selector.matches(pod.metadata.labels):
                yield name


def equalities(labels: dict[str, str]) -> Selector | None:
    """A selector of the old form, as services have it: none at all selects nothing."""
    terms = (Requirement(key, "In", frozenset({value})) for key, value in labels.items())
    return Selector(tuple(terms)) if labels else None
