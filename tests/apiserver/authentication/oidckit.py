"""An issuer of tokens, and what is said of it; its keys are made once for all tests of a run."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from argosy.apiserver.authentication.configuration import (
    AuthenticationConfiguration,
    ClaimMappings,
    ClaimValidationRule,
    Issuer,
    JWTAuthenticator,
    PlainClaim,
    PrefixedClaim,
)
from argosy.apiserver.authentication.keysets import FetchError
from argosy.testing.clock import EPOCH

Json = dict[str, Any]
URL = "https://issuer.example/realm"
NOW = int(EPOCH.timestamp())


@cache
def rsa_key(which: str = "one") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, name: str, **more: Any) -> Json:
    kind = jwt.algorithms.ECAlgorithm if hasattr(key, "curve") else jwt.algorithms.RSAAlgorithm
    public: Json = json.loads(kind.to_jwk(key.public_key()))
    public.pop("key_ops", None)
    return {**public, "kid": name, **more}


def documents(*keys: Json, issuer: str = URL, host: str = URL) -> dict[str, Json]:
    """What the issuer tells: by URL."""
    found = {"issuer": issuer, "jwks_uri": f"{host}/keys"}
    return {f"{host}/.well-known/openid-configuration": found, f"{host}/keys": {"keys": keys}}


def rules(url: str = URL, **changed: Any) -> JWTAuthenticator:
    """Names become `oidc:NAME`, groups `oidc:GROUP`; the tenant must be ours."""
    issuer = {"url": url, "audiences": ("cluster", "other")} | changed.pop("issuer", {})
    mappings = {
        "username": PrefixedClaim(claim="sub", prefix="oidc:"),
        "groups": PrefixedClaim(claim="groups", prefix="oidc:"),
        "uid": PlainClaim(claim="uid"),
    } | changed.pop("mappings", {})
    given = {
        "claim_validation_rules": (ClaimValidationRule(claim="tenant", required_value="ours"),)
    } | changed
    policy = "MatchAny"
    return JWTAuthenticator(
        issuer=Issuer(audience_match_policy=policy, **issuer),
        claim_mappings=ClaimMappings(**mappings),
        **given,
    )


def configuration(*jwts: JWTAuthenticator) -> AuthenticationConfiguration:
    return AuthenticationConfiguration(
        api_version="apiserver.config.k8s.io/v1", kind="AuthenticationConfiguration", jwt=jwts
    )


def claims(now: int = NOW, **changed: Any) -> Json:
    """What a good token says; a value of None leaves a claim out."""
    said = {
        "iss": URL,
        "aud": "cluster",
        "sub": "jane",
        "groups": ["staff"],
        "uid": "u-1",
        "tenant": "ours",
        "jti": "j-1",
        "exp": now + 60,
        "nbf": now,
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def signed(
    said: Json | bytes, key: Any = None, name: str = "one", *, alg: str = "RS256", **head: Any
) -> str:
    """A token."""
    key = rsa_key() if key is None else key
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return jwt.PyJWS([alg]).encode(payload, key, alg, {"kid": name, **head})


def raw(head: Json, said: Json, signature: bytes = b"") -> str:
    """A token that nobody has signed."""
    parts = (json.dumps(head).encode(), json.dumps(said).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class Remote:
    """Other servers: what they answer, and what they were asked."""

    def __init__(self, answers: Mapping[str, Json | bytes]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.answers:
            raise FetchError(f"{url} answered 404")
        answer = self.answers[url]
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()
