"""What an admission rule is, and what it sees.

A rule is a plain function of `Attributes`, called inside the write. What it looks up it reads from
the store; what it must not do is wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from argosy.apiserver.answers import Answers
from argosy.apiserver.authorization import attributes as access
from argosy.apiserver.authorization.authorizer import Decision
from argosy.apiserver.request import Target, User
from argosy.base.errors import StatusError, forbidden
from argosy.store.interface import Record

Json = dict[str, Any]
Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
CREATE: frozenset[Operation] = frozenset({"CREATE"})
UPDATE: frozenset[Operation] = frozenset({"UPDATE"})
DELETE: frozenset[Operation] = frozenset({"DELETE"})
WRITES: frozenset[Operation] = CREATE | UPDATE
EVERY: frozenset[Operation] = WRITES | DELETE | {"CONNECT"}


@dataclass(slots=True, kw_only=True, eq=False)
class Attributes:
    """What is asked for. A mutating rule may change `new` in place.

    Of what is deleted there is no `new`: it is empty then. What is posted to a subresource (a
    binding, an eviction, a request for a token) is `new`, and has no `old`; so are the options of
    who connects. `look`
    reads another object by its key, `items` those under a prefix; `authorize` asks whether somebody
    may do something. What a rule holds while the write is on its way it lets go of in a function of
    `afterwards`; `warnings` are told to the client. What only another server knows is asked of
    `answers`. `query` is the request's; `options` are those of a deletion, where there are any.

    Mutating rules up to the webhooks run a second time (`round` 1) where one of them says `again`;
    what they keep for that round they put into `kept`.
    """

    operation: Operation
    target: Target
    user: User
    new: Json
    old: Json | None
    look: Callable[[str], Record | None]
    items: Callable[[str], list[Record]]
    authorize: Callable[[access.Attributes], Decision]
    afterwards: list[Callable[[], None]]
    warnings: list[str]
    answers: Answers = field(default_factory=Answers)
    dry_run: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    options: Json | None = None
    again: bool = False
    round: int = 0
    kept: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """What the object is called, as far as that is known."""
        meta = self.new.get("metadata") or {}
        name = self.target.name or meta.get("name") or meta.get("generateName")
        return str(name or "Unknown")

    def refusal(self, why: str) -> StatusError:
        """403 for the object, and the reason, as upstream's plugins give it."""
        resource = self.target.served.resource
        error = forbidden(f'{resource.qualified} "{self.name}" is forbidden: {why}')
        error.details = {"name": self.name, "group": resource.group, "kind": resource.plural}
        return error


Rule = Callable[[Attributes], None]
"""Admits by returning. Raises StatusError to refuse."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One line of the chain: upstream's name, what it is about, and what it does.

    `resources` are `plural.group`, or `plural.group/subresource`; none means all. One with neither
    rule is a place for what is not here.
    """

    name: str
    resources: frozenset[str] | None = None
    operations: frozenset[Operation] = CREATE
    mutate: Rule | None = None
    validate: Rule | None = None

    def concerns(self, resource: str, operation: Operation) -> bool:
        """Whether it has a say there."""
        named = self.resources is None or resource in self.resources
        return named and operation in self.operations
