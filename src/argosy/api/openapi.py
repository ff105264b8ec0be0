"""OpenAPI v3 of one group version, as a stock kubectl reads it.

`kubectl apply` looks for the PATCH operation of a kind, by its `x-kubernetes-group-version-kind`,
and for the `fieldValidation` parameter on it; `kubectl explain` finds a kind by its GET path and
walks the schemas with their descriptions. Built-in schemas come as the definitions have them, with
patch strategies and merge keys; own kinds' are written from their `Schema`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from argosy.api.builtin import REFERENCE, Builtins
from argosy.api.openapi_paths import PATCHES, paths_of
from argosy.api.render import render
from argosy.api.resource import Resource
from argosy.api.schema import Schema

Node = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_GVK = "x-kubernetes-group-version-kind"


def document(
    resources: Iterable[Resource],
    definitions: Builtins,
    own: Mapping[str, Schema],
    *,
    patches: Iterable[str] = PATCHES,
) -> Node:
    """The document of the group version that all `resources` belong to.

    `own` gives the schemas of those without a built-in definition, by kind. `patches` are the
    media types that the server takes in a PATCH.
    """
    components = _Components(definitions)
    status = components.need(f"{_META}Status")
    paths: Node = {}
    for resource in resources:
        one = _component(resource, components, own)
        many = _list_component(resource, one, components)
        paths.update(paths_of(resource, one, many, status, tuple(patches)))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{definitions.minor}.0"},
        "paths": paths,
        "components": {"schemas": components.finish()},
    }


def index(hashes: Mapping[str, str]) -> Node:
    """The answer of GET /openapi/v3: the documents' hashes by `api/v1` or `apis/group/version`.

    A hash changes with its document, so that a client may keep what it got under it for ever.
    """
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
            for path, digest in sorted(hashes.items())
        }
    }


def definition_name(resource: Resource) -> str:
    """The OpenAPI name of a kind: its own, or `org.kubeflow.trainer.v1alpha1.TrainJob`."""
    reverse = ".".join(reversed(resource.group.split(".")))
    return resource.definition or f"{reverse}.{resource.version}.{resource.kind}"


class _Components:
    """The schemas of a document: those asked for and all that they refer to."""

    def __init__(self, definitions: Builtins) -> None:
        self._definitions = definitions
        self._nodes: dict[str, Node] = {}
        self._wanted: list[str] = []

    def need(self, name: str) -> Node:
        """A reference to the built-in definition `name`, which the document will have."""
        self._wanted.append(name)
        return _reference(name)

    def add(self, name: str, node: Node) -> Node:
        self._nodes[name] = node
        return _reference(name)

    def finish(self) -> dict[str, Node]:
        """All nodes, by name."""
        while self._wanted:
            name = self._wanted.pop()
            if name not in self._nodes:
                self._nodes[name] = node = self._definitions.document(name)
                self._wanted += _references(node)
        return dict(sorted(self._nodes.items()))


def _reference(name: str) -> Node:
    return {"$ref": f"{REFERENCE}{name}"}


def _references(value: Any) -> list[str]:
    """The names that a node refers to, at any depth."""
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    if not isinstance(value, dict):
        return []
    names = [name for item in value.values() for name in _references(item)]
    if isinstance(target := value.get("$ref"), str):
        names.append(target.removeprefix(REFERENCE))
    return names


def _component(resource: Resource, components: _Components, own: Mapping[str, Schema]) -> Node:
    if resource.definition:
        return components.need(resource.definition)
    node = render(own[resource.kind], components.need)
    node[_GVK] = [_gvk(resource, resource.kind)]
    return components.add(definition_name(resource), node)


def _list_component(resource: Resource, one: Node, components: _Components) -> Node:
    if resource.definition:
        return components.need(f"{resource.definition}List")
    node: Node = {
        "description": f"A list of {resource.kind} objects.",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": components.need(f"{_META}ListMeta"),
            "items": {"type": "array", "items": one},
        },
        _GVK: [_gvk(resource, f"{resource.kind}List")],
    }
    return components.add(f"{definition_name(resource)}List", node)


def _gvk(resource: Resource, kind: str) -> Node:
    return {"group": resource.group, "kind": kind, "version": resource.version}
