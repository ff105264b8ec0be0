"""Asks plugins how they are, and has the store sealed anew when one of them has changed its key."""

import asyncio
import logging

from argosy.base.clock import Clock
from argosy.store.interface import StoreUnavailableError
from argosy.store.sealing import Remote, Sealing
from argosy.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

WELL_SECONDS = 20.0
ILL_SECONDS = 3.0
"""Between two questions: as often as kube-apiserver's health check asks, while somebody asks it."""


class Keeper:
    """Looks after the keys of a store while it is open; `turn` is held while values are sealed."""

    def __init__(
        self, store: SqliteStore, sealing: Sealing, clock: Clock, turn: asyncio.Lock | None = None
    ) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._turn = turn or asyncio.Lock()

    async def run(self) -> None:
        """Do so until cancelled. What goes wrong is logged, and tried again."""
        async with asyncio.TaskGroup() as group:
            for remote in self._sealing.remotes:
                group.create_task(self._keep(remote))

    async def _keep(self, remote: Remote) -> None:
        if remote.failure:  # one that only opens was not asked yet
            await self._ask(remote)
        sealed = remote.key_id  # by this one all is sealed since the store was opened
        while True:
            late = bool(remote.failure) or remote.key_id != sealed
            await self._clock.sleep(ILL_SECONDS if late else WELL_SECONDS)
            await self._ask(remote)
            if remote.key_id != sealed:
                sealed = await self._resealed(remote, sealed)

    async def _ask(self, remote: Remote) -> None:
        before = remote.failure
        await asyncio.to_thread(remote.check)
        if remote.failure and remote.failure != before:
            extra = {"plugin": remote.name, "error": remote.failure}
            log.error("a key management plugin failed its health check", extra=extra)
        elif before and not remote.failure:
            log.info("a key management plugin is healthy again", extra={"plugin": remote.name})

    async def _resealed(self, remote: Remote, before: str) -> str:
        """The key by which all is sealed now."""
        wanted = remote.key_id
        try:
            async with self._turn:
                await self._store.reseal()
        except StoreUnavailableError as error:
            extra = {"plugin": remote.name, "error": str(error)}
            log.error("values could not be sealed by a new key yet", extra=extra)
            return before
        log.info("all values are sealed by a new key", extra={"plugin": remote.name})
        return wanted
