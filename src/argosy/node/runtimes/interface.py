"""What the node asks of a container runtime."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Stream = Literal["stdout", "stderr"]
Output = Callable[[Stream, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a runtime gets of its node: a `state` folder of its own, folders that containers may
    read, and ones that they must never see, wherever those lie."""

    state: Path
    readable: tuple[Path, ...]
    hidden: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """`source`, or what lies at `sub_path` below it, appears at `target` in the container.

    No part of `sub_path` may be a symbolic link: the runtime opens it beneath `source`. Nor may one
    of a `source` that is `pinned`: somebody may have put a link there since it was looked at.
    """

    source: Path
    target: str
    read_only: bool = False
    sub_path: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerConfig:
    """One instance of a container, ready to start. `output` is called, in the loop, with pieces."""

    id: str
    hostname: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    working_dir: str
    mounts: tuple[Mount, ...]
    output: Output


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended: 128 + n after signal n. `error` tells why it could not even be started."""

    code: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A further command in a running container; `tty`: its streams are one terminal."""

    argv: tuple[str, ...]
    stdin: bool = False
    tty: bool = False


class Execution(Protocol):
    """A further command that runs."""

    async def read(self, *, error: bool = False) -> bytes:
        """Output as it comes, b"" at its end; with a terminal there is no error output."""
        ...

    async def write(self, data: bytes) -> None:
        """Input; waits while it is not read."""
        ...

    def finish(self) -> None:
        """There is no more input."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Its terminal has so many columns and rows."""
        ...

    async def wait(self) -> int:
        """Its exit code: 128 + n after signal n."""
        ...

    async def close(self) -> None:
        """End it, if it still runs, and let go of its streams."""
        ...


class StartError(Exception):
    """The runtime could not start the container at all; the text is for the pod's owner."""


class Process(Protocol):
    """A started container."""

    async def wait(self) -> Exit:
        """Wait until nothing of it runs any more and all its output was handed over."""
        ...

    def terminate(self) -> None:
        """Ask its first process to end (SIGTERM)."""
        ...

    def kill(self) -> None:
        """End every process of it now."""
        ...

    async def execute(self, command: Command) -> Execution:
        """Run a further command in it. Raises StartError."""
        ...


class Runtime(Protocol):
    """Starts containers of one sort."""

    def missing(self) -> str | None:
        """What this machine lacks to run it, with a hint; None where all is there."""
        ...

    async def open(self, machine: Machine) -> None:
        """Get ready, and end whatever an earlier run of this program left behind."""
        ...

    def refuses(self, image: str) -> str | None:
        """Why `image` can't be run here; None where it can."""
        ...

    async def start(self, config: ContainerConfig) -> Process:
        """Start a container. Raises StartError."""
        ...
