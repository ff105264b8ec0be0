"""The parameters of operations, in OpenAPI v3's form."""

from collections.abc import Mapping
from typing import Any

Node = dict[str, Any]


def path_parameter(name: str) -> Node:
    """A part of the path."""
    text = {"namespace": "the object's namespace", "path": "the path behind it"}
    return {
        "name": name,
        "in": "path",
        "description": text.get(name, "the object's name"),
        "required": True,
        "schema": {"type": "string", "uniqueItems": True},
    }


def _query(name: str, text: str, kind: str = "string") -> Node:
    schema = {"type": kind, "uniqueItems": True}
    return {"name": name, "in": "query", "description": text, "schema": schema}


PRETTY = _query("pretty", "whether the answer shall be indented for readers")
FORCE = _query("force", "whether an apply takes fields from other managers", "boolean")
VALIDATION = _query(
    "fieldValidation",
    "what becomes of unknown and duplicate fields: Ignore drops them, Warn (the default) tells of "
    "them too, Strict refuses the object",
)
_DRY_RUN = _query("dryRun", "All: everything is done but storing")
CHANGING = (_DRY_RUN, _query("fieldManager", "the name under which fields are owned"))
DELETING = (
    _DRY_RUN,
    _query("gracePeriodSeconds", "how long the object has to end by itself", "integer"),
    _query("orphanDependents", "the older form of propagationPolicy", "boolean"),
    _query("propagationPolicy", "what becomes of dependents: Orphan, Background or Foreground"),
)
COLLECTION = (
    _query("continue", "where the next piece of a list begins, as the last one told"),
    _query("fieldSelector", "which objects, by their fields"),
    _query("labelSelector", "which objects, by their labels"),
    _query("limit", "how many objects a piece of the list has at most", "integer"),
    _query("resourceVersion", "the version that is asked for"),
    _query("resourceVersionMatch", "how that version is meant: Exact or NotOlderThan"),
    _query("sendInitialEvents", "whether a watch begins with what there is", "boolean"),
    _query("timeoutSeconds", "after how long the request ends", "integer"),
)
LISTING = (
    _query("allowWatchBookmarks", "whether a watch tells how far it has come", "boolean"),
    *COLLECTION,
    _query("watch", "whether changes are sent as they come", "boolean"),
)

_CONTAINER = _query("container", "which container; needed where there are several")
_STREAMS = tuple(
    _query(name, f"whether {name} is redirected", "boolean")
    for name in ("stderr", "stdin", "stdout")
)
_TTY = _query("tty", "whether there is a terminal", "boolean")
_CONNECTING: Mapping[str, tuple[Node, ...]] = {
    "attach": (_CONTAINER, *_STREAMS, _TTY),
    "exec": (_query("command", "the command and its arguments"), _CONTAINER, *_STREAMS, _TTY),
    "log": (
        _CONTAINER,
        _query("follow", "whether lines are sent as they come", "boolean"),
        _query("limitBytes", "how much is sent at most", "integer"),
        _query("previous", "whether the container's last run is meant", "boolean"),
        _query("sinceSeconds", "how old lines may be", "integer"),
        _query("tailLines", "how many of the last lines", "integer"),
        _query("timestamps", "whether lines begin with their time", "boolean"),
    ),
    "portforward": (_query("ports", "which ports", "integer"),),
}


def connecting(subresource: str) -> list[Node]:
    """What may be said of a connection to `subresource`."""
    return list(_CONNECTING.get(subresource, ()))
