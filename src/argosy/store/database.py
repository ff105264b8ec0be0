"""The SQLite file of a store: a log of changes by revision, as rows of one table.

A row is a record while it is the newest of its key, and history while its revision is above the
floor; rows that are neither are deleted in the course of later commits (as in kine). So a write is
one append, there is no index to keep, and history survives a restart. Each row carries a checksum,
and the revisions above the floor must be without a gap: a file that was damaged is not served.

Values may be sealed (`sealing`): a row then holds the sealed one, and its checksum is of that, so
a file can be checked and copied without keys.

`begin` and `end` are the two halves of a transaction; they may run in different threads, but never
at the same time. `tidy` is a transaction of its own, which makes the file smaller by a bite.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from zlib import crc32

from argosy.store.interface import Change, Record
from argosy.store.log import Limits
from argosy.store.sealing import Sealing, other_key
from argosy.store.state import FIRST_REVISION, State

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE change (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB,"
        " checksum INTEGER NOT NULL)",
        "CREATE TABLE history (floor INTEGER NOT NULL)",
        f"INSERT INTO history VALUES ({FIRST_REVISION})",
    ),
)
"""Entry i brings a file from schema version i to i + 1. Entries are only ever added."""


SPARE_PAGES = 1024
"""Free pages that the file keeps (4 MiB): history comes and goes, and uses them again."""
BITE_PAGES = 64
"""Free pages given back in one transaction: it takes about a millisecond."""
BITE_ROWS = 64
"""Rows looked at in one bite of a reseal: it takes about a millisecond."""
RESIDUE = 0x0A5EA1ED
"""The file's application id while pages that are free may hold what was there before a reseal."""


class DamageError(Exception):
    """The file reads well but does not add up."""


class Database:
    """The statements, over a connection that leaves transactions to its user.

    Without a `sealing` values are read and written as they are, sealed or not.
    """

    def __init__(self, connection: sqlite3.Connection, sealing: Sealing | None = None) -> None:
        self._connection = connection
        self._sealing = sealing
        self._stale: list[int] = []

    def begin(self, changes: Sequence[Change]) -> None:
        """Start a transaction that adds `changes`; what is left of a failed one is undone."""
        self._roll_back()
        self._connection.execute("BEGIN IMMEDIATE")
        rows = map(_row if self._sealing is None else self._sealed_row, changes)
        self._connection.executemany("INSERT INTO change VALUES (?, ?, ?, ?)", rows)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def trim(self, dropped: Sequence[int], floor: int) -> None:
        """Let the transaction also remove the rows `dropped` and raise the floor."""
        rows = ((revision,) for revision in dropped)
        self._connection.executemany("DELETE FROM change WHERE revision = ?", rows)
        self._connection.execute("UPDATE history SET floor = ?", (floor,))

    def end(self) -> None:
        """Commit: on return, the transaction is on the disk."""
        self._connection.execute("COMMIT")

    def tidy(self, dropped: Sequence[int], floor: int | None) -> bool:
        """Trim, unless `floor` is None, and give some free pages back, in one transaction.

        Returns whether there are more to give back. The next `end` brings it to the disk; what a
        crash undoes before that is found again.
        """
        self._roll_back()  # within a transaction, the setting could not be changed
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            return self._tidy(dropped, floor)
        finally:
            self._roll_back()
            self._connection.execute("PRAGMA synchronous = FULL")

    def _tidy(self, dropped: Sequence[int], floor: int | None) -> bool:
        self.begin(())
        if floor is not None:
            self.trim(dropped, floor)
        loose = self._loose_pages()
        for _ in range(min(loose, BITE_PAGES)):  # one a time: Python doesn't step it to its end
            self._connection.execute("PRAGMA incremental_vacuum(1)")
        self.end()
        return loose > BITE_PAGES

    def _loose_pages(self) -> int:
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        return int(free) - SPARE_PAGES

    def revision(self) -> int:
        """The newest revision, whether or not all else is well. Raises sqlite3.Error."""
        tops = ("SELECT max(floor) FROM history", "SELECT max(revision) FROM change")
        return max(self._connection.execute(top).fetchone()[0] or 0 for top in tops)

    def load(self, limits: Limits) -> tuple[State, list[int]]:
        """The state as stored, and the revisions whose rows are not needed any more.

        Raises DamageError, SealError, sqlite3.Error.
        """
        self.check_structure()
        (floor,) = self._connection.execute("SELECT floor FROM history").fetchone() or (0,)
        state = State(floor, limits)
        dropped = self._load_records(state)
        for revision, key, value in self._opened("revision > ?", floor):
            current = state.get(key)
            if revision != state.revision + 1 or (current is None and value is None):
                raise DamageError(f"changes before revision {revision} are missing")
            previous = current.value if current else None
            dropped += state.publish([Change(key, revision, value, previous)])
        return state, dropped

    def check_structure(self) -> None:
        """Look at SQLite's own structures, not at the rows. Raises DamageError, sqlite3.Error."""
        (fault,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if fault != "ok":
            raise DamageError(str(fault).splitlines()[-1])

    def check_rows(self, after: int, number: int) -> int:
        """Check so many rows after a revision; the last one's revision, 0 where there are none.

        Raises DamageError, sqlite3.Error.
        """
        revisions = [row[0] for row in self._rows("revision > ?", after, number)]
        return revisions[-1] if revisions else 0

    def _load_records(self, state: State) -> list[int]:
        records: dict[str, Record] = {}
        dropped = []
        for revision, key, value in self._opened("revision <= ?", state.revision):
            if key in records:
                dropped.append(records.pop(key).revision)
            if value is None:
                dropped.append(revision)
            else:
                records[key] = Record(key, value, revision)
        state.restore(records.values())
        return dropped

    def reseal(self) -> None:
        """Seal anew what `load` found stale, history too, and leave no trace of how it was.

        The values change in one transaction; whatever ends the process, they are there. Raises
        sqlite3.Error.
        """
        self._connection.execute("PRAGMA secure_delete = ON")
        try:
            if self._stale:
                self._seal_stale()
            if self._connection.execute("PRAGMA application_id").fetchone() == (RESIDUE,):
                self._clean()
        finally:
            self._roll_back()
            self._connection.execute("PRAGMA secure_delete = OFF")

    def reseal_bite(self, after: int) -> int:
        """As `reseal`, while the store is in use: of so many rows after a revision.

        Returns the last one's revision, 0 where there are none. Old values, which were sealed too,
        stay in free pages until the next start. Raises SealError, DamageError, sqlite3.Error.
        """
        self._roll_back()
        revisions = [row[0] for row in self._opened("revision > ?", after, BITE_ROWS)]
        if self._stale:
            try:
                self._seal_stale()
            finally:
                self._roll_back()
        return revisions[-1] if revisions else 0

    def opens_by(self, wanted: Sealing, after: int, number: int = -1) -> int:
        """Make sure that rows after a revision open by another sealing, to the same as by this.

        They are so many, or all. Returns the last one's revision, 0 where there are none. May
        block. Raises SealError, DamageError, sqlite3.Error.
        """
        self._roll_back()
        last = 0
        for revision, key, value in self._rows("revision > ?", after, number):
            last = revision
            if value is not None and self._sealing is not None:
                plain, _ = wanted.opened(key, value)
                if plain != self._sealing.opened(key, value)[0]:
                    raise other_key(key)
        return last

    def _seal_stale(self) -> None:
        self.begin(())
        stale, self._stale = self._stale, []
        for revision in stale:
            for _, key, value in self._opened("revision = ?", revision):
                row = self._sealed_row(Change(key, revision, value, None))
                update = "UPDATE change SET value = ?, checksum = ? WHERE revision = ?"
                self._connection.execute(update, (row[2], row[3], revision))
        self._connection.execute(f"PRAGMA application_id = {RESIDUE}")
        self.end()
        self._stale = []

    def _clean(self) -> None:
        """Write the file anew: old values are in its free pages, and in the log."""
        self._connection.execute("VACUUM")
        (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:  # by a backup, say: then it is done at the next start
            self._connection.execute("PRAGMA application_id = 0")

    def _opened(
        self, where: str, floor: int, limit: int = -1
    ) -> Iterator[tuple[int, str, bytes | None]]:
        """Rows with their plain values; notes those that are stale."""
        for revision, key, value in self._rows(where, floor, limit):
            if self._sealing is not None and value is not None:
                value, stale = self._sealing.opened(key, value)
                if stale:
                    self._stale.append(revision)
            yield revision, key, value

    def _sealed_row(self, change: Change) -> tuple[int, str, bytes | None, int]:
        if self._sealing is None or change.value is None:
            return _row(change)
        value = self._sealing.sealed(change.key, change.value)
        return change.revision, change.key, value, _checksum(change.revision, change.key, value)

    def _rows(
        self, where: str, floor: int, limit: int = -1
    ) -> Iterator[tuple[int, str, bytes | None]]:
        query = f"SELECT revision, key, value, checksum FROM change WHERE {where}"
        ordered = f"{query} ORDER BY revision LIMIT ?"
        for revision, key, value, checksum in self._connection.execute(ordered, (floor, limit)):
            if not isinstance(value, bytes | None) or _checksum(revision, key, value) != checksum:
                raise DamageError(f"the checksum of revision {revision} is wrong")
            yield revision, key, value


def _row(change: Change) -> tuple[int, str, bytes | None, int]:
    checksum = _checksum(change.revision, change.key, change.value)
    return change.revision, change.key, change.value, checksum


def _checksum(revision: int, key: str, value: bytes | None) -> int:
    head = crc32(f"{revision} {value is None} {key}".encode())
    return crc32(value or b"", head)
