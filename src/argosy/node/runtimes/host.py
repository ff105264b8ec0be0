"""The `host` runtime: a process of this machine in a sandbox of its own, made by bubblewrap.

There is no image: the machine's own programs, read-only, are the file system. A pod must ask for
it twice, by RuntimeClass and by the image name `host`, because a process of the host never stands
in for an image.

bubblewrap makes three processes: a monitor outside, the first process of the pid namespace, which
reaps, and the container's own, which is number 2 in there. SIGTERM goes to the last, SIGKILL to the
second, with which the kernel ends the whole namespace. All of them die with this program.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from argosy.node.runtimes.inside import Surroundings, close, execute, namespaces_of
from argosy.node.runtimes.interface import (
    Command,
    ContainerConfig,
    Execution,
    Exit,
    Machine,
    Mount,
    Output,
    StartError,
    Stream,
)
from argosy.node.runtimes.processes import ProcessId, child_named, parent, send
from argosy.node.runtimes.sandbox import HOME, NAMESPACES, Sandbox, etc_files
from argosy.node.subpath import open_beneath, open_pinned

IMAGE = "host"
MAIN = 2  # the container's own process, inside
START_FAILED = 128  # what containerd gives a container whose program can't be executed
_PIECE = 65_536
_INSTALL = "hint: install bubblewrap (on Debian and Ubuntu: apt install bubblewrap)"
_ALLOW = (
    "hint: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or on Ubuntu "
    "kernel.apparmor_restrict_unprivileged_userns=0)"
)


class _Report(msgspec.Struct, frozen=True):
    """A line of bubblewrap's `--json-status-fd`."""

    child: int | None = msgspec.field(name="child-pid", default=None)
    code: int | None = msgspec.field(name="exit-code", default=None)


class HostRuntime:
    """Runs containers as sandboxed processes."""

    def __init__(self) -> None:
        self._records: Path | None = None
        self._sandbox: Sandbox | None = None

    async def open(self, machine: Machine) -> None:
        """Write the sandboxes' own files of /etc; kill what the records name, if it still runs."""
        self._records, etc = machine.state / "processes", machine.state / "etc"
        for folder in (self._records, etc):
            folder.mkdir(parents=True, exist_ok=True)
        for name, text in etc_files(os.getuid(), os.getgid()).items():
            (etc / name).write_text(text)
        self._sandbox = Sandbox(
            readable=machine.readable,
            hidden=machine.hidden,
            interpreter=Path(sys.executable),
            etc=etc,
        )
        for record in sorted(self._records.iterdir()):
            left = ProcessId.parse(record.read_text())
            if left is None or await asyncio.to_thread(left.kill):
                record.unlink()

    def missing(self) -> str | None:
        """Whether bubblewrap is there and may make a sandbox. Starts one, some 10 ms."""
        program = shutil.which("bwrap")
        if program is None:
            return f"bubblewrap is not installed; {_INSTALL}"
        trial = [program, *NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "true"]
        done = subprocess.run(trial, capture_output=True, text=True, timeout=10, check=False)
        if done.returncode == 0:
            return None
        return f"bubblewrap can't make a sandbox here: {done.stderr.strip()}; {_ALLOW}"

    def refuses(self, image: str) -> str | None:
        """Everything but the image `host`."""
        if image == IMAGE:
            return None
        return (
            f'image "{image}" can\'t be run by the host runtime, which has no images: a process of '
            f"this machine never stands in for an image; hint: image: {IMAGE} runs the machine's "
            "own programs"
        )

    async def start(self, config: ContainerConfig) -> "HostProcess":
        """Start the sandbox; it is up, though its program may still fail to execute."""
        program = shutil.which("bwrap")
        if program is None:
            raise StartError(f"bubblewrap is not installed; {_INSTALL}")
        if self._sandbox is None or self._records is None:
            raise StartError("the host runtime was not opened")
        with _opened(config) as descriptors:
            options = self._sandbox.arguments(config, descriptors)
            listing = _in_memory(options)
            status, writer = os.pipe()
            command = [program, "--args", str(listing), "--json-status-fd", str(writer), "--"]
            kept = [listing, writer, *(d for d in descriptors if d is not None)]
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    *config.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={},  # the container's variables must not reach bubblewrap itself
                    cwd="/",
                    pass_fds=kept,
                )
            except (OSError, ValueError) as error:
                os.close(status)
                raise StartError(f"starting the sandbox: {error}") from error
            finally:
                os.close(listing)
                os.close(writer)
        around = Surroundings(self._sandbox.variables(config), config.working_dir or HOME)
        running = HostProcess(process, config.output, self._records / config.id, around)
        await running.follow(status)
        return running


class HostProcess:
    """One running sandbox. `record` tells a later run of this program of it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        output: Output,
        record: Path,
        surroundings: Surroundings,
    ) -> None:
        self._process = process
        self._surroundings = surroundings
        self._output = output
        self._record = record
        self._handle: int | None = None  # pidfd of the first process inside
        self._first = 0
        self._complaint = b""
        self._up = asyncio.Event()
        self._done: asyncio.Task[Exit] | None = None

    async def follow(self, status: int) -> None:
        """Begin to read output and status; returns when the sandbox is up, or has failed."""
        self._done = asyncio.create_task(self._run(status))
        await self._up.wait()

    async def wait(self) -> Exit:
        assert self._done is not None
        return await asyncio.shield(self._done)

    def terminate(self) -> None:
        if self._handle is None:
            return
        main = child_named(self._first, MAIN)
        if main is None:  # it has not begun, so there is nobody to ask
            self.kill()
            return
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(main)
            try:
                # Asked again now that the pid can't be recycled under our hands.
                if child_named(self._first, MAIN) == main:
                    send(handle, signal.SIGTERM)
            finally:
                os.close(handle)

    def kill(self) -> None:
        if self._handle is not None:
            send(self._handle, signal.SIGKILL)
        elif self._process.returncode is None:
            self._process.kill()

    async def execute(self, command: Command) -> Execution:
        if not command.argv:
            raise StartError("there is no command")
        namespaces = self._namespaces()
        try:
            return await execute(command, self._surroundings, namespaces)
        finally:
            close(namespaces.values())

    def _namespaces(self) -> dict[str, int]:
        """Those of the container's own process. Raises StartError."""
        main = child_named(self._first, MAIN) if self._handle is not None else None
        if main is None:
            raise StartError("the container is not running")
        try:
            found = namespaces_of(main)
        except OSError as error:
            raise StartError("the container is not running") from error
        # Asked again now that they are held: the pid may have been somebody else's by then.
        if self._handle is None or child_named(self._first, MAIN) != main:
            close(found.values())
            raise StartError("the container is not running")
        return found

    async def _run(self, status: int) -> Exit:
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None and stderr is not None
        try:
            _, _, reported = await asyncio.gather(
                self._pump(stdout, "stdout"), self._pump(stderr, "stderr"), self._listen(status)
            )
            code = await self._process.wait()
        finally:
            self._up.set()
            self._record.unlink(missing_ok=True)
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
        return self._exit(code, reported)

    def _exit(self, code: int, reported: int | None) -> Exit:
        complaint = self._complaint.decode(errors="replace").strip()
        if reported is None and code == 1 and complaint.startswith("bwrap: "):
            return Exit(START_FAILED, complaint.removeprefix("bwrap: "))
        return Exit(code if code >= 0 else 128 - code)

    async def _pump(self, pipe: asyncio.StreamReader, stream: Stream) -> None:
        while piece := await pipe.read(_PIECE):
            if stream == "stderr":
                self._complaint = (self._complaint + piece)[-1024:].splitlines()[-1]
            self._output(stream, piece)

    async def _listen(self, status: int) -> int | None:
        """Read bubblewrap's reports to their end; the exit code, where the program did run."""
        reader = asyncio.StreamReader()
        file = os.fdopen(status, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        code = None
        try:
            async for line in reader:
                report = msgspec.json.decode(line, type=_Report)
                if report.child is not None:
                    self._take(report.child)
                    self._up.set()
                code = report.code if report.code is not None else code
        finally:
            self._up.set()
            transport.close()
        return code

    def _take(self, first: int) -> None:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(first)
            identity = ProcessId.of(first)
            if identity is None or parent(first) != self._process.pid:
                os.close(handle)
                return
            self._handle, self._first = handle, first
            self._record.write_text(str(identity))


@contextmanager
def _opened(config: ContainerConfig) -> Iterator[list[int | None]]:
    """Descriptors of the mounts with a sub-path, closed again when the sandbox has them."""
    found: list[int | None] = []
    try:
        for mount in config.mounts:
            try:
                found.append(_descriptor(mount))
            except (OSError, ValueError) as error:
                shown = f"subPath {mount.sub_path!r}" if mount.sub_path else mount.target
                raise StartError(f"{shown}: {error}") from error
        yield found
    finally:
        for descriptor in found:
            if descriptor is not None:
                os.close(descriptor)


def _descriptor(mount: Mount) -> int | None:
    """What is mounted, opened where it could be changed for something else until then."""
    if not mount.pinned:
        return open_beneath(mount.source, mount.sub_path) if mount.sub_path else None
    source = open_pinned(mount.source)
    if not mount.sub_path:
        return source
    try:
        return open_beneath(source, mount.sub_path)
    finally:
        os.close(source)


def _in_memory(options: Sequence[str]) -> int:
    """The options in a file without a name: a long environment fits no command line.

    Raises StartError for one that would end in the middle, and go on as another option.
    """
    if any("\0" in option for option in options):
        raise StartError("variables, paths and names must not hold a NUL character")
    listing = os.memfd_create("options")
    data = b"".join(option.encode() + b"\0" for option in options)
    with os.fdopen(os.dup(listing), "wb") as file:
        file.write(data)
    os.lseek(listing, 0, os.SEEK_SET)
    return listing
