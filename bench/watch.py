"""How soon watchers hear: a thousand of one namespace while it is written to, and an idle one.

`measure` writes; the watchers are in a process of their own (`python -m bench.watch`), which opens
bare TLS connections and finds in each event the moment at which its write was sent, so that a
latency is from there to the arrival. Both processes read the machine's one monotonic clock.
"""

import asyncio
import json
import re
import ssl
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from argosy.api.core import ConfigMap, Namespace
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import load
from bench.server import Running

WATCHERS = 1_000
RATE = 200
OBJECTS = 50
IDLE_WRITES = 100
IDLE_RATE = 20
CROWDED, IDLE = "crowded", "idle"
STAMP = re.compile(rb'"sent":"(\d+)"')
PATIENCE = 20.0
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Heard:
    """What watchers heard: how many events of how many, and after how many milliseconds."""

    expected: int
    events: int
    p50: float
    p99: float
    longest: float


async def measure(server: Running, folder: Path, seconds: float) -> tuple[Heard, Heard]:
    """What the thousand heard of `RATE` writes a second, and what an idle one of single writes."""
    client = server.client
    for name in (CROWDED, IDLE):
        await client.create(Namespace.resource, {"metadata": {"name": name}})
        for i in range(OBJECTS):
            body = {"metadata": {"name": f"m{i}", "namespace": name}, "data": {"sent": "0"}}
            await client.create(ConfigMap.resource, body)
    kubeconfig = str(folder / "kubeconfig")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.watch", kubeconfig),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    await process.stdout.readline()
    heard = []
    for name, rate, writes in ((IDLE, IDLE_RATE, IDLE_WRITES), (CROWDED, RATE, RATE * seconds)):
        await _write(client, name, rate, round(writes))
        process.stdin.write(f"{name} {round(writes)}\n".encode())
        heard.append(Heard(**json.loads(await process.stdout.readline())))
    process.stdin.close()
    await process.wait()
    await client.transport.close()
    return heard[1], heard[0]


async def _write(client: Client, namespace: str, rate: int, writes: int) -> None:
    """So many writes, evenly spread: none waits for the one before it."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for i in range(writes):
            await asyncio.sleep(max(0.0, began + i / rate - time.monotonic()))
            patch = {"data": {"sent": str(time.monotonic_ns())}}
            name = f"m{i % OBJECTS}"
            group.create_task(client.merge(ConfigMap.resource, name, namespace, patch))


class _Watcher(asyncio.Protocol):
    """One connection that watches, and counts what it hears by the millisecond."""

    def __init__(self, head: bytes, heard: Counter[int]) -> None:
        self._head = head
        self._heard = heard
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._head)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        whole, end, self._rest = (self._rest + data).rpartition(b"}\n")
        for stamp in STAMP.findall(whole + end):
            self._heard[(now - int(stamp)) // 100_000] += 1


async def _watch(kubeconfig: str) -> None:
    """Open the watches; for each line of standard input tell what was heard until then."""
    access = load(Path(kubeconfig))
    context = ssl.create_default_context(cadata=access.ca)
    url = urlsplit(access.server)
    heard: dict[str, Counter[int]] = {CROWDED: Counter(), IDLE: Counter()}
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def connect(namespace: str, since: str) -> None:
        path = f"/api/v1/namespaces/{namespace}/configmaps?watch=true&resourceVersion={since}"
        head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {access.token}\r\n\r\n"
        async with turns:
            await loop.create_connection(
                lambda: _Watcher(head.encode(), heard[namespace]),
                url.hostname or "",
                url.port or 443,
                ssl=context,
            )

    since = await _revision(kubeconfig)
    await asyncio.gather(*(connect(CROWDED, since) for _ in range(WATCHERS)), connect(IDLE, since))
    await asyncio.sleep(1.0)  # until the server has begun all of them
    sys.stdout.write("watching\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).split():
        name, writes = line[0].decode(), int(line[1])
        await _told(heard[name], writes * (WATCHERS if name == CROWDED else 1))


async def _revision(kubeconfig: str) -> str:
    client = Client(transport(load(Path(kubeconfig))), "bench")
    listed = await client.list(ConfigMap, CROWDED)
    await client.transport.close()
    return listed.metadata.resource_version


async def _told(heard: Counter[int], expected: int) -> None:
    began = time.monotonic()
    while heard.total() < expected and time.monotonic() < began + PATIENCE:
        await asyncio.sleep(0.05)
    total, longest = heard.total(), max(heard, default=0) / 10
    p50, p99 = (_quantile(heard, total * share) for share in (0.5, 0.99))
    told = {"expected": expected, "events": total, "p50": p50, "p99": p99, "longest": longest}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _quantile(heard: Counter[int], rank: float) -> float:
    """The latency in milliseconds that `rank` of the events don't exceed."""
    seen = 0
    for tenths in sorted(heard):
        seen += heard[tenths]
        if seen >= rank:
            return tenths / 10
    return 0.0


if __name__ == "__main__":
    uvloop.run(_watch(sys.argv[1]))
