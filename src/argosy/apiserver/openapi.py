"""OpenAPI v3 as kubectl asks for it: an index, and one document per group version.

A document is written when it is first asked for. The index names each by a hash, so that clients
may keep it for ever. The hash is taken of what the document is made from, which is known without
making it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

import argosy
from argosy.api import openapi, openapi_parameters, openapi_paths, render
from argosy.api.builtin import Builtins, fingerprint
from argosy.api.openapi import Described, document, index
from argosy.api.openapi_paths import Below
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.etag import answer_tagged, has, tag_of
from argosy.apiserver.kept import Kept
from argosy.apiserver.negotiate import patches
from argosy.apiserver.subresources import Subresource, known_as, names_of
from argosy.http.message import Request, Response

ROOT = "/openapi/v3"
YEAR = 365 * 24 * 3600
MAKERS = (openapi, openapi_parameters, openapi_paths, render)
"""The modules that make a document: who works on them must not be answered from a cache."""


@dataclass
class OpenAPI:
    """Answers by path."""

    catalog: Catalog
    definitions: Builtins
    subresources: Mapping[str, Subresource]
    _kept: Kept = field(default_factory=Kept, init=False)
    _hashes: dict[str, str] = field(default_factory=dict, init=False)
    _edition: int = field(default=-1, init=False)
    _common: bytes = field(default=b"", init=False)

    async def find(self, request: Request, path: str) -> Response | None:
        """The answer for `path`; None where it is no path of OpenAPI's."""
        if path == ROOT:
            body = msgspec.json.encode(index(self.hashes()))
            return answer_tagged(request, body, tag_of(body))
        name = path.removeprefix(f"{ROOT}/")
        if name == path or name not in self.hashes():
            return None
        return await self._answer(request, name, self.hashes()[name])

    async def _answer(self, request: Request, name: str, digest: str) -> Response:
        asked = request.parameters().get("hash", "")
        if asked and asked != digest:
            return Response(301, {"location": f"{ROOT}/{name}?hash={digest}"})
        lasting = {"cache-control": f"public, max-age={YEAR}, immutable"} if asked else {}
        if has(request, digest):
            return answer_tagged(request, b"", digest, lasting)
        # What it is made from is read here: schemas are built by the loop alone.
        described = list(self.described(self._served()[name]))
        body = await self._kept.get(name, partial(_encoded, described, self.definitions), digest)
        return answer_tagged(request, body, digest, lasting)

    def described(self, served: list[Served]) -> Iterator[Described]:
        """What documents tell of these resources."""
        for item in served:
            node = item.node
            yield Described(
                item.resource,
                item.schema if item.own and node is None else None,
                patches(own=item.own),
                tuple(_below(item, self.subresources)),
                node,
            )

    def hashes(self) -> dict[str, str]:
        """The hash of each document, by its name."""
        if self._edition != self.catalog.edition:
            self._edition = self.catalog.edition
            common = self._shared()
            self._hashes = {
                name: self._hash(served, common) for name, served in self._served().items()
            }
        return self._hashes

    def _shared(self) -> bytes:
        """What all documents are made of."""
        if not self._common:
            common = hashlib.sha256(f"{argosy.__version__} {self.definitions.minor}".encode())
            common.update(fingerprint(self.definitions.minor))
            for module in MAKERS:
                common.update(Path(str(module.__file__)).read_bytes())
            self._common = common.digest()
        return self._common

    def _served(self) -> dict[str, list[Served]]:
        return {
            found[0].resource.root.removeprefix("/"): found
            for name, versions in self.catalog.groups().items()
            for version in versions
            if (found := self.catalog.of(name, version))
        }

    def _hash(self, served: list[Served], common: bytes) -> str:
        """What a document's own part is made of, and what all of them share."""
        made_of = hashlib.sha256(common)
        for item in served:
            below = tuple(_below(item, self.subresources))
            made_of.update(repr((item.resource, patches(own=item.own), below)).encode())
            made_of.update(item.source)
        return made_of.hexdigest().upper()


def _encoded(described: list[Described], definitions: Builtins) -> bytes:
    return msgspec.json.encode(document(described, definitions))


def _below(served: Served, known: Mapping[str, Subresource]) -> Iterator[Below]:
    """The subresources that work."""
    for name in names_of(served.resource):
        if (one := known_as(known, served.resource, name)) is not None:
            yield Below(name, tuple(one.methods), one.kind, one.group, one.version, one.below)
