"""What all controllers take while nothing happens: `python -m bench.idle [--objects N]`.

`argosy up` as shipped, with so many objects: half of them ConfigMaps, half pods that nobody
schedules. Once it is quiet its processor time is measured, user and system, and given as a share of
one core.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from argosy.api.core import ConfigMap, Pod
from bench.server import Running, argosy

NAMESPACE = "default"
AT_ONCE = 16
SPEC = {"schedulerName": "nobody", "containers": [{"name": "web", "image": "host"}]}


async def _fill(server: Running, objects: int) -> None:
    client = server.client

    async def worker(start: int) -> None:
        for at in range(start, objects, AT_ONCE):
            meta = {"name": f"idle-{at}", "namespace": NAMESPACE, "labels": {"app": "idle"}}
            if at % 2:
                body = {"metadata": meta, "data": {"at": str(at)}}
                await client.create(ConfigMap.resource, body)
            else:
                await client.create(Pod.resource, {"metadata": meta, "spec": SPEC})

    await asyncio.gather(*(worker(start) for start in range(AT_ONCE)))
    await client.transport.close()


async def measure(objects: int, rest: float, seconds: float) -> tuple[float, float]:
    """The share of a core in percent, and the resident memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        async with argosy(Path(folder)) as server:
            await _fill(server, objects)
            await asyncio.sleep(rest)
            began, before = time.monotonic(), server.processor()
            await asyncio.sleep(seconds)
            taken = server.processor() - before
            return taken / (time.monotonic() - began) * 100, server.resident()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--rest", type=float, default=20.0, help="seconds before it is measured")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    share, resident = asyncio.run(measure(given.objects, given.rest, given.seconds))
    print(f"idle with {given.objects:,} objects: {share:.2f} % of a core; at most 1 %")
    print(f"{resident:.0f} MB resident")


if __name__ == "__main__":
    main()
