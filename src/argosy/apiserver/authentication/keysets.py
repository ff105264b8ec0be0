"""The public keys of somebody who issues tokens: found by discovery, kept, and asked for again.

They are fetched when a token first names the issuer, and again when one names a key that is not
known, but never twice within `PAUSE`: a flood of made-up keys costs the issuer one request, and
nobody more than `PATIENCE` of waiting. Those who wait, wait for one and the same fetch.
Source: OpenID Connect Discovery 1.0; RFC 7517.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from argosy.apiserver.authentication.configuration import Issuer
from argosy.apiserver.authentication.tokens import TokenError
from argosy.base.clock import Clock

PAUSE: Final = 10.0
PATIENCE: Final = 5.0
"""Seconds of real time that one fetch, and whoever waits for it, may take."""
LARGEST: Final = 1 << 20
MOST_KEYS: Final = 256
SMALLEST: Final = 2048
"""Bits of an RSA key that is taken."""
CURVES: Final[Mapping[str, str]] = {
    "secp256r1": "ES256",
    "secp384r1": "ES384",
    "secp521r1": "ES512",
}
OF_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

log = logging.getLogger(__name__)


class FetchError(Exception):
    """A document that did not come, or is not what it should be."""


class Fetch(Protocol):
    """Gets a document from another server."""

    async def __call__(self, url: str) -> bytes:
        """The whole document. Raises FetchError."""
        ...


class VerifyingKey(msgspec.Struct, frozen=True):
    """One key, and the algorithms that it is for: a key of one kind is never used as another."""

    id: str
    key: PublicKey
    algorithms: tuple[str, ...]


class KeySet:
    """The keys of `issuer`."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerifyingKey, ...] = ()
        self._where = ""
        self._began: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def candidates(self, key: str, algorithm: str) -> list[VerifyingKey]:
        """The keys that a token may be signed with that names `key`, or none.

        Raises TokenError where there are none, also after another look.
        """
        found = self._matching(key, algorithm)
        if not found and self._begin():
            assert self._fetching is not None
            # The fetch goes on when whoever waits for it leaves.
            await asyncio.shield(self._fetching)
            found = self._matching(key, algorithm)
        if not found:
            known = "" if self._keys else ", no keys found"
            raise TokenError(f"oidc: verify token: failed to verify signature{known}")
        return found

    async def located(self) -> bool:
        """Whether the issuer tells where its keys are; it is asked, where it was not yet."""
        if not self._where and self._begin():
            assert self._fetching is not None
            await asyncio.shield(self._fetching)
        return bool(self._where)

    def _matching(self, key: str, algorithm: str) -> list[VerifyingKey]:
        return [
            one for one in self._keys if (not key or one.id == key) and algorithm in one.algorithms
        ]

    def _begin(self) -> bool:
        """Whether a fetch is under way, begun now or before."""
        if self._fetching is not None and not self._fetching.done():
            return True
        now = self._clock.monotonic()
        if self._began is not None and now - self._began < PAUSE:
            return False
        self._began = now
        self._fetching = asyncio.create_task(self._refresh())
        return True

    async def _refresh(self) -> None:
        """Look again; what was known stays where that fails."""
        try:
            async with asyncio.timeout(PATIENCE):
                if not self._where:
                    self._where = _keys_at(
                        await self._fetch(self._issuer.configuration), self._issuer
                    )
                self._keys = read_keys(await self._fetch(self._where))
        except (FetchError, TimeoutError) as error:
            self._where = ""  # it may have moved
            reason = str(error) or "no answer in time"
            log.warning("no keys", extra={"issuer": self._issuer.url, "error": reason})


def _keys_at(document: bytes, issuer: Issuer) -> str:
    """Where the keys are. Raises FetchError for a document of somebody else."""
    try:
        said = msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise FetchError("the configuration is no JSON object") from None
    if said.get("issuer") != issuer.url:
        raise FetchError("the configuration is that of another issuer")
    where = said.get("jwks_uri")
    if not isinstance(where, str) or not _secure(where):
        raise FetchError("the configuration names no place of keys that HTTPS leads to")
    return where


def _secure(url: str) -> bool:
    try:
        return urlsplit(url).scheme == "https"
    except ValueError:
        return False


def read_keys(document: bytes) -> tuple[VerifyingKey, ...]:
    """The keys in a set that verify something here. Raises FetchError."""
    try:
        found = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, RecursionError):
        raise FetchError("the keys are no JSON object") from None
    if not isinstance(found, list):
        raise FetchError("there is no list of keys")
    read = (_key(one) for one in found[:MOST_KEYS] if isinstance(one, dict))
    return tuple(key for key in read if key is not None)


def _key(said: dict[str, Any]) -> VerifyingKey | None:
    """A key that is good for verifying tokens; None for all others, symmetric ones first."""
    import jwt

    if said.get("kty") not in ("RSA", "EC") or said.get("use", "sig") != "sig" or "d" in said:
        return None
    try:
        key = jwt.PyJWK(said).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    algorithms: tuple[str, ...] = ()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST:
        algorithms = OF_RSA
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        algorithms = (CURVES[key.curve.name],)
    else:
        return None
    if (only := said.get("alg")) is not None:
        algorithms = tuple(name for name in algorithms if name == only)
    name = said.get("kid")
    return VerifyingKey(name if isinstance(name, str) else "", key, algorithms)


def https(authority: str) -> Fetch:
    """Fetches over HTTPS from servers that `authority` (PEM), or the system's own, vouch for."""

    async def fetch(url: str) -> bytes:
        import aiohttp  # here, because most servers start without

        trust = ssl.create_default_context(cadata=authority or None)
        # Redirections are not followed: keys come from where the issuer says, or not at all.
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(url, ssl=trust, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise FetchError(f"{url} answered {answer.status}")
                return await _bounded(answer.content, url)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"{url}: {getattr(error, 'os_error', error)}") from None

    return fetch


class _Stream(Protocol):
    async def read(self, n: int = -1) -> bytes: ...


async def _bounded(stream: _Stream, url: str) -> bytes:
    data = b""
    while piece := await stream.read(65536):
        data += piece
        if len(data) > LARGEST:
            raise FetchError(f"{url} answered with more than {LARGEST} bytes")
    return data
