"""Who asks? Bearer tokens, known by their hashes; nobody else gets past the health checks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.apiserver.request import User
from argosy.base.errors import unauthorized
from argosy.http.message import Request

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})


def token_hash(token: str) -> bytes:
    """What is kept of a token: looking it up takes the same time whatever was guessed."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one server run: hash to user."""

    users: Mapping[bytes, User]

    def authenticate(self, request: Request) -> User:
        """The user of the request. Raises StatusError 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme and request.path in OPEN_PATHS:
            return ANONYMOUS
        user = self.users.get(token_hash(token.strip())) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user
