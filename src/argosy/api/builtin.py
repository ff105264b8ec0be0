"""The built-in definitions of one Kubernetes minor, read from the file that the build made.

Each definition is decoded when it is first asked for, so loading costs one decompression. The file
holds nodes of OpenAPI v3 without prose (see `tools/hatch_build.py`); `document` puts the prose
back. What the data lacks, and what is done about it:

- enumerations: upstream's OpenAPI files don't carry them, so none is checked here;
- `required` tells how the Go type is encoded, not what the server demands. It is dropped for
  `…Status` definitions, which components fill step by step, for booleans, and for `_MAY_BE_EMPTY`;
- defaults: only those of list keys are known here (`_KEY_DEFAULTS`), because an element's identity
  in a list of type map depends on them.
"""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from argosy.api.schema import ListType, PatchStrategy, Schema, Type

REFERENCE = "#/components/schemas/"
_FOLDER = Path(__file__).parent / "definitions"
_GZIP = 31  # zlib's wbits for a gzip file
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_SCALARS: Mapping[str, Type] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
}
_OPAQUE = frozenset(
    {f"{_META}FieldsV1", f"{_META}Patch", "io.k8s.apimachinery.pkg.runtime.RawExtension"}
)
# Required in the data, though upstream takes their zero values from whoever leaves them out.
_MAY_BE_EMPTY = frozenset(
    {"eventTime", "generation", "group", "lun", "message", "secretRef", "singularName"}
)
_KEY_DEFAULTS: Mapping[tuple[str, str], str] = {
    ("io.k8s.api.core.v1.ContainerPort", "protocol"): "TCP",
    ("io.k8s.api.core.v1.ServicePort", "protocol"): "TCP",
    ("io.k8s.api.core.v1.LocalObjectReference", "name"): "",
}

Node = dict[str, Any]
Prose = dict[str, tuple[str, dict[str, str]]]


class Archive(msgspec.Struct, frozen=True):
    """The file of one minor: names by `group/version/Kind`, and nodes by name."""

    kinds: dict[str, str]
    definitions: dict[str, msgspec.Raw]


class Builtins:
    """All definitions of one minor. Calling it gives a `Schema`, the same one for the same name."""

    def __init__(self, minor: str, archive: Archive, prose: Callable[[], Prose]) -> None:
        self.minor = minor
        self._archive = archive
        self._read_prose = prose
        self._prose: Prose | None = None
        self._schemas: dict[str, Schema] = {}
        self._leaves: dict[tuple[str, str], Schema] = {}

    def __call__(self, name: str) -> Schema:
        """The definition `name`, such as `io.k8s.api.core.v1.Pod`. Raises KeyError."""
        if (known := self._schemas.get(name)) is not None:
            return known
        node = self.raw(name)
        schema = Schema(type=_SCALARS.get(name, node.get("type", "any")), name=name)
        schema.format = node.get("format", "")
        schema.unknown = name in _OPAQUE
        schema.atomic = node.get("x-kubernetes-map-type") == "atomic"
        schema.required = _required(name, node)
        schema.properties = properties = {}
        self._schemas[name] = schema  # before its properties: they may lead back here
        for key, child in node.get("properties", {}).items():
            properties[key] = self._property(name, key, child)
        return schema

    def __contains__(self, name: str) -> bool:
        """Whether this minor has the definition `name`."""
        return name in self._archive.definitions

    def name_of(self, group: str, version: str, kind: str) -> str:
        """The OpenAPI name of a kind. Raises KeyError."""
        return self._archive.kinds[f"{group}/{version}/{kind}"]

    def raw(self, name: str) -> Node:
        """The OpenAPI v3 node, with all of Kubernetes' extensions. Raises KeyError."""
        node: Node = msgspec.json.decode(self._archive.definitions[name])
        return node

    def document(self, name: str) -> Node:
        """The OpenAPI v3 node with its descriptions. Raises KeyError."""
        if self._prose is None:
            self._prose = self._read_prose()
        node = self.raw(name)
        own, of_properties = self._prose[name]
        properties = node.get("properties", {})
        for key, text in of_properties.items():
            properties[key] = _described(properties[key], text)
        return _described(node, own)

    def _property(self, owner: str, key: str, node: Node) -> Schema:
        schema = self._node(node)
        default = _KEY_DEFAULTS.get((owner, key))
        return schema if default is None else replace(schema, default=default)

    def _node(self, node: Node) -> Schema:
        if "$ref" in node:
            schema = self(node["$ref"].removeprefix(REFERENCE))
            atomic = schema.atomic or node.get("x-kubernetes-map-type") == "atomic"
            strategy = _patch_strategy(node)
            if (atomic, strategy) == (schema.atomic, schema.patch_strategy):
                return schema
            return replace(schema, atomic=atomic, patch_strategy=strategy)
        kind = node.get("type", "any")
        if kind == "array":
            list_type, keys = _list_type(node)
            items = self._node(node["items"])
            return Schema(
                type="array",
                items=items,
                list_type=list_type,
                list_keys=keys,
                patch_strategy=_patch_strategy(node),
                merge_key=node.get("x-kubernetes-patch-merge-key", ""),
            )
        if kind == "object":
            return Schema(
                type="object",
                values=self._node(node["additionalProperties"]),
                atomic=node.get("x-kubernetes-map-type") == "atomic",
            )
        return self._leaf(kind, node.get("format", ""))

    def _leaf(self, kind: Type, form: str) -> Schema:
        """Leaves are alike by the thousand: one of each is enough."""
        known = self._leaves.get((kind, form))
        if known is None:
            known = self._leaves[kind, form] = Schema(type=kind, format=form)
        return known


def _patch_strategy(node: Node) -> PatchStrategy:
    """What tells the server; `retainKeys`, which may stand beside it, tells the client."""
    strategies = node.get("x-kubernetes-patch-strategy", "").split(",")
    return "merge" if "merge" in strategies else "replace" if "replace" in strategies else ""


def _list_type(node: Node) -> tuple[ListType, tuple[str, ...]]:
    """Up to 1.29 most lists have only a patch strategy, which tells the same."""
    if list_type := node.get("x-kubernetes-list-type"):
        return list_type, tuple(node.get("x-kubernetes-list-map-keys", ()))
    if _patch_strategy(node) != "merge":
        return "atomic", ()
    key = node.get("x-kubernetes-patch-merge-key")
    return ("map", (key,)) if key else ("set", ())


def _required(name: str, node: Node) -> frozenset[str]:
    if name.endswith("Status"):
        return frozenset()
    properties = node.get("properties", {})
    return frozenset(
        key
        for key in node.get("required", ())
        if key not in _MAY_BE_EMPTY and properties[key].get("type") != "boolean"
    )


def _described(node: Node, text: str) -> Node:
    if not text:
        return node
    if "$ref" in node:  # in OpenAPI 3.0 nothing beside a reference counts
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {"description": text, "allOf": [{"$ref": node["$ref"]}], **rest}
    return {"description": text, **node}


def minors() -> list[str]:
    """The Kubernetes minors that this build has definitions of, oldest first."""
    names = (path.name.removesuffix(".json.gz") for path in _FOLDER.glob("*.json.gz"))
    return sorted(name for name in names if name.replace(".", "").isdigit())


def load(minor: str = "1.37") -> Builtins:
    """The definitions of `minor`. Raises LookupError for one that this build lacks."""
    known = minors()
    if minor not in known:
        hint = f"there are {', '.join(known)}" if known else "run `python tools/hatch_build.py`"
        raise LookupError(f"no definitions of Kubernetes {minor}: {hint}")

    def prose() -> Prose:
        return msgspec.json.decode(_read(f"{minor}.descriptions.json.gz"), type=Prose)

    archive = msgspec.json.decode(_read(f"{minor}.json.gz"), type=Archive)
    return Builtins(minor, archive, prose)


def fingerprint(minor: str) -> bytes:
    """A hash of all that is known of `minor`."""
    names = (f"{minor}.json.gz", f"{minor}.descriptions.json.gz")
    return hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in names)).digest()


def _read(name: str) -> bytes:
    return zlib.decompress((_FOLDER / name).read_bytes(), _GZIP)
