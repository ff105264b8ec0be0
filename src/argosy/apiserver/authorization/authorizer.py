"""Who says yes: `system:masters` may do all, nodes what is theirs, others what roles grant them.

`authorize` is asked about each request before its verb, about impersonation, by admission, and by
the access reviews; `rules_of` tells somebody what they may do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.apiserver.authorization.attributes import Attributes, refusal
from argosy.apiserver.authorization.node import Nodes, node_name
from argosy.apiserver.authorization.roles import Gate, Roles
from argosy.apiserver.request import User
from argosy.security.rbac.objects import PolicyRule
from argosy.security.rbac.policy import absences
from argosy.store.interface import Store

MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why or why not, where there is something to say."""

    allowed: bool
    reason: str = ""


ALLOWED = Decision(True)
REFUSED = Decision(False)


@dataclass(frozen=True, slots=True)
class Held:
    """All that somebody may do in a namespace; `error` says what could not be found out."""

    rules: Sequence[PolicyRule]
    error: str = ""
    incomplete: bool = False


class Authorizer:
    """Decides by the objects in the store, as they are when it is asked."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self.roles = Roles(store, gate)
        self._nodes = Nodes(store, gate)

    def authorize(self, asked: Attributes) -> Decision:
        """Whether the user may do what they ask for."""
        if is_master(asked.user):
            return ALLOWED
        node = node_name(asked.user)
        said = ""
        if node is not None:
            allowed, said = self._nodes.decide(node, asked)
            if allowed:
                return ALLOWED
        verdict = self.roles.policy().decide(asked)
        if verdict.allowed:
            return Decision(True, verdict.reason)
        reason = "\n".join(filter(None, (said, verdict.reason)))
        return Decision(False, reason) if reason else REFUSED

    def demand(self, asked: Attributes) -> None:
        """Raises StatusError 403 where it is not allowed."""
        decision = self.authorize(asked)
        if not decision.allowed:
            raise refusal(asked, decision.reason)

    def rules_of(self, user: User, namespace: str) -> Held:
        """All that roles let the user do in `namespace`."""
        rules, missing = self.roles.policy().rules_for(user, namespace)
        errors = [absences(missing)] if missing else []
        node = node_name(user) is not None
        if node:
            errors.insert(0, "node authorizer does not support user rule resolution")
        return Held(rules, ", ".join(errors), node)


def is_master(user: User) -> bool:
    """Whether the user may do all: asked before anything is found out about their request."""
    return MASTERS in user.groups
