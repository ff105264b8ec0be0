"""Backups of a store, made while it is in use, and the way back.

A backup is one file: the store's own as it was at one revision, read and checked before it gets its
name. So it is there complete or not at all, and `argosy up` could run on it. Values that are sealed
in the store stay so, and neither way needs their keys; who restores them must still have those.

A restored store holds the objects of the backup and no history. Its revision is above any that
clients can know from elsewhere, be it from the time between backup and restore or from another
restore of the same backup: they are told that their history is gone, and list again. To that end
it goes on at the microseconds since 1970, which no store's writes overtake, and in any case well
above the revisions of the backup and of the store that it replaces.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from argosy.store.database import Database
from argosy.store.folder import FILE, connected, explained, locked, reading
from argosy.store.interface import StoreOpenError
from argosy.store.sealing import MARK
from argosy.store.state import DEFAULT_LIMITS

GAP = 10**12
"""Revisions left out where the clock is of no use: more than a store writes in years."""

_ROOM = "name a file on a disk with room, in a folder that this user may write to"
_SAVE = (
    "if `argosy up` still runs, it serves whole objects from memory: save them with "
    "`kubectl get -o yaml`; else restore an earlier backup"
)
_READ = "name a file that `argosy backup` has made, and that this user may read"
_OTHER = "restore another backup"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backup holds, or a store has got from it. `sealed` objects are not plain text."""

    objects: int
    revision: int
    sealed: int = 0


def back_up(folder: Path, file: Path) -> Facts:
    """Write the store in `folder` to `file`; it may be in use. Blocks. Raises StoreOpenError."""
    source = folder / FILE
    if not source.is_file():
        raise StoreOpenError(f"there is no store in {folder}", "name the folder of a cluster")
    what = f"the store in {folder}"
    with explained(what, doing="backing up", access=_ROOM, damaged=_SAVE), _draft(file) as draft:
        _copy(source, draft)
        return _examined(draft)


def restore(file: Path, folder: Path, now: datetime) -> Facts:
    """Make the store in `folder` of a backup, in place of what is there. Blocks.

    Raises StoreOpenError, also where the store is in use.
    """
    with explained(f"the backup {file}", doing="reading", access=_READ, damaged=_OTHER):
        _examined(file)
    what = f"the store in {folder}"
    with explained(what, doing="restoring"), locked(folder), _draft(folder / FILE) as draft:
        _copy(file, draft)
        known = _retired(folder)
        return _begun_anew(draft, known, now)


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """An empty private file, which takes the name of `file` when the block has ended well."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
    os.close(handle)
    try:
        yield Path(name)
        _sync(Path(name))
        os.replace(name, file)
        _sync(file.parent)
    finally:
        _remove(name, ("", "-journal", "-wal", "-shm"))


def _copy(source: Path, target: Path) -> None:
    with reading(source) as connection:
        Database(connection).check_structure()
        connection.execute("VACUUM INTO ?", (str(target),))  # one snapshot, whoever writes


def _examined(file: Path) -> Facts:
    """What the file holds, if it adds up. Raises DamageError, sqlite3.Error."""
    with reading(file) as connection:
        state, _ = Database(connection).load(DEFAULT_LIMITS)
        records = state.under("")
        sealed = sum(record.value.startswith(MARK) for record in records)
        return Facts(len(records), state.revision, sealed)


def _retired(folder: Path) -> int:
    """Bring the store that is to be replaced into its one file; its revision, 0 if unreadable."""
    known, old = 0, folder / FILE
    if old.is_file():
        with suppress(sqlite3.Error), closing(sqlite3.connect(old)) as connection:
            known = Database(connection).revision()
    _remove(str(old), ("-wal", "-shm"))  # those of a damaged store; the new one has its own
    return known


def _begun_anew(file: Path, known: int, now: datetime) -> Facts:
    """Leave nothing but the objects, at a revision above all that were."""
    with connected(file) as connection:
        database = Database(connection)
        state, dropped = database.load(DEFAULT_LIMITS)
        dropped += state.log.forget(state.revision)
        above = max(state.revision, known) + GAP
        revision = max(above, int(now.timestamp() * 1_000_000))
        database.begin(())
        database.trim(dropped, revision)
        database.end()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Facts(len(state.under("")), revision)


def _remove(name: str, neighbours: tuple[str, ...]) -> None:
    for neighbour in neighbours:
        Path(name + neighbour).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
