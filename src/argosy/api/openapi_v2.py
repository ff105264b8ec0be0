"""OpenAPI v2 (Swagger), turned out of v3: what older clients read, kubectl up to 1.28 among them.

Version 2 has less to say: a reference stands alone or beside extensions, there are no alternatives
(`oneOf`), and clients that validate take a schema at its word, so that one which takes anything
must say nothing. As kube-apiserver's, the document tells no defaults.
"""

from collections.abc import Mapping
from typing import Any

from argosy.api.builtin import REFERENCE

Node = dict[str, Any]
DEFINITIONS = "#/definitions/"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_KEPT = frozenset(
    """
    description enum exclusiveMaximum exclusiveMinimum format maxItems maxLength maxProperties
    maximum minItems minLength minProperties minimum multipleOf pattern required title type
    uniqueItems
    """.split()
)
_SHAPE = frozenset({"type", "properties", "items", "additionalProperties", "required"})


def definition(name: str, node: Node) -> Node:
    """The schema that is called `name`."""
    turned = schema(node)
    if "oneOf" in node:
        turned["type"] = "string"
    if name == INT_OR_STRING:
        turned["format"] = "int-or-string"
    return turned


def schema(node: Node) -> Node:
    """A schema."""
    turned: Node = {}
    for key, value in node.items():
        if key == "$ref":
            turned[key] = _reference(value)
        elif key == "allOf" and len(value) == 1:
            turned |= schema(value[0])
        elif key in ("items", "additionalProperties"):
            turned[key] = schema(value) if isinstance(value, dict) else value
        elif key == "properties":
            turned[key] = {name: schema(child) for name, child in value.items()}
        elif key in _KEPT or key.startswith("x-"):
            turned[key] = value
    if turned.get("x-kubernetes-preserve-unknown-fields"):
        return {key: value for key, value in turned.items() if key not in _SHAPE}
    return turned


def path_item(node: Node) -> Node:
    """The operations of a path."""
    return {
        key: [_parameter(one) for one in value] if key == "parameters" else _operation(value)
        for key, value in node.items()
    }


def _operation(node: Node) -> Node:
    turned = {key: value for key, value in node.items() if key != "requestBody"}
    turned["parameters"] = [_parameter(one) for one in node["parameters"]]
    turned["consumes"] = ["*/*"]
    if body := node.get("requestBody"):
        turned["consumes"] = list(body["content"])
        turned["parameters"].append(_body(body))
    turned["responses"] = {code: _response(one) for code, one in node["responses"].items()}
    turned["produces"] = list(node["responses"]["200"]["content"])
    turned["schemes"] = ["https"]
    return turned


def _parameter(node: Node) -> Node:
    """What v3 says in a schema, v2 says of the parameter itself."""
    return {**{key: value for key, value in node.items() if key != "schema"}, **node["schema"]}


def _body(node: Node) -> Node:
    turned: Node = {"name": "body", "in": "body", "schema": _content(node)}
    return {**turned, "required": True} if node.get("required") else turned


def _response(node: Node) -> Node:
    told = {"description": node["description"]}
    return {**told, "schema": _content(node)} if "content" in node else told


def _content(node: Mapping[str, Any]) -> Node:
    """The schema of a body, which is the same in all its media types."""
    return schema(next(iter(node["content"].values()))["schema"])


def _reference(target: str) -> str:
    return DEFINITIONS + target.removeprefix(REFERENCE)
