"""Is what the API has acknowledged safe from SIGKILL, and do watchers see all of it just once?

`python -m bench.api_kill --rounds 1000`. In each round a child process serves the API from a store
on disk; clients create, change and delete ConfigMaps and watch them, all over HTTP, until the child
is killed at a random moment. In the next round the watchers first go on where they were.

Nothing else writes to that store, so whoever watches the ConfigMaps sees every revision: each event
must be one above the event before it, across all kills. The rounds share one folder, so that damage
would add up. `tests/e2e/test_store_kill.py` runs a few rounds.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from rich.progress import track

from argosy.api.core import ConfigMap, Namespace
from argosy.base.clock import SystemClock
from argosy.client.client import Client
from argosy.client.https import Https
from argosy.cluster.server import control_plane
from argosy.http.server import serve
from argosy.store.sqlite import SqliteStore

NAMESPACE = "load"
TOKEN = "bench"
WRITERS = 8
WATCHERS = 3
KEYS = 10
PATIENCE = 30.0


def text_of(name: str, count: int) -> str:
    """The one text that a ConfigMap may have at a step of its writer: its end shows, too."""
    return f"{name}:{count};" * (1 + count * 7919 % 800)


def text_in(found: ConfigMap) -> str:
    """The text of a ConfigMap, which must be whole."""
    text, name = found.data["text"], found.metadata.name
    count = int(text.partition(";")[0].rpartition(":")[2])
    assert text == text_of(name, count), f"{name} is torn"
    return text


@dataclass
class Writer:
    """Writes its own ConfigMaps; knows what was acknowledged, and which write was not yet."""

    name: str
    count: int = 0
    there: dict[str, str] = field(default_factory=dict)
    doubt: tuple[str, str | None] | None = None

    async def write_on(self, client: Client, acknowledged: Callable[[], None]) -> None:
        """Write until the server is gone, which is a ConnectionError."""
        while True:
            self.count += 1
            name = f"{self.name}-{self.count % KEYS}"
            gone = name in self.there and self.count % 7 == 0
            self.doubt = (name, None if gone else text_of(name, self.count))
            await self._send(client, *self.doubt)
            self._note(*self.doubt)
            self.doubt = None
            acknowledged()

    async def _send(self, client: Client, name: str, text: str | None) -> None:
        if text is None:
            await client.delete(ConfigMap.resource, name, NAMESPACE)
            return
        body = {"metadata": {"name": name, "namespace": NAMESPACE}, "data": {"text": text}}
        send = client.update if name in self.there else client.create
        await send(ConfigMap.resource, body)

    def _note(self, name: str, text: str | None) -> None:
        if text is None:
            del self.there[name]
        else:
            self.there[name] = text

    def check(self, found: dict[str, str]) -> None:
        """All that was acknowledged is there, and what was under way is there or is not."""
        mine = {name: text for name, text in found.items() if name.startswith(f"{self.name}-")}
        if self.doubt is not None and mine.get(self.doubt[0]) == self.doubt[1]:
            self._note(*self.doubt)
        self.doubt = None
        assert mine == self.there, f"{self.name} lost a write, or got one back"


@dataclass
class Watcher:
    """Follows all ConfigMaps from one server to the next; knows what they are."""

    revision: int
    texts: dict[str, str] = field(default_factory=dict)
    events: int = 0

    async def follow(self, client: Client, upto: int = sys.maxsize) -> None:
        """Read on, up to a revision or until the server is gone, which is a ConnectionError."""
        if self.revision >= upto:
            return
        watch = client.watch(ConfigMap, NAMESPACE, since=str(self.revision))
        async with aclosing(watch) as events:
            async for event in events:
                self._take(event.type, event.object)
                if self.revision == upto:
                    return

    def _take(self, kind: str, found: ConfigMap) -> None:
        revision = int(found.metadata.resource_version)
        wanted = self.revision + (kind != "BOOKMARK")
        assert revision == wanted, f"{revision} follows {self.revision}: a gap or a repeat"
        self.revision = revision
        if kind == "BOOKMARK":
            return
        self.events += 1
        name, text = found.metadata.name, text_in(found)
        assert (kind == "ADDED") is (name not in self.texts), f"{kind} of {name} is wrong"
        self.texts[name] = text
        if kind == "DELETED":
            del self.texts[name]


@dataclass
class Killing:
    """The folder, its clients, and how much they have seen."""

    folder: Path
    chance: random.Random
    most: int = 300  # acknowledgements before the kill
    writers: list[Writer] = field(default_factory=list)
    watchers: list[Watcher] = field(default_factory=list)
    newest: int = 0
    writes: int = 0

    async def round(self) -> None:
        """Look, write and watch, kill. Raises AssertionError where a promise is broken."""
        async with served(self.folder) as (server, client):
            await self.check(client)
            wanted, enough = self.chance.randrange(1, self.most), asyncio.Event()

            def acknowledged() -> None:
                nonlocal wanted
                wanted, self.writes = wanted - 1, self.writes + 1
                if wanted == 0:
                    enough.set()

            work = [writer.write_on(client, acknowledged) for writer in self.writers]
            work += [watcher.follow(client) for watcher in self.watchers]
            await killed(server, enough, self.chance.uniform(0, 0.01), work)
        self.newest = max(self.newest, *(watcher.revision for watcher in self.watchers))

    async def check(self, client: Client) -> None:
        """Compare the server with what its clients know."""
        if not self.writers:
            await self._begin(client)
        listed = await client.list(ConfigMap, NAMESPACE)
        revision = int(listed.metadata.resource_version)
        assert revision >= self.newest, "the store went back"
        self.newest = revision
        found = {item.metadata.name: text_in(item) for item in listed.items}
        for writer in self.writers:
            writer.check(found)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(watcher.follow(client, revision) for watcher in self.watchers))
        for watcher in self.watchers:
            assert watcher.revision == revision, "a watcher is ahead of the store"
            assert watcher.texts == found, "a watcher missed something"

    async def _begin(self, client: Client) -> None:
        await client.create(Namespace.resource, {"metadata": {"name": NAMESPACE}})
        revision = int((await client.list(ConfigMap, NAMESPACE)).metadata.resource_version)
        self.writers = [Writer(f"w{i}") for i in range(WRITERS)]
        self.watchers = [Watcher(revision) for _ in range(WATCHERS)]


async def killed(
    server: Process, enough: asyncio.Event, moment: float, work: list[Coroutine[Any, Any, None]]
) -> None:
    """Let clients work until it is enough, kill the server a moment later, and let them end."""
    tasks = [asyncio.create_task(each) for each in work]
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait([waiting, *tasks], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    in_time = waiting.done()
    waiting.cancel()
    await asyncio.sleep(moment)
    server.kill()
    await server.wait()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(outcome, ConnectionError | None):
            raise outcome
    assert in_time, "the server ended by itself, or stood still"


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[tuple[Process, Client], None]:
    """A server in another process, and a client for it; killed at the end if not before."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--child", str(folder)),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
    )
    assert server.stdout is not None
    transport: Https | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            port = int(await server.stdout.readline())
        transport = Https(f"http://127.0.0.1:{port}", None, TOKEN)
        yield server, Client(transport, "bench")
    finally:
        if transport is not None:
            await transport.close()
        if server.returncode is None:
            server.kill()
            await server.wait()


async def _child(folder: Path) -> None:
    store, clock = SqliteStore.open(folder), SystemClock()
    plane = control_plane(store, clock, admin_token=TOKEN)
    handle = plane.server.handle
    server = await serve(handle, addresses=[("127.0.0.1", 0)], tls=None, clock=clock)
    plane.server.state.ready = True
    os.write(1, f"{server.addresses[0][1]}\n".encode())
    await asyncio.to_thread(sys.stdin.read)  # until the parent is gone


async def _parent(folder: Path, rounds: int, seed: int) -> None:
    killing = Killing(folder, random.Random(seed))
    for _ in track(range(rounds), "killing"):
        await killing.round()
    async with served(folder) as (_, client):
        await killing.check(client)
    events = sum(watcher.events for watcher in killing.watchers)
    print(f"{rounds} kills, {killing.writes:,} acknowledged writes, none lost")
    print(f"{events:,} events to {WATCHERS} watchers, without a gap or a repeat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        uvloop.run(_child(options.child))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_parent(Path(folder), options.rounds, options.seed))


if __name__ == "__main__":
    main()
