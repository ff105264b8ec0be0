"""get and list: stored bytes as they are. What else a client may want is made of the answer."""

from collections.abc import Callable
from typing import Any

import msgspec

from argosy.apiserver.narrow import Decode, decoder
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Objects
from argosy.apiserver.paging import Piece, read_piece
from argosy.apiserver.request import Call
from argosy.apiserver.selectable import selectable
from argosy.base.errors import StatusError, bad_request
from argosy.base.selectors import (
    EVERYTHING,
    FieldSelector,
    FieldTerm,
    Selector,
    parse_fields,
    parse_labels,
)
from argosy.http.message import Response

Matcher = Callable[[bytes], bool]
Decoded = Callable[[Decode, bytes], dict[str, Any]]
LABELS = ("metadata", "labels")


def _decoded(decode: Decode, value: bytes) -> dict[str, Any]:
    return decode(value)


async def get(objects: Objects, call: Call) -> Response:
    """One object: the newest, whichever version the client knows of."""
    if "resourceVersion" in call.query:
        seen(objects, call)
    return answer(objects.read(call.target).value)


async def list_(objects: Objects, call: Call) -> Response:
    """The objects of a collection that the selectors match, at one revision, or a piece of them."""
    piece = read_piece(objects.store, call, matcher(call), seen(objects, call))
    resource = call.target.served.resource
    head = f'{{"kind":"{resource.list_kind}","apiVersion":"{resource.api_version}","metadata":'
    start = b"".join([head.encode(), msgspec.json.encode(list_meta(piece)), b',"items":['])
    return answer(_enclosed(start, [record.value for record in piece.records]))


def _enclosed(start: bytes, values: list[bytes]) -> bytes:
    """The list that begins with `start`; large ones are copied once, not twice."""
    if not values:
        return start + b"]}"
    values[0] = start + values[0]
    values[-1] += b"]}"
    return b",".join(values)


def list_meta(piece: Piece) -> dict[str, Any]:
    """The metadata of a list, or of a piece of it."""
    meta: dict[str, Any] = {"resourceVersion": str(piece.revision)}
    if piece.token:
        meta["continue"] = piece.token
    if piece.remaining is not None:
        meta["remainingItemCount"] = piece.remaining
    return meta


def matcher(call: Call, decoded: Decoded = _decoded) -> Matcher | None:
    """What the call's selectors let through; None where there is none. Raises StatusError 400.

    They look at what `decoded` makes of an object with a decoder for as much as they need.
    """
    labels, fields = selectors(call)
    if call.target.name:
        named = FieldTerm(("metadata", "name"), call.target.name, True)
        fields = FieldSelector((*fields.terms, named))
    if labels is EVERYTHING and not fields.terms:
        return None

    decode = decoder([LABELS, *(term.path for term in fields.terms)])

    def matches(value: bytes) -> bool:
        obj = decoded(decode, value)
        return labels.matches(obj["metadata"].get("labels") or {}) and fields.matches(obj)

    return matches


def selectors(call: Call) -> tuple[Selector, FieldSelector]:
    """The call's label and field selector. Raises StatusError 400."""
    try:
        text = call.query.get("labelSelector", "")
        labels = parse_labels(text) if text else EVERYTHING
        fields = parse_fields(call.query.get("fieldSelector", ""))
    except ValueError as error:
        raise bad_request(str(error)) from None
    served = call.target.served
    return labels, selectable(served.name, fields, served.selectable)


def seen(objects: Objects, call: Call) -> int:
    """The revision that the caller knows of, 0 where it says none. Raises StatusError 400, 504."""
    since = call.number("resourceVersion") or 0
    if since <= objects.store.revision:
        return since
    text = "Too large resource version"
    causes = [{"reason": "ResourceVersionTooLarge", "message": text}]
    raise StatusError(
        504,
        "Timeout",
        f"{text}: {since}, current: {objects.store.revision}",
        details={"causes": causes, "retryAfterSeconds": 1},
    )
