"""Pod affinity terms as they are matched: parsed once, alike for all pods that carry the same.

A term is known by its `key`, a text, so that sets and dictionaries of terms are cheap.
Source: Kubernetes' "Inter-pod affinity and anti-affinity".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from argosy.api.labelselector import LabelSelector
from argosy.base.memo import remembered
from argosy.base.selectors import Selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Json = Mapping[str, Any]
Way = Literal["podAffinity", "podAntiAffinity"]


@dataclass(frozen=True, slots=True)
class Selected:
    """Pods by their labels; None selects none, as an absent selector does."""

    key: str
    selector: Selector | None = field(compare=False)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod with `labels` is selected."""
        return self.selector is not None and self.selector.matches(labels)


@dataclass(frozen=True, slots=True)
class Term:
    """Pods of some namespaces, within one domain of `topology_key`.

    `namespaces` are named; `namespace_selector` adds those with its labels (None adds none).
    """

    key: str
    pods: Selected = field(compare=False)
    namespaces: frozenset[str] = field(compare=False)
    namespace_selector: Selector | None = field(compare=False)
    topology_key: str = field(compare=False)

    def covers(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether `namespace`, which has `labels`, is one of the term's."""
        if namespace in self.namespaces:
            return True
        return self.namespace_selector is not None and self.namespace_selector.matches(labels)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A term that is preferred, with its weight of 1 to 100; one against counts negative."""

    term: Term
    weight: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a pod asks of other pods' places."""

    together: tuple[Term, ...] = ()
    apart: tuple[Term, ...] = ()
    preferred: tuple[Weighed, ...] = ()


NO_RULES = Rules()


def rules_of(namespace: str, affinity: Json | None) -> Rules:
    """The rules in a pod's `affinity`, which the API has validated.

    Raises ValueError for what is no affinity.
    """
    if not affinity or not ("podAffinity" in affinity or "podAntiAffinity" in affinity):
        return NO_RULES
    return _known_rules([namespace, affinity])


def selected(selector: Json | None) -> Selected:
    """What a label selector as JSON selects."""
    return _known_selected(selector)


def _rules(given: Any) -> Rules:
    namespace, affinity = given
    preferred = [
        *_preferred(namespace, affinity, "podAffinity", 1),
        *_preferred(namespace, affinity, "podAntiAffinity", -1),
    ]
    return Rules(
        _required(namespace, affinity, "podAffinity"),
        _required(namespace, affinity, "podAntiAffinity"),
        tuple(preferred),
    )


def _required(namespace: str, affinity: Json, way: Way) -> tuple[Term, ...]:
    items = (affinity.get(way) or {}).get(REQUIRED) or ()
    return tuple(_term(namespace, item) for item in items)


def _preferred(namespace: str, affinity: Json, way: Way, sign: int) -> list[Weighed]:
    items = (affinity.get(way) or {}).get(PREFERRED) or ()
    return [
        Weighed(_term(namespace, item.get("podAffinityTerm") or {}), sign * int(item["weight"]))
        for item in items
    ]


def _term(namespace: str, item: Json) -> Term:
    named = frozenset(item.get("namespaces") or ())
    chosen = item.get("namespaceSelector")
    if not named and chosen is None:
        named = frozenset((namespace,))
    parts = (item.get("labelSelector"), sorted(named), chosen, item.get("topologyKey") or "")
    return Term(
        msgspec.json.encode(parts).decode(),
        selected(item.get("labelSelector")),
        named,
        None if chosen is None else selected(chosen).selector,
        parts[3],
    )


def _selected(selector: Any) -> Selected:
    key = msgspec.json.encode(selector).decode()
    if selector is None:
        return Selected(key, None)
    try:
        return Selected(key, msgspec.convert(selector, LabelSelector).parsed)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


_known_rules = remembered(_rules)
_known_selected = remembered(_selected)
