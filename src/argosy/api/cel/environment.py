"""One engine for every expression: declare variables, compile, evaluate within a budget.

`Environment` names what an expression may use, `Program` is one that passed; several programs can
share an `Activation`. The engine parses and checks (`engine`), the tree is read back (`wire`),
priced (`cost`) and run here in Python (`evaluator`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from argosy.api.cel import (
    lib_authorizer,
    lib_core,
    lib_kinds,
    lib_lists,
    lib_net,
    lib_text,
    nodes,
    regex,
    wire,
)
from argosy.api.cel.cost import Path, estimate
from argosy.api.cel.decltypes import DeclType, at_path
from argosy.api.cel.descriptors import Messages
from argosy.api.cel.engine import Checker, CompileError
from argosy.api.cel.evaluator import MISSING, SPECIAL, Compiler, Frame, Function
from argosy.api.cel.mutation import PATCH, ROOT, AmbiguousError, Constructed
from argosy.api.cel.nodes import Node, Type
from argosy.api.cel.sizes import Range
from argosy.api.cel.values import (
    Budget,
    CelError,
    UInt,
    no_overload,
    parse_duration,
    parse_timestamp,
)

PER_CALL: Final = 1_000_000
"""What one evaluation may cost at run time."""


@lru_cache(maxsize=1)
def functions() -> Mapping[str, Function]:
    """Every function by its name."""
    return {
        **lib_core.FUNCTIONS,
        **lib_lists.FUNCTIONS,
        **lib_net.FUNCTIONS,
        **lib_kinds.FUNCTIONS,
        **lib_authorizer.FUNCTIONS,
        **lib_text.FUNCTIONS,
    }


def known(function: str) -> bool:
    """Whether there is such a function; the engine's extensions have some that we don't."""
    return function in SPECIAL or function in functions()


@dataclass(frozen=True, slots=True)
class Maybe:
    """A variable that is an optional of a type."""

    of: DeclType


Declaration = DeclType | Maybe | str
"""A schema's type, or an engine's: `dyn`, `list(string)`, `kubernetes.authorization.Authorizer`."""


class Activation(Protocol):
    """The variables' values: a mapping, or what makes each of them when it is asked for."""

    def get(self, key: str, default: Any, /) -> Any:
        """The value, or `default` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression. `uses` are the variables that it names."""

    root: Node
    uses: frozenset[str]
    cost: Range
    _slots_of: tuple[tuple[int, str], ...]  # where the variables that it names stand
    _run: Any
    _slots: int

    @property
    def type(self) -> Type:
        """The static type of its value."""
        return self.root.type

    def evaluate(self, activation: Activation, budget: Budget | None = None) -> Any:
        """The value. Raises CelError, or BudgetExceeded where it is dearer than `budget`."""
        frame: Frame = [MISSING] * self._slots
        frame[0] = budget or Budget(PER_CALL)
        for slot, name in self._slots_of:
            frame[slot] = activation.get(name, MISSING)
        try:
            return self._run(frame)
        except RecursionError:
            raise CelError("expression is nested too deeply") from None
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            raise no_overload() from None  # dynamic values can be of any type anywhere


class Environment:
    """What expressions may name. Compiling is dear (about 0.2 ms); a program is for keeping.

    With `patches` they may also make values of the types in `mutation`.
    """

    def __init__(self, variables: Mapping[str, Declaration], *, patches: bool = False) -> None:
        self._variables = dict(variables)
        self._patches = patches
        self._checker = self._made() if not patches else None

    def _made(self, *others: FileDescriptorProto) -> Checker:
        messages = Messages()
        specs = {name: _spec(declared, messages) for name, declared in self._variables.items()}
        return Checker(specs, messages.pool(*others))

    def compile(self, expression: str) -> Program:
        """The program of an expression. Raises CompileError in cel-go's words."""
        if self._checker is None:
            return self._patching(expression)
        return self._read(self._checker.check(expression), expression)

    def _patching(self, expression: str) -> Program:
        """The program of one that makes patches: each has types of its own."""
        try:
            types = Constructed.of(expression)
        except AmbiguousError as error:
            raise CompileError(f"ERROR: <input>:-1:0: {error}") from None
        try:
            serialized = self._made(types.described()).check(types.text)
            return self._read(serialized, expression, types.real)
        except CompileError as error:
            raise CompileError(types.shown(str(error))) from None

    def _read(
        self, serialized: bytes, expression: str, real: Mapping[str, str] | None = None
    ) -> Program:
        try:
            return self._program(serialized, expression, real or {})
        except RecursionError:
            raise CompileError("ERROR: <input>:-1:0: max recursion depth exceeded") from None

    def _program(self, serialized: bytes, expression: str, real: Mapping[str, str]) -> Program:
        root, places = wire.read(serialized, UInt)
        for node in walk(root) if real else ():
            if isinstance(node, nodes.MapNode):
                node.message = real.get(node.message, node.message)
        faults = [_fault(expression, places, *found) for found in _wrong_literals(root)]
        if faults:
            raise CompileError("\n".join(faults))
        for node in walk(root):
            if isinstance(node, nodes.Call) and not known(node.function):
                words = f"undeclared reference to '{node.function}' (in container '')"
                raise CompileError(_fault(expression, places, node, words))
        names = tuple(self._variables)
        compiler = Compiler(functions(), names)
        run = compiler.run(root)
        uses = {node.name for node in walk(root) if isinstance(node, nodes.Ident)}
        return Program(
            root=root,
            uses=frozenset(uses & self._variables.keys()),
            cost=estimate(root, self._size),
            _slots_of=tuple((at, name) for at, name in enumerate(names, 1) if name in uses),
            _run=run,
            _slots=compiler.slots,
        )

    def _size(self, path: Path) -> Range | None:
        declared: Declaration | None = self._variables.get(path[0])
        if declared is None:  # of a literal; upstream takes the first variable's size here
            declared = next(iter(self._variables.values()), None)
        if isinstance(declared, Maybe):
            declared = declared.of
        if not isinstance(declared, DeclType):
            return None
        found = at_path(declared, path[1:])
        return None if found is None else Range(0, found.most)


def _spec(declared: Declaration, messages: Messages) -> str:
    if isinstance(declared, Maybe):
        return f"optional_type({messages.spec(declared.of)})"
    return declared if isinstance(declared, str) else messages.spec(declared)


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in _children(node):
        yield from walk(child)


def _children(node: Node) -> list[Node]:
    if isinstance(node, nodes.Call):
        return node.operands()
    if isinstance(node, nodes.Select):
        return [node.operand]
    if isinstance(node, nodes.ListNode):
        return node.items
    if isinstance(node, nodes.MapNode):
        return [part for key, value, _ in node.entries for part in (key, value)]
    if isinstance(node, nodes.Fold):
        return [node.range, node.init, node.condition, node.step, node.result]
    return []


def _wrong_literals(root: Node) -> Iterator[tuple[Node, str]]:
    """Literals that can't be evaluated, and lists of several types: cel-go's validators."""
    exempt: set[int] = set()
    for node in walk(root):
        if isinstance(node, nodes.Call) and node.args:
            last = node.args[-1]
            exempt |= {id(last)} if node.function == "format" else set()
            if isinstance(last, nodes.Const) and isinstance(last.value, str):
                if fault := _literal_fault(node.function, last.value):
                    yield last, fault
        elif isinstance(node, nodes.ListNode) and id(node) not in exempt:
            yield from _mixed(node.items)
        elif isinstance(node, nodes.MapNode) and not node.message:
            yield from _mixed([key for key, _, _ in node.entries])
            yield from _mixed([value for _, value, _ in node.entries])


def _literal_fault(function: str, text: str) -> str:
    tests = {"duration": parse_duration, "timestamp": parse_timestamp}
    try:
        if function in tests:
            tests[function](text)
        elif function in ("matches", "find", "findAll"):
            regex.matches("", text)
    except CelError:
        return f"invalid {function} argument"
    return ""


def _mixed(items: list[Node]) -> Iterator[tuple[Node, str]]:
    typed = [item for item in items if item.type.kind not in ("dyn", "param", "opaque", "null")]
    for item in typed[1:]:
        if item.type.kind != typed[0].type.kind:
            expected, found = typed[0].type, item.type
            yield item, f"expected type '{shown(expected)}' but found '{shown(found)}'"
            return


def shown(kind: Type) -> str:
    """A type as cel-go prints it."""
    if kind.kind == "message":
        return kind.name if kind.name in (ROOT, PATCH) else "object"
    name = {"null": "null_type"}.get(kind.kind, kind.name or kind.kind)
    inner = ", ".join(shown(part) for part in kind.params)
    return f"{name}({inner})" if inner else name


def _fault(expression: str, places: Mapping[int, int], node: Node, text: str) -> str:
    return located(expression, places.get(node.id, 0), text)


def located(expression: str, place: int, text: str) -> str:
    """What is wrong at a place of an expression, as cel-go shows it."""
    line = expression.count("\n", 0, place) + 1
    start = expression.rfind("\n", 0, place) + 1
    column = place - start
    source = expression[start:].partition("\n")[0]
    return f"ERROR: <input>:{line}:{column + 1}: {text}\n | {source}\n | {'.' * column}^"
