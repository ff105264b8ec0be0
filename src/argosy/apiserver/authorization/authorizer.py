"""Who says yes: `system:masters` may do all, nodes what is theirs, others what roles grant them.

`authorize` is asked about each request before its verb, about impersonation, by admission, and by
the access reviews; `rules_of` tells somebody what they may do. Others can be asked too, or in
another order: see `configured`. Where one of these is another server, its answer must be waited
for: whoever can wait asks through `settled`, whoever can't passes the `Answers` of its call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from argosy.apiserver.answers import Answers, Unanswered
from argosy.apiserver.authorization.attributes import Attributes, refusal
from argosy.apiserver.authorization.node import Nodes, node_name
from argosy.apiserver.authorization.roles import Gate, Roles
from argosy.apiserver.request import User
from argosy.security.rbac.objects import PolicyRule
from argosy.security.rbac.policy import absences
from argosy.store.interface import Store

MASTERS = "system:masters"
T = TypeVar("T")


class Decision(msgspec.Struct, frozen=True):
    """Whether it is allowed, and why or why not, where there is something to say.

    `denied` is a no that nobody can overrule; with an `error` somebody could not be asked. It is a
    struct because one is made for each request, and a frozen dataclass is dearer to make.
    """

    allowed: bool
    reason: str = ""
    denied: bool = False
    error: str = ""


ALLOWED = Decision(True)
REFUSED = Decision(False)


@dataclass(frozen=True, slots=True)
class Held:
    """All that somebody may do in a namespace; `error` says what could not be found out."""

    rules: Sequence[PolicyRule]
    error: str = ""
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One who is asked: None is no opinion, and nothing to say about it."""

    decide: Callable[[Attributes, Answers | None], Decision | None]
    held: Callable[[User, str], Held]


Authorize = Callable[[Attributes], Decision]


class Authorizer:
    """Decides by the objects in the store, as they are when it is asked.

    `waits`: one of those it asks is another server.
    """

    def __init__(self, store: Store, gate: Gate) -> None:
        self.roles = Roles(store, gate)
        self._nodes = Nodes(store, gate)
        self.by_node = Step(self._by_node, self._held_by_node)
        self.by_roles = Step(self._by_roles, self._held_by_roles)
        self.ask((self.by_node, self.by_roles), waits=False)

    def ask(self, steps: Sequence[Step], *, waits: bool) -> None:
        """From now on ask these, in this order; `waits` where one of them is another server."""
        self._steps = tuple(steps)
        self._decide = tuple(step.decide for step in steps)
        self.waits = waits

    def authorize(self, asked: Attributes, answers: Answers | None = None) -> Decision:
        """Whether the user may do what they ask for. Raises Unanswered only where it `waits`."""
        if is_master(asked.user):
            return ALLOWED
        said: tuple[Decision, ...] = ()
        for decide in self._decide:
            found = decide(asked, answers)
            if found is None:
                continue
            if found.allowed or found.denied:
                return found
            said = (*said, found)
        return _together(said) if said else REFUSED

    async def settled(self, question: Callable[[Authorize], T]) -> T:
        """What `question` comes to, asked again each time that other servers have answered."""
        if not self.waits:
            return question(self.authorize)
        answers = Answers()
        while True:
            try:
                return question(lambda asked: self.authorize(asked, answers))
            except Unanswered as unanswered:
                await answers.fill(unanswered)

    def rules_of(self, user: User, namespace: str) -> Held:
        """All that is known to be allowed to the user in `namespace`."""
        found = [step.held(user, namespace) for step in self._steps]
        rules = [rule for held in found for rule in held.rules]
        errors = ", ".join(held.error for held in found if held.error)
        return Held(rules, errors, any(held.incomplete for held in found))

    def _by_node(self, asked: Attributes, _answers: Answers | None) -> Decision | None:
        node = node_name(asked.user)
        if node is None:
            return None
        allowed, said = self._nodes.decide(node, asked)
        return ALLOWED if allowed else Decision(False, said) if said else None

    def _by_roles(self, asked: Attributes, _answers: Answers | None) -> Decision | None:
        verdict = self.roles.policy().decide(asked)
        if verdict.allowed or verdict.reason:
            return Decision(verdict.allowed, verdict.reason)
        return None

    def _held_by_node(self, user: User, _namespace: str) -> Held:
        if node_name(user) is None:
            return Held(())
        return Held((), "node authorizer does not support user rule resolution", True)

    def _held_by_roles(self, user: User, namespace: str) -> Held:
        rules, missing = self.roles.policy().rules_for(user, namespace)
        return Held(rules, absences(missing) if missing else "")


def demand(authorize: Authorize, asked: Attributes) -> None:
    """Raises StatusError 403 where it is not allowed."""
    decision = authorize(asked)
    if not decision.allowed:
        raise refusal(asked, ": ".join(filter(None, (decision.error, decision.reason))))


def is_master(user: User) -> bool:
    """Whether the user may do all: asked before anything is found out about their request."""
    return MASTERS in user.groups


def _together(said: Sequence[Decision]) -> Decision:
    """A refusal with all that was said about it."""
    if len(said) == 1:
        return said[0]
    reasons = "\n".join(one.reason for one in said if one.reason)
    errors = list(dict.fromkeys(one.error for one in said if one.error))
    shown = "".join(errors) if len(errors) < 2 else f"[{', '.join(errors)}]"
    return Decision(False, reasons, error=shown)
