"""Tokens (JWT) of other issuers, as an `AuthenticationConfiguration` names them.

A token is asked which issuer it claims to be of; the rest of what it says counts only once that
issuer's key has verified it, with an algorithm that is for keys of its kind. Source: Kubernetes'
"Authenticating", the section on OpenID Connect; RFC 8725 for what must not be believed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from argosy.apiserver.authentication.configuration import JWTAuthenticator, PrefixedClaim
from argosy.apiserver.authentication.keysets import CURVES, OF_RSA, Fetch, KeySet, https
from argosy.apiserver.authentication.tokens import (
    AUDIENCES,
    Identity,
    TokenError,
    authenticated,
    shared,
)
from argosy.apiserver.authentication.unverified import claimed_issuer, part
from argosy.apiserver.request import User
from argosy.base.clock import Clock

if TYPE_CHECKING:
    from argosy.apiserver.authentication.expressions import Expressions

ALGORITHMS: Final = frozenset((*OF_RSA, *CURVES.values()))
EARLY: Final = timedelta(minutes=5)
"""How far an issuer's clock may be ahead."""
REMEMBERED: Final = 4096
REMEMBERED_FOR: Final = 10.0
"""Seconds for which a token that was good counts as good without another look at its signature."""
CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    user: User
    until: float


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """Reads the tokens of one issuer, as all that it is given claim to be."""

    rules: JWTAuthenticator
    keys: KeySet
    clock: Clock
    expressions: "Expressions | None" = None
    _known: dict[bytes, _Known] = field(default_factory=dict)

    async def identify(
        self, token: str, digest: bytes, audiences: tuple[str, ...]
    ) -> Identity | None:
        """Whose token it is. Raises TokenError."""
        meant = shared(AUDIENCES, audiences)
        if not meant:
            return None
        now = self.clock.now().timestamp()
        known = self._known.get(digest)
        if known is None or now >= known.until:
            claims = _verified(token, await self._candidates(token))
            ends = self._checked(claims, now)
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            user = mapped(self.rules, claims, self.expressions)
            known = self._known[digest] = _Known(user, min(ends, now + REMEMBERED_FOR))
        return Identity(known.user, meant)

    async def _candidates(self, token: str) -> list[tuple[Any, str]]:
        """The keys that may have signed it, with the algorithm that it names."""
        head = part(token, 0)
        algorithm, key = head.get("alg"), head.get("kid", "")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in head:
            raise TokenError("oidc: verify token: unexpected signature algorithm")
        if not isinstance(key, str):
            raise TokenError("oidc: malformed jwt")
        found = await self.keys.candidates(key, algorithm)
        return [(one.key, algorithm) for one in found]

    def _checked(self, claims: Claims, now: float) -> float:
        """When it ends, if it is good now and for this server. Raises TokenError."""
        issuer = self.rules.issuer
        if claims.get("iss") != issuer.url:
            raise TokenError("oidc: verify token: id token issued by a different provider")
        named = claims.get("aud")
        meant = named if isinstance(named, list) else [named]
        if not any(audience in issuer.audiences for audience in meant if isinstance(audience, str)):
            raise TokenError("oidc: verify token: expected audience not found in aud claim")
        ends, begins = _moment(claims, "exp"), _moment(claims, "nbf")
        if ends is None or ends <= now:
            raise TokenError("oidc: verify token: token is expired")
        if begins is not None and begins > now + EARLY.total_seconds():
            raise TokenError("oidc: verify token: current time before the nbf (not before) time")
        return ends


@dataclass(slots=True)
class Issuers:
    """Reads the tokens of all issuers, each of whom is found by its URL."""

    readers: Mapping[str, IssuedTokens] = field(default_factory=dict)

    async def identify(
        self, token: str, digest: bytes, audiences: tuple[str, ...]
    ) -> Identity | None:
        """Whose token it is; None for one of nobody's here. Raises TokenError."""
        reader = self.readers.get(claimed_issuer(token))
        return None if reader is None else await reader.identify(token, digest, audiences)


def issued_tokens(
    rules: JWTAuthenticator, clock: Clock, fetch: Callable[[str], Fetch] = https
) -> IssuedTokens:
    """The reader of one issuer's tokens. `fetch` is given the authority (PEM) to trust."""
    issuer = rules.issuer
    keys = KeySet(issuer, fetch(issuer.certificate_authority), clock)
    return IssuedTokens(rules, keys, clock, expressions_of(rules))


def expressions_of(rules: JWTAuthenticator) -> "Expressions | None":
    """What there is to evaluate, if anything."""
    mappings = rules.claim_mappings
    named = [mappings.username.expression, mappings.groups.expression, mappings.uid.expression]
    named += [rule.expression for rule in rules.claim_validation_rules]
    if not (mappings.extra or rules.user_validation_rules or any(named)):
        return None
    from argosy.apiserver.authentication.expressions import compiled  # few configurations have any

    return compiled(rules)


def mapped(
    rules: JWTAuthenticator, claims: Claims, expressions: "Expressions | None" = None
) -> User:
    """The user that verified claims speak of. Raises TokenError."""
    mappings = rules.claim_mappings
    name = None if expressions is None else expressions.name_of(claims)
    if name is None:
        name = _username(mappings.username, claims)
    if not name:
        raise TokenError("oidc: empty username is not allowed")
    groups = None if expressions is None else expressions.groups_of(claims)
    if groups is None:
        groups = _groups(mappings.groups, claims)
    uid = None if expressions is None else expressions.uid_of(claims)
    if uid is None:
        uid = _text(claims, mappings.uid.claim, "uid claim") if mappings.uid.claim else ""
    extra = _extra(claims)
    if expressions is not None:
        extra |= expressions.extra_of(claims)
    user = User(name, groups, uid, extra)
    _judge(rules, claims)
    if expressions is not None:
        expressions.judge_claims(claims)
        expressions.judge_user(user)
    return authenticated(user)


def _extra(claims: Claims) -> dict[str, tuple[str, ...]]:
    jti = claims.get("jti")
    return {CREDENTIAL: (f"JTI={jti}",)} if isinstance(jti, str) and jti else {}


def _judge(rules: JWTAuthenticator, claims: Claims) -> None:
    """Raises TokenError where a claim is not what it must be."""
    for rule in rules.claim_validation_rules:
        if not rule.claim:
            continue
        if rule.claim not in claims:
            raise TokenError(f"oidc: required claim {rule.claim} not present in ID token")
        if _text(claims, rule.claim, "claim") != rule.required_value:
            raise TokenError(f"oidc: required claim {rule.claim} value does not match")


def _username(mapping: PrefixedClaim, claims: Claims) -> str:
    name = _text(claims, mapping.claim, "username claims")
    if mapping.claim == "email" and claims.get("email_verified", True) is not True:
        raise TokenError("oidc: email not verified")
    return f"{mapping.prefix or ''}{name}"


def _groups(mapping: PrefixedClaim, claims: Claims) -> tuple[str, ...]:
    said = claims.get(mapping.claim) if mapping.claim else None
    groups = [] if said is None else [said] if isinstance(said, str) else said
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise TokenError(f"oidc: parse groups claim {_quoted(mapping.claim)}: not a list of texts")
    return tuple(f"{mapping.prefix or ''}{group}" for group in groups)


def _text(claims: Claims, name: str, called: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        why = "is no text" if name in claims else "claim not present"
        raise TokenError(f"oidc: parse {called} {_quoted(name)}: {why}")
    return value


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _moment(claims: Claims, name: str) -> float | None:
    """Seconds since 1970. Raises TokenError for what is no number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"oidc: verify token: {name} is no number")
    return value


def _verified(token: str, candidates: list[tuple[Any, str]]) -> dict[str, Any]:
    """The claims, if one of the keys has signed them. Raises TokenError."""
    import jwt

    for key, algorithm in candidates:
        try:
            payload = jwt.PyJWS([algorithm]).decode(token, key, [algorithm])
            return msgspec.json.decode(payload, type=dict[str, Any])
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            continue
    raise TokenError("oidc: verify token: failed to verify signature: failed to verify id token")
