"""Commands inside of a running sandbox, for `exec`: the node's side of `enter`."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.node.runtimes import enter
from argosy.node.runtimes.interface import Command, StartError
from argosy.node.runtimes.processes import PROC
from argosy.node.runtimes.terminal import Terminal

# In the order in which they are joined; the network is the machine's.
NAMESPACES: Final = ("user", "mnt", "pid", "ipc", "uts", "cgroup")
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the container's own process was started with."""

    env: Mapping[str, str]
    working_dir: str


def namespaces_of(pid: int) -> dict[str, int]:
    """Its namespaces, as open files. Raises OSError where it has gone."""
    found: dict[str, int] = {}
    try:
        for name in NAMESPACES:
            found[name] = os.open(PROC / str(pid) / "ns" / name, os.O_RDONLY)
    except OSError:
        close(found.values())
        raise
    return found


def close(descriptors: Iterable[int]) -> None:
    """Close them all."""
    for descriptor in descriptors:
        os.close(descriptor)


async def execute(
    command: Command, surroundings: Surroundings, namespaces: Mapping[str, int]
) -> "Inside":
    """Start a command there. Raises StartError."""
    terminal = Terminal() if command.tty else None
    env = {**({"TERM": "xterm"} if command.tty else {}), **surroundings.env}
    plan = _in_memory(
        {
            "namespaces": dict(namespaces),
            "argv": list(command.argv),
            "env": env,
            "cwd": surroundings.working_dir,
            "tty": command.tty,
        }
    )
    quiet = subprocess.PIPE if command.stdin else subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(enter.__file__)), str(plan)),
            stdin=terminal.device if terminal else quiet,
            stdout=terminal.device if terminal else subprocess.PIPE,
            stderr=terminal.device if terminal else subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=[plan, *namespaces.values()],
            start_new_session=True,
        )
    except OSError as error:
        if terminal:
            terminal.close()
        raise StartError(f"starting the command: {error}") from error
    finally:
        os.close(plan)
    if terminal:
        terminal.hand_over()
    return Inside(process, terminal)


class Inside:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: Terminal | None) -> None:
        self._process = process
        self._terminal = terminal

    async def read(self, *, error: bool = False) -> bytes:
        """Output as it comes; b"" at its end. With a terminal there is no other error output."""
        if self._terminal is not None:
            return b"" if error else await self._terminal.read()
        pipe = self._process.stderr if error else self._process.stdout
        assert pipe is not None
        return await pipe.read(_PIECE)

    async def write(self, data: bytes) -> None:
        """Input; waits while it is not read."""
        if self._terminal is not None:
            await self._terminal.write(data)
        elif self._process.stdin is not None:
            with suppress(ConnectionError):
                self._process.stdin.write(data)
                await self._process.stdin.drain()

    def finish(self) -> None:
        """There is no more input."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def resize(self, width: int, height: int) -> None:
        """Its terminal has this size."""
        if self._terminal is not None:
            self._terminal.resize(width, height)

    async def wait(self) -> int:
        """Its exit code."""
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    async def close(self) -> None:
        """End it, if it has not ended, and let go of its streams."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self.finish()
        if self._terminal is not None:
            self._terminal.close()
        await self._process.wait()


def _in_memory(plan: object) -> int:
    """In a file without a name: whoever looks at processes sees no environment."""
    descriptor = os.memfd_create("plan")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(json.dumps(plan).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
