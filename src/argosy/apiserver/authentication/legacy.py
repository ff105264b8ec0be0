"""Tokens of service accounts that lie in secrets, as all did once: good for as long as those are.

Nobody gets one unasked. The secret names the account in an annotation, a controller puts the token
in (`issue` makes it), and the server takes it while secret and account are there and the secret
still holds this very token. That a token was used is noted (`Used`), and the day is written to its
secret by somebody else, at most once a day: no request waits for that.
Source: Kubernetes' "Manually create a long-lived API token"; KEP-2799.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from argosy.api.resources.core import SECRET, SERVICE_ACCOUNT
from argosy.apiserver.authentication.accounts import account_groups, split_username, username
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.tokens import (
    AUDIENCES,
    Identity,
    TokenError,
    authenticated,
    shared,
)
from argosy.apiserver.authentication.unverified import claimed_issuer
from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.store.interface import Record

ISSUER: Final = "kubernetes/serviceaccount"
INVALID_SINCE: Final = "kubernetes.io/legacy-token-invalid-since"
LAST_USED: Final = "kubernetes.io/legacy-token-last-used"
DAY: Final = "%Y-%m-%d"
MOST_UNTOLD: Final = 4096
REMEMBERED: Final = 1024
_CLAIM: Final = "kubernetes.io/serviceaccount/"


class LegacyClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What such a token says: it has no end."""

    iss: str = ISSUER
    namespace: str = msgspec.field(name=f"{_CLAIM}namespace")
    secret: str = msgspec.field(name=f"{_CLAIM}secret.name")
    account: str = msgspec.field(name=f"{_CLAIM}service-account.name")
    uid: str = msgspec.field(name=f"{_CLAIM}service-account.uid")
    sub: str


class _Meta(msgspec.Struct, frozen=True):
    uid: str = ""
    deletionTimestamp: str | None = None
    labels: dict[str, str] | None = None


class _Stored(msgspec.Struct, frozen=True):
    metadata: _Meta


class _Secret(msgspec.Struct, frozen=True):
    metadata: _Meta
    data: dict[str, bytes] | None = None


class Used:
    """Secrets whose token was used on a day that they do not tell of yet: place, name, uid."""

    def __init__(self) -> None:
        self._untold: set[tuple[str, str, str]] = set()
        self._some = asyncio.Event()

    def note(self, namespace: str, secret: str, uid: str) -> None:
        """It was used; what is too much is noted when it is used again."""
        if len(self._untold) < MOST_UNTOLD:
            self._untold.add((namespace, secret, uid))
            self._some.set()

    async def some(self) -> set[tuple[str, str, str]]:
        """Wait for any, and take them."""
        await self._some.wait()
        self._some.clear()
        found, self._untold = self._untold, set()
        return found


@dataclass(frozen=True, slots=True)
class LegacyTokens:
    """Reads tokens that `keys` signed; `look` finds what they name."""

    keys: Keys
    look: Callable[[str], Record | None]
    clock: Clock
    used: Used
    _known: dict[bytes, LegacyClaims] = field(default_factory=dict)

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        """The service account whose token it is. Raises TokenError."""
        meant = shared(AUDIENCES, audiences)
        if token.count(".") != 2 or not meant:
            return None
        claims = self._known.get(digest)
        if claims is None:
            if claimed_issuer(token) != ISSUER:
                return None
            claims = _read(self.keys.verified(token))
            if claims is None:
                return None
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[digest] = claims
        meta = self._secret_there(claims, token)
        self._account_there(claims)
        self._still_valid(claims, meta)
        groups = account_groups(claims.namespace)
        return Identity(authenticated(User(claims.sub, groups, claims.uid)), meant)

    def _secret_there(self, claims: LegacyClaims, token: str) -> _Meta:
        record = self.look(SECRET.key(claims.namespace, claims.secret))
        secret = None if record is None else msgspec.json.decode(record.value, type=_Secret)
        if secret is None or secret.metadata.deletionTimestamp is not None:
            raise TokenError("Token has been invalidated")
        if not hmac.compare_digest((secret.data or {}).get("token", b""), token.encode()):
            raise TokenError("Token does not match server's copy")
        return secret.metadata

    def _still_valid(self, claims: LegacyClaims, meta: _Meta) -> None:
        labels, now = meta.labels or {}, self.clock.now()
        days = (now.strftime(DAY), (now + timedelta(days=1)).strftime(DAY))
        if labels.get(LAST_USED) not in days:  # another server's clock may be ahead
            self.used.note(claims.namespace, claims.secret, meta.uid)
        if labels.get(INVALID_SINCE):
            raise TokenError(
                f"the token in secret {claims.namespace}/{claims.secret} for service account "
                f"{claims.namespace}/{claims.account} has been marked invalid. Use tokens from the "
                "TokenRequest API or manually created secret-based tokens, or remove the "
                f"'{INVALID_SINCE}' label from the secret to temporarily allow use of this token"
            )

    def _account_there(self, claims: LegacyClaims) -> None:
        record = self.look(SERVICE_ACCOUNT.key(claims.namespace, claims.account))
        if record is None:
            raise TokenError(f'serviceaccounts "{claims.account}" not found')
        meta = msgspec.json.decode(record.value, type=_Stored).metadata
        if meta.deletionTimestamp is not None:
            raise TokenError(f"ServiceAccount {claims.namespace}/{claims.account} has been deleted")
        if meta.uid != claims.uid:
            raise TokenError(f"ServiceAccount UID ({meta.uid}) does not match claim ({claims.uid})")


def issue(keys: Keys, namespace: str, secret: str, account: str, uid: str) -> str:
    """The token of an account for a secret."""
    claims = LegacyClaims(
        namespace=namespace,
        secret=secret,
        account=account,
        uid=uid,
        sub=username(namespace, account),
    )
    return keys.sign(msgspec.json.encode(claims))


def _read(payload: bytes) -> LegacyClaims | None:
    """The claims; None where they are those of another kind of token. Raises TokenError."""
    try:
        claims = msgspec.json.decode(payload, type=LegacyClaims)
    except (msgspec.DecodeError, RecursionError):
        return None
    if claims.iss != ISSUER:
        return None
    if split_username(claims.sub) != (claims.namespace, claims.account):
        raise TokenError("sub claim is invalid")
    return claims
