"""The kinds of extension servers, for whoever must look through all kinds there are.

What is served elsewhere is known from there only: the document of each group's version is asked
for, by way of the API server. One that can't be had is told of by name: nobody may think that there
is nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from argosy.api.meta import View
from argosy.api.registration import APIService
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.informer import Informer


class Listed(View, frozen=True, kw_only=True):
    """A resource, or a subresource, in a document."""

    name: str
    kind: str = ""
    namespaced: bool = False
    verbs: tuple[str, ...] = ()


class Document(View, frozen=True, kw_only=True):
    """What a group's version has."""

    resources: tuple[Listed, ...] = ()


@dataclass(slots=True)
class Found:
    """The kinds, and why those of some versions are not among them."""

    kinds: list[Resource] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extended:
    """Asks for them."""

    client: Client
    services: Informer[APIService]

    async def inside(self) -> Found:
        """The kinds that live in namespaces, and that can be deleted."""
        found = Found()
        for api in [item for item in self.services.items() if item.spec.service is not None]:
            place = "/".join(api.place)
            try:
                found.kinds += await self._kinds(api, place)
            except (StatusError, ConnectionError, msgspec.DecodeError):
                found.failures[place] = f"stale GroupVersion discovery: {place}"
        return found

    async def _kinds(self, api: APIService, place: str) -> list[Resource]:
        body = await self.client.call("GET", f"/apis/{place}")
        document = msgspec.json.decode(body, type=Document)
        return list(_deletable(*api.place, document.resources))


def _deletable(group: str, version: str, listed: Sequence[Listed]) -> Iterator[Resource]:
    for item in listed:
        if item.namespaced and {"delete", "list"} <= set(item.verbs) and "/" not in item.name:
            yield Resource(
                group=group, version=version, kind=item.kind, plural=item.name, verbs=item.verbs
            )


def failed(failures: Mapping[str, str]) -> str:
    """The sentence about versions that could not be found out about."""
    texts = ", ".join(f"{place}: {text}" for place, text in sorted(failures.items()))
    return (
        f"Discovery failed for some groups, {len(failures)} failing: "
        f"unable to retrieve the complete list of server APIs: {texts}"
    )
