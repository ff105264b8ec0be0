"""Writes events in a thread of its own, so that a slow disk holds up nobody.

What waits is bounded: a line that finds no room is dropped. So are lines that the disk refuses.
Both are counted, and told of once, until it goes on.
"""

import logging
import threading
from collections import deque
from typing import Protocol

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 2**20
"""Of lines that wait."""
BATCH = 256
GATHER_SECONDS = 0.01
CLOSE_SECONDS = 5.0


class Output(Protocol):
    """Where lines go: a file, or what a process writes."""

    def write(self, lines: bytes) -> None:
        """Write whole lines. Blocks. Raises OSError."""
        ...

    def close(self) -> None: ...


class Writer:
    """A sink of the audit log, before an output that may be slow."""

    def __init__(
        self,
        output: Output,
        *,
        most: int = MOST_BYTES,
        gather: float = GATHER_SECONDS,
        closing: threading.Event | None = None,
    ) -> None:
        """Lines of `gather` seconds go together; `closing`, when set, ends all patience."""
        self._output = output
        self._most = most
        self._lines: deque[bytes] = deque()
        # Each is written by one thread alone: what waits is their difference.
        self._taken = 0
        self._done = 0
        self._dropped = 0
        self._refused = 0
        self._full = False
        self._failing = False
        self._awake = threading.Event()
        self._gather = gather
        self._closing = closing or threading.Event()
        self._thread = threading.Thread(target=self._run, name="argosy-audit", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        return self._dropped + self._refused

    def put(self, line: bytes) -> None:
        """Take a line, or drop it."""
        if self._taken - self._done + len(line) > self._most:
            self._drop()
            return
        self._full = False
        self._taken += len(line)
        self._lines.append(line)
        if not self._awake.is_set():
            self._awake.set()

    def close(self) -> None:
        """Write what waits, for some seconds at most."""
        self._closing.set()
        self._awake.set()
        self._thread.join(CLOSE_SECONDS)

    def _drop(self) -> None:
        self._dropped += 1
        if not self._full:
            self._full = True
            log.error("audit events are dropped: too many wait to be written")

    def _run(self) -> None:
        while not self._closing.is_set():
            self._awake.wait()
            # Others that come in this time go together: each waking costs the server 50 µs.
            self._closing.wait(self._gather)
            self._awake.clear()
            self._drain()
        self._drain()
        self._output.close()

    def _drain(self) -> None:
        while self._lines:
            self._write([self._lines.popleft() for _ in range(min(BATCH, len(self._lines)))])

    def _write(self, lines: list[bytes]) -> None:
        text = b"".join(lines)
        try:
            self._output.write(text)
            self._failing = False
        except OSError as error:
            self._refused += len(lines)
            if not self._failing:
                self._failing = True
                log.error("audit events are lost", extra={"error": str(error)})
        finally:
            self._done += len(text)
