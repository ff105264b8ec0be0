"""A part of the store, followed by asking: whoever reads is first brought up to what is durable.

Nothing runs in between, and nothing is read before somebody asks. So what was answered to a write
counts in the next decision, and a cluster that only its admin uses pays nothing.
"""

import logging
from typing import Protocol

import msgspec

from argosy.store.interface import CompactedError, Store, Watch

log = logging.getLogger(__name__)


class Table(Protocol):
    """What is made of the objects."""

    def clear(self) -> None:
        """All is read anew."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """An object as it is now."""
        ...

    def drop(self, key: str) -> None:
        """An object is gone."""
        ...


class Followed:
    """Keeps `table` at what the store has under `prefix`."""

    def __init__(self, store: Store, prefix: str, table: Table) -> None:
        self._store = store
        self._prefix = prefix
        self._table = table
        self._watch: Watch | None = None

    def catch_up(self) -> None:
        """Read what came since the last time; all, where that is gone from the history."""
        watch, self._watch = self._watch, None  # should reading fail, the next one begins anew
        if watch is None:
            self._watch = self._begin()
            return
        try:
            while changes := watch.ready():
                for change in changes:
                    self._take(change.key, change.value)
        except CompactedError:
            watch = self._begin()
        self._watch = watch

    def _begin(self) -> Watch:
        revision = self._store.revision
        self._table.clear()
        for record in self._store.list(self._prefix):
            self._take(record.key, record.value)
        return self._store.watch(self._prefix, revision)

    def _take(self, key: str, value: bytes | None) -> None:
        """What is not of the right shape (from an old backup, say) counts as not there: it must
        neither grant anything nor keep the changes after it from being read.
        """
        if value is None:
            self._table.drop(key)
            return
        try:
            self._table.put(key, value)
        except (msgspec.MsgspecError, AttributeError, KeyError, TypeError, ValueError):
            log.warning("not understood, so it grants nothing", extra={"key": key})
            self._table.drop(key)
