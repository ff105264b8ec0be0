"""Memory of a cluster of simulated nodes full of pods:
`python bench/simulated.py [--nodes 5000] [--pods 50000] [-o json]`.

`argosy up --simulate-nodes` as shipped. The pods are made by another process, ten to a node; told
are the seconds until all nodes are ready and until all pods run, and what the server holds resident
then: at most 1,500 MB are asked for with 5,000 nodes and 50,000 pods.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argosy.api.core import Namespace, Node, Pod
from argosy.api.meta import PartialObject
from argosy.client.client import Client
from bench.load import many
from bench.nodes import CLIENTS, NEW, cordon
from bench.server import Running, argosy

SPACE, LABEL = "simulated", {"argosy.dev/simulated": "true"}
ASKED = 1_500
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "pod-", "labels": {"app": "simulated"}},
    "spec": {
        "containers": [
            {
                "name": "work",
                "image": "registry.example/work",
                "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}},
            }
        ]
    },
}


async def measure(nodes: int, pods: int) -> dict[str, float]:
    """Seconds and MB, by what they tell."""
    group = f"{nodes}x(cpu=64,memory=512Gi,gpu=8xH100)"
    with tempfile.TemporaryDirectory() as folder:
        async with argosy(Path(folder), "--simulate-nodes", group) as running:
            client = running.client
            try:
                return await _measured(running, client, nodes, pods)
            finally:
                await client.transport.close()


async def _measured(running: Running, client: Client, nodes: int, pods: int) -> dict[str, float]:
    began = time.monotonic()
    while await _ready(client) < nodes:
        await asyncio.sleep(1)
    found = {"nodes_ready_s": time.monotonic() - began, "nodes_mb": running.resident()}
    own = [node for node in (await client.list(Node)).items if not _simulated(node)]
    await cordon(client, [node.metadata.name for node in own])
    await client.create(Namespace.resource, {"metadata": {"name": SPACE}})
    began = time.monotonic()
    since = (await client.list(PartialObject, SPACE, resource=Pod.resource)).metadata
    run = asyncio.create_task(_running(client, since.resource_version, pods))
    path, access = Pod.resource.path("", SPACE), running.access
    await many(
        *(access.server, path, access.token, json.dumps(POD)),
        count=pods,
        connections=CLIENTS,
        unique="UNIQUE",
    )
    await run
    return {**found, "pods_run_s": time.monotonic() - began, "pods_mb": running.resident()}


def _simulated(node: Node) -> bool:
    return LABEL.items() <= node.metadata.labels.items()


async def _ready(client: Client) -> int:
    listed = (await client.list(Node)).items
    new = [node for node in listed if any(taint.key in NEW for taint in node.spec.taints)]
    return sum(map(_simulated, listed)) - len(new)


async def _running(client: Client, since: str, pods: int) -> None:
    left = pods
    watched = client.watch(
        PartialObject, SPACE, since=since, fields="status.phase=Running", resource=Pod.resource
    )
    async with aclosing(watched) as changes:
        async for event in changes:
            left -= event.type == "ADDED"
            if not left:
                return


def main(given: Sequence[str]) -> None:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python bench/simulated.py", description=__doc__)
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--pods", type=int, default=50_000)
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    args = parser.parse_args(given)
    found = asyncio.run(measure(args.nodes, args.pods))
    if args.output == "json":
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    sys.stdout.write(
        f"{args.nodes:,} nodes ready after {found['nodes_ready_s']:.0f} s, "
        f"{found['nodes_mb']:,.0f} MB; {args.pods:,} pods run after {found['pods_run_s']:.0f} s, "
        f"{found['pods_mb']:,.0f} MB (asked: {ASKED:,})\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
