"""Discovery: what kinds there are, for clients that know none.

There are two forms: a list of groups with one document for each version, and, for clients that ask
for it, everything at once (KEP-3352). Both tell only of what works.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.api.registration import local_priorities
from argosy.api.resource import Resource
from argosy.api.resources.extensions import API_SERVICE
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.etag import answer_tagged, tag_of
from argosy.apiserver.subresources import Subresource, known_as, names_of
from argosy.http.message import Request, Response

Json = dict[str, Any]

VERBS = frozenset(
    {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
)
"""Those of a resource's verbs that work."""
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_WANTED = frozenset(AGGREGATED.split(";")[1:])


Documents = dict[str, tuple[bytes, str]]


@dataclass
class Discovery:
    """Answers by path, each encoded once in an edition of the catalogue."""

    catalog: Catalog
    subresources: Mapping[str, Subresource]
    _edition: int = field(default=-1, init=False)
    _known: Documents | None = field(default=None, init=False)
    _whole: Documents | None = field(default=None, init=False)

    def _renew(self) -> None:
        """Forget what was told of other kinds than there are now."""
        if self._edition != self.catalog.edition:
            self._edition = self.catalog.edition
            self._known = self._whole = None

    def find(self, request: Request, path: str) -> Response | None:
        """The answer for `path`; None where it is no path of discovery's."""
        if path in ("/api", "/apis") and wants_aggregated(request):
            body, tag = self.aggregated[path]
            return answer_tagged(request, body, tag, {"content-type": AGGREGATED})
        if path not in self.documents:
            return None
        body, tag = self._core(request) if path == "/api" else self.documents[path]
        return answer_tagged(request, body, tag)

    @property
    def documents(self) -> Documents:
        """The lists of groups, of versions and of resources, each with its tag."""
        self._renew()
        if self._known is None:
            self._known = self._made()
        return self._known

    def _made(self) -> Documents:
        groups = _ordered(self.catalog.groups())
        named = {name: _group(name, versions) for name, versions in groups.items() if name}
        found: dict[str, Json] = {
            "/api": {"kind": "APIVersions", "versions": groups.get("", [])},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(named.values())},
        }
        for name, group in named.items():
            found[f"/apis/{name}"] = {"kind": "APIGroup", "apiVersion": "v1", **group}
        for name, versions in groups.items():
            for version in versions:
                items = self.catalog.of(name, version)
                found[items[0].resource.root] = self._resources(items)
        return {path: _tagged(body) for path, body in found.items()}

    def _core(self, request: Request) -> tuple[bytes, str]:
        """`/api`, which says where the server is: there where the client has found it."""
        address = request.headers.get("host", "") or "localhost"
        told: Json = {
            "kind": "APIVersions",
            "versions": self.catalog.groups().get("", []),
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }
        return _tagged(told)

    @property
    def aggregated(self) -> Documents:
        """Everything at once, of the core group and of all others, each with its tag."""
        self._renew()
        if self._whole is None:
            self._whole = self._made_whole()
        return self._whole

    def _made_whole(self) -> Documents:
        groups = _ordered(self.catalog.groups())
        core = [self._whole_group(name) for name in groups if not name]
        named = [self._whole_group(name) for name in groups if name]
        return {"/api": _tagged(_aggregate(core)), "/apis": _tagged(_aggregate(named))}

    def _whole_group(self, name: str) -> Json:
        versions = [
            {
                "version": version,
                "resources": [
                    self._whole_resource(item.resource) for item in self.catalog.of(name, version)
                ],
                "freshness": "Current",
            }
            for version in self.catalog.groups()[name]
        ]
        metadata = {"name": name} if name else {}
        return {"metadata": {**metadata, "creationTimestamp": None}, "versions": versions}

    def _resources(self, served: list[Served]) -> Json:
        resources: list[Json] = []
        for item in served:
            resource = item.resource
            whole: Json = {
                "name": resource.plural,
                "singularName": resource.singular,
                "namespaced": resource.namespaced,
                "kind": resource.kind,
                "verbs": _verbs(resource),
            }
            whole |= _names(resource)
            if not item.virtual:
                whole["storageVersionHash"] = _storage_hash(item.storage)
            resources.append(whole)
            for name, below in self._below(resource):
                kind = _kind_below(resource, below)
                whole = {
                    "name": f"{resource.plural}/{name}",
                    "singularName": "",
                    "namespaced": resource.namespaced,
                    "verbs": below.verbs,
                }
                resources.append({**whole, **{key: text for key, text in kind.items() if text}})
        version = served[0].resource.api_version
        head = {"kind": "APIResourceList"}
        if "/" in version:  # upstream's core list has none
            head["apiVersion"] = "v1"
        return {**head, "groupVersion": version, "resources": resources}

    def _whole_resource(self, resource: Resource) -> Json:
        whole: Json = {
            "resource": resource.plural,
            "responseKind": _response_kind(resource.kind),
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "singularResource": resource.singular,
            "verbs": _verbs(resource),
            **_names(resource),
        }
        subresources = [
            {
                "subresource": name,
                "responseKind": _kind_below(resource, below),
                "verbs": below.verbs,
            }
            for name, below in self._below(resource)
        ]
        return {**whole, "subresources": subresources} if subresources else whole

    def _below(self, resource: Resource) -> list[tuple[str, Subresource]]:
        """The subresources that work."""
        found = [(n, known_as(self.subresources, resource, n)) for n in names_of(resource)]
        return [(name, below) for name, below in found if below is not None]


def wants_aggregated(request: Request) -> bool:
    """Whether the client puts the aggregated form first among those that there are."""
    for choice in request.headers.get("accept", "").split(","):
        kind, *parameters = (part.strip() for part in choice.split(";"))
        if kind not in ("application/json", "application/*", "*/*"):
            continue
        named = {part for part in parameters if part.partition("=")[0] in ("g", "v", "as")}
        if not named:
            return False
        if named == _WANTED:
            return True
    return False


def _tagged(body: Json) -> tuple[bytes, str]:
    encoded = msgspec.json.encode(body)
    return encoded, tag_of(encoded)


def _ordered(groups: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Groups as clients are to prefer them: that of the APIServices, then by their priorities."""

    def place(group: str) -> tuple[bool, int, str]:
        return group != API_SERVICE.group, -local_priorities(group, "v1")[0], group

    return {group: groups[group] for group in sorted(groups, key=place)}


def _group(name: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _verbs(resource: Resource) -> list[str]:
    return [verb for verb in resource.verbs if verb in VERBS]


def _names(resource: Resource) -> Json:
    """Other names for a resource, as far as it has any."""
    named = {"shortNames": resource.short_names, "categories": resource.categories}
    return {key: list(values) for key, values in named.items() if values}


def _storage_hash(stored: Resource) -> str:
    """By which a migration of stored objects sees that they are stored in another version now."""
    version = f"{stored.group}/{stored.version}/{stored.kind}"
    return base64.b64encode(hashlib.sha256(version.encode()).digest()[:8]).decode()


def _aggregate(groups: list[Json]) -> Json:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": groups,
    }


def _kind_below(resource: Resource, below: Subresource) -> Json:
    return _response_kind(below.kind or resource.kind, below.group, below.version)


def _response_kind(kind: str, group: str = "", version: str = "") -> Json:
    """Without group and version they are the resource's own."""
    return {"group": group, "version": version, "kind": kind}
