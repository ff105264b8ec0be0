"""What a request asks for, as authorization sees it: told from its path, before that is looked up.

The path is taken apart as `request.parse_target` does it, so that nobody is allowed one thing and
given another. Source: kube-apiserver's request info.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.base.selectors import (
    EVERYTHING,
    FieldSelector,
    Selector,
    parse_fields,
    parse_labels,
)
from argosy.http.message import Request

VERBS: Mapping[str, str] = {
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "get",
    "PATCH": "patch",
    "POST": "create",
    "PUT": "update",
}
_OF_NAMESPACES = ("status", "finalize")
_WITH_SELECTORS = ("list", "watch", "deletecollection")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Who asks for what. With a `path` it is no resource, and the fields from `group` are empty.

    Selectors are those of the request where they can be read: others ask for everything.
    """

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    labels: Selector = EVERYTHING
    fields: FieldSelector = FieldSelector()
    path: str | None = None

    @property
    def whole_resource(self) -> str:
        """`resource`, or `resource/subresource`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def attributes_of(request: Request, user: User) -> Attributes:
    """What `request` asks for."""
    parts = [unquote(part) for part in request.path.strip("/").split("/")]
    if len(parts) >= 3 and parts[0] == "api":
        return _of_resource(request, user, "", parts[1], parts[2:])
    if len(parts) >= 4 and parts[0] == "apis":
        return _of_resource(request, user, parts[1], parts[2], parts[3:])
    verb = "get" if request.method == "HEAD" else request.method.lower()
    return Attributes(user=user, verb=verb, path=request.path)


def _of_resource(
    request: Request, user: User, group: str, version: str, rest: list[str]
) -> Attributes:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    asked = Attributes(
        user=user,
        verb=VERBS.get(request.method, ""),
        group=group,
        version=version,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )
    if not name:
        return _of_collection(asked, request.parameters())
    if request.query and asked.verb == "get" and not subresource:
        # One object may be watched too, here: that tells what it was before, and `get` does not.
        return replace(asked, verb="watch") if _watching(request.parameters()) else asked
    return asked


def _watching(query: Mapping[str, str]) -> bool:
    return query.get("watch", "false").lower() not in ("false", "0")


def _of_collection(asked: Attributes, query: Mapping[str, str]) -> Attributes:
    verb = asked.verb
    if verb == "get":
        verb = "watch" if _watching(query) else "list"
    elif verb == "delete":
        verb = "deletecollection"
    if verb not in _WITH_SELECTORS:
        return asked
    fields = read_fields(query.get("fieldSelector", ""))
    return replace(
        asked,
        verb=verb,
        name=_named(fields) if verb != "deletecollection" else "",
        fields=fields,
        labels=read_labels(query.get("labelSelector", "")),
    )


def read_fields(text: str) -> FieldSelector:
    """The selector; one that can't be read selects everything."""
    try:
        return parse_fields(text)
    except ValueError:
        return FieldSelector()


def read_labels(text: str) -> Selector:
    """The selector; one that can't be read selects everything."""
    try:
        return parse_labels(text)
    except ValueError:
        return EVERYTHING


def _named(fields: FieldSelector) -> str:
    """The one name that a field selector leaves, as for a watch of one object."""
    for term in fields.terms:
        plain = term.value not in (".", "..") and not set("/%") & set(term.value)
        if term.equal and term.path == ("metadata", "name") and plain:
            return term.value
    return ""


def refusal(asked: Attributes, reason: str) -> StatusError:
    """403 in kube-apiserver's words."""
    text = _refused(asked).translate(_ESCAPED)
    if reason:
        text = f"{text}: {reason}"
    if asked.path is not None:
        return StatusError(403, "Forbidden", f"forbidden: {text}")
    what = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    subject = f"{what} {_quoted(asked.name)}" if asked.name else what
    details = {"name": asked.name, "group": asked.group, "kind": asked.resource}
    present = {key: value for key, value in details.items() if value}
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {text}", details=present)


def _refused(asked: Attributes) -> str:
    user = _quoted(asked.user.name)
    if asked.path is not None:
        return f"User {user} cannot {asked.verb} path {_quoted(asked.path)}"
    where = f"in the namespace {_quoted(asked.namespace)}" if asked.namespace else ""
    return (
        f"User {user} cannot {asked.verb} resource {_quoted(asked.whole_resource)} "
        f"in API group {_quoted(asked.group)} {where or 'at the cluster scope'}"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
