"""The admission rules that ask the policies: those that mutate, and those that validate.

What evaluates them, and the engine that reads their expressions, is imported when the first one is
bound: most servers have none.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from argosy.api.resources.access import (
    MUTATING_POLICY,
    MUTATING_POLICY_BINDING,
    VALIDATING_POLICY,
    VALIDATING_POLICY_BINDING,
)
from argosy.apiserver.admission.policy.followed import Registry
from argosy.apiserver.admission.policy.matching import MOST, Key, key_of
from argosy.apiserver.admission.policy.params import Params
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.answers import Answers

if TYPE_CHECKING:
    from argosy.api.resource import Resource
    from argosy.apiserver.admission.policy.validating import Binding, Policy

    Bound = Sequence[tuple[Policy, Sequence[Binding]]]
    Concerned = Sequence[tuple[Policy, Sequence[Binding], Resource | None]]

REVIEWS: Final = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
"""Who may do what is asked here: nothing of that is stored, and to refuse it would break much."""


class _InForce:
    """The policies of one kind that a store has."""

    def __init__(self, registry: Registry, policies: "Resource", bindings: "Resource") -> None:
        self._policies = registry.of(policies, _policy)
        self._bindings = registry.of(bindings, _binding)
        self._edition = (-1, -1)
        self._bound: Bound = ()
        self._about: dict[Key, Concerned] = {}

    def about(self, attributes: Attributes) -> "Concerned":
        """The policies that may be about a request: many are about other resources."""
        bindings = self._bindings.all(attributes.answers)
        if not bindings or attributes.target.served.resource.group in REVIEWS:
            return ()
        bound, key = self._in_force(bindings, attributes.answers), key_of(attributes)
        known = self._about.get(key)
        if known is None:
            if len(self._about) >= MOST:
                self._about.clear()
            known = [
                (policy, its_bindings, policy.matcher.always(attributes))
                for policy, its_bindings in bound
                if not policy.matcher.never(attributes)
            ]
            self._about[key] = known
        return known

    def _in_force(self, bindings: "Sequence[Binding]", answers: Answers) -> "Bound":
        """The policies that are bound. Raises Unanswered where many are new."""
        policies = self._policies.all(answers)
        edition = (self._policies.edition, self._bindings.edition)
        if edition != self._edition:
            found: dict[str, list[Binding]] = defaultdict(list)
            for binding in bindings:
                found[binding.policy].append(binding)
            self._bound = [(one, found[one.name]) for one in policies if one.name in found]
            self._edition = edition
            self._about.clear()
        return self._bound


class ValidatingPolicies:
    """Asks those that validate."""

    def __init__(self, registry: Registry, params: Params) -> None:
        self._known = _InForce(registry, VALIDATING_POLICY, VALIDATING_POLICY_BINDING)
        self._params = params

    def __call__(self, attributes: Attributes) -> None:
        """Raises StatusError where a policy refuses."""
        if concerned := self._known.about(attributes):
            from argosy.apiserver.admission.policy.asking import ask_all

            ask_all(attributes, self._params, concerned)


class MutatingPolicies:
    """Lets those that mutate change the object."""

    def __init__(self, registry: Registry, params: Params, now: Callable[[], str]) -> None:
        self._known = _InForce(registry, MUTATING_POLICY, MUTATING_POLICY_BINDING)
        self._params = params
        self._now = now

    def __call__(self, attributes: Attributes) -> None:
        """Raises StatusError where a policy refuses."""
        if concerned := self._known.about(attributes):
            from argosy.apiserver.admission.policy.mutating import Mutating
            from argosy.apiserver.admission.webhooks.applied import Patches

            Mutating(attributes, self._params, Patches(self._params.versions, self._now)).run(
                concerned
            )


def _policy(obj: dict[str, Any]) -> "Policy":
    from argosy.apiserver.admission.policy.validating import policy_of

    return policy_of(obj)


def _binding(obj: dict[str, Any]) -> "Binding":
    from argosy.apiserver.admission.policy.validating import binding_of

    return binding_of(obj)
