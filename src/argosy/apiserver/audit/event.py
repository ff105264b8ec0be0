"""An event of the audit log as one line of JSON, with the fields of `audit.k8s.io/v1` Event.

Bodies are decoded and written anew, so that none of them can begin a line of its own.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from argosy.apiserver.accept import JSON
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.negotiate import (
    APPLY,
    JSON_PATCH,
    MERGE,
    OBJECTS,
    STRATEGIC,
    body_value,
    long_yaml,
    media_type,
)
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response

Json = dict[str, Any]
LONGEST_AGENT = 1024
BODIES = (*OBJECTS, JSON_PATCH, MERGE, STRATEGIC, APPLY)
TOLD = ("status", "message", "reason", "details")
WRONG = (400, 413, 422)
TOKEN = re.compile(r"((?:^|&)(?:access_)?token=)[^&]*")
"""In a query: such as a notebook behind a proxy takes."""


class _Meta(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""


class _Head(msgspec.Struct):
    metadata: _Meta


_read_head = msgspec.json.Decoder(_Head).decode
_encode = msgspec.json.Encoder().encode


def line(event: Json) -> bytes:
    """The event as a line."""
    try:
        return _encode(event) + b"\n"
    except UnicodeEncodeError:  # odd characters must not hide a request
        plain = {name: msgspec.to_builtins(value) for name, value in event.items()}
        return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def begun(request: Request, asked: Attributes, *, level: str, audit_id: str) -> Json:
    """An event of which only the request is known."""
    told: Json = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": audit_id,
        "stage": "",
        "requestURI": request_uri(request),
        "verb": asked.verb,
        "user": user_info(asked.user),
    }
    if addresses := source_ips(request):
        told["sourceIPs"] = addresses
    if name := agent(request):
        told["userAgent"] = name
    if asked.path is None:
        told["objectRef"] = object_ref(asked)
    return told


def micro(moment: datetime) -> datetime | str:
    """`moment`, in UTC, as what is written as Kubernetes' `MicroTime`: always with six digits."""
    if moment.microsecond:
        return moment  # as the encoder writes it, which is the fastest way
    return f"{moment.replace(tzinfo=None).isoformat()}.000000Z"


def user_info(user: User) -> Json:
    """Upstream's UserInfo."""
    info: Json = {"username": user.name} if user.name else {}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = user.groups
    if user.extra:
        info["extra"] = dict(user.extra)
    return info


def request_uri(request: Request) -> str:
    """Path and query as sent, without the tokens that a query may hold."""
    query = request.query
    if "token=" in query:
        query = TOKEN.sub(r"\1REDACTED", query)
    return f"{request.path}?{query}" if query else request.path


def agent(request: Request) -> str:
    """What the client calls itself."""
    name = request.headers.get("user-agent", "")
    return name if len(name) <= LONGEST_AGENT else f"{name[:LONGEST_AGENT]}...TRUNCATED"


def source_ips(request: Request) -> list[str]:
    """The client's addresses; all but the last are as it says."""
    headers = request.headers
    found: list[str] = []
    if "x-forwarded-for" in headers:
        found = [ip for ip in map(_ip, headers["x-forwarded-for"].split(",")) if ip]
    real = _ip(headers.get("x-real-ip", ""))
    if real and real not in found:
        found.append(real)
    address = None if request.peer is None else request.peer.address
    if address is not None and address[0] not in found[-1:]:
        found.append(address[0])
    return found


def _ip(text: str) -> str:
    if text:
        with suppress(ValueError):
            return str(ipaddress.ip_address(text.strip()))
    return ""


def object_ref(asked: Attributes) -> Json:
    """What the path names: upstream's ObjectReference."""
    fields = {
        "resource": asked.resource,
        "namespace": asked.namespace,
        "name": asked.name,
        "apiGroup": asked.group,
        "apiVersion": asked.version,
        "subresource": asked.subresource,
    }
    return {name: value for name, value in fields.items() if value}


def completed_ref(ref: Json, request: Request) -> Json:
    """`ref`, with what the body says and the path does not."""
    if request.method not in ("POST", "PUT") or media_type(request) != JSON:
        return ref
    try:
        meta = _read_head(request.body).metadata
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ref
    found = {
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "resourceVersion": meta.resourceVersion,
    }
    return {**{name: value for name, value in found.items() if value}, **ref}


def request_object(request: Request, read: str = "", *, bare: bool) -> Any:
    """The body, None where there is none that can be read. `bare` is without managed fields.

    Of one that takes long to be read, what the request's verb has read counts: `read`, JSON. It is
    None where the request did not come so far, as upstream.
    """
    if not request.body:
        return None
    try:
        if long_yaml(request):
            value = msgspec.json.decode(read) if read else None
        else:
            value = body_value(request, BODIES)
    except (StatusError, msgspec.DecodeError):
        return None
    return without_managed_fields(value) if bare else value


def response_object(response: Response, *, bare: bool) -> Any:
    """The answer's object, None where it is none."""
    body = response.body
    if not isinstance(body, bytes) or not response.headers.get("content-type", "").startswith(JSON):
        return None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = msgspec.json.decode(body)
        return without_managed_fields(value) if bare else value
    return None


def without_managed_fields(value: Any) -> Any:
    """An object, a list or a table without managed fields."""
    if not isinstance(value, dict):
        return value
    for item in (value, *_items(value, "items"), *(_row(r) for r in _items(value, "rows"))):
        meta = item.get("metadata") if isinstance(item, dict) else None
        if isinstance(meta, dict):
            meta.pop("managedFields", None)
    return value


def _items(value: Json, name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _row(row: Any) -> Any:
    return row.get("object") if isinstance(row, dict) else None


def response_status(response: Response, *, wordless: bool) -> Json:
    """What became of it: all of a `Status`, of anything else the code.

    `wordless` is without the words in which something is called wrong: they may repeat it.
    """
    status: Json = {"metadata": {}}
    body = response.body
    if isinstance(body, bytes) and (response.status >= 400 or body.startswith(b'{"kind":"Status"')):
        told = response_object(response, bare=False)
        if isinstance(told, Mapping) and told.get("kind") == "Status":
            fields = ("status", "reason") if wordless and response.status in WRONG else TOLD
            status |= {name: told[name] for name in fields if name in told}
    return {**status, "code": response.status}
