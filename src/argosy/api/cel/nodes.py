"""The tree of a checked expression, as the estimator and the evaluator walk it.

`wire` reads it from what the engine's checker hands out; every node knows its static type.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "dyn",
    "null",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "timestamp",
    "duration",
    "list",
    "map",
    "message",
    "opaque",
    "type",
    "param",
]


@dataclass(frozen=True, slots=True)
class Type:
    """A static type; `name` is a message's or an opaque type's."""

    kind: Kind
    params: tuple["Type", ...] = ()
    name: str = ""

    def element(self) -> "Type":
        """The type of what a list's index or a map's key gives."""
        return self.params[-1] if self.params else DYN


DYN = Type("dyn")


@dataclass(slots=True, kw_only=True)
class Node:
    """One expression."""

    id: int = 0
    type: Type = DYN
    overloads: tuple[str, ...] = ()  # of a call, as the checker found them


@dataclass(slots=True, kw_only=True)
class Const(Node):
    """A literal."""

    value: Any


@dataclass(slots=True, kw_only=True)
class Ident(Node):
    """A variable, or the name of a type."""

    name: str


@dataclass(slots=True, kw_only=True)
class Select(Node):
    """`operand.name`; with `test`, whether it is there."""

    operand: Node
    name: str
    test: bool = False


@dataclass(slots=True, kw_only=True)
class Call(Node):
    """A function or an operator; `target` is what a member function is called on."""

    function: str
    target: Node | None
    args: list[Node]

    def operands(self) -> list[Node]:
        """The arguments, the target first."""
        return self.args if self.target is None else [self.target, *self.args]


@dataclass(slots=True, kw_only=True)
class ListNode(Node):
    """`[a, ?b]`; `optional` names the positions that vanish when they hold nothing."""

    items: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class MapNode(Node):
    """`{key: value}`, each with whether it is optional; a message's keys are constants."""

    entries: list[tuple[Node, Node, bool]] = field(default_factory=list)
    message: str = ""


@dataclass(slots=True, kw_only=True)
class Fold(Node):
    """A comprehension: what the macros become."""

    var: str
    var2: str
    range: Node
    accu: str
    init: Node
    condition: Node
    step: Node
    result: Node
