"""The numbers of all fields of all messages, from `fields.txt`.

A message is named by its package and itself, such as `core.v1.Pod`; these names never reach the
wire. A line of the file is taken apart when its message is first asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from argosy.api.protobuf.wire import UnknownKindError

Shape = Literal["one", "list", "map", "inline"]

_FILE = Path(__file__).parent / "fields.txt"
_SHAPES: tuple[tuple[str, Shape], ...] = (("[]", "list"), ("{}", "map"), ("+", "inline"))
_META = "meta.k8s.io/v1"
_META_TOO = ("v1", "meta.k8s.io/v1beta1")
_OPTIONS = frozenset(
    f"{verb}Options" for verb in ("Apply", "Create", "Delete", "Get", "List", "Patch", "Update")
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message. `inline`: JSON puts its message's fields into the parent."""

    name: str
    number: int
    type: str  # a scalar of `scalars`, or the name of a message
    shape: Shape
    drop_zero: bool  # JSON leaves the zero value out; Go's encoders put it on the wire


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of the file by message, and the messages by apiVersion and kind."""

    lines: Mapping[str, str]
    kinds: Mapping[tuple[str, str], str]

    def fields(self, message: str) -> tuple[Field, ...]:
        """The fields of `message` by rising numbers."""
        package = message.rpartition(".")[0]
        return tuple(_field(package, cell) for cell in self.lines[message].split(" ")[1:])

    def message_of(self, api_version: str, kind: str) -> str:
        """The message of a kind. Raises UnknownKindError."""
        if name := self.kinds.get((api_version, kind)):
            return name
        # Options are kinds of every group, custom ones too; the rest of meta/v1 is the core's.
        if kind in _OPTIONS or api_version in _META_TOO:
            if name := self.kinds.get((_META, kind)):
                return name
        raise UnknownKindError(f"{kind[:64]!r} of {api_version[:64]!r} has no protobuf form")


def _field(package: str, cell: str) -> Field:
    name, _, rest = cell.partition("=")
    number, _, kind = rest.partition(":")
    shape: Shape = "one"
    for prefix, meaning in _SHAPES:
        if kind.startswith(prefix):
            shape, kind = meaning, kind.removeprefix(prefix)
    drop_zero = kind.endswith("?")
    kind = kind.removesuffix("?")
    if kind[0].isupper():  # a message of the same package; scalars are in small letters
        kind = f"{package}.{kind}"
    return Field(name, int(number), kind, shape, drop_zero)


def load() -> Table:
    """Reads the file."""
    lines: dict[str, str] = {}
    kinds: dict[tuple[str, str], str] = {}
    package = api_version = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            package, _, api_version = line[1:].partition("]")
        elif line and not line.startswith("#"):
            name = line.partition(" ")[0]
            message = f"{package}.{name.rstrip('*')}"
            lines[message] = line
            if name.endswith("*"):
                kinds[api_version.strip(), name[:-1]] = message
    return Table(lines, kinds)
