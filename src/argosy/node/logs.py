"""Log files of containers, one an instance, line by line as the CRI has them.

    2026-11-21T08:00:00.000000Z stdout F the text of the line

`F` ends a line and `P` is a part of one too long to be a record. A file that has reached its limit
becomes `FILE.1`, which replaces the one before: a container's log is at most twice the limit.
Source: KEP "CRI logging"; the format is that of every CRI runtime.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path

from argosy.base.clock import Clock, micro_timestamp, parse_timestamp
from argosy.node.runtimes.interface import Stream

LIMIT = 10 << 20
LONGEST_RECORD = 16_384
FALLBACK_BYTES = 2_048
FALLBACK_LINES = 80
_PIECE = 65_536


class LogFile:
    """Written by one instance of a container; can be followed while it is open."""

    def __init__(self, path: Path, clock: Clock, *, limit: int = LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.closed = False
        self._clock = clock
        self._limit = limit
        self._file = path.open("ab", buffering=0)
        self._rests: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self.grown = asyncio.Event()  # set, and replaced, at each change

    def write(self, stream: Stream, data: bytes) -> None:
        """Take what the container wrote; a line is kept back until its end is there."""
        *lines, rest = (self._rests[stream] + data).split(b"\n")
        stamp = f"{micro_timestamp(self._clock.now())} {stream}".encode()
        records = [record for line in lines for record in _records(stamp, line)]
        while len(rest) > LONGEST_RECORD:
            records.append(b"%s P %s\n" % (stamp, rest[:LONGEST_RECORD]))
            rest = rest[LONGEST_RECORD:]
        self._rests[stream] = rest
        self._append(b"".join(records))

    def close(self) -> None:
        """The container has ended: what was kept back is a line now."""
        for stream, rest in self._rests.items():
            if rest:
                self.write(stream, b"\n")
        self.closed = True
        self._file.close()
        self._tell()

    def _append(self, data: bytes) -> None:
        if not data:
            return
        self._file.write(data)
        if self._file.tell() >= self._limit:
            self._file.close()
            os.replace(self.path, rotated(self.path))
            self._file = self.path.open("ab", buffering=0)
        self._tell()

    def _tell(self) -> None:
        self.grown.set()
        self.grown = asyncio.Event()


def rotated(path: Path) -> Path:
    """Where the older part of a log is."""
    return path.with_name(f"{path.name}.1")


def _records(stamp: bytes, line: bytes) -> Iterator[bytes]:
    while len(line) > LONGEST_RECORD:
        yield b"%s P %s\n" % (stamp, line[:LONGEST_RECORD])
        line = line[LONGEST_RECORD:]
    yield b"%s F %s\n" % (stamp, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What is asked for: the last `tail` lines, those `since` a moment, `limit` bytes at most."""

    follow: bool = False
    tail: int | None = None
    since: datetime | None = None
    timestamps: bool = False
    limit: int | None = None


async def read_log(
    path: Path, options: LogOptions, live: LogFile | None = None
) -> AsyncGenerator[bytes, None]:
    """The log's lines. With `follow` and a `live` file, goes on until that is closed."""
    left = options.limit
    async with aclosing(_chosen(path, options, live)) as records:
        async for record in records:
            text = _shown(record, timestamps=options.timestamps)
            if left is not None:
                text = text[:left]
                left -= len(text)
            yield text
            if left == 0:
                return


async def _chosen(
    path: Path, options: LogOptions, live: LogFile | None
) -> AsyncGenerator[bytes, None]:
    """What is there already, cut to the tail; then, where it is followed, what comes."""
    follow = live if options.follow else None
    held: deque[bytes] | None = None if options.tail is None else deque(maxlen=options.tail)
    with closing(_Reader(path)) as reader:
        while True:
            # Looked at before reading: what is written after this moment wakes us.
            grown = follow.grown if follow else None
            closed = follow is None or follow.closed
            batch = reader.batch()
            wanted = [r for r in batch if options.since is None or _moment(r) >= options.since]
            if batch and held is not None:
                held.extend(wanted)
                wanted = []
            elif held is not None:
                wanted, held = list(held), None
            for record in wanted:
                yield record
            if batch:
                await asyncio.sleep(0)  # a long log must not hold up everybody else
            elif closed or grown is None:
                return
            else:
                await grown.wait()


def last_lines(path: Path) -> str:
    """The end of a log as text, bounded as `FallbackToLogsOnError` has it."""
    try:
        with path.open("rb") as file:
            start = max(0, path.stat().st_size - FALLBACK_BYTES - 2 * LONGEST_RECORD)
            file.seek(start)
            records = file.read().split(b"\n")[:-1]
    except OSError:
        return ""
    whole = records[1:] if start else records  # the first was cut by the seek
    last = whole[-FALLBACK_LINES:]
    text = b"".join(_shown(record, timestamps=False) for record in last)
    return text[-FALLBACK_BYTES:].decode(errors="replace")


class _Reader:
    """Reads whole records, going along when the file is rotated away."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(rotated(path)) or _open(path)
        self._rest = b""

    def batch(self) -> list[bytes]:
        """The next records; none where there are no more for now."""
        while self._file is not None:
            if piece := self._file.read(_PIECE):
                *records, self._rest = (self._rest + piece).split(b"\n")
                if records:
                    return records
            elif (following := self._next()) is None:
                break
            else:
                self._file.close()
                self._file = _open(following)
        return []

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _next(self) -> Path | None:
        """The file after this one, which may have been renamed, or dropped, while it was read."""
        assert self._file is not None
        mine = os.fstat(self._file.fileno()).st_ino
        if mine == _inode(self._path):
            return None
        return self._path if mine == _inode(rotated(self._path)) else rotated(self._path)


def _open(path: Path) -> FileIO | None:
    try:
        return FileIO(path)
    except FileNotFoundError:
        return None


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _moment(record: bytes) -> datetime:
    return parse_timestamp(record.partition(b" ")[0].decode())


def _shown(record: bytes, *, timestamps: bool) -> bytes:
    """A record's text; one that is a part of a line doesn't end it."""
    stamp, _, tag, text = record.split(b" ", 3)
    end = b"" if tag == b"P" else b"\n"
    return (stamp + b" " if timestamps else b"") + text + end
