"""Tests of OpenAPI v2: what v3 says, in the older form's words."""

from typing import Any

import pytest

from argosy.api import openapi_v2
from argosy.api.builtin import load

V3 = "#/components/schemas/"
V2 = "#/definitions/"


@pytest.mark.parametrize(
    "node, expected",
    [
        ({"$ref": f"{V3}a.B"}, {"$ref": f"{V2}a.B"}),
        (
            {"description": "It.", "allOf": [{"$ref": f"{V3}a.B"}], "default": {}},
            {"description": "It.", "$ref": f"{V2}a.B"},
        ),
        (
            {"type": "array", "items": {"$ref": f"{V3}a.B"}, "x-kubernetes-list-type": "set"},
            {"type": "array", "items": {"$ref": f"{V2}a.B"}, "x-kubernetes-list-type": "set"},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string", "default": "a"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        ({"type": "object", "additionalProperties": True}, None),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        (
            {"type": "object", "properties": {"default": {"type": "string"}, "$ref": {}}},
            {"type": "object", "properties": {"default": {"type": "string"}, "$ref": {}}},
        ),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "description": "x"},
            {"x-kubernetes-preserve-unknown-fields": True, "description": "x"},
        ),
    ],
)
def test_schemas(node: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert openapi_v2.schema(node) == (node if expected is None else expected)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", ("string", "int-or-string")),
        ("io.k8s.apimachinery.pkg.api.resource.Quantity", ("string", None)),
    ],
)
def test_alternatives_are_strings(name: str, expected: tuple[str, str | None]) -> None:
    node = openapi_v2.definition(name, load().document(name))
    assert (node["type"], node.get("format")) == expected
    assert "oneOf" not in node


def test_operations() -> None:
    answer = {
        "description": "OK",
        "content": {"application/json": {"schema": {"$ref": f"{V3}a.B"}}},
    }
    force = {"name": "force", "in": "query", "schema": {"type": "boolean", "uniqueItems": True}}
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    item = {
        "parameters": [name],
        "patch": {
            "parameters": [force],
            "requestBody": {"required": True, "content": {"a/b": {"schema": {"type": "object"}}}},
            "responses": {"200": answer, "401": {"description": "Unauthorized"}},
            "x-kubernetes-action": "patch",
        },
    }
    turned = openapi_v2.path_item(item)
    assert turned["parameters"] == [
        {"name": "name", "in": "path", "required": True, "type": "string"}
    ]
    operation = turned["patch"]
    assert operation["consumes"] == ["a/b"]
    assert operation["produces"] == ["application/json"]
    assert operation["parameters"] == [
        {"name": "force", "in": "query", "type": "boolean", "uniqueItems": True},
        {"name": "body", "in": "body", "schema": {"type": "object"}, "required": True},
    ]
    assert operation["responses"] == {
        "200": {"description": "OK", "schema": {"$ref": f"{V2}a.B"}},
        "401": {"description": "Unauthorized"},
    }
    assert operation["x-kubernetes-action"] == "patch"
    assert "requestBody" not in operation
