"""What a client sends to be written, held to the call's `fieldValidation` for repeated keys.

What the kind does not know is looked for later, when the object is (`objects.py`). Options and
other bodies that no field validation is about are read by `negotiate` alone.
"""

from typing import Any

from argosy.api.structural import strict_decoding_error, unknown_fields
from argosy.apiserver.accept import YAML
from argosy.apiserver.negotiate import (
    APPLY,
    JSON_PATCH,
    OBJECTS,
    body_value,
    media_type,
    whole_object,
)
from argosy.apiserver.request import Call
from argosy.base.errors import StatusError, bad_request, invalid, invalid_value

Json = dict[str, Any]

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
        return body_value(call.request, allowed)
    twice: list[str] = []
    value = body_value(call.request, allowed, twice)
    kind = media_type(call.request)
    if kind == JSON_PATCH:
        twice = [f"json patch {text}" for text in [*twice, *_unknown(value)][:MOST_TOLD]]
    if not twice:
        return value
    if call.field_validation == "Strict":
        raise _refused(call, kind, value, twice)
    call.warnings.extend(twice)
    return value


def _unknown(operations: Any) -> list[str]:
    """What is to be said of the fields of a JSON patch that mean nothing."""
    if not isinstance(operations, list):
        return []
    return [
        f'unknown field "[{index}].{name}"'
        for index, operation in enumerate(operations)
        if isinstance(operation, dict) and not operation.keys() <= OPERATION
        for name in operation
        if name not in OPERATION
    ]


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
