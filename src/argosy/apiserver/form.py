"""The form in which a client wants objects: as they are stored, as rows, or their metadata alone.

Verbs answer in the plain form; `Form.whole` turns the answer when they are done, so that none of
them knows of forms. A watch turns each event's object by `Form.one`. Both are about JSON: other
media types are made of it at the door (`door.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.resource import Resource
from argosy.apiserver.accept import EVERY, JSON, PARTIAL, PARTIAL_LIST, TABLE, chosen
from argosy.apiserver.table import table
from argosy.base.errors import StatusError, bad_request, invalid_value, not_acceptable
from argosy.http.message import Request, Response

INCLUDES = ("", "Metadata", "Object", "None")
UNTURNED = ("Status", TABLE, PARTIAL, PARTIAL_LIST)
"""Kinds that stay what they are."""
CONNECTIONS = frozenset(("attach", "exec", "log", "portforward", "proxy"))
"""Subresources that answer no objects: nothing is negotiated with them."""


class _Parts(msgspec.Struct):
    """As much of an answer as its form depends on."""

    kind: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    items: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class _Metadata(msgspec.Struct):
    metadata: msgspec.Raw


_parts = msgspec.json.Decoder(_Parts).decode
_metadata = msgspec.json.Decoder(_Metadata).decode


@dataclass(frozen=True, slots=True)
class Form:
    """What objects are turned into: a `kind` of `meta.k8s.io`, '' for nothing.

    `include` says what comes with each row of a table: `Object`, `None`, or the metadata.
    """

    kind: str = ""
    version: str = ""
    include: str = ""

    @property
    def plain(self) -> bool:
        """Whether stored bytes go out as they are."""
        return not self.kind

    @property
    def headed(self) -> bool:
        """Whether a watch's first event tells more than the others: the head of a table."""
        return self.kind == TABLE

    def one(self, resource: Resource, value: bytes, now: datetime, *, headed: bool = True) -> bytes:
        """The object of a watch's event, a bookmark's too; `headed` for the first of a watch."""
        if self.kind == TABLE:
            obj = msgspec.json.decode(value)
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return self._table(resource, [obj], meta, now, headed=headed)
        # As upstream: what no event can be turned into is not refused there but passed over.
        return self._partial(value) if self.kind == PARTIAL else value

    def whole(self, resource: Resource, response: Response, now: datetime) -> Response:
        """A verb's answer in this form. Raises StatusError 406."""
        body = response.body
        if not isinstance(body, bytes) or not _is_object(response):
            return response
        parts = _parts(body)
        if parts.kind in UNTURNED:
            return response
        if isinstance(parts.items, list) and parts.kind.endswith("List"):
            return replace(response, body=self._list(resource, parts.items, parts.metadata, now))
        if self.kind == PARTIAL_LIST:
            raise _not_turned(self.kind, "not a list", resource, resource.kind)
        return replace(response, body=self.one(resource, body, now))

    def _list(
        self, resource: Resource, items: list[msgspec.Raw], meta: msgspec.Raw, now: datetime
    ) -> bytes:
        if self.kind == PARTIAL:
            raise _not_turned(self.kind, "a list", resource, f"{resource.kind}List")
        if self.kind == TABLE:
            rows = [msgspec.json.decode(item) for item in items]
            return self._table(resource, rows, meta, now)
        head = f'{{"kind":"{PARTIAL_LIST}","apiVersion":"meta.k8s.io/{self.version}","metadata":'
        turned = b",".join([self._partial(item) for item in items])
        return b"".join([head.encode(), meta, b',"items":[', turned, b"]}"])

    def _partial(self, value: bytes | msgspec.Raw) -> bytes:
        head = f'{{"kind":"{PARTIAL}","apiVersion":"meta.k8s.io/{self.version}","metadata":'
        return b"".join([head.encode(), _metadata(value).metadata, b"}"])

    def _table(
        self,
        resource: Resource,
        objects: list[Any],
        meta: Mapping[str, Any] | msgspec.Raw,
        now: datetime,
        *,
        headed: bool = True,
    ) -> bytes:
        return table(
            resource,
            objects,
            now,
            meta=meta,
            headed=headed,
            include=self.include,
            version=self.version,
        )


PLAIN = Form()
PLAINLY = frozenset(("", "*/*", JSON))
"""What nearly all clients accept."""


def form_of(request: Request) -> Form:
    """The form that the client asks for. Raises StatusError 400, 406."""
    accept = request.headers.get("accept", "")
    if accept in PLAINLY:
        return PLAIN
    choice = chosen(accept, (JSON,))
    if choice is None or choice.media != JSON:
        raise not_acceptable(EVERY)
    if not choice.kind:
        return PLAIN
    include = request.parameters().get("includeObject", "") if choice.kind == TABLE else ""
    if include not in INCLUDES:
        wrong = invalid_value(
            "includeObject", include, "must be 'Metadata', 'Object', 'None', or empty"
        )
        raise bad_request(f"Unable to convert to Table as requested: {wrong}")
    return Form(choice.kind, choice.version, include)


def form_below(request: Request, subresource: str) -> Form:
    """As `form_of`; what answers no objects is never refused."""
    return PLAIN if connects(subresource) else form_of(request)


def connects(subresource: str) -> bool:
    """Whether what is below an object is a way to elsewhere, with bodies that are not ours."""
    return bool(subresource) and subresource.partition("/")[0] in CONNECTIONS


def _is_object(response: Response) -> bool:
    return response.status < 300 and response.headers.get("content-type") == JSON


def _not_turned(kind: str, what: str, resource: Resource, given: str) -> StatusError:
    """406 for an answer that is none of `kind`; the type is named as upstream's is."""
    package = resource.group.partition(".")[0] or "core"
    text = f"you requested {kind}, but the requested object is {what} (*{package}.{given})"
    return StatusError(406, "NotAcceptable", text)
