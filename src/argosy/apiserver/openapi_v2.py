"""OpenAPI v2: one document of all that is served, as JSON and as protobuf.

It is large and asked for by few, so it is put together from pieces that are encoded one by one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import msgspec

from argosy.api import openapi_protobuf, openapi_v2
from argosy.api.builtin import Builtins
from argosy.api.openapi import Components, Described, resource_paths
from argosy.apiserver.etag import answer_tagged, has
from argosy.apiserver.kept import Kept
from argosy.apiserver.offers import preferred
from argosy.apiserver.openapi import OpenAPI
from argosy.base.errors import not_acceptable
from argosy.http.message import Request, Response

ROOT = "/openapi/v2"
JSON = "application/json"
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
DEPRECATED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""PROTOBUF under the name that clients still ask for, though it is no valid media type."""
OFFERS = (JSON, DEPRECATED, PROTOBUF)
TITLE = "Kubernetes"
Node = dict[str, object]


@dataclass(frozen=True)
class OpenAPIv2:
    """Answers; what there is to tell of comes from v3."""

    v3: OpenAPI
    since: datetime  # when the document came to be what it is
    _kept: Kept = field(default_factory=Kept, init=False)

    async def answer(self, request: Request) -> Response:
        """The document. Raises StatusError 406."""
        wanted = preferred(request.headers.get("accept", ""), OFFERS)
        if wanted is None:
            raise not_acceptable(OFFERS)
        kind = JSON if wanted == JSON else PROTOBUF
        modified = format_datetime(self.since, usegmt=True)
        headers = {"content-type": kind, "last-modified": modified}
        tag = self._tag()
        if has(request, tag):
            return answer_tagged(request, b"", tag, headers)
        described = list(self.v3.described(list(self.v3.catalog.all)))
        make = _json if kind == JSON else _protobuf
        body = await self._kept.get(kind, partial(make, described, self.v3.definitions), tag)
        return answer_tagged(request, body, tag, headers)

    def _tag(self) -> str:
        """Of what both forms are made from."""
        made_of = hashlib.sha256("".join(self.v3.hashes().values()).encode())
        for module in (openapi_v2, openapi_protobuf):
            made_of.update(Path(str(module.__file__)).read_bytes())
        return made_of.hexdigest().upper()


def _json(described: list[Described], definitions: Builtins) -> bytes:
    components = Components(definitions)
    paths = b",".join(_entry(path, node) for path, node in _paths(described, components))
    schemas = b",".join(_entry(name, node) for name, node in _definitions(components))
    return b"".join(
        (
            b'{"swagger":"2.0","info":',
            msgspec.json.encode({"title": TITLE, "version": f"v{definitions.minor}.0"}),
            b',"paths":{',
            paths,
            b'},"definitions":{',
            schemas,
            b'},"securityDefinitions":{"BearerToken":{"description":"Bearer Token authentication",'
            b'"type":"apiKey","name":"authorization","in":"header"}},'
            b'"security":[{"BearerToken":[]}]}',
        )
    )


def _protobuf(described: list[Described], definitions: Builtins) -> bytes:
    components = Components(definitions)
    paths = [
        openapi_protobuf.named_path(path, node) for path, node in _paths(described, components)
    ]
    schemas = [
        openapi_protobuf.named_definition(name, node) for name, node in _definitions(components)
    ]
    about = openapi_protobuf.info(TITLE, f"v{definitions.minor}.0")
    return about + openapi_protobuf.sections(paths, schemas)


def _entry(name: str, node: Node) -> bytes:
    return msgspec.json.encode(name) + b":" + msgspec.json.encode(node)


def _paths(described: list[Described], components: Components) -> Iterator[tuple[str, Node]]:
    for one in described:
        for path, node in resource_paths(one, components).items():
            yield path, openapi_v2.path_item(node)


def _definitions(components: Components) -> Iterator[tuple[str, Node]]:
    for name, node in components.stream():
        yield name, openapi_v2.definition(name, node)
