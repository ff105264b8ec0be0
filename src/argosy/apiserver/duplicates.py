"""Keys that are there twice in a JSON object: the decoder takes the last and says nothing.

Asking whether there are any is cheap and exact: a colon that is not part of a text belongs to one
key, so a body has more colons than what it was decoded to, encoded again, if and only if a key was
dropped. Only then is the body read a second time, to say which.
"""

import json
import re
from typing import Any

import msgspec

MOST_TOLD = 100
"""Repeated fields that are told of, as upstream."""
_ESCAPE = re.compile(rb"\\(?:(u003[aA])|.)", re.DOTALL)


def repeats(body: bytes, decoded: Any) -> bool:
    """Whether some object in `body`, which is the JSON of `decoded`, has a key twice."""
    colons = body.count(b":")
    if b"u003" in body:
        colons += sum(map(bool, _ESCAPE.findall(body)))
    return colons != msgspec.json.encode(decoded).count(b":")


def repeated(body: bytes) -> list[str]:
    """What is to be said of each field that is in `body` twice. Raises RecursionError."""
    found: dict[str, None] = {}
    _walk(json.loads(body, object_pairs_hook=_Pairs), "", found)
    return [f"duplicate field {json.dumps(path, ensure_ascii=False)}" for path in found]


class _Pairs(list[tuple[str, Any]]):
    """An object as it stands there, key after key."""


def _walk(value: Any, path: str, found: dict[str, None]) -> None:
    """Collect paths in the order in which their second mention comes."""
    if isinstance(value, _Pairs):
        known: set[str] = set()
        for key, item in value:
            below = f"{path}.{key}" if path else key
            if key in known and len(found) < MOST_TOLD:
                found[below] = None
            known.add(key)
            if isinstance(item, list):
                _walk(item, below, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, list):
                _walk(item, f"{path}[{index}]", found)
