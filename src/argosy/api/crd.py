"""The CustomResourceDefinition of an own kind, made from its schema.

A foreign cluster learns Argosy's kinds from these. Their schemas are structural: references are
written out (see `render`).
"""

from typing import Any

from argosy.api.render import render
from argosy.api.resource import Column, Resource
from argosy.api.schema import Schema

Node = dict[str, Any]
_COLUMN_TYPES = frozenset({"integer", "number", "string", "boolean", "date"})


def custom_resource_definition(resource: Resource, schema: Schema) -> Node:
    """The CRD (apiextensions.k8s.io/v1) with `resource`'s one version, served and stored."""
    names: Node = {
        "plural": resource.plural,
        "singular": resource.singular,
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
    }
    if resource.short_names:
        names["shortNames"] = list(resource.short_names)
    if resource.categories:
        names["categories"] = list(resource.categories)
    version: Node = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(schema)},
    }
    if resource.status:
        version["subresources"] = {"status": {}}
    if columns := [_column(column) for column in resource.columns if _shows(column)]:
        version["additionalPrinterColumns"] = columns
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "names": names,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _root(schema: Schema) -> Node:
    """Metadata is the server's: a CRD may say no more of it than that it is an object."""
    node = render(schema)
    node["properties"]["metadata"] = {"type": "object"}
    return node


def _shows(column: Column) -> bool:
    """A column that is computed here can't be shown by a path; the name is always shown."""
    top, _, rest = column.path.partition(".")
    return bool(rest) and top in ("metadata", "spec", "status") and column.path != "metadata.name"


def _column(column: Column) -> Node:
    kind = column.type if column.type in _COLUMN_TYPES else "string"
    node: Node = {"name": column.name, "type": kind, "jsonPath": f".{column.path}"}
    if column.priority:
        node["priority"] = column.priority
    return node
