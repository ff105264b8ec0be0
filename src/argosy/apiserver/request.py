"""What a request asks for: read once from path, query and headers, then passed along."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import unquote

from argosy.apiserver.answers import Answers
from argosy.apiserver.catalog import Catalog, Served
from argosy.base.errors import (
    FieldError,
    StatusError,
    bad_request,
    invalid,
    invalid_value,
    not_supported,
    too_long,
    unknown_path,
)
from argosy.http.message import Request

FieldValidation = Literal["Strict", "Warn", "Ignore"]
_ODD = re.compile(r"//|/\.\.?(?:/|\Z)|[%\0]")
"""What a path has in which a segment is empty, no name, or written in another way."""
LONGEST_MANAGER = 128
LONGEST_NUMBER = 18
"""Digits, so that every number fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `extra` is what else the authentication tells of them."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Target:
    """The object or collection that a path names."""

    served: Served
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> str:
        """Its key in the store; of a collection, the prefix."""
        return self.served.resource.key(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a resource. `warnings` collects what the client shall be told.

    `afterwards` is called when the call is over, whatever became of it; not so if it is cancelled,
    because its write may still be on its way then. `answers` are those of other servers.
    """

    request: Request
    user: User
    target: Target
    query: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)

    @property
    def dry_run(self) -> bool:
        """Whether nothing shall be stored."""
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise _bad_option("dryRun", value, ["All"])
        return value == "All"

    @property
    def manager(self) -> str:
        """The field manager: as given, or the first word of the user agent."""
        given = self.query.get("fieldManager", "")
        if len(given.encode()) > LONGEST_MANAGER:
            raise _option_error(too_long("fieldManager", LONGEST_MANAGER))
        if not given.isprintable():
            detail = "must have printable characters only"
            raise _option_error(invalid_value("fieldManager", given, detail))
        agent = self.request.headers.get("user-agent", "")
        return given or agent.partition("/")[0][:LONGEST_MANAGER] or "unknown"

    @property
    def field_validation(self) -> FieldValidation:
        """What becomes of unknown fields."""
        value = self.query.get("fieldValidation") or "Warn"
        if value in ("Strict", "Warn", "Ignore"):
            return cast(FieldValidation, value)
        raise _bad_option("fieldValidation", value, ["Strict", "Warn", "Ignore"])

    def flag(self, name: str) -> bool:
        """A boolean parameter: true with any value, or none, but `false` and `0`."""
        return name in self.query and self.query[name].lower() not in ("false", "0")

    def number(self, name: str) -> int | None:
        """A whole number, if given. Raises StatusError 400 for anything else."""
        value = self.query.get(name, "")
        if not value:
            return None
        if not (value.isascii() and value.isdigit()):
            raise bad_request(f'{name}: parsing "{value[:64]}": invalid syntax')
        if len(value) > LONGEST_NUMBER:
            raise bad_request(f'{name}: parsing "{value[:64]}": value out of range')
        return int(value)


def _bad_option(name: str, value: str, allowed: list[str]) -> StatusError:
    return _option_error(not_supported(name, value, allowed))


def _option_error(error: FieldError) -> StatusError:
    return invalid("Options", "meta.k8s.io", "", [error])


def _own(parts: list[str]) -> list[str]:
    """Those that are ours to read: what lies below a proxy is for whoever is behind it."""
    at = 4 if parts[0] == "namespaces" else 2
    return parts[:at] if parts[at : at + 1] == ["proxy"] else parts


def parse_target(catalog: Catalog, path: str) -> Target | None:
    """What a resource's path names; None for a path that is no resource's.

    Raises StatusError 404 for a resource that is not served.
    """
    parts = path.strip("/").split("/")
    odd = _ODD.search(path) is not None  # most are not, and need no second look
    if odd:
        parts = [unquote(part) for part in parts]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if odd and any(part in ("", ".", "..") or "/" in part or "\0" in part for part in _own(rest)):
        raise bad_request("the path has an invalid segment")
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    served = catalog.find(group, version, rest[0])
    if bool(namespace) > served.resource.namespaced:
        raise unknown_path()
    name = rest[1] if len(rest) > 1 else ""
    return Target(served, namespace, name, "/".join(rest[2:]))
