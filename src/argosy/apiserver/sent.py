"""What a client sends to be written, held to the call's `fieldValidation` for repeated keys.

What the kind does not know is looked for later, when the object is (`objects.py`). Options and
other bodies that no field validation is about are read by `negotiate` alone. Long YAML is read in a
thread, while the call waits as it would for another server; the audit log is told what came out.
Long JSON is looked through for keys in a thread too, where some are there twice.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from argosy.api.structural import strict_decoding_error, unknown_fields
from argosy.apiserver.accept import YAML
from argosy.apiserver.answers import Ask
from argosy.apiserver.audit import notes
from argosy.apiserver.duplicates import repeats
from argosy.apiserver.negotiate import (
    APPLY,
    JSON_PATCH,
    OBJECTS,
    body_value,
    long_yaml,
    media_type,
    repeated_keys,
    whole_object,
)
from argosy.apiserver.request import Call
from argosy.base.errors import StatusError, bad_request, invalid, invalid_value

Json = dict[str, Any]

LONG_JSON = 64 * 1024
"""Bytes of JSON that are looked through for repeated keys in about 15 ms."""
SHOWN = 1024
"""Characters of a refused patch that the answer repeats."""
OPERATION = frozenset(("op", "path", "from", "value"))
MOST_TOLD = 100


def sent_object(call: Call, allowed: tuple[str, ...] = OBJECTS) -> Json:
    """The body as an object. Raises StatusError 400, 415 and 422."""
    return whole_object(sent_value(call, allowed))


def sent_value(call: Call, allowed: tuple[str, ...]) -> Any:
    """The body, whatever it is. Raises StatusError 400, 415 and 422."""
    if call.field_validation == "Ignore":
        return read(call, allowed)
    twice: list[str] = []
    value = read(call, allowed, twice)
    kind = media_type(call.request)
    if kind == JSON_PATCH:
        told = islice(chain(twice, _unknown(value)), MOST_TOLD)
        twice = [f"json patch {text}" for text in told]
    if not twice:
        return value
    if call.field_validation == "Strict":
        raise _refused(call, kind, value, twice)
    call.warnings.extend(twice)
    return value


def read(call: Call, allowed: tuple[str, ...] = OBJECTS, twice: list[str] | None = None) -> Any:
    """The body, as `body_value` reads it. Raises StatusError, and Unanswered where it is long."""
    request = call.request
    if long_yaml(request):
        return _read_yaml(call, allowed, twice)
    if twice is None or len(request.body) <= LONG_JSON:
        return body_value(request, allowed, twice)
    value = body_value(request, allowed)
    if repeats(request.body, value):

        async def look() -> list[str]:
            return await asyncio.to_thread(repeated_keys, request.body)

        twice += call.answers.need(Ask("long JSON", request.body, look))[0]
    return value


def _read_yaml(call: Call, allowed: tuple[str, ...], twice: list[str] | None) -> Any:
    request = call.request

    def work() -> tuple[str, list[str]]:
        found: list[str] = []
        return json.dumps(body_value(request, allowed, found)), found

    async def done() -> tuple[str, list[str]]:
        return await asyncio.to_thread(work)

    [(text, found)] = call.answers.need(Ask("long YAML", request.body, done))
    if twice is not None:
        twice += found
    notes.read(text)
    return json.loads(text)  # each attempt has its own, which it changes


def _unknown(operations: Any) -> Iterator[str]:
    """What is to be said of the fields of a JSON patch that mean nothing."""
    return (
        f'unknown field "[{index}].{name}"'
        for index, operation in enumerate(operations if isinstance(operations, list) else ())
        if isinstance(operation, dict) and not operation.keys() <= OPERATION
        for name in operation
        if name not in OPERATION
    )


def _refused(call: Call, kind: str, value: Any, twice: list[str]) -> StatusError:
    if kind in (YAML, APPLY):
        twice = ["\n  ".join(["yaml: unmarshal errors:", *twice])]
    if kind == APPLY:
        prefix = "error strict decoding YAML: error converting YAML to JSON"
        return bad_request(f"{prefix}: {twice[0]}")
    if call.request.method == "PATCH":
        shown = call.request.body[:SHOWN].decode(errors="replace")
        detail = f"strict decoding error: {', '.join(twice)}"
        return invalid("", "", "", [invalid_value("patch", shown, detail)])
    resource = call.target.served.resource
    unknown = [] if call.target.subresource else unknown_fields(call.target.served.schema, value)
    return strict_decoding_error(resource.kind, resource.version, unknown, twice=twice)
