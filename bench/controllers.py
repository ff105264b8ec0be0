"""How soon controllers have done what is asked of them: `python -m bench.controllers [--runs N]`.

Measured on `argosy up` as shipped, over TLS, durable, by a client in another process. No scheduler
minds the pods, so that what counts is the work of the controllers: from the request until the last
status tells that all pods were made.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.api.core import Pod
from argosy.api.replicas import Deployment
from argosy.client.client import Client
from bench.server import argosy

NAMESPACE = "default"
PATIENCE = 120.0
NOBODY = "example.com/nobody"


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: seconds that it takes, and that it may take."""

    what: str
    target: float
    measure: Callable[[Client], Awaitable[float]]


async def deployed(client: Client, count: int, replicas: int) -> float:
    """Seconds until `count` Deployments of so many replicas have all their pods."""
    since = (await client.list(Deployment, NAMESPACE)).metadata.resource_version
    began = time.monotonic()
    waiting = asyncio.create_task(_made(client, count, replicas, since))
    await asyncio.gather(*(_create(client, f"d{at}", replicas) for at in range(count)))
    async with asyncio.timeout(PATIENCE):
        await waiting
    seconds = time.monotonic() - began
    there = len((await client.list(Pod, NAMESPACE)).items)
    if there != count * replicas:
        raise AssertionError(f"there are {there} pods, not {count * replicas}")
    return seconds


async def _create(client: Client, name: str, replicas: int) -> None:
    labels = {"app": name}
    containers = [{"name": "main", "image": "host"}]
    template = {
        "metadata": {"labels": labels},
        "spec": {"schedulerName": NOBODY, "containers": containers},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    body = {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    await client.create(Deployment.resource, body)


async def _made(client: Client, count: int, replicas: int, since: str) -> None:
    """Wait until so many Deployments tell that they have all pods."""
    done: set[str] = set()
    async for event in client.watch(Deployment, NAMESPACE, since=since):
        if event.type != "BOOKMARK" and event.object.status.replicas == replicas:
            done.add(event.object.metadata.name)
            if len(done) == count:
                return


ROWS = (
    Row("a Deployment of 1,000 replicas", 1.0, lambda client: deployed(client, 1, 1_000)),
    Row("500 Deployments of 10 replicas", 5.0, lambda client: deployed(client, 500, 10)),
)


async def once(row: Row) -> float:
    """One run on a fresh cluster, once its controllers are at work."""
    with tempfile.TemporaryDirectory() as folder:
        async with argosy(Path(folder)) as server:
            client = server.client
            try:
                await _create(client, "first", 1)
                await _made(client, 1, 1, "0")
                await client.delete(Deployment.resource, "first", NAMESPACE)
                while (await client.list(Pod, NAMESPACE)).items:
                    await asyncio.sleep(0.1)
                return await row.measure(client)
            finally:
                await client.transport.close()


async def run(runs: int) -> list[tuple[Row, Sequence[float]]]:
    """All rows, each measured `runs` times."""
    return [(row, [await once(row) for _ in range(runs)]) for row in ROWS]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    for row, seconds in asyncio.run(run(parser.parse_args().runs)):
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        middle = statistics.median(seconds)
        print(f"{row.what}: {middle:.2f} s ({spread}); at most {row.target:g} s")


if __name__ == "__main__":
    main()
