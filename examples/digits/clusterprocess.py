"""`argosy up` as a process of the demo's: started, watched over, started again, stopped."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from pathlib import Path

from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import load

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
GPUS = "1xH100"


class ClusterFailedError(Exception):
    """The cluster did not come up."""


class ClusterProcess:
    """One embedded cluster with its data in `folder`. It is restarted whenever it dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.peak_memory = 0
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._client: Client | None = None

    @property
    def kubeconfig(self) -> Path:
        """What kubectl needs to reach it."""
        return self.folder / "kubeconfig"

    @property
    def client(self) -> Client:
        """A client over HTTPS, as any other process has it."""
        if self._client is None:
            self._client = Client(transport(load(self.kubeconfig)), "argosy-demo")
        return self._client

    async def start(self) -> None:
        """Start it, wait until it is ready, and keep it running from then on."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> int:
        """Stop it with SIGTERM and return its exit code."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._client is not None:
            await self._client.transport.close()
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def _keep(self) -> None:
        while self._process is not None:
            await self._process.wait()
            await self._spawn()

    async def _spawn(self) -> None:
        log = self.folder.parent / "argosy.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "argosy", "up"),
                *("--data-dir", str(self.folder), "--port", str(self.port)),
                *("--simulate-gpus", GPUS),
                stdout=output,
                stderr=output,
            )
        await self._until_ready(log)

    async def _until_ready(self, log: Path) -> None:
        assert self._process is not None
        try:
            async with asyncio.timeout(READY_SECONDS):
                while self._process.returncode is None:
                    if await self._answers():
                        return
                    await asyncio.sleep(0.05)  # there is no event to wait for in another process
        except TimeoutError:
            pass
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ClusterFailedError("\n".join(["argosy up did not become ready:", *last]))

    async def _answers(self) -> bool:
        if not self.kubeconfig.exists():
            return False
        try:
            await self.client.call("GET", "/readyz")
        except (ConnectionError, StatusError):
            return False
        return True

    def note_memory(self) -> int:
        """The most memory that the process has had so far, in bytes."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{self._process.pid}/status").read_text()
                fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
                peak = int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
                self.peak_memory = max(self.peak_memory, peak)
        return self.peak_memory


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def process_of_rank(rank: int) -> int | None:
    """The process of a training rank: found by its environment, as anyone on the machine could."""
    wanted = f"PET_NODE_RANK={rank}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
            if b"digits.train" in command and wanted in environment and b"bwrap" not in command[0]:
                return int(folder.name)
    return None


def kill(pid: int) -> None:
    """SIGKILL: no warning, no clean-up."""
    os.kill(pid, signal.SIGKILL)
