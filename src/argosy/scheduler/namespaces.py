"""The namespaces and their labels, for terms that choose namespaces by a selector.

One that was not shown yet has no labels. What a term chooses is remembered until a namespace
comes, goes or changes its labels, which is rare.
"""

from collections.abc import Mapping

from argosy.api.core import Namespace
from argosy.base.selectors import Selector
from argosy.scheduler.terms import Term

_MOST = 1024
_NONE: Mapping[str, str] = {}


class Namespaces:
    """All namespaces, by name."""

    def __init__(self) -> None:
        self._labels: dict[str, Mapping[str, str]] = {}
        self._chosen: dict[str, frozenset[str]] = {}

    def put(self, old: Namespace | None, new: Namespace | None) -> bool:
        """A namespace came, changed or went; whether terms may choose others now."""
        if new is not None:
            name, labels = new.metadata.name, new.metadata.labels
            changed = self._labels.get(name) != labels
            self._labels[name] = labels
        else:
            changed = old is not None and self._labels.pop(old.metadata.name, None) is not None
        if changed:
            self._chosen.clear()
        return changed

    def labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace."""
        return self._labels.get(name, _NONE)

    def matching(self, term: Term) -> frozenset[str] | None:
        """The namespaces of a term; None for all there are and ever will be."""
        if term.namespace_selector is None:
            return term.namespaces
        if not term.namespace_selector.requirements:
            return None
        known = self._chosen.get(term.key)
        if known is None:
            if len(self._chosen) >= _MOST:
                self._chosen.clear()
            known = self._chosen[term.key] = term.namespaces | self._selected(
                term.namespace_selector
            )
        return known

    def _selected(self, selector: Selector) -> frozenset[str]:
        return frozenset(name for name, labels in self._labels.items() if selector.matches(labels))
