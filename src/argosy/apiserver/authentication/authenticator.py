"""The filter that says who asks; nobody unknown gets past the health checks.

A request may show a bearer token. Those of this server's own run are known by their hashes and come
first, because they are most; the other readers of tokens follow in their order. A client's
certificate would be read here too, from the request's peer, before any token.
"""

from dataclasses import dataclass

from argosy.apiserver.authentication.tokens import (
    AUDIENCES,
    LONGEST,
    Identity,
    TokenError,
    TokenReader,
    Tokens,
    token_hash,
)
from argosy.apiserver.request import User
from argosy.base.errors import unauthorized
from argosy.http.message import Request

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Tokens of this run, and the other readers of tokens."""

    tokens: Tokens
    readers: tuple[TokenReader, ...] = ()

    def authenticate(self, request: Request) -> User:
        """The user of the request. Raises StatusError 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = token.strip()
            user = self.tokens.users.get(token_hash(token))
            return self._read(token) if user is None else user
        if not scheme and request.path in OPEN_PATHS:
            return ANONYMOUS
        raise unauthorized()

    def _read(self, token: str) -> User:
        try:
            return self.identify(token, AUDIENCES).user
        except TokenError:
            raise unauthorized() from None

    def identify(self, token: str, audiences: tuple[str, ...]) -> Identity:
        """Whose token it is. Raises TokenError with the reasons of all who refused it."""
        if not token or len(token) > LONGEST:
            raise TokenError("invalid bearer token")
        digest = token_hash(token)
        refusals: list[str] = []
        for reader in (self.tokens, *self.readers):
            try:
                identity = reader.identify(token, digest, audiences)
            except TokenError as error:
                refusals.append(str(error))
                continue
            if identity is not None:
                return identity
        raise TokenError(", ".join(refusals) or "invalid bearer token")
