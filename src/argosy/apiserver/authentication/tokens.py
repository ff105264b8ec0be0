"""Bearer tokens: what every way of reading them gives, and the simplest way, a list of hashes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from argosy.apiserver.request import User

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCES = (ISSUER,)
"""Whom a token must be meant for so that this server takes it."""
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
LONGEST = 16 * 1024
"""Characters; a longer token is nobody's, and is not looked at."""


class TokenError(Exception):
    """A token that is not taken; the text says why, to those who may know."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose token it is, and for which of the audiences that were asked about it is good."""

    user: User
    audiences: tuple[str, ...]


class TokenReader(Protocol):
    """One way of reading tokens, with what is known here."""

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        """Whose `token` is; None where it is none of this kind. Raises TokenError."""
        ...


class RemoteReader(Protocol):
    """One way of reading tokens that may have to ask another server."""

    async def identify(
        self, token: str, digest: bytes, audiences: tuple[str, ...]
    ) -> Identity | None:
        """Whose `token` is; None where it is none of this kind. Raises TokenError."""
        ...


def token_hash(token: str) -> bytes:
    """What is kept of a token: looking it up takes the same time whatever was guessed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one server run: hash to user. They are good for the server itself alone."""

    users: Mapping[bytes, User]

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        """Whose it is."""
        user = self.users.get(digest)
        meant = shared(AUDIENCES, audiences)
        return None if user is None or not meant else Identity(user, meant)


def shared(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """The audiences of `ours` that are among `theirs`."""
    return tuple(audience for audience in ours if audience in theirs)


def authenticated(user: User) -> User:
    """`user`, in the group of all who are known unless the credential speaks of that itself."""
    if user.name == ANONYMOUS.name or {AUTHENTICATED, UNAUTHENTICATED} & set(user.groups):
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))
