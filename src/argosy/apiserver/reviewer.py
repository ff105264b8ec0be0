"""Puts a review to a webhook, and gives back the status that it fills in.

What the webhook refuses for now (429, 500, 504) is tried again while there is time: all tries
together have the seconds of one. An answer is good only if it is a review of the kind that was
sent.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp  # noqa: F401  # loaded with the configuration, not while an answer is awaited
import msgspec

from argosy.apiserver.outbound import Outbound, OutboundError, Where
from argosy.apiserver.remotes import Remote
from argosy.base.clock import Clock

Json = dict[str, Any]
TRIES: Final = 5
FIRST_PAUSE: Final = 0.5
"""Seconds."""
FACTOR: Final = 1.5
LATER: Final = frozenset({429, 500, 504})


class _Review(msgspec.Struct, rename="camel"):
    """What comes back."""

    api_version: str
    kind: str
    status: Json | None = None


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Reviews of one kind, and who answers them within `seconds`."""

    outbound: Outbound
    remote: Remote
    clock: Clock
    api_version: str
    kind: str
    seconds: float

    async def ask(self, spec: Mapping[str, Any]) -> Json:
        """The status of the answer. Raises OutboundError."""
        sent = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {},
            "spec": spec,
            "status": {},
        }
        try:
            async with asyncio.timeout(self.seconds):
                return self._status(await self._answer(msgspec.json.encode(sent)))
        except TimeoutError:
            text = f'Post "{self.remote.url}": context deadline exceeded'
            raise OutboundError(text) from None

    async def _answer(self, body: bytes) -> bytes:
        where = Where(self.remote.url, self.remote.tls, headers=self.remote.headers)
        pause = FIRST_PAUSE
        for left in reversed(range(TRIES)):
            code, answer = await self.outbound.post(where, body, seconds=self.seconds)
            if 200 <= code < 300:
                return answer
            if not left or code not in LATER:
                break
            await self.clock.sleep(pause)
            pause *= FACTOR
        raise OutboundError(f'Post "{self.remote.url}": the server answered {code}')

    def _status(self, answer: bytes) -> Json:
        try:
            review = msgspec.json.decode(answer, type=_Review)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OutboundError(f"decoding the answer to a {self.kind}: {error}") from None
        if (review.api_version, review.kind) != (self.api_version, self.kind):
            raise OutboundError(f"the answer to a {self.kind} is of another kind")
        return review.status or {}
