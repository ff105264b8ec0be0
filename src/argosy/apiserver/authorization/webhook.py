"""An authorizer that asks another server, by SubjectAccessReviews.

Its answers are kept for a while. One that is not known yet can't be waited for here, so the
question goes to the call's `Answers` (see `argosy.apiserver.answers`), to be asked again later.
Source: Kubernetes' "Authorization", webhook mode.
"""

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from argosy.apiserver.answers import Answers, Ask
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import Decision, Held
from argosy.apiserver.authorization.conditions import ConditionError, Conditions
from argosy.apiserver.authorization.configuration import WebhookRules
from argosy.apiserver.authorization.spec import spec_of
from argosy.apiserver.outbound import OutboundError
from argosy.apiserver.request import User
from argosy.apiserver.reviewer import Reviewer

Json = dict[str, Any]
REMEMBERED: Final = 8192
LONGEST: Final = 10_000
"""Characters of what a client chooses; answers about more are not kept."""
BOTH: Final = "webhook subject access review returned both allow and deny response"

log = logging.getLogger(__name__)


class Status(msgspec.Struct, frozen=True):
    """What the webhook says."""

    allowed: bool | None = False
    denied: bool | None = False
    reason: str | None = ""

    @property
    def decision(self) -> Decision:
        """What follows from it; it has no opinion where it says neither yes nor no."""
        if self.denied and self.allowed:
            return Decision(False, self.reason or "", denied=True, error=BOTH)
        return Decision(bool(self.allowed), self.reason or "", denied=bool(self.denied))


@dataclass(frozen=True, slots=True, eq=False)
class Webhook:
    """One webhook. `known` are its answers, and until when they hold (the clock's seconds)."""

    name: str
    rules: WebhookRules
    reviewer: Reviewer
    conditions: Conditions
    known: dict[bytes, tuple[Decision, float]] = field(default_factory=dict)

    def decide(self, asked: Attributes, answers: Answers | None) -> Decision | None:
        """What it says. Raises Unanswered where it has to be asked first."""
        spec = spec_of(asked)
        try:
            if not self.conditions.hold(spec):
                return None
        except ConditionError as error:
            return self._failed(str(error))
        key = hashlib.sha256(msgspec.json.encode(spec)).digest()  # selectors can be long
        if (kept := self.known.get(key)) is not None and self._now() < kept[1]:
            return kept[0]

        async def ask() -> Decision:
            return await self._asked(spec, key)

        # Each question is its own asker: one call may have many, each is asked once.
        question = Ask(f"authorizer {self.name} {key.hex()}", key, ask)
        return _first((answers or Answers()).need(question))

    def held(self, _user: User, _namespace: str) -> Held:
        """Nobody can list what a webhook would allow."""
        return Held((), "webhook authorizer does not support user rule resolution", True)

    async def _asked(self, spec: Json, key: bytes) -> Decision:
        sent = spec
        if self.reviewer.api_version.endswith("/v1beta1"):  # has another name for one field
            sent = {"group" if name == "groups" else name: item for name, item in spec.items()}
        try:
            found = msgspec.convert(await self.reviewer.ask(sent), Status).decision
        except (OutboundError, msgspec.ValidationError) as error:
            log.error("asking a webhook", extra={"authorizer": self.name, "error": str(error)})
            return self._failed(str(error))
        self._keep(spec, key, found)
        return found

    def _failed(self, error: str) -> Decision:
        return Decision(False, denied=self.rules.failure_policy == "Deny", error=error)

    def _keep(self, spec: Json, key: bytes, found: Decision) -> None:
        ttl = self.rules.allowed_for if found.allowed else self.rules.refused_for
        if ttl <= 0 or _chosen(spec) >= LONGEST:
            return
        self.known.pop(key, None)
        if len(self.known) >= REMEMBERED:
            del self.known[next(iter(self.known))]
        self.known[key] = (found, self._now() + ttl)

    def _now(self) -> float:
        return self.reviewer.clock.monotonic()


def _first(found: list[Any]) -> Decision:
    decision: Decision = found[0]
    return decision


def _chosen(spec: Json) -> int:
    """Characters of what is asked for."""
    asked = spec.get("resourceAttributes") or spec.get("nonResourceAttributes") or {}
    return sum(len(text) for text in asked.values() if isinstance(text, str))
