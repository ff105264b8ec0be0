"""Schemas and definitions to test with."""

from typing import Any

Json = dict[str, Any]


def kind(*versions: Json, plural: str = "widgets", group: str = "example.com", **spec: Any) -> Json:
    """A definition; without versions it has one that takes anything below `spec`."""
    names = {"plural": plural, "kind": plural.removesuffix("s").capitalize()}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def version(name: str = "v1", spec: Json | None = None, **facts: Any) -> Json:
    """A version, served and stored unless `facts` say otherwise; `spec` is the spec's schema."""
    root = {"type": "object", "properties": {"spec": spec or {"type": "object"}}}
    schema = {"openAPIV3Schema": root}
    return {"name": name, "served": True, "storage": True, "schema": schema, **facts}


def fields(**properties: Json) -> Json:
    """The schema of an object."""
    return {"type": "object", "properties": properties}


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
