"""OpenAPI of group versions, as a stock kubectl reads it, in the form of v3.

`kubectl apply` looks for the PATCH operation of a kind, by its `x-kubernetes-group-version-kind`,
and for the `fieldValidation` parameter on it; `kubectl explain` finds a kind by its GET path and
walks the schemas with their descriptions. Built-in schemas come as the definitions have them, with
patch strategies and merge keys; own kinds' are written from their `Schema`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.builtin import REFERENCE, Builtins
from argosy.api.openapi_paths import PATCHES, Below, Schemas, paths_of
from argosy.api.render import published, render
from argosy.api.resource import Resource
from argosy.api.schema import Schema

Node = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_GVK = "x-kubernetes-group-version-kind"


@dataclass(frozen=True, slots=True)
class Described:
    """A resource as documents tell of it: its schema, where it has no built-in definition, the
    media types that the server takes in a PATCH, and the subresources that work.
    """

    resource: Resource
    own: Schema | None = None
    patches: tuple[str, ...] = PATCHES
    below: tuple[Below, ...] = ()
    node: Mapping[str, Any] | None = None  # the schema of a kind that users define


def document(described: Iterable[Described], definitions: Builtins) -> Node:
    """The document of the group version that all resources belong to."""
    components = Components(definitions)
    paths: Node = {}
    for one in described:
        paths.update(resource_paths(one, components))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{definitions.minor}.0"},
        "paths": paths,
        "components": {"schemas": dict(sorted(components.stream()))},
    }


def resource_paths(one: Described, components: "Components") -> Node:
    """The paths of a resource; `components` hears of the schemas that they refer to."""
    resource = one.resource
    schema = _component(one, components)
    schemas = Schemas(
        one=schema,
        many=_list_component(resource, schema, components) if "list" in resource.verbs else {},
        status=components.need(f"{_META}Status"),
        options=components.need(f"{_META}DeleteOptions"),
        below={
            below.name: components.need(name)
            for below in one.below
            if below.kind and (name := _answered(resource, below, components))
        },
    )
    return paths_of(resource, schemas, one.patches, one.below)


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


class Components:
    """The schemas of a document: those asked for and all that they refer to."""

    def __init__(self, definitions: Builtins) -> None:
        self.definitions = definitions
        self._own: dict[str, Node] = {}
        self._wanted: list[str] = []

    def need(self, name: str) -> Node:
        """A reference to the built-in definition `name`, which the document will have."""
        self._wanted.append(name)
        return _reference(name)

    def add(self, name: str, node: Node) -> Node:
        """A reference to a schema of no built-in kind."""
        self._own[name] = node
        return _reference(name)

    def stream(self) -> Iterator[tuple[str, Node]]:
        """All schemas by name, each made only now: together they can be large."""
        yield from self._own.items()
        done = set(self._own)
        while self._wanted:
            name = self._wanted.pop()
            if name not in done:
                done.add(name)
                node = self.definitions.document(name)
                self._wanted += _references(node)
                yield name, node


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


def _component(one: Described, components: Components) -> Node:
    resource = one.resource
    if one.node is not None:
        node = published(one.node, components.need)
    elif one.own is not None:
        node = render(one.own, components.need)
    else:
        return components.need(resource.definition)
    node[_GVK] = [_gvk(resource, resource.kind)]
    return components.add(definition_name(resource), node)


def _answered(resource: Resource, below: Below, components: Components) -> str:
    """The definition of a subresource's answers; '' where there is none."""
    group, version = resource.group, resource.version
    if below.version:
        group, version = below.group, below.version
    try:
        return components.definitions.name_of(group, version, below.kind)
    except KeyError:
        return ""


def _list_component(resource: Resource, one: Node, components: Components) -> Node:
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
        _GVK: [_gvk(resource, resource.list_kind)],
    }
    return components.add(f"{definition_name(resource)}List", node)


def _gvk(resource: Resource, kind: str) -> Node:
    return {"group": resource.group, "kind": kind, "version": resource.version}
