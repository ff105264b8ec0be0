"""The client: typed reads, plain-JSON writes, watches.

Reads decode into views (`argosy.api`); writes send plain mappings. Every answer other than success
is a `StatusError`; a lost connection is a `ConnectionError`.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from argosy.api.meta import Object, ObjectMeta, PartialObject
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.transport import Transport
from argosy.client.watching import Status, WatchEvent, decoded, decoder, event_of, whole_lines
from argosy.http.message import Request, Response

T = TypeVar("T", bound=Object)
Body = Mapping[str, Any]
JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
PARTIAL = "application/json;as={};g=meta.k8s.io;v=v1,application/json"
"""What is accepted where only metadata are read."""
INITIAL = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
INITIAL_END = "k8s.io/initial-events-end"
PAGE = 1000
"""Objects of a page."""


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Where a list stands: its revision, and how to go on."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """The objects of a list."""

    metadata: ListMeta
    items: list[T]


@lru_cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


_statuses = msgspec.json.Decoder(Status)


@dataclass(frozen=True)
class Client:
    """Speaks to one cluster as one field manager."""

    transport: Transport
    manager: str = "argosy"

    async def get(
        self, kind: type[T], name: str, namespace: str = "", *, resource: Resource | None = None
    ) -> T:
        """One object. Raises StatusError 404 where there is none."""
        path = (resource or kind.resource).path(name, namespace)
        return cast(T, _decoder(kind).decode(await self.call("GET", path)))

    async def find(
        self, kind: type[T], name: str, namespace: str = "", *, resource: Resource | None = None
    ) -> T | None:
        """One object, or None where there is none."""
        try:
            return await self.get(kind, name, namespace, resource=resource)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    async def list(
        self,
        kind: type[T],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource: Resource | None = None,
    ) -> Listed[T]:
        """All objects of a kind, page by page where the server pages."""
        pages = self.pages(kind, namespace, labels=labels, fields=fields, resource=resource)
        items: list[T] = []
        async for page in pages:
            items += page.items
        return Listed(page.metadata, items)

    async def pages(
        self,
        kind: type[T],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource: Resource | None = None,
        limit: int = PAGE,
    ) -> AsyncGenerator[Listed[T], None]:
        """All objects of a kind in pieces of at most `limit` (0: as one); there is one at least.

        Raises StatusError 410 where the server forgot what the pages after the first are of.
        """
        path = (resource or kind.resource).path("", namespace)
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(limit or "")}
        accept = _accept(kind, "PartialObjectMetadataList")
        decode = _decoder(Listed[kind]).decode  # type: ignore[valid-type]
        while True:
            response = await self._send("GET", path, query, accept=accept)
            page: Listed[T] = decoded(decode, await _whole(response))
            yield page
            query["continue"] = page.metadata.continue_
            if not page.metadata.continue_:
                return

    async def watch(
        self,
        kind: type[T],
        namespace: str = "",
        *,
        since: str,
        initial: bool = False,
        labels: str = "",
        fields: str = "",
        resource: Resource | None = None,
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """Changes after the revision `since`, until the server ends the stream.

        With `initial` all objects there are come first, at a revision not before `since` ("": the
        newest), as added ones; a bookmark with the annotation `INITIAL_END` ends them (KEP-3157).

        Raises StatusError 410 where that revision is too old.
        """
        query = {
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "labelSelector": labels,
            "fieldSelector": fields,
            **(INITIAL if initial else {}),
        }
        path = (resource or kind.resource).path("", namespace)
        accept = _accept(kind, "PartialObjectMetadata")
        response = await self._send("GET", path, query, accept=accept)
        decode = decoder(kind)
        async with aclosing(whole_lines(response.body)) as pieces:
            async for lines in pieces:
                for told in decoded(decode, lines):
                    yield event_of(told)

    async def create(self, resource: Resource, body: Body) -> dict[str, Any]:
        """Create the object, named by itself or by the server (`generateName`)."""
        path = resource.path("", _namespace(body))
        return _plain(await self.call("POST", path, {"fieldManager": self.manager}, body))

    async def created(self, resource: Resource, body: Body) -> ObjectMeta:
        """`create`, where the metadata is all of the answer that is wanted: the rest isn't read."""
        path = resource.path("", _namespace(body))
        answer = await self.call("POST", path, {"fieldManager": self.manager}, body)
        made: PartialObject = decoded(_decoder(PartialObject).decode, answer)
        return made.metadata

    async def update(
        self, resource: Resource, body: Body, *, subresource: str = ""
    ) -> dict[str, Any]:
        """Replace the object; its resourceVersion, where given, must be the newest."""
        path = resource.path(body["metadata"]["name"], _namespace(body), subresource)
        return _plain(await self.call("PUT", path, {"fieldManager": self.manager}, body))

    async def apply(
        self, resource: Resource, body: Body, *, subresource: str = "", force: bool = True
    ) -> dict[str, Any]:
        """Server-side apply: these fields, and no others, are this manager's."""
        path = resource.path(body["metadata"]["name"], _namespace(body), subresource)
        query = {"fieldManager": self.manager, "force": str(force).lower()}
        full = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return _plain(await self.call("PATCH", path, query, full, content_type=APPLY))

    async def merge(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Body,
        *,
        subresource: str = "",
    ) -> dict[str, Any]:
        """JSON merge patch."""
        path = resource.path(name, namespace, subresource)
        query = {"fieldManager": self.manager}
        return _plain(await self.call("PATCH", path, query, patch, content_type=MERGE))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        revision: str = "",
        grace: int | None = None,
        propagation: str = "",
    ) -> None:
        """Delete the object; with `uid`, only that very one. An object gone already is fine.

        With `revision` only as it was then. Raises StatusError 409 where it is another one now.
        """
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if propagation:
            options["propagationPolicy"] = propagation
        if uid:
            options["preconditions"] = {"uid": uid}
        if revision:
            options.setdefault("preconditions", {})["resourceVersion"] = revision
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            await self.call("DELETE", resource.path(name, namespace), {}, options)
        except StatusError as error:
            if error.code != 404 and (revision or not (uid and error.code == 409)):
                raise

    async def bind(self, name: str, namespace: str, node: str) -> None:
        """Put a pod on a node."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self.call("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/binding", {}, body)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The pieces of an answer's body as they come (a log that is followed, say)."""
        body = (await self._send("GET", path, query)).body
        if isinstance(body, bytes):
            yield body
            return
        async for piece in body:
            yield piece

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        content_type: str = JSON,
    ) -> bytes:
        """One request, its whole answer. Raises StatusError and ConnectionError."""
        data = b"" if body is None else msgspec.json.encode(body)
        response = await self._send(method, path, query or {}, data, content_type)
        return await _whole(response)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes = b"",
        content_type: str = "",
        *,
        accept: str = JSON,
    ) -> Response:
        headers = {"accept": accept, "user-agent": self.manager}
        if body:
            headers["content-type"] = content_type
        given = _encoded(tuple(query.items())) if query else ""
        request = Request(method, quote(path), given, headers, body)
        response = await self.transport.send(request)
        if response.status >= 400:
            raise _status(await _whole(response)).error(response.status)
        return response


def _namespace(body: Body) -> str:
    return str(body["metadata"].get("namespace") or "")


@lru_cache(maxsize=256)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode([(name, value) for name, value in query if value])


def _plain(data: bytes) -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.json.decode(data))


def _status(data: bytes) -> Status:
    try:
        return cast(Status, decoded(_statuses.decode, data))
    except msgspec.ValidationError:
        return Status()
    except msgspec.DecodeError:
        return Status(message=data[:512].decode(errors="replace"))


def _accept(kind: type[Object], partial: str) -> str:
    return PARTIAL.format(partial) if issubclass(kind, PartialObject) else JSON


async def _whole(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])
