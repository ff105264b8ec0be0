"""The text of a configuration as plain JSON values: YAML or JSON, one document, read strictly.

Keys that are there twice, aliases (ten lines of them can be gigabytes) and what is nested beyond
reason are refused, as is everything that is YAML's and not JSON's.
"""

import json
from collections.abc import Hashable
from typing import Any

import yaml

from argosy.base.yamlscalars import resolvers

DEEPEST = 100
MOST_BYTES = 8 << 20


class DocumentError(Exception):
    """The text is no such document; the error says where."""


def read(text: bytes) -> Any:
    """The one value in `text`, without the fields that are null. Raises DocumentError."""
    if len(text) > MOST_BYTES:
        raise DocumentError(f"too long: may not be more than {MOST_BYTES} bytes")
    try:
        loader = _Loader(text)
        try:
            value = json.loads(json.dumps(loader.get_single_data(), allow_nan=False))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        told = getattr(error, "problem", None) or "not valid"
        raise DocumentError(f"error converting YAML to JSON: yaml{where}: {told}") from None
    except (RecursionError, TypeError, ValueError):
        raise DocumentError("error converting YAML to JSON: not what JSON can say") from None
    return _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    """A field that is null is one that isn't there."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


class _Loader(yaml.SafeLoader):
    """Safe, without aliases and repeated keys, and bounded in depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise self._problem("anchors and aliases are not accepted")
        if self._depth > DEEPEST:
            raise self._problem("nested too deeply")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node)
            if key in seen:
                text = f'key "{key}" already set in map'
                raise yaml.MarkedYAMLError(problem=text, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def _problem(self, text: str) -> yaml.MarkedYAMLError:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        return yaml.MarkedYAMLError(problem=text, problem_mark=event.start_mark)


_Loader.yaml_implicit_resolvers = resolvers()
