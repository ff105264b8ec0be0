"""Aggregation: what other servers serve, in one API with what this one does.

What this server serves itself is found without a look at any APIService. Nothing here is read for
a request before there is an extension server: see the imports.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec

from argosy.api.meta import Condition
from argosy.api.openapi import index
from argosy.api.registration import APIService, Place
from argosy.apiserver.aggregation.registry import Registry
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.discovery import AGGREGATED, Discovery, wants_aggregated
from argosy.apiserver.etag import answer_tagged, tag_of
from argosy.apiserver.openapi import ROOT as OPENAPI
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.http.message import Request, Response
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.apiserver.aggregation.discovered import Discovered
    from argosy.apiserver.aggregation.extension import Extensions
    from argosy.apiserver.aggregation.identity import ProxyCertificate

Json = dict[str, Any]
GROUPS: Final = "/apis/"
ELSEWHERE: Final = (GROUPS, f"{OPENAPI}{GROUPS}")
"""Below these paths there may be what others serve."""


class Aggregation:
    """Finds the extension server for a path, and tells of all of them.

    `front` certifies this server to them; it may be set later, before the first request. `own` are
    the places that lead nowhere else.
    """

    def __init__(self, catalog: Catalog, store: Store, clock: Clock) -> None:
        self.own = frozenset(places(catalog))
        self._store = store
        self._clock = clock
        self.registry = Registry(store, self.own)
        self.front: ProxyCertificate | None = None

    @cached_property
    def extensions(self) -> "Extensions":
        """How they are reached."""
        from argosy.apiserver.aggregation.extension import Extensions

        return Extensions(self._store, self.front)

    @cached_property
    def _discovered(self) -> "Discovered":
        from argosy.apiserver.aggregation.discovered import Discovered

        return Discovered(self.extensions, self._clock)

    def route(self, path: str) -> APIService | None:
        """Whose a path is, if it is an extension server's. Asked of every request."""
        if not path.startswith(ELSEWHERE):
            return None
        parts = path.partition(GROUPS)[2].split("/", 2)
        if len(parts) < 2:
            return None
        place = (parts[0], parts[1])
        if place in self.own:
            return None
        if "%" in path:
            place = (unquote(parts[0]), unquote(parts[1]))
        return self.registry.find(place)

    async def answer(self, request: Request, user: User, api: APIService) -> Response:
        """The answer of the extension server. Raises StatusError 400, 504."""
        from argosy.apiserver.aggregation.proxy import proxied

        return await proxied(self.extensions, api, request, user)

    async def availability(self, api: APIService) -> Condition:
        """Whether an extension server is there, looked at now."""
        from argosy.apiserver.aggregation.availability import availability

        return await availability(self.extensions, api)

    async def told(
        self, request: Request, path: str, discovery: Discovery, openapi: OpenAPI
    ) -> Response | None:
        """A document about all that is served; None where no extension server has a part in it."""
        if not self.registry.present:
            return None
        if path == "/apis" and wants_aggregated(request):
            return await self._everything(request, discovery)
        if path == "/apis":
            return _answer(request, self._groups(discovery))
        if path == OPENAPI:
            return await self._index(request, openapi)
        return self._group(request, path, discovery)

    def paths(self) -> Iterable[str]:
        """The paths of the groups and versions of extension servers."""
        for api in self.registry.all if self.registry.present else ():
            yield f"{GROUPS}{api.spec.group}"
            yield f"{GROUPS}{api.spec.group}/{api.spec.version}"

    def _groups(self, discovery: Discovery) -> Json:
        from argosy.apiserver.aggregation.merge import with_groups

        told = _decoded(discovery.documents["/apis"][0])
        return {**told, "groups": with_groups(told["groups"], self.registry.all)}

    def _group(self, request: Request, path: str, discovery: Discovery) -> Response | None:
        name = path.removeprefix(GROUPS)
        if name == path or all(api.spec.group != name for api in self.registry.all):
            return None
        found = next(item for item in self._groups(discovery)["groups"] if item["name"] == name)
        return _answer(request, {"kind": "APIGroup", "apiVersion": "v1", **found})

    async def _everything(self, request: Request, discovery: Discovery) -> Response:
        from argosy.apiserver.aggregation.merge import with_resources

        services = self.registry.all
        known = await self._discovered.of(services)
        told = _decoded(discovery.aggregated["/apis"][0])
        told["items"] = with_resources(told["items"], list(zip(services, known, strict=True)))
        return _answer(request, told, {"content-type": AGGREGATED})

    async def _index(self, request: Request, openapi: OpenAPI) -> Response:
        hashes = dict(openapi.hashes())
        services = self.registry.all
        known = await self._discovered.of(services)
        for api, one in zip(services, known, strict=True):
            if one.digest:
                hashes[f"apis/{api.spec.group}/{api.spec.version}"] = one.digest
        return _answer(request, index(hashes))


def places(catalog: Catalog) -> Iterable[Place]:
    """All that this server serves itself, whatever users define."""
    return ((item.resource.group, item.resource.version) for item in catalog.built_in)


def _decoded(body: bytes) -> Json:
    told: Json = msgspec.json.decode(body)
    return told


def _answer(request: Request, told: Any, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(told)
    return answer_tagged(request, body, tag_of(body), headers)
