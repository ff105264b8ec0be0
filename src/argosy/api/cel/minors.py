"""Which functions of expressions came with which minor of Kubernetes.

An expression that is new must do with what was there one minor before the served one, so that the
server can be set back; one that is stored may use all. Source: upstream's
`cel/environment/base.go`, 1.36 and 1.37.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.api.cel import nodes
from argosy.api.cel.environment import functions, located, shown, walk
from argosy.api.cel.nodes import Node

FIRST: Final = 0
"""Of what was always there."""
OPTIONALS: Final = 28
TWO_VARIABLES: Final = 32
_BY_MINOR: Final = {
    27: "path group serviceAccount resource subresource namespace name check allowed reason "
    "errored error",
    28: "optional.none optional.of optional.ofNonZeroValue optional.unwrap unwrapOpt hasValue "
    "value or orValue first last quantity isQuantity sign asInteger isInteger asApproximateFloat "
    "add sub isGreaterThan isLessThan compareTo",
    29: "format strings.quote sets.contains sets.equivalent sets.intersects",
    30: "ip isIP ip.isCanonical family isUnspecified isLoopback isLinkLocalMulticast "
    "isLinkLocalUnicast isGlobalUnicast cidr isCIDR containsIP containsCIDR prefixLength masked",
    31: "format.named format.dns1123Label format.dns1123Subdomain format.dns1035Label "
    "format.qualifiedName format.dns1123LabelPrefix format.dns1123SubdomainPrefix "
    "format.dns1035LabelPrefix format.labelValue format.uri format.uuid format.byte format.date "
    "format.datetime validate fieldSelector labelSelector",
    33: "semver isSemver major minor patch",
    34: "distinct flatten lists.range reverse slice sort sortBy",
    37: "includes",
}
SINCE: Final[Mapping[str, int]] = {
    name: minor for minor, names in _BY_MINOR.items() for name in names.split()
}
_SYNTAX: Final = {"_?._": ".?", "_[?_]": "[?"}
_OPERATORS: Final = frozenset(("_<_", "_<=_", "_>_", "_>=_"))
_CALLED: Final = {"@sortByAssociatedKeys": "sortBy"}
_MACRO: Final = re.compile(
    r"\b(all|exists|existsOne|exists_one|transformList|transformMap|transformMapEntry)\s*\("
)
_TEXTS: Final = frozenset(("rule", "messageExpression", "expression", "valueExpression"))


@dataclass(frozen=True, slots=True)
class _Use:
    """What an expression uses: since which minor it is there, and what is said where it is not."""

    since: int
    place: int
    words: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a new expression may use: all of a minor; `known` are not new."""

    minor: int
    known: frozenset[str] = frozenset()

    def fault(self, root: Node, source: str) -> str:
        """What cel-go of that minor says of a compiled expression; empty where nothing."""
        if source in self.known:
            return ""
        found = {one for one in _used(root, source) if one.since > self.minor}
        syntax = {one for one in found if one.words.startswith("unsupported")}
        faults = sorted(syntax or found, key=lambda one: (one.place, one.words))
        return "\n".join(located(source, one.place, one.words) for one in faults)


def allowed(minor: str | None, old: Any = None) -> Allowed | None:
    """What new expressions may use where `minor` (such as 1.37) is served, all where none is.

    `old` is the object as it was: what it says is not new.
    """
    if minor is None:
        return None
    return Allowed(int(minor.partition(".")[2]) - 1, frozenset(_expressions(old)))


def _expressions(value: Any) -> Iterator[str]:
    """All of them, wherever they stand."""
    if isinstance(value, list):
        for item in value:
            yield from _expressions(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _TEXTS and isinstance(item, str):
                yield item
            else:
                yield from _expressions(item)


def _used(root: Node, source: str) -> Iterator[_Use]:
    """What came later than the first."""
    for node in walk(root):
        if isinstance(node, nodes.Call):
            yield from _called(node, source)
        elif isinstance(node, nodes.Fold) and node.var2:
            macro = _MACRO.search(source)
            yield _undeclared(TWO_VARIABLES, macro.group(1) if macro else "all", source)
        elif isinstance(node, nodes.ListNode) and node.optional:
            yield _unsupported("?", source)
        elif isinstance(node, nodes.MapNode) and any(entry[2] for entry in node.entries):
            yield _unsupported("?", source)


def _called(node: nodes.Call, source: str) -> Iterator[_Use]:
    name = _CALLED.get(node.function, node.function)
    if (since := SINCE.get(name, FIRST)) != FIRST:
        yield from _named(since, name, source)
    elif name in _SYNTAX:
        yield _unsupported(_SYNTAX[name], source)
    elif name in _OPERATORS:
        one, other = (operand.type for operand in node.operands())
        if "dyn" not in (one.kind, other.kind) and one.kind != other.kind:
            words = f"found no matching overload for '{name}' applied to "
            place = source.find(name[1:-1])
            yield _Use(OPTIONALS, place, f"{words}'({shown(one)}, {shown(other)})'")


def _named(since: int, name: str, source: str) -> Iterator[_Use]:
    """Of `sets.contains` the checker looks for `sets` first, and then for a member `contains`."""
    space, _, own = name.rpartition(".")
    if space:
        found = re.search(rf"\b{re.escape(name)}\s*\(", source)
        words = f"undeclared reference to '{space}' (in container '')"
        yield _Use(since, found.start() if found else 0, words)
    if not space or own not in functions() or SINCE.get(own, FIRST) != FIRST:
        yield _undeclared(since, own, source)


def _undeclared(since: int, name: str, source: str) -> _Use:
    called = re.search(rf"\b{re.escape(name)}\s*\(", source)
    words = f"undeclared reference to '{name}' (in container '')"
    return _Use(since, called.end() - 1 if called else 0, words)


def _unsupported(syntax: str, source: str) -> _Use:
    return _Use(OPTIONALS, max(0, source.find(syntax)), f"unsupported syntax '{syntax}'")
