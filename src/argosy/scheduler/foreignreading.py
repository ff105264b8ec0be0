"""Reads the pod groups of others, each kind from the first pod on that names a group of it.

Clusters without such pods are asked for nothing, and whether a kind is served need not be known:
where it is not, there are no groups of it, until it is.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from argosy.api.meta import Object
from argosy.api.scheduling import CompositePodGroup
from argosy.base.clock import wait
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.scheduler.foreigngroups import FAMILIES
from argosy.scheduler.gangs.kinship import COMPOSITE

PATIENCE = 10.0
"""Seconds after which pods are told that their group is not there, though nobody could look."""

Changed = Callable[[str, Any, Any], None]


class ForeignReading:
    """Tells `changed(family, old, new)` of each group, and `known(family)` once all are told."""

    def __init__(self, manager: Manager, changed: Changed, known: Callable[[str], None]) -> None:
        self._manager = manager
        self._changed = changed
        self._known = known
        self._asked: list[str] = []
        self._ready = {name for name, family in FAMILIES.items() if family.kind is None}
        self._news = asyncio.Event()

    def ready(self, family: str) -> bool:
        """Whether the groups of a family are known; from the first question on they are read."""
        if family in self._ready:
            return True
        if family not in self._asked:
            self._asked.append(family)
            self._news.set()
        return False

    async def run(self) -> None:
        """Read until cancelled."""
        begun = 0
        async with asyncio.TaskGroup() as reading:
            while True:
                await self._news.wait()
                self._news.clear()
                for family in self._asked[begun:]:
                    reading.create_task(self._follow(family))
                begun = len(self._asked)

    async def _follow(self, family: str) -> None:
        kind = CompositePodGroup if family == COMPOSITE else FAMILIES[family].kind
        assert kind is not None
        informer: Informer[Object] = Informer(self._manager.client, kind, self._manager.clock)
        async with asyncio.TaskGroup() as reading:
            reading.create_task(informer.run())
            informer.subscribe(lambda old, new: self._changed(family, old, new))
            await wait(informer.synced, self._manager.clock, PATIENCE)
            self._ready.add(family)
            self._known(family)
