"""How soon controllers have done what is asked of them.

    python -m bench.controllers [--runs N] [--only WORDS] [--against KUBECONFIG]

Measured on `argosy up` as shipped, over TLS, durable, by a client in another process. No scheduler
minds the pods, so that what counts is the work of the controllers. Deployments: from the request
until the last status tells that all pods were made. Garbage: from the owner's deletion until the
last dependent is gone. A Job: from its last pod's end, which the client plays, until it is
complete. With `--against` another cluster, for instance Kubernetes itself, is asked the very same.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from argosy.api.batch import Job
from argosy.api.core import ConfigMap, Namespace, Pod
from argosy.api.meta import PartialObject
from argosy.api.replicas import Deployment
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import load
from argosy.client.watching import WatchEvent
from bench.server import argosy

PATIENCE = 900.0
NOBODY = "example.com/nobody"
CLIENTS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: seconds that it takes, and that it may take."""

    what: str
    target: float
    measure: Callable[[Client, str], Awaitable[float]]


async def deployed(client: Client, space: str, count: int, replicas: int) -> float:
    """Seconds until `count` Deployments of so many replicas have all their pods."""
    since = (await client.list(Deployment, space)).metadata.resource_version
    began = time.monotonic()
    waiting = asyncio.create_task(_made(client, space, count, replicas, since))
    todo = iter(range(count))

    async def create() -> None:
        for at in todo:
            await _create(client, space, f"d{at}", replicas)

    await asyncio.gather(*(create() for _ in range(CLIENTS)))
    async with asyncio.timeout(PATIENCE):
        await waiting
    seconds = time.monotonic() - began
    there = len((await client.list(Pod, space)).items)
    if there != count * replicas:
        raise AssertionError(f"there are {there} pods, not {count * replicas}")
    return seconds


async def _create(client: Client, space: str, name: str, replicas: int) -> None:
    labels = {"app": name}
    containers = [{"name": "main", "image": "host"}]
    template = {
        "metadata": {"labels": labels},
        "spec": {"schedulerName": NOBODY, "containers": containers},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    body = {"metadata": {"name": name, "namespace": space}, "spec": spec}
    await client.create(Deployment.resource, body)


async def _made(client: Client, space: str, count: int, replicas: int, since: str) -> None:
    """Wait until so many Deployments tell that they have all pods."""
    done: set[str] = set()
    async for event in client.watch(Deployment, space, since=since):
        if event.type != "BOOKMARK" and event.object.status.replicas == replicas:
            done.add(event.object.metadata.name)
            if len(done) == count:
                return


async def collected(client: Client, space: str, count: int) -> float:
    """Seconds from an owner's deletion until its `count` dependents are gone."""
    meta = {"name": "own", "namespace": space}
    made = await client.create(ConfigMap.resource, {"metadata": meta})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "own", "uid": made["metadata"]["uid"]}
    todo = iter(range(count))

    async def make() -> None:
        for at in todo:
            meta = {"name": f"dependent-{at}", "namespace": space, "ownerReferences": [owner]}
            await client.create(ConfigMap.resource, {"metadata": meta, "data": {"a": "b"}})

    await asyncio.gather(*(make() for _ in range(CLIENTS)))
    listed = await client.list(PartialObject, space, resource=ConfigMap.resource)
    since = listed.metadata.resource_version
    began = time.monotonic()
    await client.delete(ConfigMap.resource, "own", space, propagation="Background")
    left = count
    async with asyncio.timeout(PATIENCE), aclosing(_changes(client, space, since)) as changes:
        async for event in changes:
            left -= event.type == "DELETED" and event.object.metadata.name.startswith("dependent-")
            if not left:
                break
    return time.monotonic() - began


def _changes(
    client: Client, space: str, since: str
) -> AsyncGenerator[WatchEvent[PartialObject], None]:
    return client.watch(PartialObject, space, since=since, resource=ConfigMap.resource)


async def finished(client: Client, space: str, count: int) -> float:
    """Seconds from the end of the last of a Job's `count` pods until the Job is complete."""
    since = (await client.list(Pod, space)).metadata.resource_version
    containers = [{"name": "main", "image": "host"}]
    pod = {"schedulerName": NOBODY, "restartPolicy": "Never", "containers": containers}
    spec = {"completions": count, "parallelism": count, "completionMode": "Indexed"}
    meta = {"name": "job", "namespace": space}
    body = {"metadata": meta, "spec": {**spec, "template": {"spec": pod}}}
    complete = asyncio.create_task(_complete(client, space, since))
    await client.create(Job.resource, body)
    pods: asyncio.Queue[str] = asyncio.Queue()
    left = count

    async def play() -> None:
        nonlocal left
        while left:
            left -= 1
            name = await pods.get()
            status = {"status": {"phase": "Succeeded"}}
            await client.merge(Pod.resource, name, space, status, subresource="status")

    async with asyncio.timeout(PATIENCE):
        watching = asyncio.create_task(_new(client, space, since, pods))
        await asyncio.gather(*(play() for _ in range(CLIENTS)))
        began = time.monotonic()
        watching.cancel()
        await complete
    return max(time.monotonic() - began, 0.0)


async def _new(client: Client, space: str, since: str, pods: asyncio.Queue[str]) -> None:
    async for event in client.watch(Pod, space, since=since):
        if event.type == "ADDED":
            pods.put_nowait(event.object.metadata.name)


async def _complete(client: Client, space: str, since: str) -> None:
    async for event in client.watch(Job, space, since=since):
        if event.type != "BOOKMARK" and event.object.status.completion_time:
            return


ROWS = (
    Row("a Deployment of 1,000 replicas", 1.0, partial(deployed, count=1, replicas=1_000)),
    Row("500 Deployments of 10 replicas", 5.0, partial(deployed, count=500, replicas=10)),
    Row("garbage of 10,000 dependents", 6.0, partial(collected, count=10_000)),
    Row("a Job of 5,000 indexes, after its last pod", 10.0, partial(finished, count=5_000)),
)


async def once(row: Row) -> float:
    """One run on a fresh cluster, once its controllers are at work."""
    with tempfile.TemporaryDirectory() as folder:
        async with argosy(Path(folder)) as server:
            client = server.client
            try:
                await _create(client, "default", "first", 1)
                await _made(client, "default", 1, 1, "0")
                await client.delete(Deployment.resource, "first", "default")
                while (await client.list(Pod, "default")).items:
                    await asyncio.sleep(0.1)
                return await row.measure(client, "default")
            finally:
                await client.transport.close()


async def elsewhere(row: Row, kubeconfig: Path) -> float:
    """One run in a new namespace of another cluster, which goes after it."""
    client = Client(transport(load(kubeconfig)), "bench")
    made = await client.create(Namespace.resource, {"metadata": {"generateName": "bench-"}})
    space = made["metadata"]["name"]
    try:
        return await row.measure(client, space)
    finally:
        await client.delete(Namespace.resource, space)
        while await client.find(Namespace, space) is not None:
            await asyncio.sleep(1)
        await client.transport.close()


async def run(
    runs: int, only: str, against: Path | None
) -> AsyncIterator[tuple[Row, Sequence[float]]]:
    """All rows whose words hold `only`, each measured `runs` times."""
    for row in ROWS:
        if only in row.what:
            made = (once(row) if against is None else elsewhere(row, against) for _ in range(runs))
            yield row, [await measured for measured in made]


async def told(runs: int, only: str, against: Path | None) -> None:
    """Print the table, row by row."""
    async for row, seconds in run(runs, only, against):
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        middle = statistics.median(seconds)
        print(f"{row.what}: {middle:.2f} s ({spread}); at most {row.target:g} s", flush=True)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="words of the rows that are wanted")
    parser.add_argument("--against", type=Path, metavar="KUBECONFIG", help="another cluster")
    asked = parser.parse_args()
    asyncio.run(told(asked.runs, asked.only, asked.against))


if __name__ == "__main__":
    main()
