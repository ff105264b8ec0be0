"""Builds the order of authorizers that an `AuthorizationConfiguration` names, at start and later.

The file is followed (`reloading`), as upstream's is; one that can't be used, or that lacks an
authorizer of the server's own that was there at the start, changes nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from argosy.apiserver.answers import Answers
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import Authorizer, Decision, Held, Step
from argosy.apiserver.authorization.conditions import Conditions
from argosy.apiserver.authorization.configuration import (
    AuthorizationConfiguration,
    AuthorizerRules,
    seconds,
    understood,
)
from argosy.apiserver.authorization.webhook import Webhook
from argosy.apiserver.configfile import ConfigurationError, parsed
from argosy.apiserver.outbound import Outbound
from argosy.apiserver.remotes import RemoteError, read
from argosy.apiserver.request import User
from argosy.apiserver.reviewer import Reviewer
from argosy.base.clock import Clock
from argosy.security.rbac.objects import PolicyRule

GROUP: Final = "authorization.k8s.io"
ALL: Final = ("*",)
EVERYTHING: Final = (PolicyRule(ALL, ALL, ALL), PolicyRule(ALL, paths=ALL))


def _allow(_asked: Attributes, _answers: Answers | None) -> Decision | None:
    return Decision(True)


def _allow_held(_user: User, _namespace: str) -> Held:
    return Held(EVERYTHING)


def _deny(_asked: Attributes, _answers: Answers | None) -> Decision | None:
    return Decision(False, "Everything is forbidden.")


def _deny_held(_user: User, _namespace: str) -> Held:
    return Held(())


ALWAYS_ALLOW: Final = Step(_allow, _allow_held)
ALWAYS_DENY: Final = Step(_deny, _deny_held)


@dataclass(slots=True, eq=False)
class Configured:
    """The authorizer's order, as `found` says, which stands in `file` where it is one."""

    authorizer: Authorizer
    outbound: Outbound
    clock: Clock
    found: AuthorizationConfiguration
    file: Path | None = None
    what: ClassVar[str] = "authorization"

    def apply(self) -> None:
        """Let the authorizer ask these. Raises ConfigurationError, and changes nothing then."""
        steps = tuple(self._step(one) for one in self.found.authorizers)
        waits = any(one.webhook is not None for one in self.found.authorizers)
        self.authorizer.ask(steps, waits=waits)

    async def take(self, data: bytes) -> bool:
        """Take over what the file says now. Raises ConfigurationError."""
        newest, before = understood(parsed(data, self.file), self.file), self.found
        if newest == before:
            return False
        if missing := sorted(before.types - newest.types):
            raise ConfigurationError(f"missing required types: [{' '.join(missing)}]")
        if added := sorted((newest.types - before.types) & {"Node", "RBAC"}):
            text = f"authorizer type {added[0]} is not allowed if it was not enabled at initial"
            raise ConfigurationError(f"{text} server startup")
        self.found = newest
        try:
            self.apply()
        except ConfigurationError:
            self.found = before
            raise
        return True

    def _step(self, one: AuthorizerRules) -> Step:
        own = {
            "AlwaysAllow": ALWAYS_ALLOW,
            "AlwaysDeny": ALWAYS_DENY,
            "Node": self.authorizer.by_node,
            "RBAC": self.authorizer.by_roles,
        }
        return own[one.type] if one.webhook is None else self._asking(one)

    def _asking(self, one: AuthorizerRules) -> Step:
        assert one.webhook is not None
        rules = one.webhook
        file = Path(rules.connection_info.kube_config_file or "")
        try:
            remote = read(file, f"authorization webhook {one.name}")
        except RemoteError as error:
            raise ConfigurationError(str(error)) from None
        version = f"{GROUP}/{rules.subject_access_review_version}"
        reviewer = Reviewer(
            self.outbound,
            remote,
            self.clock,
            version,
            "SubjectAccessReview",
            seconds(rules.timeout),
        )
        texts = tuple(condition.expression for condition in rules.match_conditions)
        webhook = Webhook(one.name, rules, reviewer, Conditions.of(texts))
        return Step(webhook.decide, webhook.held)
