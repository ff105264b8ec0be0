"""A rule's `fieldPath`: a JSON path of names and keys, which the schema must know."""

import re
from collections.abc import Mapping
from typing import Any, Final

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "'": "'",
    "\\": "\\",
}


def normalized(path: str, schema: Mapping[str, Any]) -> str | None:
    """The path as field errors write it; None for one that the schema doesn't have."""
    made, at = "", 0
    node: Any = schema
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or not isinstance(node, Mapping):
            return None
        at = found.end()
        name = found[1] if found[1] is not None else _unescaped(found[2])
        if name is None:
            return None
        if node.get("properties") is not None:
            node = node["properties"].get(name)
            made += f".{name}"
        else:
            node = node.get("additionalProperties")
            made += f"[{name}]"
        if not isinstance(node, Mapping):
            return None
    return made.removeprefix(".") or None


def _unescaped(text: str) -> str | None:
    wrong = any(found[1] not in _ESCAPES for found in _ESCAPE.finditer(text))
    return None if wrong else _ESCAPE.sub(lambda found: _ESCAPES[found[1]], text)
