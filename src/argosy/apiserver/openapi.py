"""OpenAPI v3: an index, and one document for each group version, built when it is asked for.

The index names each document by a hash, so that clients may keep it for ever. The hash is taken of
what the document is made from, which is known without making it.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

import argosy
from argosy.api import openapi, openapi_paths, render
from argosy.api.builtin import Builtins, fingerprint
from argosy.api.openapi import document, index
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.etag import answer_tagged, tag_of
from argosy.apiserver.negotiate import patches
from argosy.http.message import Request, Response

ROOT = "/openapi/v3"
YEAR = 365 * 24 * 3600
MAKERS = (openapi, openapi_paths, render)
"""The modules that make a document: who works on them must not be answered from a cache."""


@dataclass(frozen=True)
class OpenAPI:
    """Answers by path. Documents are kept once they are built."""

    catalog: Catalog
    definitions: Builtins
    _documents: dict[str, bytes] = field(default_factory=dict, init=False)
    _hashes: dict[str, str] = field(default_factory=dict, init=False)

    def find(self, request: Request, path: str) -> Response | None:
        """The answer for `path`; None where it is no path of OpenAPI's."""
        if path == ROOT:
            body = msgspec.json.encode(index(self.hashes()))
            return answer_tagged(request, body, tag_of(body))
        name = path.removeprefix(f"{ROOT}/")
        if name == path or name not in self.hashes():
            return None
        return self._answer(request, name, self.hashes()[name])

    def _answer(self, request: Request, name: str, digest: str) -> Response:
        asked = request.parameters().get("hash", "")
        if asked and asked != digest:
            return Response(301, {"location": f"{ROOT}/{name}?hash={digest}"})
        lasting = {"cache-control": f"public, max-age={YEAR}, immutable"} if asked else {}
        return answer_tagged(request, self.document(name), digest, lasting)

    def document(self, name: str) -> bytes:
        """The document of `api/v1` or `apis/group/version`. Raises KeyError."""
        if name not in self._documents:
            served = self._served()[name]
            own = {item.resource.kind: item.schema for item in served if item.own}
            taken = patches(own=bool(own))  # a group's kinds are all own or all built-in
            resources = [item.resource for item in served]
            body = document(resources, self.definitions, own, patches=taken)
            self._documents[name] = msgspec.json.encode(body)
        return self._documents[name]

    def hashes(self) -> dict[str, str]:
        """The hash of each document, by its name."""
        if not self._hashes:
            common = hashlib.sha256(f"{argosy.__version__} {self.definitions.minor}".encode())
            common.update(fingerprint(self.definitions.minor))
            for module in MAKERS:
                common.update(Path(str(module.__file__)).read_bytes())
            for name, served in self._served().items():
                self._hashes[name] = _hash(served, common.digest())
        return self._hashes

    def _served(self) -> dict[str, list[Served]]:
        return {
            found[0].resource.root.removeprefix("/"): found
            for name, versions in self.catalog.groups().items()
            for version in versions
            if (found := self.catalog.of(name, version))
        }


def _hash(served: list[Served], common: bytes) -> str:
    """What a document's own part is made of, and what all of them share."""
    made_of = hashlib.sha256(common)
    for item in served:
        made_of.update(repr((item.resource, patches(own=item.own))).encode())
        if item.view is not None:
            made_of.update(msgspec.json.encode(msgspec.json.schema(item.view)))
    return made_of.hexdigest().upper()
