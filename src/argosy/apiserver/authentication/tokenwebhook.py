"""Another server that knows whose a token is: it is asked by TokenReviews.

What it says of a token, yes or no, is kept for a while; that it could not be asked is not.
Source: Kubernetes' "Authenticating", webhook token authentication.
"""

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Final

import msgspec

from argosy.apiserver.authentication.tokens import (
    AUDIENCES,
    Identity,
    TokenError,
    authenticated,
    shared,
)
from argosy.apiserver.outbound import OutboundError
from argosy.apiserver.remotes import Remote
from argosy.apiserver.request import User
from argosy.apiserver.reviewer import Reviewer

GROUP: Final = "authentication.k8s.io"
VERSIONS: Final = ("v1beta1", "v1")
SECONDS: Final = 30.0
"""For one question."""
REMEMBERED: Final = 4096

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWebhookRules:
    """Who is asked, in which version of the review, and for how many seconds an answer holds."""

    remote: Remote
    version: str = "v1beta1"
    ttl: float = 120.0


class _UserInfo(msgspec.Struct, frozen=True):
    username: str | None = ""
    uid: str | None = ""
    groups: tuple[str, ...] | None = ()
    extra: dict[str, tuple[str, ...] | None] | None = None


class _Status(msgspec.Struct, frozen=True):
    authenticated: bool | None = False
    user: _UserInfo | None = None
    audiences: tuple[str, ...] | None = ()
    error: str | None = ""


@dataclass(frozen=True, slots=True, eq=False)
class TokenWebhook:
    """Reads tokens. `known` are answers, and until when they hold (the clock's seconds)."""

    reviewer: Reviewer
    ttl: float
    known: dict[bytes, tuple[Identity | None, float]] = field(default_factory=dict)

    async def identify(
        self, token: str, digest: bytes, audiences: tuple[str, ...]
    ) -> Identity | None:
        """Whose token it is; None where the webhook doesn't know it. Raises TokenError."""
        key = hashlib.sha256(digest + "\0".join(audiences).encode()).digest()
        now = self.reviewer.clock.monotonic()
        if (kept := self.known.get(key)) is not None and now < kept[1]:
            return kept[0]
        try:
            spec = {"token": token, "audiences": list(audiences)}
            status = msgspec.convert(await self.reviewer.ask(spec), _Status)
        except (OutboundError, msgspec.ValidationError) as error:
            log.error("asking the webhook of tokens", extra={"error": str(error)})
            raise TokenError(str(error)) from None
        found = _identity(status, audiences)
        self._keep(key, found)
        return found

    def _keep(self, key: bytes, found: Identity | None) -> None:
        if self.ttl <= 0:
            return
        self.known.pop(key, None)
        if len(self.known) >= REMEMBERED:
            del self.known[next(iter(self.known))]
        self.known[key] = (found, self.reviewer.clock.monotonic() + self.ttl)


def _identity(status: _Status, audiences: tuple[str, ...]) -> Identity | None:
    """What follows from the answer. Raises TokenError."""
    meant = shared(status.audiences or AUDIENCES, audiences)
    if not meant:
        return None
    user = status.user
    if not status.authenticated:
        if status.error:
            raise TokenError(status.error)
        return None
    if user is None or not user.username:
        raise TokenError("the webhook of tokens named nobody")
    extra = {key: values or () for key, values in (user.extra or {}).items()}
    named = User(user.username, tuple(user.groups or ()), user.uid or "", extra)
    return Identity(authenticated(named), meant)
