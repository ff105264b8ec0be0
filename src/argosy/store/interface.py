"""The store's port: ordered keys, bytes as values, one revision for each write.

Reads are answered from memory and see only what is durable. A write is a function of the newest
state (durable or not yet), run at once and alone; its `await` ends when the write is durable.
That makes read-modify-write race-free without locks, and lets commits form groups.

The promises (as etcd's): revisions only grow; an acknowledged write survives kill -9 and power
loss; a watch from revision R sees every later change once, in order, or fails with
`CompactedError`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored under `key`; `revision` is that of the write that put it there."""

    key: str
    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """One step of history: `value` is None where the key was deleted."""

    key: str
    revision: int
    value: bytes | None
    previous: bytes | None


DELETE = object()
"""What a `Mutation` returns to delete its key."""

Mutation = Callable[[Record | None, int], bytes | object | None]
"""(what is there now, the revision this write will have) → new bytes, DELETE, or None: no write.

It must not block or await. An exception from it reaches the caller of `write`; nothing is written.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a list as it was at `revision`; `remaining` records come after it.

    `next` is where the next piece starts after; it is empty where nothing remains.
    """

    records: list[Record]
    revision: int
    remaining: int
    next: str


class CompactedError(Exception):
    """The history from the asked-for revision on is gone; `oldest` is the oldest still there."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"history before revision {oldest} is compacted")
        self.oldest = oldest


class StoreUnavailableError(Exception):
    """The write was refused by the disk (full, read-only, …); nothing of it is kept."""


class StoreOpenError(Exception):
    """The store can't be opened; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Watch(Protocol):
    """A stream of changes. `anext` and `more` may be cancelled and called again; it needs no
    closing.
    """

    def __aiter__(self) -> AsyncIterator[Change]: ...

    def __anext__(self) -> Awaitable[Change]: ...

    def ready(self) -> Sequence[Change]:
        """The next changes that are there already: a handful at most, none where all are read.

        Raises CompactedError.
        """
        ...

    async def more(self) -> bool:
        """Wait until `ready` may have something, or `nudge` is called. False: nothing will come.

        Where very many watches wait for the same changes they are woken together, a few times a
        second: see `Log`.
        """
        ...

    def nudge(self) -> None:
        """End the wait of `more`, if there is one."""
        ...

    @property
    def revision(self) -> int:
        """Every change up to here was handed out, or does not concern the watch (for bookmarks)."""
        ...


class Store(Protocol):
    """Implementations pass `tests/store/test_conformance.py`."""

    @property
    def revision(self) -> int:
        """The newest durable revision. A fresh store starts at 1."""
        ...

    @property
    def commit_seconds(self) -> float:
        """How long the disk takes for a commit, lately."""
        ...

    def hasten(self, wanted: Callable[[], bool]) -> None:
        """Begin a commit before anything else goes on, whenever `wanted` says so: while others fill
        the event loop's thread, the disk's would wait for its turn to begin.
        """
        ...

    def get(self, key: str) -> Record | None:
        """The durable record of `key`."""
        ...

    def list(self, prefix: str) -> list[Record]:
        """The durable records whose keys start with `prefix`, in key order."""
        ...

    def page(
        self, prefix: str, *, start_after: str = "", limit: int = 0, revision: int | None = None
    ) -> Page:
        """A piece of the list of `prefix`: up to `limit` records (0: all) after key `start_after`.

        It is answered as of `revision`, by default the newest: with the first piece's revision,
        all pieces together are one list, whatever was written in between.
        Raises CompactedError where that revision is gone, ValueError where it is yet to come.
        """
        ...

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        """Run `mutate` on the newest state; return once its outcome is durable.

        Returns the record as written; after a delete, the last record with the revision of the
        delete; when `mutate` returned None, the record as it is (once that is durable).
        Raises StoreUnavailableError.
        """
        ...

    def watch(self, prefix: str, after: int) -> Watch:
        """All durable changes under `prefix` with a revision above `after`, as they come.

        Raises CompactedError (on first iteration, or later where the reader is too slow).
        """
        ...

    def compact(self, keep_after: int) -> None:
        """Forget history up to and including revision `keep_after`."""
        ...

    async def close(self) -> None:
        """Finish pending writes, end all watches, let go of the file."""
        ...
