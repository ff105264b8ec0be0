"""The filter that says who asks; nobody unknown gets past the health checks.

A request may come with a client's certificate, which speaks first, and may show a bearer token. The
tokens of this server's own run are known by their hashes and come first among the tokens, because
they are most; the other readers of tokens follow in their order, those that ask other servers last.
"""

from collections.abc import Set
from dataclasses import dataclass

from argosy.apiserver.authentication.certificates import ClientCertificates
from argosy.apiserver.authentication.frontproxy import Claims, FrontProxy
from argosy.apiserver.authentication.tokens import (
    ANONYMOUS,
    AUDIENCES,
    LONGEST,
    Identity,
    RemoteReader,
    TokenError,
    TokenReader,
    Tokens,
    token_hash,
)
from argosy.apiserver.request import User
from argosy.base.errors import unauthorized
from argosy.http.message import Request

OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Certificates, the tokens of this run, and the other readers of tokens.

    `open_paths` are for everybody; None opens all of them to authentication's last resort, being
    anonymous, and leaves the rest to authorization.
    """

    tokens: Tokens
    readers: tuple[TokenReader, ...] = ()
    remote: tuple[RemoteReader, ...] = ()
    certificates: ClientCertificates | None = None
    open_paths: Set[str] | None = OPEN_PATHS
    front_proxy: FrontProxy | None = None
    claims: Claims = Claims()

    async def authenticate(self, request: Request) -> User:
        """The user of the request. Raises StatusError 401."""
        if request.peer is not None and (shown := request.peer.certificate) is not None:
            if (user := self._by_certificate(request, shown)) is not None:
                return user
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = token.strip()
            known = self.tokens.users.get(token_hash(token))
            return await self._read(token) if known is None else known
        if not scheme and (self.open_paths is None or request.path in self.open_paths):
            return ANONYMOUS
        raise unauthorized()

    def _by_certificate(self, request: Request, shown: bytes) -> User | None:
        if self.front_proxy is not None:
            if (user := self.front_proxy.user(request, shown)) is not None:
                return user
        return None if self.certificates is None else self.certificates.user(shown)

    async def _read(self, token: str) -> User:
        try:
            return (await self.identify(token, AUDIENCES)).user
        except TokenError:
            raise unauthorized() from None

    async def identify(self, token: str, audiences: tuple[str, ...]) -> Identity:
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
        for remote in self.remote:
            try:
                identity = await remote.identify(token, digest, audiences)
            except TokenError as error:
                refusals.append(str(error))
                continue
            if identity is not None:
                return identity
        raise TokenError(", ".join(refusals) or "invalid bearer token")
