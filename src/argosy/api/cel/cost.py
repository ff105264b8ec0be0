"""How dear an expression can get: a walk over the checked tree before it is accepted.

Follows cel-go's estimator as Kubernetes configures it: presence tests are free of charge, sizes
come from the schema, and what has no bound is as large as a request can be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argosy.api.cel import nodes
from argosy.api.cel.callcost import CallCost, Sizes, call_cost
from argosy.api.cel.nodes import Node
from argosy.api.cel.sizes import EMPTY, ONE, UNKNOWN, ZERO, Range

Path = tuple[str, ...]
SizeOf = Callable[[Path], Range | None]
"""The size of what lies at a path from a variable, by its schema; None where that is unknown."""

_LIST: Final = Range(10, 10)
_MAP: Final = Range(30, 30)
_MESSAGE: Final = Range(40, 40)
_ACCUMULATORS: Final = ("@result", "__result__")


@dataclass(frozen=True, slots=True)
class _Entries:
    """The sizes of a container's keys and values."""

    is_list: bool
    key: Range
    value: Range

    def union(self, other: "_Entries | None") -> "_Entries | None":
        if other is None:
            return None
        return _Entries(self.is_list, self.key.union(other.key), self.value.union(other.value))


@dataclass(frozen=True, slots=True)
class _Local:
    path: Path
    size: Range | None
    entries: _Entries | None = None


class _Estimator:
    def __init__(self, size_of: SizeOf) -> None:
        self.size_of = size_of
        self.paths: dict[int, Path] = {}
        self.sizes: dict[int, Range] = {}
        self.entries: dict[int, _Entries] = {}
        self.locals: dict[str, list[_Local]] = {}

    def cost(self, node: Node) -> Range:
        if isinstance(node, nodes.Call):
            return self.call(node)
        if isinstance(node, nodes.Select):
            return self.select(node)
        if isinstance(node, nodes.Ident):
            local = self.local(node.name)
            self.paths[node.id] = local.path if local else (node.name,)
            return ONE
        if isinstance(node, nodes.ListNode):
            return self.sequence(node)
        if isinstance(node, nodes.MapNode):
            return self.mapping(node)
        if isinstance(node, nodes.Fold):
            return self.bind(node) if _is_bind(node) else self.fold(node)
        return ZERO

    def local(self, name: str) -> _Local | None:
        stack = self.locals.get(name)
        return stack[-1] if stack else None

    def path(self, node: Node) -> Path:
        if isinstance(node, nodes.Ident) and (local := self.local(node.name)):
            return local.path
        return self.paths.get(node.id, ())

    def size(self, node: Node) -> Range | None:
        if (known := self.sizes.get(node.id)) is not None:
            return known
        if (own := _literal_size(node)) is not None:
            return own
        path = self.path(node)
        found = self.size_of(path) if path and path[0] not in _ACCUMULATORS else None
        if found is not None:
            self.sizes[node.id] = found
            return found
        if node.type.kind in _SCALARS:
            return ONE
        if isinstance(node, nodes.Ident) and (local := self.local(node.name)):
            return local.size
        return None

    def known(self, node: Node) -> Range:
        return self.size(node) or UNKNOWN

    def entry(self, node: Node) -> _Entries | None:
        if (known := self.entries.get(node.id)) is not None:
            return known
        local = self.local(node.name) if isinstance(node, nodes.Ident) else None
        return local.entries if local else None

    def select(self, node: nodes.Select) -> Range:
        cost = self.cost(node.operand)
        if node.test:
            return cost
        if node.operand.type.kind in ("map", "message", "param"):
            cost = cost + ONE
        self.paths[node.id] = (*self.path(node.operand), node.name)
        return cost

    def sequence(self, node: nodes.ListNode) -> Range:
        cost = _LIST
        item = EMPTY if node.items else ZERO
        for child in node.items:
            cost = cost + self.cost(child)
            item = item.union(self.known(child))
        self.entries[node.id] = _Entries(True, ONE, item)
        return cost

    def mapping(self, node: nodes.MapNode) -> Range:
        cost = _MESSAGE if node.message else _MAP
        keys = values = EMPTY if node.entries else ZERO
        for key, value, _ in node.entries:
            if not node.message:
                cost = cost + self.cost(key)
                keys = keys.union(self.known(key))
            cost = cost + self.cost(value)
            values = values.union(self.known(value))
        if not node.message:
            self.entries[node.id] = _Entries(False, keys, values)
        return cost

    def push(self, name: str, local: _Local) -> None:
        self.locals.setdefault(name, []).append(local)

    def fold(self, node: nodes.Fold) -> Range:
        cost = self.cost(node.range) + self.cost(node.init)
        accumulator = _Local(self.path(node.init), self.size(node.init), self.entry(node.init))
        self.push(node.accu, accumulator)
        self.push_variables(node)
        step = self.cost(node.condition) + self.cost(node.step)
        for name in filter(None, (node.var, node.var2)):
            self.locals[name].pop()
        cost = cost + self.cost(node.result)
        self.locals[node.accu].pop()
        count = self.known(node.range)
        self.keep(node, count)
        return cost + count * step

    def keep(self, node: nodes.Fold, count: Range) -> None:
        if isinstance(node.init, nodes.Const):
            if (size := self.size(node.init)) is not None:
                self.sizes[node.id] = size
        elif isinstance(node.init, nodes.ListNode | nodes.MapNode):
            self.sizes[node.id] = count
            if (entries := self.entry(node.step)) is not None:
                self.entries[node.id] = entries

    def push_variables(self, node: nodes.Fold) -> None:
        entries = self.entry(node.range)
        is_list = entries.is_list if entries else node.range.type.kind == "list"
        path = self.path(node.range)
        keys = _Local((*path, "@indices" if is_list else "@keys"), entries.key if entries else None)
        values = _Local(
            (*path, "@items" if is_list else "@values"), entries.value if entries else None
        )
        if node.var2:
            self.push(node.var, keys)
            self.push(node.var2, values)
        else:
            self.push(node.var, values if is_list else keys)

    def bind(self, node: nodes.Fold) -> Range:
        cost = self.cost(node.range) + self.cost(node.init)
        local = _Local(self.path(node.init), self.size(node.init), self.entry(node.init))
        self.push(node.accu, local)
        cost = cost + self.cost(node.result)
        self.copy(node, node.result)  # while the variable is known
        self.locals[node.accu].pop()
        return cost

    def copy(self, to: Node, source: Node) -> None:
        if (size := self.size(source)) is not None:
            self.sizes[to.id] = size
        if (entries := self.entry(source)) is not None:
            self.entries[to.id] = entries

    def call(self, node: nodes.Call) -> Range:
        if node.function == "dyn":
            cost = self.cost(node.args[0]) + ONE
            self.copy(node, node.args[0])
            return cost
        costs = [self.cost(arg) for arg in node.args]
        base = self.cost(node.target) if node.target is not None else ZERO
        if node.function in ("_&&_", "_||_"):
            return Range(costs[0].least, (costs[0] + costs[1]).most)
        if node.function == "_?_:_":
            return self.conditional(node, costs)
        found = self.function(node)
        self.result(node, found.size)
        for cost in costs:
            base = base + cost
        return base + found.cost

    def conditional(self, node: nodes.Call, costs: list[Range]) -> Range:
        yes, no = node.args[1:]
        entries = self.entry(yes)
        if entries is not None and (both := entries.union(self.entry(no))) is not None:
            self.entries[node.id] = both
        self.sizes[node.id] = self.known(yes).union(self.known(no))
        return costs[0] + costs[1].union(costs[2])

    def function(self, node: nodes.Call) -> CallCost:
        if node.function == "_+_":
            one, other = (self.entry(arg) for arg in node.args)
            if one is not None and (both := one.union(other)) is not None:
                self.entries[node.id] = both
        target = node.target
        element = None
        if target is not None and target.type.params:
            element = self.element(target)
        sizes = Sizes(
            call=node,
            target=None if target is None else self.known(target),
            args=[self.known(arg) for arg in node.args],
            element=element,
            is_list=bool(target is not None and target.type.params),
        )
        return call_cost(sizes)

    def element(self, target: Node) -> Range | None:
        if target.type.params[0].kind not in ("string", "bytes"):
            return None
        path = self.path(target)
        found = self.size_of((*path, "@items")) if path else None
        return found or UNKNOWN

    def result(self, node: nodes.Call, size: Range | None) -> None:
        if node.function == "_[_]" and node.args:
            entries = self.entry(node.args[0])
            step = "@items" if node.args[0].type.kind == "list" else "@values"
            self.paths[node.id] = (*self.path(node.args[0]), step)
            size = entries.value if entries else None
        if size is None:
            size = self.size(node)
        if size is not None:
            self.sizes[node.id] = size


_SCALARS: Final = ("bool", "int", "uint", "double", "timestamp", "duration")


def _literal_size(node: Node) -> Range | None:
    if isinstance(node, nodes.Const):
        size = len(node.value) if isinstance(node.value, str | bytes) else 1
    elif isinstance(node, nodes.ListNode):
        size = len(node.items)
    elif isinstance(node, nodes.MapNode) and not node.message:
        size = len(node.entries)
    else:
        return None
    return Range(size, size)


def _is_bind(node: nodes.Fold) -> bool:
    return (
        isinstance(node.range, nodes.ListNode)
        and not node.range.items
        and isinstance(node.condition, nodes.Const)
        and node.condition.value is False
    )


def estimate(root: Node, size_of: SizeOf) -> Range:
    """What evaluating `root` costs, in CEL's cost units (about 50 ns each)."""
    return _Estimator(size_of).cost(root)
