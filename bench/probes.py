"""How long others wait while something is measured: a small pod ten times a second, and a request
that asks for next to nothing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import PartialObject
from argosy.client.client import Client

PAUSE = 0.1
ASKED = 0.5


@dataclass(slots=True)
class Waits:
    """Seconds, the longest: from the request for a pod until it is bound; for an answer."""

    pod: float = 0.0
    answer: float = 0.0
    pods: int = 0

    def __str__(self) -> str:
        return (
            f"longest wait of {self.pods} other pods {self.pod:.2f} s (asked: {ASKED}), for an "
            f"answer {self.answer:.2f} s"
        )


@asynccontextmanager
async def probed(client: Client, space: str, wanted: bool) -> AsyncGenerator[Waits, None]:
    """What others waited during the block."""
    waits = Waits()
    if not wanted:
        yield waits
        return
    listed = await client.list(PartialObject, space, resource=Pod.resource)
    since = listed.metadata.resource_version
    made: dict[str, float] = {}
    tasks = [
        asyncio.create_task(_pods(client, space, made)),
        asyncio.create_task(_bound(client, space, since, made, waits)),
        asyncio.create_task(_answers(client, waits)),
    ]
    try:
        yield waits
    finally:
        now = time.monotonic()
        waits.pod = max([waits.pod, *(now - at for at in made.values())])
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _pods(client: Client, space: str, made: dict[str, float]) -> None:
    """Make pods that anything has room for; when each was asked for."""
    asked = {"requests": {"cpu": "1m"}}
    container = {"name": "c", "image": "registry.example/pause", "resources": asked}
    number = 0
    while True:
        number += 1
        name = f"probe-{number}"
        body: dict[str, Any] = {"metadata": {"name": name}, "spec": {"containers": [container]}}
        body["metadata"]["namespace"] = space
        made[name] = time.monotonic()
        await client.create(Pod.resource, body)
        await asyncio.sleep(PAUSE)


async def _bound(
    client: Client, space: str, since: str, made: dict[str, float], waits: Waits
) -> None:
    watched = client.watch(
        PartialObject, space, since=since, fields="spec.nodeName!=", resource=Pod.resource
    )
    async with aclosing(watched) as changes:
        async for event in changes:
            at = made.pop(event.object.metadata.name, None)
            if at is not None:
                waits.pod = max(waits.pod, time.monotonic() - at)
                waits.pods += 1


async def _answers(client: Client, waits: Waits) -> None:
    while True:
        began = time.monotonic()
        await client.call("GET", "/version")
        waits.answer = max(waits.answer, time.monotonic() - began)
        await asyncio.sleep(PAUSE / 2)
