"""The watch log: the newest changes, kept once and read by every watch at its own pace.

A watch owns no queue. It has a position in the log and reads on from there, so a slow reader costs
nothing; one that is overtaken by compaction gets `CompactedError` and lists again. A watch that
has read everything sleeps until a change under its prefix comes, so it can't be overtaken by
changes that don't concern it, and a change wakes only those it concerns.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from argosy.store.interface import Change, CompactedError, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much history is kept: at most so many changes, and so many bytes of values.

    What is older than `seconds` is not needed (and forgotten in the course of `upkeep`).
    """

    changes: int = 50_000
    bytes: int = 128 * 2**20
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A change and the revision of the record that it replaced."""

    change: Change
    replaced: int | None

    def before(self) -> Record | None:
        """The record that the change replaced."""
        if self.change.previous is None or self.replaced is None:
            return None
        return Record(self.change.key, self.change.previous, self.replaced)

    def dropped(self) -> list[int]:
        """The revisions that nobody can ask for once this entry is forgotten."""
        gone = [] if self.replaced is None else [self.replaced]
        return gone if self.change.value is not None else [*gone, self.change.revision]


class Log:
    """Changes `floor + 1` to `newest`, without a gap."""

    def __init__(self, floor: int, limits: Limits) -> None:
        self.floor = floor
        self.newest = floor
        self._limits = limits
        self._entries: dict[int, Entry] = {}
        self._bytes = 0
        self._sleeping: dict[str, set[Sleeper]] = {}
        self.closed = False

    def append(self, entry: Entry) -> None:
        """Add the next change; `announce` tells the watches of it."""
        self.newest = entry.change.revision
        self._entries[self.newest] = entry
        self._bytes += _size(entry)

    def trim(self) -> list[int]:
        """Keep to the limits. Returns the revisions dropped, as `Entry.dropped` means it."""
        dropped = []
        while self._entries and (
            len(self._entries) > self._limits.changes or self._bytes > self._limits.bytes
        ):
            dropped += self._drop_oldest()
        return dropped

    def forget(self, revision: int) -> list[int]:
        """Drop everything up to and including `revision`. Returns what `trim` does."""
        dropped = []
        while self._entries and self.floor < revision:
            dropped += self._drop_oldest()
        return dropped

    def _drop_oldest(self) -> list[int]:
        self.floor += 1
        entry = self._entries.pop(self.floor)
        self._bytes -= _size(entry)
        return entry.dropped()

    def at(self, revision: int) -> Change:
        """The change with that revision, which must not be above `newest`."""
        if revision <= self.floor:
            raise CompactedError(self.floor + 1)
        return self._entries[revision].change

    def since(self, revision: int, prefix: str, start_after: str) -> dict[str, Entry]:
        """The first change after `revision` of each key under `prefix` and after `start_after`.

        What it replaced is what the key held at `revision`. Each change costs 0.3 µs.
        """
        if revision < self.floor:
            raise CompactedError(self.floor + 1)
        first: dict[str, Entry] = {}
        entries = self._entries
        for later in range(self.newest, revision, -1):  # so that the first one stays
            entry = entries[later]
            key = entry.change.key
            if key > start_after and key.startswith(prefix):
                first[key] = entry
        return first

    def announce(self, changes: Iterable[Change]) -> None:
        """Wake the watches that sleep on a prefix of one of `changes`."""
        for prefix in list(self._sleeping):
            found = (change.revision for change in changes if change.key.startswith(prefix))
            if (first := next(found, None)) is not None:
                self._wake(prefix, first)

    def close(self) -> None:
        """No change will come any more: watches end when they have read what there is."""
        self.closed = True
        for prefix in list(self._sleeping):
            self._wake(prefix, self.newest + 1)

    def _wake(self, prefix: str, revision: int) -> None:
        for sleeper in self._sleeping.pop(prefix):
            sleeper.wake(revision)

    async def sleep(self, sleeper: "Sleeper", prefix: str) -> None:
        """Wait for a change under `prefix`, or for the log to be closed."""
        self._sleeping.setdefault(prefix, set()).add(sleeper)
        try:
            await sleeper.awake
        finally:
            others = self._sleeping.get(prefix, set())
            others.discard(sleeper)
            if not others:
                self._sleeping.pop(prefix, None)


class Sleeper:
    """A watch that has read everything. `missed` is the first change that came since."""

    def __init__(self) -> None:
        self.awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.missed: int | None = None

    def wake(self, revision: int) -> None:
        """Note the change, also where the sleeping task was cancelled but hasn't run yet."""
        self.missed = revision
        if not self.awake.done():
            self.awake.set_result(None)


def _size(entry: Entry) -> int:
    # At most: two changes of a key in a row share a value, and so do the newest and its record.
    change = entry.change
    return len(change.key) + len(change.value or b"") + len(change.previous or b"")


class Reader(AsyncIterator[Change]):
    """A watch on the log.

    `anext` may be cancelled (by a timeout, say) and called again; nothing is lost. It needs no
    closing: between two calls of `anext` the log doesn't know of it.
    """

    def __init__(self, log: Log, prefix: str, after: int) -> None:
        self._log = log
        self._prefix = prefix
        self._position = after

    @property
    def revision(self) -> int:
        """Every change under the prefix up to this revision was handed out (for bookmarks)."""
        return self._position

    async def __anext__(self) -> Change:
        while (change := self._read()) is None:
            if self._log.closed:
                raise StopAsyncIteration
            await self._sleep()
        return change

    def _read(self) -> Change | None:
        log, prefix = self._log, self._prefix
        while self._position < log.newest:
            change = log.at(self._position + 1)
            self._position += 1
            if change.key.startswith(prefix):
                return change
        return None

    async def _sleep(self) -> None:
        sleeper = Sleeper()
        try:
            await self._log.sleep(sleeper, self._prefix)
        finally:
            upto = self._log.newest if sleeper.missed is None else sleeper.missed - 1
            self._position = max(self._position, upto)
