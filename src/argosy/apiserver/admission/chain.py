"""How the admission plugins are run; `table` has their order.

First all that may change the object, then its kind's own rules, then all that only judge it. What
may change it runs twice, up to the webhooks, where what one of them did may concern those before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from argosy.apiserver.admission.rule import Attributes, Operation, Plugin, Rule
from argosy.apiserver.answers import Answers
from argosy.apiserver.authorization import attributes as access
from argosy.apiserver.authorization.authorizer import Decision

LAST_REPEATED = "MutatingAdmissionWebhook"
"""What mutates after it is not upstream's admission, and is done once."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The plugins that run. Which of them concern a resource is found out once."""

    plugins: tuple[Plugin, ...]
    authorize: Callable[[access.Attributes, Answers | None], Decision]
    _known: dict[tuple[str, Operation], "Phases"] = field(default_factory=dict)

    def mutate(self, attributes: Attributes) -> None:
        """Let the object be changed. Raises StatusError where it is refused."""
        known = self._phases(attributes)
        for rule in known.mutating:
            rule(attributes)
        if attributes.again:
            attributes.round = 1
            for rule in known.mutating:
                rule(attributes)
        for rule in known.completing:
            rule(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Let it be judged. Raises StatusError where it is refused."""
        for rule in self._phases(attributes).validating:
            rule(attributes)

    def _phases(self, attributes: Attributes) -> "Phases":
        target = attributes.target
        resource = target.served.resource.qualified
        if target.subresource:
            resource = f"{resource}/{target.subresource.partition('/')[0]}"
        key = (resource, attributes.operation)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = phases(self.plugins, *key)
        return known


@dataclass(frozen=True, slots=True)
class Phases:
    """The rules that concern one resource and operation."""

    mutating: Sequence[Rule]
    completing: Sequence[Rule]
    validating: Sequence[Rule]


def phases(known: Iterable[Plugin], resource: str, operation: Operation) -> Phases:
    """Of all plugins the rules that have a say."""
    mutating: list[Rule] = []
    completing: list[Rule] = []
    validating: list[Rule] = []
    changing = mutating
    for plugin in known:
        if plugin.concerns(resource, operation):
            if plugin.mutate is not None:
                changing.append(plugin.mutate)
            if plugin.validate is not None:
                validating.append(plugin.validate)
        if plugin.name == LAST_REPEATED:
            changing = completing
    return Phases(tuple(mutating), tuple(completing), tuple(validating))
