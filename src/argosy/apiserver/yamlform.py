"""YAML on the wire, both ways; loaded when the first comes.

What is read is JSON's subset of YAML; keys that are there twice are found on the way, in the words
of upstream's library. What is written is read back alike by YAML 1.1 and 1.2 libraries.
"""

import json
import re
from collections.abc import Hashable
from typing import Any

import yaml
from yaml.composer import Composer

from argosy.api.structural import DEEPEST
from argosy.base.errors import bad_request
from argosy.base.yamlscalars import resolvers

MOST_TOLD = 100
"""Repeated keys that are told of."""
_COLLECTIONS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_DOUBTFUL = re.compile(
    r"[-+.~=<?:\d].*|y|n|yes|no|on|off|true|false|null", re.IGNORECASE | re.DOTALL
)
"""Texts that some library takes for something else."""


def read(body: bytes, twice: list[str] | None = None) -> Any:
    """The value in `body`. Raises StatusError 400.

    `twice` is given what is to be said of keys that are there twice, if there are such.
    """
    try:
        loader = _Loader(body)
        try:
            # Through JSON, because YAML knows more: keys of any type, bytes, sets, NaN.
            value = json.loads(json.dumps(loader.get_single_data(), allow_nan=False))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        detail = str(error).replace("\n", " ")
        raise bad_request(f"the body of the request is not valid YAML: {detail}") from None
    except (RecursionError, TypeError, ValueError):
        raise bad_request("the body of the request is not valid YAML") from None
    if twice is not None:
        found = sorted(loader.twice)[:MOST_TOLD]
        twice += [f"line {line}: key {key} already set in map" for line, key in found]
    return value


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, without timestamps (Kubernetes' are strings), and with a note of repeated keys.

    Nodes are composed here, event by event: the C library would hold all else until it is done,
    and by recursion without a bound. A few kilobytes of brackets would end the process, and ten
    lines of aliases can be gigabytes of objects.
    """

    check_node = Composer.check_node
    get_node = Composer.get_node
    get_single_node = Composer.get_single_node
    compose_document = Composer.compose_document
    compose_scalar_node = Composer.compose_scalar_node
    compose_sequence_node = Composer.compose_sequence_node
    compose_mapping_node = Composer.compose_mapping_node

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        Composer.__init__(self)
        self.twice: set[tuple[int, str]] = set()
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node. Raises StatusError 400 for aliases, and for what is nested too deeply."""
        if self.check_event(yaml.AliasEvent):
            raise bad_request("YAML anchors and aliases are not accepted")
        if self._depth >= DEEPEST and self.check_event(*_COLLECTIONS):
            raise bad_request("the body of the request is nested too deeply")
        self._depth += 1
        node: yaml.Node | None = Composer.compose_node(self, parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        pairs = [pair for pair in node.value if pair[0].tag != _MERGE]
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(found) < len(pairs) and len(self.twice) < MOST_TOLD:
            self._note(pairs)
        return found

    def _note(self, pairs: list[tuple[yaml.Node, yaml.Node]]) -> None:
        known: set[Hashable] = set()
        for key_node, value_node in pairs:
            key = self.construct_object(key_node)
            if key in known:
                shown = json.dumps(key, ensure_ascii=False, default=str)
                self.twice.add((value_node.start_mark.line + 1, shown))
            known.add(key)


_Loader.yaml_implicit_resolvers = resolvers()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Safe, with quotes around every text that could be taken for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = '"' if _DOUBTFUL.fullmatch(text) else "|" if "\n" in text else None
    return dumper.represent_scalar(_TEXT, text, style=style)  # type: ignore[no-any-return]


_Dumper.add_representer(str, _text)


def write(value: Any) -> bytes:
    """The value in block style, keys in order."""
    text: bytes = yaml.dump(
        value,
        Dumper=_Dumper,
        encoding="utf-8",
        allow_unicode=True,
        default_flow_style=False,
        width=2**31 - 1,
    )
    return text
