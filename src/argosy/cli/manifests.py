"""Manifests as people keep them: YAML of several documents, or JSON, and lists of objects."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from argosy.base.yamlscalars import resolvers

Json = dict[str, Any]

MOST_BYTES = 2**26
MOST_VALUES = 2**20
"""In one file, with what its aliases stand for."""
DEEPEST = 100


class ManifestError(Exception):
    """What is wrong with a file."""


def read(file: str) -> list[Json]:
    """The objects in a file, or in what comes from stdin (`-`). Raises ManifestError."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(file, "rb") as opened:
                data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ManifestError(str(error.strerror or error)) from None
    if len(data) > MOST_BYTES:
        raise ManifestError(f"more than {MOST_BYTES} bytes")
    return [obj for document in _documents(data) for obj in _objects(document)]


def _documents(data: bytes) -> list[Any]:
    try:
        documents = [json.loads(data)]
    except (ValueError, RecursionError):
        documents = _of_yaml(data)
    _refuse_size(documents)
    try:
        # YAML knows more than JSON: keys of any type, sets, NaN.
        return [json.loads(json.dumps(one, allow_nan=False)) for one in documents]
    except (TypeError, ValueError):
        raise ManifestError("it has values that JSON does not know") from None


def _of_yaml(data: bytes) -> list[Any]:
    try:
        _refuse_depth(data)
        return list(yaml.load_all(data, Loader=_Loader))
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(f"not valid YAML: {' '.join(str(error).split())}") from None


def _refuse_depth(data: bytes) -> None:
    """The C library composes what is nested by recursion, without a bound."""
    depth = 0
    for event in yaml.parse(data, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ManifestError("nested too deeply")


def _refuse_size(documents: list[Any]) -> None:
    """Ten lines of aliases can stand for billions of values, or for one without an end."""
    left: list[tuple[Any, int]] = [(documents, 0)]
    seen = 0
    while left:
        value, depth = left.pop()
        children = value.values() if isinstance(value, dict) else value
        seen += len(children)
        if seen > MOST_VALUES or depth > DEEPEST:
            raise ManifestError("too many values, or nested too deeply")
        left += [(child, depth + 1) for child in children if isinstance(child, dict | list)]


def _objects(document: Any) -> Iterator[Json]:
    if document is None:
        return
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise ManifestError("a document is not an object with a kind")
    if not document["kind"].endswith("List") or not isinstance(document.get("items"), list):
        yield document
        return
    for item in document["items"]:
        if not isinstance(item, dict):
            raise ManifestError("an item of a list is not an object")
        kind = {"kind": document["kind"].removesuffix("List")}
        yield from _objects({**kind, "apiVersion": document.get("apiVersion"), **item})


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, and without timestamps: Kubernetes' are strings."""


_Loader.yaml_implicit_resolvers = resolvers()
