"""The events of watches as they are sent, each made once for all who see it in the same form.

A change is one event to most watches, and another to those whose selectors the object begins or
ceases to match; so what is kept is found by the change's revision and the type of the event. Only
the newest are kept: watches that keep up read the same changes at about the same time.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal
from weakref import WeakValueDictionary

from argosy.api.resource import Resource
from argosy.apiserver.form import Form
from argosy.apiserver.narrow import Decode
from argosy.store.interface import Change

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
MOST_BYTES = 1024 * 1024
"""What is kept for one form of one resource."""
MOST_DECODED = 64


class Lines:
    """The newest events of one resource in one form, by revision and type."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, EventType], bytes] = {}
        self._bytes = 0
        self._changes: Sequence[Change] = ()
        self._piece = b""

    def line(self, revision: int, kind: EventType, make: Callable[[], bytes]) -> bytes:
        """The event; `make` gives its object, if it has to be made."""
        line = self._lines.get((revision, kind))
        if line is None:
            line = b'{"type":"%b","object":%b}\n' % (kind.encode(), make())
            self._keep((revision, kind), line)
        return line

    def joined(self, changes: Sequence[Change], make: Callable[[], bytes]) -> bytes:
        """The events of these very changes in one piece, as `make` gives them."""
        if changes is not self._changes:
            self._changes, self._piece = changes, make()
        return self._piece

    def _keep(self, key: tuple[int, EventType], line: bytes) -> None:
        self._lines[key] = line
        self._bytes += len(line)
        while self._bytes > MOST_BYTES:
            oldest = next(iter(self._lines))
            self._bytes -= len(self._lines.pop(oldest))


class Frames:
    """What the open watches share."""

    def __init__(self) -> None:
        self._lines: WeakValueDictionary[tuple[Resource, Form], Lines] = WeakValueDictionary()
        self._decoded: dict[tuple[Decode, bytes], dict[str, Any]] = {}

    def of(self, resource: Resource, form: Form) -> Lines:
        """The events in that form; they go when nobody holds them any more."""
        lines = self._lines.get((resource, form))
        if lines is None:
            lines = self._lines[resource, form] = Lines()
        return lines

    def decoded(self, decode: Decode, value: bytes) -> dict[str, Any]:
        """`value` as `decode` makes it: once for all who ask about the newest changes."""
        found = self._decoded.get((decode, value))
        if found is None:
            found = self._decoded[decode, value] = decode(value)
            if len(self._decoded) > MOST_DECODED:
                del self._decoded[next(iter(self._decoded))]
        return found
