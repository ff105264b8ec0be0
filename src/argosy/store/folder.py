"""The folder of a SQLite store: made private, locked, opened and brought to today's schema.

Whatever stands in the way becomes a `StoreOpenError` with a hint.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from argosy.store.database import MIGRATIONS, DamageError
from argosy.store.interface import StoreOpenError
from argosy.store.sealing import SealError

FILE = "store.db"
LOCK = "store.lock"
WAL_BYTES = 16 * 2**20
_INCREMENTAL = 2

_ACCESS = "choose a folder on a local disk with room, which this user may write to"
_DAMAGED = "restore a backup with `argosy restore --force`, or move the folder away to start anew"
_NEWER = "run the version of Argosy that wrote it, or a newer one"
_ACCESS_CODES = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)


class _VersionError(Exception):
    """The file is of a schema that this Argosy doesn't know."""


@contextmanager
def explained(
    what: str, *, doing: str = "opening", access: str = _ACCESS, damaged: str = _DAMAGED
) -> Iterator[None]:
    """Turn what goes wrong with `what` ("the store in …") into a StoreOpenError with a hint."""
    try:
        yield
    except _VersionError as error:
        raise StoreOpenError(f"{what} has {error}", _NEWER) from error
    except (DamageError, UnicodeError) as error:
        raise StoreOpenError(f"{what} is damaged: {error}", damaged) from error
    except SealError as error:
        raise StoreOpenError(f"{doing} {what}: {error}", error.hint) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreOpenError(f"{doing} {what}: {reason}", access) from error
    except sqlite3.Error as error:
        if _primary(error) in _ACCESS_CODES:
            raise StoreOpenError(f"{doing} {what}: {error}", access) from error
        raise StoreOpenError(f"{what} is damaged: {error}", damaged) from error


def _primary(error: sqlite3.Error) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)  # absent where Python itself complains
    return None if code is None else code & 0xFF


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, made where it isn't there, against every other process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(lock, folder)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip()
        raise StoreOpenError(
            f"another process{f' ({owner})' * bool(owner)} uses the store in {folder}",
            "stop that process, or choose another folder",
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"pid {os.getpid()}\n".encode(), 0)


@contextmanager
def connected(
    path: Path, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
) -> Iterator[sqlite3.Connection]:
    """A connection to the file, made where it isn't there, at the newest schema."""
    # SQLite would make it readable to everyone; its neighbours take their mode from it.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=0.1, isolation_level=None, check_same_thread=False)
    with closing(connection):
        version = _version(connection, len(migrations))
        _make_shrinkable(connection, empty=version == 0)
        _configure(connection)
        for i in range(version, len(migrations)):
            _migrate(connection, migrations[i], i + 1)
        yield connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads; another process may be writing. The schema is a known one."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)
    with closing(connection):
        _version(connection, len(MIGRATIONS))
        yield connection


def _version(connection: sqlite3.Connection, newest: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= newest:
        raise _VersionError(f"schema version {version}; this Argosy knows up to {newest}")
    return version


def _make_shrinkable(connection: sqlite3.Connection, *, empty: bool) -> None:
    """Let the file give back free pages. One of an early Argosy is written anew for it, once.

    The schema is the same for either, so its version is too.
    """
    if connection.execute("PRAGMA auto_vacuum").fetchone() == (_INCREMENTAL,):
        return
    connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
    if not empty:
        with suppress(sqlite3.OperationalError):  # no room, say: it works without, until next time
            connection.execute("VACUUM")


def _configure(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise OSError(f"the file system doesn't support SQLite's write-ahead log (mode {mode})")
    connection.execute("PRAGMA synchronous = FULL")  # an fsync in each commit
    connection.execute("PRAGMA wal_autocheckpoint = 1000")  # pages; more makes p99 worse
    # A long reader, such as a backup, lets the log grow: the next commits cut it back.
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def _migrate(connection: sqlite3.Connection, statements: tuple[str, ...], version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")
