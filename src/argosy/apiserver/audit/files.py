"""The files of an audit log: the newest under its own name, older ones beside it, with their time.

Names, sizes and ages are those of kube-apiserver's log: `audit-2026-11-21T12-00-00.000.log`. Files
are for their owner's eyes alone.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argosy.base.clock import Clock

MEBIBYTE = 2**20
_STAMP = "%Y-%m-%dT%H-%M-%S.%f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much is kept: a file's size in MiB, older files by number and by days; 0 is no limit."""

    size: int
    backups: int
    days: int


class Rotated:
    """An output that begins a new file when the old one is full."""

    def __init__(self, path: Path, keep: Keep, clock: Clock) -> None:
        """Raises OSError where the file can't be written."""
        self._path = path
        self._keep = keep
        self._clock = clock
        self._limit = keep.size * MEBIBYTE
        self._torn = False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()
        self._prune()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._file).st_size

    def write(self, lines: bytes) -> None:
        """Append, to a new file if these would be too much for the old one. Raises OSError."""
        if self._limit and self._size and self._size + len(lines) > self._limit:
            self._rotate()
        if self._torn:  # what came last is no whole line
            lines = b"\n" + lines
        left = memoryview(lines)
        while left:
            self._torn = True
            written = os.write(self._file, left)
            self._size += written
            left = left[written:]
        self._torn = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _rotate(self) -> None:
        moment = self._clock.now()
        while (target := self._named(moment)).exists():
            moment += timedelta(milliseconds=1)
        os.rename(self._path, target)
        os.close(self._file)
        self._open()
        self._torn = False
        self._prune()

    def _named(self, moment: datetime) -> Path:
        stamp = moment.strftime(_STAMP)[:-3]
        return self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")

    def _prune(self) -> None:
        oldest = self._clock.now() - timedelta(days=self._keep.days)
        for number, (moment, path) in enumerate(sorted(self._older(), reverse=True), 1):
            too_many = bool(self._keep.backups) and number > self._keep.backups
            if too_many or (self._keep.days and moment < oldest):
                path.unlink(missing_ok=True)

    def _older(self) -> list[tuple[datetime, Path]]:
        stem, suffix = re.escape(self._path.stem), re.escape(self._path.suffix)
        form = re.compile(rf"{stem}-(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{{3}}){suffix}")
        found = []
        for path in self._path.parent.iterdir():
            if match := form.fullmatch(path.name):
                moment = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append((moment, path))
        return found


class Printed:
    """An output that a process is given, such as stdout."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.dup(descriptor)

    def write(self, lines: bytes) -> None:
        """Write all. Raises OSError."""
        left = memoryview(lines)
        while left:
            left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)
