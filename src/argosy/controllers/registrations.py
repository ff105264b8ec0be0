"""Writes an APIService for each group's version that the server serves itself.

They are objects like any others: listed, watched, and counted on by tools that wait for a group.
Those of built-in groups are there always, those of kinds that users define for as long as there is
such a kind. One that somebody else has written, without the label, is left alone: it leads to an
extension server then.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.registration import DEFINED, MANAGED, APIService, Place, local_priorities
from argosy.api.resources.extensions import API_SERVICE
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

log = logging.getLogger(__name__)

NAME = "controllers/registrations"
PAUSE = 1.0
"""Seconds to wait after a write that was refused."""
ON_START, ALWAYS = "onstart", "true"
Json = dict[str, Any]


@dataclass
class Registrations:
    """Keeps the APIServices of `built_in`, and of what is defined."""

    client: Client
    clock: Clock
    built_in: tuple[Place, ...]
    definitions: Informer[CustomResourceDefinition]
    services: Informer[APIService]
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Keep them until cancelled."""
        await self.definitions.synced.wait()
        await self.services.synced.wait()
        self.definitions.subscribe(lambda old, new: self._news.set())
        self.services.subscribe(lambda old, new: self._news.set())
        self._news.set()
        while True:
            await self._news.wait()
            self._news.clear()
            if not await self._written():
                await self.clock.sleep(PAUSE)
                self._news.set()

    async def _written(self) -> bool:
        """Write what differs; whether all of it was taken."""
        found = {api.metadata.name: api for api in self.services.items()}
        changes = list(differing(wanted(self.built_in, self.definitions.items()), found))
        taken, newest = True, "0"
        for now, body in changes:
            try:
                newest = await self._write(now, body) or newest
            except (StatusError, ConnectionError) as error:
                log.info("an APIService is not written", extra={"error": str(error)})
                taken = False
        await self.services.reached(newest)
        return taken

    async def _write(self, now: APIService | None, body: Json | None) -> str:
        """Write one; its new revision, if it has any."""
        if now is None and body is not None:
            return _revision(await self.client.create(API_SERVICE, body))
        if now is not None and body is None:
            await self.client.delete(API_SERVICE, now.metadata.name, uid=now.metadata.uid)
        elif now is not None and body is not None:
            meta = now.metadata
            precondition = {"uid": meta.uid, "resourceVersion": meta.resource_version}
            spec = {"caBundle": None, "insecureSkipTLSVerify": None, "service": None}
            patch = {"metadata": precondition, "spec": {**spec, **body["spec"]}}
            return _revision(await self.client.merge(API_SERVICE, meta.name, "", patch))
        return ""


def _revision(written: Json) -> str:
    return str(written["metadata"]["resourceVersion"])


def wanted(
    built_in: Iterable[Place], definitions: Iterable[CustomResourceDefinition]
) -> dict[str, Json]:
    """The objects that there shall be, by name."""
    found: dict[str, Json] = {}
    for definition in definitions:
        for item in definition.spec.versions if definition.established else ():
            if item.served:
                place = (definition.spec.group, item.name)
                found[f"{place[1]}.{place[0]}"] = _body(place, DEFINED, ALWAYS)
    for group, version in built_in:
        if group != API_SERVICE.group:  # as upstream: it would tell of itself
            priorities = local_priorities(group, version)
            found[f"{version}.{group}"] = _body((group, version), priorities, ON_START)
    return found


def _body(place: Place, priorities: tuple[int, int], managed: str) -> Json:
    group, version = place
    spec: Json = {
        "version": version,
        "groupPriorityMinimum": priorities[0],
        "versionPriority": priorities[1],
    }
    if group:
        spec["group"] = group
    return {
        "apiVersion": API_SERVICE.api_version,
        "kind": API_SERVICE.kind,
        "metadata": {"name": f"{version}.{group}", "labels": {MANAGED: managed}},
        "spec": spec,
    }


def differing(
    shall: Mapping[str, Json], there: Mapping[str, APIService]
) -> Iterator[tuple[APIService | None, Json | None]]:
    """What is there, if anything, and what shall be there instead."""
    for name, body in shall.items():
        now = there.get(name)
        if now is None or (_managed(now) and not _same(now, body["spec"])):
            yield now, body
    for name, now in there.items():
        if name not in shall and _managed(now):
            yield now, None


def _managed(api: APIService) -> bool:
    ours = api.metadata.labels.get(MANAGED) in (ON_START, ALWAYS)
    return ours and api.metadata.deletion_timestamp is None


def _same(api: APIService, spec: Json) -> bool:
    found = api.spec
    priorities = (found.group_priority_minimum, found.version_priority)
    wanted = (spec["groupPriorityMinimum"], spec["versionPriority"])
    return found.service is None and priorities == wanted


def registrations(manager: Manager, built_in: Iterable[Place]) -> Registrations:
    """What keeps them, on the manager's caches; `built_in` are served whatever is defined."""
    return Registrations(
        client=manager.client_as(NAME),
        clock=manager.clock,
        built_in=tuple(dict.fromkeys(built_in)),
        definitions=manager.informer(CustomResourceDefinition),
        services=manager.informer(APIService),
    )
