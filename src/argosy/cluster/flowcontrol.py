"""Keeps the default flow schemas and priority levels: at the start, and once a minute.

The mandatory ones are put back whatever became of them; the suggested ones as far as nobody edits
them. Source: kube-apiserver's `registry/flowcontrol`, its post-start hook.
"""

import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.resource import Resource
from argosy.api.resources.control import FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.apiserver.flowcontrol.defaults import defaults, revised, unwanted
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client

log = logging.getLogger(__name__)

MANAGER = "api-priority-and-fairness-config-producer-v1"
PERIOD_SECONDS = 60.0

Json = dict[str, Any]
_RESOURCES = {one.kind: one for one in (PRIORITY_LEVEL, FLOW_SCHEMA)}


@dataclass(frozen=True)
class FlowControl:
    """Keeps them, as long as it runs."""

    client: Client
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.ensure()
            except (StatusError, ConnectionError) as error:
                log.info("defaults are not looked after", extra={"error": str(error)})
            await self.clock.sleep(PERIOD_SECONDS)

    async def ensure(self) -> int:
        """Write what is not as it should be; returns how many objects. What is refused, or was
        changed meanwhile, is for the next time.
        """
        wanted = defaults()
        written = 0
        for kind, resource in _RESOURCES.items():
            objects = {item["metadata"]["name"]: item for of, item in wanted if of == kind}
            present = await self._present(resource)
            for name, item in objects.items():
                written += await self._kept(resource, present.get(name), item)
            names = frozenset(objects)
            for item in present.values():
                if unwanted(item, names):
                    written += await self._removed(resource, item)
        return written

    async def _present(self, resource: Resource) -> dict[str, Json]:
        found = msgspec.json.decode(await self.client.call("GET", resource.path()))
        return {item["metadata"]["name"]: item for item in found["items"]}

    async def _kept(self, resource: Resource, now: Json | None, wanted: Json) -> bool:
        try:
            if now is None:
                await self.client.create(resource, wanted)
            elif (new := revised(now, wanted)) is not None:
                await self.client.update(resource, new)
            else:
                return False
        except StatusError as error:
            name = wanted["metadata"]["name"]
            log.info("a default is not written", extra={"object": name, "error": str(error)})
            return False
        return True

    async def _removed(self, resource: Resource, item: Json) -> bool:
        meta = item["metadata"]
        await self.client.delete(resource, meta["name"], uid=meta["uid"])
        return True
