"""What extension servers say of themselves, believed as far as it is about what they may serve.

A server may answer with anything. Of its discovery, in either form, the resources of one group's
version are taken, if they have the shape of such; of its OpenAPI index the hash of one document.
Pure.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from argosy.api.registration import Place

Json = dict[str, Any]
HASH: Final = re.compile(r"[0-9A-Za-z]{1,128}")


class Kind(msgspec.Struct, frozen=True):
    """A group, version and kind; the first two are empty where they are the document's own."""

    group: str = ""
    version: str = ""
    kind: str = ""


class Below(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A subresource."""

    subresource: str
    response_kind: Kind | None = None
    verbs: list[str] = []


class Found(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A resource."""

    resource: str
    response_kind: Kind | None = None
    scope: Literal["", "Namespaced", "Cluster"] = ""
    singular_resource: str = ""
    verbs: list[str] = []
    short_names: list[str] = []
    categories: list[str] = []
    subresources: list[Below] = []


class _Version(msgspec.Struct, frozen=True):
    version: str = ""
    resources: list[Found] | None = None


class _Name(msgspec.Struct, frozen=True):
    name: str = ""


class _Group(msgspec.Struct, frozen=True):
    metadata: _Name = _Name()
    versions: list[_Version] | None = None


class _Groups(msgspec.Struct, frozen=True):
    items: list[_Group] | None = None


class _Resource(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    kind: str
    singular_name: str = ""
    namespaced: bool = False
    group: str = ""
    version: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _Resources(msgspec.Struct, frozen=True, rename="camel"):
    group_version: str
    resources: list[_Resource] | None = None


def of_groups(body: bytes, place: Place) -> list[Json] | None:
    """The resources of `place` in the form of everything at once; None where it is not told of.

    Raises ValueError.
    """
    for group in msgspec.json.decode(body, type=_Groups).items or ():
        for version in group.versions or () if group.metadata.name == place[0] else ():
            if version.version == place[1]:
                return [_whole(item) for item in version.resources or ()]
    return None


def of_list(body: bytes, place: Place) -> list[Json]:
    """The same of a document of one group's version. Raises ValueError for another's."""
    told = msgspec.json.decode(body, type=_Resources)
    if told.group_version != "/".join(place):
        raise ValueError("the document is about another group or version")
    below: dict[str, list[Below]] = {}
    for item in told.resources or ():
        name, slash, rest = item.name.partition("/")
        if slash:
            found = Below(rest, _kind(item), item.verbs or [])
            below.setdefault(name, []).append(found)
    whole = (item for item in told.resources or () if "/" not in item.name)
    return [_whole(_found(item, below.get(item.name, []))) for item in whole]


def hash_of(body: bytes, place: Place) -> str:
    """Of the OpenAPI document of `place`, as an index names it; empty where it is not named.

    Raises ValueError.
    """
    paths = msgspec.json.decode(body, type=dict[str, dict[str, dict[str, Any]]]).get("paths") or {}
    named = paths.get(f"apis/{place[0]}/{place[1]}")
    if named is None:
        return ""
    query = urlsplit(str(named.get("serverRelativeURL") or "")).query
    digest = parse_qs(query).get("hash", [""])[-1]
    return digest if HASH.fullmatch(digest) else "0"


def _found(item: _Resource, below: Iterable[Below]) -> Found:
    return Found(
        resource=item.name,
        response_kind=_kind(item),
        scope="Namespaced" if item.namespaced else "Cluster",
        singular_resource=item.singular_name,
        verbs=item.verbs or [],
        short_names=item.short_names or [],
        categories=item.categories or [],
        subresources=list(below),
    )


def _kind(item: _Resource) -> Kind:
    return Kind(item.group, item.version, item.kind)


def _whole(item: Found) -> Json:
    """The resource; no kind in it is absent, because clients of old break on that."""
    whole: Json = msgspec.to_builtins(item)
    for part in (whole, *whole.get("subresources", ())):
        part.setdefault("responseKind", {"group": "", "version": "", "kind": ""})
    return whole
