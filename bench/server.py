"""Servers to be measured: `argosy up` as shipped, and the bare answer of the same HTTP server."""

import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from argosy.base.clock import SystemClock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import Access, load
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context

UNUSUAL = ("PYTHONDONTWRITEBYTECODE",)
"""Variables that would make a start slower than that of an installed package."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server under measurement. `ready_after`: seconds from its start to `/readyz`."""

    process: Process
    access: Access
    ready_after: float

    @property
    def client(self) -> Client:
        """A client of it; its transport must be closed."""
        return Client(transport(self.access), "bench")

    def resident(self) -> float:
        """Resident memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def processor(self) -> float:
        """Seconds of processor time that it has taken until now."""
        # Behind the name, which may hold anything: state, then numbers (proc_pid_stat(5)).
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def argosy(folder: Path, *flags: str) -> AsyncGenerator[Running, None]:
    """`argosy up` with its data in `folder`, stopped with the block."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "argosy", "up", "--data-dir", str(folder), "--port", "0", *flags),
        stderr=asyncio.subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name not in UNUSUAL},
    )
    try:
        access = await _ready(folder / "kubeconfig", began)
        yield Running(process, access, time.monotonic() - began)
    finally:
        process.terminate()
        await process.wait()


async def _ready(path: Path, began: float) -> Access:
    """Wait until the server that writes this kubeconfig is ready."""
    known = path.stat().st_mtime if path.exists() else 0.0
    while time.monotonic() < began + PATIENCE:
        if path.exists() and path.stat().st_mtime > known:
            access = load(path)
            client = Client(transport(access), "bench")
            try:
                await client.call("GET", "/readyz")
                return access
            except (ConnectionError, StatusError):
                pass
            finally:
                await client.transport.close()
        await asyncio.sleep(0.005)  # a file of another process: there is nothing to wait for
    raise TimeoutError("argosy up did not become ready")


@asynccontextmanager
async def bare() -> AsyncGenerator[str, None]:
    """The same HTTP server over TLS with a fixed answer: what anything above it adds to."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.server"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def _serve_bare() -> None:
    answer = Response(200, {"content-type": "application/json"}, b'{"kind":"Status"}' * 20)

    async def handle(request: Request) -> Response:
        return answer

    with tempfile.TemporaryDirectory() as folder:
        pair = ensure_certificates(Path(folder), ["127.0.0.1"], SystemClock().now())
        tls = server_context(pair.cert_file, pair.key_file)
        server = await serve(handle, addresses=[("127.0.0.1", 0)], tls=tls)
        sys.stdout.write(f"https://127.0.0.1:{server.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve_bare())
