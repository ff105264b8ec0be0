"""JSON patch (RFC 6902) with Kubernetes' bounds and answers.

The operations are the library's; this file says what a bad patch is called, and how many operations
and how much growth by `copy` are too many.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jsonpatch
import msgspec

from argosy.base.errors import StatusError, bad_request

MOST_OPERATIONS = 10_000
LARGEST_RESULT = 3 * 1024 * 1024
"""Bytes: what a request body may have."""
REJECTED = "the server rejected our request due to an error in our request"
LONGEST_REASON = 256
"""Characters: the library's reasons may show the whole object."""


class TestFailedError(StatusError):
    """An operation `test` found another value than it names."""


def apply(obj: Mapping[str, Any], operations: Sequence[Any]) -> Any:
    """`obj`, which stays as it is, after `operations`.

    Raises StatusError: 400 for what is no patch, 413 for one that is too large, 422 for one that
    does not fit the object.
    """
    if len(operations) > MOST_OPERATIONS:
        detail = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}"
        raise StatusError(413, "RequestEntityTooLarge", f"{detail}, got {len(operations)}")
    changed: Any = msgspec.json.decode(msgspec.json.encode(obj))
    room = LARGEST_RESULT
    for operation in operations:
        if isinstance(operation, dict) and operation.get("op") == "copy":
            room -= _size_at(changed, operation.get("from"))
            if room < 0:
                raise StatusError(413, "RequestEntityTooLarge", "the patched object is too large")
        for done in _lenient(changed, operation):
            changed = _one(changed, done)
    return changed


def _lenient(obj: Any, operation: Any) -> Sequence[Any]:
    """What is done for an operation, which may be nothing.

    A field that is missing can be replaced, and is null: upstream's library has it so.
    """
    op = operation.get("op") if isinstance(operation, dict) else None
    if op not in ("replace", "test") or (op == "test" and operation.get("value") is not None):
        return (operation,)
    try:
        inside, name = jsonpatch.JsonPointer(operation["path"]).to_last(obj)
    except (jsonpatch.JsonPointerException, KeyError, TypeError, AttributeError):
        return (operation,)  # what is wrong with it is told when it is tried
    if not isinstance(inside, dict) or name is None or name in inside:
        return (operation,)
    return () if op == "test" else ({**operation, "op": "add"},)


def _one(obj: Any, operation: Any) -> Any:
    try:
        return jsonpatch.JsonPatch([operation]).apply(obj, in_place=True)
    except RecursionError:
        raise bad_request("the patch is nested too deeply") from None
    except (jsonpatch.InvalidJsonPatch, TypeError, AttributeError) as error:
        raise bad_request(f"error decoding patch: {_reason(error)}") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        if isinstance(error, jsonpatch.JsonPatchTestFailed):  # its words show what is there
            told = f"{REJECTED}: testing value {str(operation.get('path'))[:LONGEST_REASON]} failed"
            raise TestFailedError(422, "Invalid", told) from None
        raise StatusError(422, "Invalid", f"{REJECTED}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return str(error)[:LONGEST_REASON]


def _size_at(obj: Any, pointer: object) -> int:
    """How many bytes a copy would add; nothing where there is nothing to copy."""
    try:
        return len(msgspec.json.encode(jsonpatch.JsonPointer(str(pointer)).resolve(obj)))
    except (jsonpatch.JsonPointerException, TypeError):  # also "-": the end is no value
        return 0
