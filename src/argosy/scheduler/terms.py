"""Pod affinity terms as they are matched: parsed once, alike for all pods that carry the same.

A term is known by its `key`, a text, so that sets and dictionaries of terms are cheap.
Source: Kubernetes' "Inter-pod affinity and anti-affinity".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from argosy.api.labelselector import LabelRequirement, LabelSelector
from argosy.api.meta import View
from argosy.base.memo import remembered
from argosy.base.selectors import Selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Json = Mapping[str, Any]


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
    """What a label selector as JSON selects. Raises ValueError for what is none."""
    return _known_selected(selector)


class _Term(View, frozen=True, kw_only=True):
    """A term as the API has it; selectors are read where they are parsed."""

    label_selector: dict[str, Any] | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: dict[str, Any] | None = None
    topology_key: str = ""


class _WeighedTerm(View, frozen=True, kw_only=True):
    weight: Annotated[int, msgspec.Meta(ge=1, le=100)]
    pod_affinity_term: _Term


class _Places(View, frozen=True, kw_only=True):
    required: tuple[_Term, ...] | None = msgspec.field(name=REQUIRED, default=None)
    preferred: tuple[_WeighedTerm, ...] | None = msgspec.field(name=PREFERRED, default=None)


class _Affinity(View, frozen=True, kw_only=True):
    pod_affinity: _Places | None = None
    pod_anti_affinity: _Places | None = None


_NO_PLACES = _Places()


def joined(parts: Sequence[Selected]) -> Selected:
    """What all of them select."""
    key = " & ".join(part.key for part in parts)
    selectors = [part.selector for part in parts if part.selector is not None]
    if len(selectors) < len(parts):
        return Selected(key, None)
    return Selected(key, Selector(tuple(item for each in selectors for item in each.requirements)))


def _rules(given: Any) -> Rules:
    namespace, affinity = given
    try:
        rules = msgspec.convert(affinity, _Affinity)
    except msgspec.ValidationError as error:
        raise ValueError(f"spec.affinity: {error}") from error
    near, apart = rules.pod_affinity or _NO_PLACES, rules.pod_anti_affinity or _NO_PLACES
    return Rules(
        tuple(_term(namespace, item) for item in near.required or ()),
        tuple(_term(namespace, item) for item in apart.required or ()),
        (*_preferred(namespace, near, 1), *_preferred(namespace, apart, -1)),
    )


def _preferred(namespace: str, places: _Places, sign: int) -> Iterator[Weighed]:
    for item in places.preferred or ():
        yield Weighed(_term(namespace, item.pod_affinity_term), sign * item.weight)


def _term(namespace: str, item: _Term) -> Term:
    named = frozenset(item.namespaces or ())
    if not named and item.namespace_selector is None:
        named = frozenset((namespace,))
    pods, chosen = selected(item.label_selector), selected(item.namespace_selector)
    parts = (pods.key, sorted(named), chosen.key, item.topology_key)
    key = msgspec.json.encode(parts).decode()
    return Term(key, pods, named, chosen.selector, item.topology_key)


def _selected(selector: Any) -> Selected:
    if selector is None:
        return Selected("null", None)
    try:
        said = {name: value for name, value in selector.items() if value is not None}
        view = msgspec.convert(said, LabelSelector)
    except (msgspec.ValidationError, AttributeError) as error:
        raise ValueError(f"label selector: {error}") from error
    for item in view.match_expressions:
        _check(item)
    return Selected(msgspec.json.encode(view).decode(), view.parsed)


def _check(item: LabelRequirement) -> None:
    """Raises ValueError for what the API does not take."""
    if item.operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        raise ValueError(f'"{item.operator}" is not a valid label selector operator')
    listing = item.operator in ("In", "NotIn")
    if listing and not item.values:
        raise ValueError("for 'in', 'notin' operators, values set can't be empty")
    if item.values and not listing:
        raise ValueError("values set must be empty for exists and does not exist")


_known_rules = remembered(_rules)
_known_selected = remembered(_selected)
