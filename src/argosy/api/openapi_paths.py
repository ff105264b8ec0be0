"""The paths of one resource in its OpenAPI v3 document, with the operations that are served."""

from typing import Any

from argosy.api.resource import Resource

Node = dict[str, Any]
PATCHES = ("application/apply-patch+yaml", "application/merge-patch+json")
_JSON = "application/json"


def paths_of(
    resource: Resource, one: Node, many: Node, status: Node, patches: tuple[str, ...]
) -> Node:
    """All paths of `resource`. `one`, `many` and `status` refer to the schemas of the answers."""
    operations = _Operations(resource, one, one if resource.returned else status, patches)
    scope = [_path_parameter("namespace")] if resource.namespaced else []
    named = [*scope, _path_parameter("name")]
    collection = resource.path(namespace="{namespace}")
    item = resource.path("{name}", "{namespace}")
    paths: Node = {
        collection: {
            "parameters": scope,
            "get": operations.read("list", many),
            "post": operations.write("post", (_JSON,)),
        },
        item: {
            "parameters": named,
            "get": operations.read("get", one),
            **operations.changes(),
            "delete": operations.delete(),
        },
    }
    if resource.namespaced:
        paths[resource.path()] = {"get": operations.read("list", many)}
    if resource.status:
        paths[f"{item}/status"] = {
            "parameters": named,
            "get": operations.read("get", one),
            **operations.changes(),
        }
    return paths


class _Operations:
    """Operations on one resource, each marked with its kind as kubectl wants it."""

    def __init__(
        self, resource: Resource, one: Node, deleted: Node, patches: tuple[str, ...]
    ) -> None:
        self._gvk = {
            "group": resource.group,
            "kind": resource.kind,
            "version": resource.version,
        }
        self._one = one
        self._deleted = deleted
        self._patches = patches

    def read(self, action: str, answer: Node) -> Node:
        names = ("labelSelector", "fieldSelector", "resourceVersion", "continue")
        parameters = [_query(name) for name in names] if action == "list" else []
        if action == "list":
            parameters += [_query("limit", "integer"), _query("watch", "boolean")]
        return self._operation(action, parameters, answer)

    def changes(self) -> Node:
        """Replacing and patching."""
        return {
            "put": self.write("put", (_JSON,)),
            "patch": self.write("patch", self._patches),
        }

    def write(self, action: str, media_types: tuple[str, ...]) -> Node:
        parameters = [_query(name) for name in ("dryRun", "fieldManager", "fieldValidation")]
        if action == "patch":
            parameters.append(_query("force", "boolean"))
        schema = self._one if action != "patch" else {"type": "object"}
        content = {media_type: {"schema": schema} for media_type in media_types}
        body = {"required": True, "content": content}
        return {**self._operation(action, parameters, self._one), "requestBody": body}

    def delete(self) -> Node:
        parameters = [_query("dryRun"), _query("propagationPolicy")]
        parameters.append(_query("gracePeriodSeconds", "integer"))
        return self._operation("delete", parameters, self._deleted)

    def _operation(self, action: str, parameters: list[Node], answer: Node) -> Node:
        content = {_JSON: {"schema": answer}}
        return {
            "parameters": parameters,
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self._gvk,
        }


def _query(name: str, kind: str = "string") -> Node:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def _path_parameter(name: str) -> Node:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
