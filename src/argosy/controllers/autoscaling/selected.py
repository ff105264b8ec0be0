"""Which pods each autoscaler's selector selects, and which autoscalers select the same.

The selector comes from the target's scale, when it is asked for. From then on it is kept up with: a
pod that changes its labels is matched against those selectors alone that ask for one of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.base.selectors import Selector
from argosy.runtime.informer import Informer

Anchor = tuple[str, str] | None
"""A label and its value that a selector asks for in any case."""


class Selected:
    """Keeps up with the pods; forgets autoscalers that are gone."""

    def __init__(self, pods: Informer[Pod], scalers: Informer[Any]) -> None:
        self._pods = pods
        self._names: defaultdict[str, set[str]] = defaultdict(set)  # of pods, by namespace
        self._selectors: dict[Key, Selector] = {}
        self._members: dict[Key, set[str]] = {}
        self._anchored: defaultdict[tuple[str, Anchor], set[Key]] = defaultdict(set)
        self._holders: defaultdict[Key, set[Key]] = defaultdict(set)  # autoscalers, by pod
        self._scalers: defaultdict[str, set[Key]] = defaultdict(set)  # by namespace
        pods.subscribe(self._pod_changed)
        scalers.subscribe(self._scaler_changed)

    def select(self, key: Key, selector: Selector) -> list[Pod]:
        """The pods that the autoscaler `key` selects, from now on by `selector`; by name.

        One that is gone meanwhile selects none: nobody would tell of it again.
        """
        if key not in self._scalers.get(key[0], ()):
            return []
        if self._selectors.get(key) != selector:
            self._forget(key)
            self._take(key, selector)
        namespace = key[0]
        found = (self._pods.get(namespace, name) for name in sorted(self._members[key]))
        return [pod for pod in found if pod is not None]

    def rivals(self, key: Key) -> list[Key]:
        """All autoscalers that select one of those pods, itself too."""
        namespace = key[0]
        pods = ((namespace, name) for name in self._members.get(key, ()))
        return sorted({holder for pod in pods for holder in self._holders.get(pod, ())})

    def siblings(self, namespace: str) -> int:
        """How many autoscalers the namespace has."""
        return len(self._scalers.get(namespace, ()))

    def _take(self, key: Key, selector: Selector) -> None:
        namespace, anchor = key[0], _anchor(selector)
        self._selectors[key] = selector
        self._anchored[namespace, anchor].add(key)
        self._members[key] = members = set(self._matching(namespace, anchor, selector))
        for name in members:
            self._holders[namespace, name].add(key)

    def _matching(self, namespace: str, anchor: Anchor, selector: Selector) -> Iterator[str]:
        for name in self._names.get(namespace, ()):
            pod = self._pods.get(namespace, name)
            if pod is None:
                continue
            labels = pod.metadata.labels
            likely = anchor is None or labels.get(anchor[0]) == anchor[1]
            if likely and selector.matches(labels):
                yield name

    def _forget(self, key: Key) -> None:
        selector = self._selectors.pop(key, None)
        if selector is None:
            return
        place = (key[0], _anchor(selector))
        self._anchored[place].discard(key)
        if not self._anchored[place]:
            del self._anchored[place]
        for name in self._members.pop(key):
            self._release((key[0], name), key)

    def _release(self, pod: Key, key: Key) -> None:
        self._holders[pod].discard(key)
        if not self._holders[pod]:
            del self._holders[pod]

    def _scaler_changed(self, old: Any, new: Any) -> None:
        key = (new or old).key
        if new is not None:
            self._scalers[key[0]].add(key)
            return
        self._forget(key)
        self._scalers[key[0]].discard(key)
        if not self._scalers[key[0]]:
            del self._scalers[key[0]]

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and new is not None and old.metadata.labels == new.metadata.labels:
            return
        pod = new or old
        assert pod is not None
        namespace, name = pod.key
        for key in list(self._holders.get(pod.key, ())):
            self._members[key].discard(name)
            self._release(pod.key, key)
        if new is None:
            self._names[namespace].discard(name)
            if not self._names[namespace]:
                del self._names[namespace]
            return
        self._names[namespace].add(name)
        for key in self._selecting(new):
            self._members[key].add(name)
            self._holders[pod.key].add(key)

    def _selecting(self, pod: Pod) -> Iterator[Key]:
        labels = pod.metadata.labels
        for anchor in (None, *labels.items()):
            for key in self._anchored.get((pod.metadata.namespace, anchor), ()):
                if self._selectors[key].matches(labels):
                    yield key


def _anchor(selector: Selector) -> Anchor:
    for term in selector.requirements:
        if term.operator == "In" and len(term.values) == 1:
            return (term.key, next(iter(term.values)))
    return None
