"""The view of a label selector, as specs of controllers have it."""

from typing import cast

from argosy.api.meta import View
from argosy.base.selectors import Operator, Requirement, Selector


class LabelRequirement(View, frozen=True, kw_only=True):
    """One condition on one label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(View, frozen=True, kw_only=True):
    """All of it must hold; nothing at all selects everything."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[LabelRequirement, ...] = ()

    @property
    def parsed(self) -> Selector:
        """What labels can be matched against."""
        terms = [
            Requirement(term.key, cast(Operator, term.operator), frozenset(term.values))
            for term in self.match_expressions
        ]
        return Selector((*equal_to(self.match_labels).requirements, *terms))


def equal_to(labels: dict[str, str]) -> Selector:
    """Selects what has all of these labels."""
    return Selector(
        tuple(Requirement(key, "In", frozenset({value})) for key, value in labels.items())
    )
