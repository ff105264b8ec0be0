"""Records read once for each of their revisions: rules look at the same few objects all day."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from argosy.store.interface import Record

Json = dict[str, Any]
T = TypeVar("T")

MOST = 4096


class Views(Generic[T]):
    """What `read` makes of records, the newest `MOST` of them; nobody changes the results."""

    def __init__(self, read: Callable[[Json], T]) -> None:
        self._read = read
        self._known: dict[str, tuple[int, T]] = {}

    def of(self, record: Record) -> T:
        """What `read` makes of this record."""
        known = self._known.get(record.key)
        if known is not None and known[0] == record.revision:
            return known[1]
        view = self._read(msgspec.json.decode(record.value))
        self._known.pop(record.key, None)
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[record.key] = (record.revision, view)
        return view
