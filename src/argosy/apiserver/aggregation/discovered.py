"""What extension servers were found to serve: asked when somebody wants to know, and remembered.

An answer counts for a minute, a failure for some seconds. Those that are known to be away are not
asked. What was found before stays, marked as stale, as long as there is nothing newer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from argosy.api.registration import APIService
from argosy.apiserver.aggregation.documents import Json, hash_of, of_groups, of_list
from argosy.apiserver.aggregation.extension import Extensions
from argosy.apiserver.aggregation.identity import AGGREGATOR
from argosy.apiserver.discovery import AGGREGATED
from argosy.apiserver.outbound import OutboundError
from argosy.base.clock import Clock

SECONDS: Final = 5.0
LASTS: Final = 60.0
FAILURE_LASTS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one group's version. `digest` is of its OpenAPI document, if it has one."""

    about: object
    resources: Sequence[Json] = ()
    current: bool = False
    digest: str = ""
    until: float = 0.0


@dataclass(slots=True)
class Discovered:
    """Asks and remembers."""

    extensions: Extensions
    clock: Clock
    seconds: float = SECONDS
    _known: dict[str, Known] = field(default_factory=dict)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, services: Sequence[APIService]) -> list[Known]:
        """What is known of each, after at most some seconds."""
        async with self._asking:
            wanted = {api.metadata.name for api in services}
            for name in self._known.keys() - wanted:
                del self._known[name]
            found = await asyncio.gather(*(self._one(api) for api in services))
        self._known.update(zip((api.metadata.name for api in services), found, strict=True))
        return found

    async def _one(self, api: APIService) -> Known:
        about = (api.metadata.uid, api.spec, api.available)
        before = self._known.get(api.metadata.name)
        now = self.clock.monotonic()
        if before is not None and before.about == about and now < before.until:
            return before
        kept = before or Known(about)
        if not api.available:
            return Known(about, kept.resources, False, "", now + LASTS)
        try:
            async with asyncio.timeout(self.seconds):
                resources = await self._resources(api)
                digest = await self._digest(api)
        except (OutboundError, OSError, ValueError, RecursionError):
            return Known(about, kept.resources, False, kept.digest, now + FAILURE_LASTS)
        return Known(about, resources, True, digest, now + LASTS)

    async def _resources(self, api: APIService) -> list[Json]:
        """Everything at once, from servers that have it so. Raises as `asked` does."""
        status, kind, body = await self._asked(api, "/apis", AGGREGATED)
        if status == 200 and "as=APIGroupDiscoveryList" in kind:
            return of_groups(body, api.place) or []
        group, version = api.place
        status, _, body = await self._asked(api, f"/apis/{group}/{version}")
        if status != 200:
            raise ValueError(f"the server answers {status}")
        return of_list(body, api.place)

    async def _digest(self, api: APIService) -> str:
        status, _, body = await self._asked(api, "/openapi/v3")
        return hash_of(body, api.place) if status == 200 else ""

    async def _asked(self, api: APIService, path: str, accept: str = "") -> tuple[int, str, bytes]:
        return await self.extensions.asked(
            api, path, AGGREGATOR, seconds=self.seconds, accept=accept
        )
