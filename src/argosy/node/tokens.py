"""The tokens of pods: bound to the pod, asked for anew in time.

One is used for four fifths of its life and no longer than a day, and some seconds less, so that not
all are asked for at once. As long as a new one can't be had the old one is used to its end. Source:
the kubelet's token manager.
"""

import logging
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from argosy.api.core import Pod
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.api.volumes import TokenProjection
from argosy.base.clock import Clock, parse_timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client

LONGEST: Final = timedelta(hours=24)
SPREAD: Final = 10  # seconds
_API: Final = "authentication.k8s.io/v1"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    expires: datetime


class _Status(msgspec.Struct, frozen=True):
    token: str
    expirationTimestamp: str


class _Answer(msgspec.Struct, frozen=True):
    status: _Status


class PodTokens:
    """Those in use, by the uid of their pod and what was wished for."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, dict[TokenProjection, _Token]] = {}

    async def token(self, pod: Pod, wish: TokenProjection) -> str:
        """A token that is good for a while. Raises ValueError and ConnectionError."""
        own = self._known.setdefault(pod.metadata.uid, {})
        known = own.get(wish)
        if known is not None and not self._is_old(pod, wish, known):
            return known.text
        try:
            own[wish] = fresh = await self._ask(pod, wish)
        except (StatusError, ConnectionError) as error:
            if known is None or self._clock.now() >= known.expires:
                raise ValueError(f"failed to fetch token: {error}") from error
            log.info("keeping a token", extra={"pod": pod.key, "error": str(error)})
            return known.text
        return fresh.text

    def forget(self, uid: str) -> None:
        """The pod is gone, and with it what its tokens are good for."""
        self._known.pop(uid, None)

    def _is_old(self, pod: Pod, wish: TokenProjection, token: _Token) -> bool:
        life = timedelta(seconds=wish.expiration_seconds)
        early = timedelta(seconds=zlib.crc32(pod.metadata.uid.encode()) % SPREAD)
        used = min(life * 4 / 5, LONGEST)
        return self._clock.now() > token.expires - life + used - early

    async def _ask(self, pod: Pod, wish: TokenProjection) -> _Token:
        meta = pod.metadata
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid}
        spec: dict[str, Any] = {
            "expirationSeconds": wish.expiration_seconds,
            "boundObjectRef": bound,
        }
        if wish.audience:
            spec["audiences"] = [wish.audience]
        path = SERVICE_ACCOUNT.path(pod.spec.service_account_name, meta.namespace, "token")
        body = {"apiVersion": _API, "kind": "TokenRequest", "spec": spec}
        answer = await self._client.call("POST", path, {}, body)
        status = msgspec.json.decode(answer, type=_Answer).status
        return _Token(status.token, parse_timestamp(status.expirationTimestamp))
