"""Discovery: what kinds there are, for clients that know none, and their OpenAPI documents."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from argosy.api.builtin import Builtins
from argosy.api.openapi import document, index
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.negotiate import patches

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
STATUS_VERBS = ["get", "patch", "update"]
SUBRESOURCES: dict[str, tuple[str, list[str]]] = {
    "binding": ("Binding", ["create"]),
    "log": ("Pod", ["get"]),
}
"""Kind and verbs of each subresource beside status."""


@dataclass(frozen=True)
class Discovery:
    """Answers by path, each encoded once."""

    catalog: Catalog
    definitions: Builtins

    def find(self, path: str) -> bytes | None:
        """The answer for `path`; None where it is no path of discovery's."""
        if path in self.documents:
            return self.documents[path]
        if path == "/openapi/v3":
            return self._index
        if path.startswith("/openapi/v3/"):
            return self._openapi.get(path.removeprefix("/openapi/v3/"))
        return None

    @cached_property
    def documents(self) -> dict[str, bytes]:
        """The lists of groups, of versions and of resources."""
        groups = self.catalog.groups()
        named = {name: _group(name, versions) for name, versions in groups.items() if name}
        found: dict[str, Any] = {
            "/api": {"kind": "APIVersions", "versions": groups.get("", [])},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(named.values())},
        }
        for name, group in named.items():
            found[f"/apis/{name}"] = {"kind": "APIGroup", "apiVersion": "v1", **group}
        for name, versions in groups.items():
            for version in versions:
                served = self.catalog.of(name, version)
                found[served[0].resource.root] = _resources(served)
        return {path: msgspec.json.encode(body) for path, body in found.items()}

    @cached_property
    def _openapi(self) -> dict[str, bytes]:
        found = {}
        for name, versions in self.catalog.groups().items():
            for version in versions:
                served = self.catalog.of(name, version)
                own = {item.resource.kind: item.schema for item in served if item.own}
                resources = [item.resource for item in served]
                taken = patches(own=bool(own))  # a group's kinds are all own or all built-in
                body = document(resources, self.definitions, own, patches=taken)
                path = served[0].resource.root.removeprefix("/")
                found[path] = msgspec.json.encode(body)
        return found

    @cached_property
    def _index(self) -> bytes:
        return msgspec.json.encode(index(self._openapi))


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _resources(served: list[Served]) -> dict[str, Any]:
    resources: list[dict[str, Any]] = []
    for item in served:
        resource = item.resource
        entry: dict[str, Any] = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": VERBS,
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        resources.append(entry)
        below = [("status", (resource.kind, STATUS_VERBS))] * resource.status
        below += [(name, SUBRESOURCES[name]) for name in resource.subresources]
        for name, (kind, verbs) in below:
            resources.append(
                {
                    "name": f"{resource.plural}/{name}",
                    "singularName": "",
                    "namespaced": resource.namespaced,
                    "kind": kind,
                    "verbs": verbs,
                }
            )
    version = served[0].resource.api_version
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
