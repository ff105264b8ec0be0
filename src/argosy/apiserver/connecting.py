"""What somebody wants who connects to a pod, a node or a service: as admission sees it.

Clients say it in the query; admission is shown an object of the kind that upstream makes of that.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qs

Json = dict[str, Any]
Type = Literal["flag", "text", "texts", "numbers"]

STREAMS: Final[Mapping[str, Type]] = {
    "stdin": "flag",
    "stdout": "flag",
    "stderr": "flag",
    "tty": "flag",
    "container": "text",
}
FIELDS: Final[Mapping[str, Mapping[str, Type]]] = {
    "PodAttachOptions": STREAMS,
    "PodExecOptions": {**STREAMS, "command": "texts"},
    "PodPortForwardOptions": {"ports": "numbers"},
}


def connection(kind: str, query: str, path: str) -> Json:
    """The options of that kind; of a proxy, `path` is the one behind it."""
    made: Json = {"kind": kind, "apiVersion": "v1"}
    fields = FIELDS.get(kind)
    if fields is None:
        return {**made, "path": f"/{path}"} if path else made
    said = parse_qs(query, keep_blank_values=True)
    for name, form in fields.items():
        if value := _value(form, said.get(name) or []):
            made[name] = value
    return made


def _value(form: Type, said: list[str]) -> Any:
    if form == "texts":
        return said
    if form == "numbers":
        parts = (part for one in said for part in one.split(","))
        return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 6]
    first = said[0] if said else ""
    if form == "text":
        return first
    return bool(said) and first.lower() not in ("0", "false")
