"""get and list: stored bytes as they are, or as a table."""

from collections.abc import Callable
from typing import Any

import msgspec

from argosy.apiserver.negotiate import answer, wants_table
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call
from argosy.apiserver.selectable import selectable
from argosy.apiserver.table import table
from argosy.base.errors import StatusError, bad_request, expired
from argosy.base.selectors import (
    EVERYTHING,
    FieldSelector,
    FieldTerm,
    Selector,
    parse_fields,
    parse_labels,
)
from argosy.http.message import Response
from argosy.store.interface import Record

Matcher = Callable[[bytes], bool]


async def get(objects: Objects, call: Call) -> Response:
    """One object."""
    record = objects.read(call.target)
    if not wants_table(call.request):
        return answer(record.value)
    return answer(_as_table(objects, call, [record], str(record.revision)))


async def list_(objects: Objects, call: Call) -> Response:
    """All objects of a collection that the selectors match, at one revision."""
    if call.query.get("continue"):
        raise expired("The provided continue parameter is too old: lists are not paged yet")
    seen(objects, call)
    matches = matcher(call)
    revision = str(objects.store.revision)
    records = objects.store.list(call.target.key)
    if matches is not None:
        records = [record for record in records if matches(record.value)]
    if wants_table(call.request):
        return answer(_as_table(objects, call, records, revision))
    resource = call.target.served.resource
    head = (
        f'{{"kind":"{resource.kind}List","apiVersion":"{resource.api_version}",'
        f'"metadata":{{"resourceVersion":"{revision}"}},"items":['
    )
    return answer(head.encode() + b",".join([record.value for record in records]) + b"]}")


def _as_table(objects: Objects, call: Call, records: list[Record], revision: str) -> bytes:
    rows = [msgspec.json.decode(record.value) for record in records]
    resource = call.target.served.resource
    return table(
        resource,
        rows,
        objects.clock.now(),
        revision=revision,
        headed=True,
        include=call.query.get("includeObject", ""),
    )


def matcher(call: Call) -> Matcher | None:
    """What the call's selectors let through; None where there is none. Raises StatusError 400."""
    labels, fields = selectors(call)
    if call.target.name:
        named = FieldTerm(("metadata", "name"), call.target.name, True)
        fields = FieldSelector((*fields.terms, named))
    if labels is EVERYTHING and not fields.terms:
        return None

    def matches(value: bytes) -> bool:
        obj: dict[str, Any] = msgspec.json.decode(value)
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
    return labels, selectable(call.target.served.name, fields)


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
