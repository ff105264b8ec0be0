"""The watch log: the newest changes, kept once and read by every watch at its own pace.

A watch owns no queue. It has a position in the log and reads on from there, so a slow reader costs
nothing; one that is overtaken by compaction gets `CompactedError` and lists again. A watch that
has read everything sleeps until a change under its prefix comes, so it can't be overtaken by
changes that don't concern it, and a change wakes only those it concerns.

Waking costs about 30 µs for each watch, with what it then does. So a crowd that sleeps on the same
prefix is woken at most every `CROWD_SECONDS`, and reads what came meanwhile in one piece.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from argosy.store.interface import Change, CompactedError, Record

CROWD = 32
"""So many watches are woken at once by any change."""
CROWD_SECONDS = 0.05
HANDFUL = 256
HANDFUL_BYTES = 256 * 1024
"""So much a watch reads in one go, give or take a change."""


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
        self._sleeping: dict[str, _Group] = {}
        self._odd: set[str] = set()  # prefixes that sleep and do not end like a folder
        self._crowds: dict[str, float] = {}  # when a crowd was woken last
        self._read: dict[tuple[str, int], tuple[list[Change], int]] = {}
        self.closed = False

    def append(self, entry: Entry) -> None:
        """Add the next change; `announce` tells the watches of it."""
        self.newest = entry.change.revision
        self._read.clear()
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

    def handful(self, prefix: str, after: int) -> tuple[list[Change], int]:
        """The next changes under `prefix`, and up to which revision these are all.

        The watches of a crowd all ask the same: the answer is kept until the next change.
        """
        known = self._read.get((prefix, after))
        if known is None:
            if len(self._read) >= CROWD:
                self._read.clear()  # not a crowd, but stragglers, each somewhere else
            known = self._read[prefix, after] = self._scan(prefix, after)
        if after < self.floor:
            raise CompactedError(self.floor + 1)
        return known

    def _scan(self, prefix: str, position: int) -> tuple[list[Change], int]:
        found: list[Change] = []
        size = 0
        while position < self.newest and len(found) < HANDFUL and size < HANDFUL_BYTES:
            change = self.at(position + 1)
            position += 1
            if change.key.startswith(prefix):
                found.append(change)
                size += len(change.value or change.previous or b"")
        return found, position

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
        for change in changes:
            if not self._sleeping:
                return
            for prefix in _folders(change.key):
                if prefix in self._sleeping:
                    self._tell(prefix, change.revision)
            for prefix in [name for name in self._odd if change.key.startswith(name)]:
                self._tell(prefix, change.revision)

    def close(self) -> None:
        """No change will come any more: watches end when they have read what there is."""
        self.closed = True
        for prefix, group in list(self._sleeping.items()):
            group.miss(self.newest + 1)
            self._wake(prefix)

    def _tell(self, prefix: str, revision: int) -> None:
        """Wake the sleepers of `prefix`; a crowd that was woken just now, a little later."""
        group = self._sleeping[prefix]
        group.miss(revision)
        if len(group.sleepers) <= CROWD:
            self._wake(prefix)
        elif group.timer is None:
            loop = asyncio.get_running_loop()
            due = self._crowds.get(prefix, 0.0) + CROWD_SECONDS
            if due <= loop.time():
                self._wake(prefix)
            else:
                group.timer = loop.call_at(due, self._wake, prefix)

    def _wake(self, prefix: str) -> None:
        group = self._sleeping.pop(prefix)
        self._odd.discard(prefix)
        if len(group.sleepers) > CROWD:
            now = asyncio.get_running_loop().time()
            recent = {name: when for name, when in self._crowds.items() if when > now - 1}
            self._crowds = {**recent, prefix: now}
        group.wake()

    async def sleep(self, sleeper: "Sleeper", prefix: str) -> None:
        """Wait for a change under `prefix`, for the log to be closed, or for a nudge."""
        group = self._sleeping.get(prefix)
        if group is None:
            group = self._sleeping[prefix] = _Group()
            if not prefix.endswith("/"):
                self._odd.add(prefix)
        group.sleepers.add(sleeper)
        try:
            await sleeper.awake
        finally:
            if sleeper.missed is None:  # it was not the group that woke it
                sleeper.missed = group.missed
                group.sleepers.discard(sleeper)
                if not group.sleepers and self._sleeping.get(prefix) is group:
                    group.stop()
                    del self._sleeping[prefix]
                    self._odd.discard(prefix)


def _folders(key: str) -> Iterator[str]:
    """The prefixes of `key` that end with a slash: most watches are on one of them."""
    end = key.find("/") + 1
    while end:
        yield key[:end]
        end = key.find("/", end) + 1


class Sleeper:
    """A watch that has read everything. `missed` is the first change that came since."""

    __slots__ = ("awake", "missed")

    def __init__(self) -> None:
        self.awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.missed: int | None = None

    def rouse(self) -> None:
        """End the sleep."""
        if not self.awake.done():
            self.awake.set_result(None)


class _Group:
    """Those that sleep on one prefix, and what came since the first of them has to know."""

    __slots__ = ("missed", "sleepers", "timer")

    def __init__(self) -> None:
        self.sleepers: set[Sleeper] = set()
        self.missed: int | None = None
        self.timer: asyncio.TimerHandle | None = None

    def miss(self, revision: int) -> None:
        if self.missed is None:
            self.missed = revision

    def wake(self) -> None:
        """Rouse all, also those whose task was cancelled but hasn't run yet."""
        self.stop()
        for sleeper in self.sleepers:
            sleeper.missed = self.missed
            sleeper.rouse()

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


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
        self._sleeper: Sleeper | None = None

    @property
    def revision(self) -> int:
        """Every change under the prefix up to this revision was handed out (for bookmarks)."""
        return self._position

    def ready(self) -> Sequence[Change]:
        if self._position >= self._log.newest:
            return ()
        found, self._position = self._log.handful(self._prefix, self._position)
        return found

    async def more(self) -> bool:
        if self._position < self._log.newest:
            return True
        if self._log.closed:
            return False
        await self._sleep()
        return True

    def nudge(self) -> None:
        if self._sleeper is not None:
            self._sleeper.rouse()

    async def __anext__(self) -> Change:
        while (change := self._read()) is None:
            if not await self.more():
                raise StopAsyncIteration
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
        sleeper = self._sleeper = Sleeper()
        try:
            await self._log.sleep(sleeper, self._prefix)
        finally:
            self._sleeper = None
            upto = self._log.newest if sleeper.missed is None else sleeper.missed - 1
            self._position = max(self._position, upto)
