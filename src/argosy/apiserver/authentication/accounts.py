"""Tokens of service accounts: what they say, and whether that still holds.

A token names the account, and may name the pod, the secret or the node that it is bound to. Its
signature is checked once and its claims are then remembered by the token's hash; that it has not
expired and that everything it names is still there is asked each time, so that a deleted pod's
token ends with the pod. Source: upstream's bound service account tokens (KEP-1205, KEP-4193).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from argosy.api.resources.core import NODE, POD, SECRET, SERVICE_ACCOUNT
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.tokens import ISSUER, Identity, TokenError, shared
from argosy.apiserver.request import User
from argosy.base.clock import Clock, parse_timestamp
from argosy.store.interface import Record

LEEWAY: Final = timedelta(minutes=1)
"""How far another's clock may be off."""
REMEMBERED: Final = 4096
_USER: Final = "system:serviceaccount:"
_GROUP: Final = "system:serviceaccounts"
_AUTHENTICATED: Final = "system:authenticated"
_EXTRA: Final = "authentication.kubernetes.io/"
_GONE: Final = "service account token has been invalidated"


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object that a token names."""

    name: str
    uid: str = ""


class KubernetesClaims(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a token says beside the registered claims."""

    namespace: str
    node: Reference | None = None
    pod: Reference | None = None
    secret: Reference | None = None
    serviceaccount: Reference
    warnafter: int | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. Times are seconds since 1970."""

    aud: tuple[str, ...]
    exp: int
    iat: int
    iss: str = ISSUER
    jti: str
    kubernetes: KubernetesClaims = msgspec.field(name="kubernetes.io")
    nbf: int
    sub: str


class _Meta(msgspec.Struct, frozen=True):
    uid: str = ""
    deletionTimestamp: str | None = None


class _Stored(msgspec.Struct, frozen=True):
    metadata: _Meta


@dataclass(frozen=True, slots=True)
class _Known:
    claims: Claims
    user: User


@dataclass(frozen=True, slots=True)
class ServiceAccountTokens:
    """Reads tokens that `keys` signed; `look` finds what they name."""

    keys: Keys
    look: Callable[[str], Record | None]
    clock: Clock
    _known: dict[bytes, _Known] = field(default_factory=dict)

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        """The service account whose token it is. Raises TokenError."""
        if token.count(".") != 2:
            return None
        known = self._known.get(digest)
        if known is None:
            known = self._remembered(digest, _read(self.keys.verified(token)))
        meant = shared(known.claims.aud, audiences)
        if not meant:
            named, wanted = _quoted(known.claims.aud), _quoted(audiences)
            raise TokenError(
                f"token audiences {named} is invalid for the target audiences {wanted}"
            )
        self._still_good(known.claims)
        return Identity(known.user, meant)

    def _remembered(self, digest: bytes, claims: Claims) -> _Known:
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = known = _Known(claims, account_user(claims))
        return known

    def _still_good(self, claims: Claims) -> None:
        now = self.clock.now().timestamp()
        leeway = LEEWAY.total_seconds()
        if now - leeway > claims.exp:
            raise TokenError("service account token has expired")
        if now + leeway < claims.nbf:
            raise TokenError("service account token is not valid yet")
        if now + leeway < claims.iat:
            raise TokenError("service account token is issued in the future")
        self._account_there(claims.kubernetes)
        self._bound_there(claims.kubernetes)

    def _account_there(self, named: KubernetesClaims) -> None:
        account = named.serviceaccount
        meta = self._meta(SERVICE_ACCOUNT.key(named.namespace, account.name))
        if meta is None:
            raise TokenError(f'serviceaccounts "{account.name}" not found')
        if meta.uid != account.uid:
            raise TokenError(
                f"service account UID ({meta.uid}) does not match claim ({account.uid})"
            )
        if self._deleted(meta):
            raise TokenError(f"service account {named.namespace}/{account.name} has been deleted")

    def _bound_there(self, named: KubernetesClaims) -> None:
        """The node beside a pod only tells where the pod was."""
        bound = (
            ("secret", named.secret, SECRET),
            ("pod", named.pod, POD),
            ("node", None if named.pod else named.node, NODE),
        )
        for kind, reference, resource in bound:
            if reference is None:
                continue
            meta = self._meta(resource.key(named.namespace, reference.name))
            if meta is None or self._deleted(meta):
                raise TokenError(_GONE)
            if meta.uid != reference.uid:
                raise TokenError(
                    f"{kind} UID ({meta.uid}) does not match service account {kind} ref claim "
                    f"({reference.uid})"
                )

    def _meta(self, key: str) -> _Meta | None:
        record = self.look(key)
        return None if record is None else msgspec.json.decode(record.value, type=_Stored).metadata

    def _deleted(self, meta: _Meta) -> bool:
        if not meta.deletionTimestamp:
            return False
        return parse_timestamp(meta.deletionTimestamp) < self.clock.now() - LEEWAY


def username(namespace: str, name: str) -> str:
    """What the account is called as a user."""
    return f"{_USER}{namespace}:{name}"


def account_groups(namespace: str) -> tuple[str, ...]:
    """The groups that all accounts of a namespace are in."""
    return (_GROUP, f"{_GROUP}:{namespace}")


def split_username(name: str) -> tuple[str, str] | None:
    """Namespace and name of the account that is called so; None if it is no account's."""
    namespace, _, account = name.removeprefix(_USER).partition(":")
    if not name.startswith(_USER) or not namespace or not account or ":" in account:
        return None
    return namespace, account


def account_user(claims: Claims) -> User:
    """The user that a token speaks for."""
    named = claims.kubernetes
    extra = {"credential-id": f"JTI={claims.jti}"}
    if named.node is not None:
        extra |= {"node-name": named.node.name, "node-uid": named.node.uid}
    if named.pod is not None:
        extra |= {"pod-name": named.pod.name, "pod-uid": named.pod.uid}
    return User(
        username(named.namespace, named.serviceaccount.name),
        (*account_groups(named.namespace), _AUTHENTICATED),
        named.serviceaccount.uid,
        {f"{_EXTRA}{key}": (value,) for key, value in extra.items() if value},
    )


def _read(payload: bytes) -> Claims:
    try:
        claims = msgspec.json.decode(payload, type=Claims)
    except (msgspec.DecodeError, RecursionError):
        raise TokenError("invalid bearer token") from None
    if claims.iss != ISSUER:
        raise TokenError(f'token issuer "{claims.iss}" is invalid')
    return claims


def _quoted(audiences: tuple[str, ...]) -> str:
    return f"[{' '.join(msgspec.json.encode(item).decode() for item in audiences)}]"
