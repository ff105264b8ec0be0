"""A pseudo-terminal, the end that a person sits at."""

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable
from contextlib import suppress

_Add = Callable[[int, Callable[..., object], "asyncio.Future[None]"], None]
_PIECE = 65_536
_LARGEST = 65_535


class Terminal:
    """Opened with both ends; the other one, `device`, is a process's three streams."""

    def __init__(self) -> None:
        self._file, self.device = pty.openpty()
        os.set_blocking(self._file, False)
        self._loop = asyncio.get_running_loop()
        self._handed_over = False

    def hand_over(self) -> None:
        """The process has the device: only its end keeps it open now."""
        if not self._handed_over:
            self._handed_over = True
            os.close(self.device)

    async def read(self) -> bytes:
        """What the process has written; b"" when nobody has the device any more."""
        while True:
            try:
                return os.read(self._file, _PIECE)
            except BlockingIOError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except OSError:  # EIO: the device is closed
                return b""

    async def write(self, data: bytes) -> None:
        """Type `data`; a terminal that nobody reads holds it up."""
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            except OSError:
                return

    def resize(self, width: int, height: int) -> None:
        """So many columns and rows; the process is told by SIGWINCH."""
        if 0 < width <= _LARGEST and 0 < height <= _LARGEST:
            with suppress(OSError):
                size = struct.pack("HHHH", height, width, 0, 0)
                fcntl.ioctl(self._file, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Hang up: what still has the device gets SIGHUP."""
        self.hand_over()
        os.close(self._file)

    async def _ready(self, add: _Add, remove: Callable[[int], bool]) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        add(self._file, _set, ready)
        try:
            await ready
        finally:
            remove(self._file)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
