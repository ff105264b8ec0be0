"""The CustomResourceDefinition of a kind, made from the structs of its versions.

    class Widget(Object, frozen=True, kw_only=True):
        resource: ClassVar[Resource] = Resource(
            group="example.com", version="v1", kind="Widget", plural="widgets", status=True
        )
        spec: WidgetSpec

    custom_resource_definition(Widget)

Names, scope, columns and subresources come from `resource`, the schema from the struct
(`crdschema`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from argosy.api.builtin import Builtins, load
from argosy.api.crdschema import root_of
from argosy.api.meta import Object
from argosy.api.resource import Column, Resource

Node = dict[str, Any]
_TYPES = frozenset({"integer", "number", "string", "boolean", "date"})
_PARTS = frozenset({"metadata", "spec", "status"})
_COMPUTED: Mapping[str, str] = {
    "ready-condition": 'status.conditions[?(@.type=="Ready")].status',
    "trainjob-state": "status.conditions[-1:].type",
}
"""JSON paths that come nearest to what our own server computes."""


def custom_resource_definition(*versions: type[Object]) -> Node:
    """The definition (apiextensions.k8s.io/v1) of the kind that all `versions` are.

    All are served, and the first is the one that is stored. A column whose `path` is JSON path
    (`status.conditions[?(@.type=="Ready")].status`) is shown; the name always is. `scale` among a
    resource's subresources scales `spec.replicas`. Raises ValueError where the versions are not
    of one kind or of no group, TypeError where a struct is no kind or has no structural schema.
    """
    for kind in versions:
        if not isinstance(getattr(kind, "resource", None), Resource):
            raise TypeError(
                f"{kind.__name__} is no kind: `resource: ClassVar[Resource]` is missing"
            )
    first = versions[0].resource
    if not first.group:
        raise ValueError(f"{first.kind} is of no group: those without are Kubernetes' own")
    if any(_names(kind.resource) != _names(first) for kind in versions):
        raise ValueError(f"the versions of {first.qualified} differ in their names or scope")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": first.qualified},
        "spec": {
            **_names(first),
            "versions": [_version(kind, stored=kind is versions[0]) for kind in versions],
        },
    }


def _names(resource: Resource) -> Node:
    names: Node = {
        "plural": resource.plural,
        "singular": resource.singular,
        "kind": resource.kind,
        "listKind": resource.list_kind,
    }
    if resource.short_names:
        names["shortNames"] = list(resource.short_names)
    if resource.categories:
        names["categories"] = list(resource.categories)
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return {"group": resource.group, "names": names, "scope": scope}


def _version(kind: type[Object], *, stored: bool) -> Node:
    resource = kind.resource
    schema = root_of(kind, _definitions())
    version: Node = {
        "name": resource.version,
        "served": True,
        "storage": stored,
        "schema": {"openAPIV3Schema": schema},
    }
    if subresources := _subresources(resource, schema):
        version["subresources"] = subresources
    if columns := [_column(column) for column in resource.columns if _shows(column)]:
        version["additionalPrinterColumns"] = columns
    return version


@cache
def _definitions() -> Builtins:
    """What `Builtin` refers to, in the newest minor: reading it takes a twentieth of a second."""
    return load()


def _subresources(resource: Resource, schema: Node) -> Node:
    found: Node = {"status": {}} if resource.status else {}
    if "scale" in resource.subresources:
        paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
        status = schema["properties"].get("status", {}).get("properties", {})
        if "selector" in status:
            paths["labelSelectorPath"] = ".status.selector"
        found["scale"] = paths
    return found


def _path(column: Column) -> str:
    return _COMPUTED.get(column.path, column.path.removeprefix("."))


def _shows(column: Column) -> bool:
    top, _, rest = _path(column).partition(".")
    return bool(rest) and top in _PARTS and column.path != "metadata.name"


def _column(column: Column) -> Node:
    kind = column.type if column.type in _TYPES else "string"
    node: Node = {"name": column.name, "type": kind, "jsonPath": f".{_path(column)}"}
    if column.priority:
        node["priority"] = column.priority
    return node
