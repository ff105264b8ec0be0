"""Nodes that nobody runs, for benchmarks: made, kept from counting as lost, and ready for pods."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from argosy.api.core import Node
from argosy.api.leases import Lease
from argosy.base.clock import SystemClock, micro_timestamp
from argosy.client.client import Client

CLIENTS = 16
BEAT, TURNS = 30.0, 100
"""Seconds between two signs of life of a node; and into so many parts that work is spread."""
SPACE = "kube-node-lease"
NEW = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


async def together(writes: Iterable[Awaitable[Any]]) -> None:
    """Await all of them, sixteen at a time, in order."""
    todo = iter(writes)

    async def work() -> None:
        for write in todo:
            await write

    await asyncio.gather(*(work() for _ in range(CLIENTS)))


async def cordon(client: Client, names: Iterable[str] | None = None) -> None:
    """Keep pods off these nodes; or off all that are there, which somebody runs."""
    if names is None:
        names = [own.metadata.name for own in (await client.list(Node)).items]
    for name in names:
        await client.merge(Node.resource, name, "", {"spec": {"unschedulable": True}})


async def untainted(client: Client) -> None:
    """Wait: a node that is new is tainted until a controller has seen that it is ready."""
    while True:
        listed = await client.list(Node)
        if not any(taint.key in NEW for item in listed.items for taint in item.spec.taints):
            return
        await asyncio.sleep(1)


@asynccontextmanager
async def beating(client: Client, names: Sequence[str]) -> AsyncGenerator[None, None]:
    """Renew the nodes' leases meanwhile: silent nodes count as lost after 50 seconds."""

    async def beat() -> None:
        for turn in count():
            await asyncio.sleep(BEAT / TURNS)
            await together(_renewed(client, name) for name in names[turn % TURNS :: TURNS])

    await together(client.create(Lease.resource, _lease(name)) for name in names)
    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _renewed(client: Client, name: str) -> Awaitable[Any]:
    return client.merge(Lease.resource, name, SPACE, {"spec": _lease(name)["spec"]})


def _lease(name: str) -> dict[str, Any]:
    now = micro_timestamp(SystemClock().now())
    spec = {"holderIdentity": "bench", "leaseDurationSeconds": 3600, "renewTime": now}
    return {"metadata": {"name": name, "namespace": SPACE}, "spec": spec}
