"""What an informer of many pods takes: `python -m bench.informer [--pods N] [--runs N]`.

The pods, of about 1.5 KB each, are put into the store of an `argosy up` that is started then; each
informer runs over TLS in a process of its own, whose growth is measured. The time from a write to
its arrival is that of one annotation after another, from sending the patch until a subscriber
hears of it, with the time until its answer beside it.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from argosy.api.core import ConfigMap, Pod
from argosy.api.meta import Object, PartialObject
from argosy.base.clock import SystemClock
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import load
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.runtime.informer import Informer
from argosy.store.interface import Record
from argosy.store.sqlite import SqliteStore
from bench.server import Running, argosy

NAMESPACE = "default"
OWNED = 100
"""Pods of one owner."""
WRITES = 200
MODES = {
    "stream": "a watch that begins with all pods",
    "pages": "pages of 1,000, then a watch",
    "metadata": "a watch of the metadata alone",
}
TOLERATION = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
SPEC = {
    "schedulerName": "nobody",
    "containers": [
        {
            "name": "web",
            "image": "registry.example/web:1.2.3",
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        }
    ],
    "tolerations": [
        {"key": "node.kubernetes.io/not-ready", **TOLERATION},
        {"key": "node.kubernetes.io/unreachable", **TOLERATION},
    ],
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "enableServiceLinks": True,
    "priority": 0,
    "preemptionPolicy": "PreemptLowerPriority",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one informer: seconds until it had all, and of its own processor; MB that its process grew
    by and grew by at most; milliseconds until writes were answered and had arrived (median, and
    the 99th of a hundred).
    """

    pods: float
    seconds: float
    processor: float
    grown: float
    most: float
    answered: float
    arrived: float
    arrived_late: float


def pod(at: int, uids: list[str]) -> Json:
    """A running pod like those of a Deployment; no node is named, which would have to be there."""
    owner, moment = at // OWNED, f"2026-01-01T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}Z"
    name, address = f"web-{owner}", f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"
    meta = {
        "name": f"{name}-{at:06}",
        "generateName": f"{name}-",
        "namespace": NAMESPACE,
        "uid": str(uuid.UUID(int=at + 1)),
        "creationTimestamp": moment,
        "labels": {"app": name, "pod-template-hash": "6d4f8c7b9"},
        "ownerReferences": [
            {
                **{"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uids[owner]},
                **{"controller": True, "blockOwnerDeletion": True},
            }
        ],
    }
    known = {"status": "True", "lastTransitionTime": moment}
    status = {
        "phase": "Running",
        "qosClass": "Burstable",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": moment,
        "conditions": [{"type": kind, **known} for kind in ("PodScheduled", "Ready")],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": SPEC, "status": status}


async def _fill(folder: Path, pods: int) -> float:
    """Put the pods and their owners into the store; the bytes of a pod."""
    store = SqliteStore.open(folder / "store")
    uids = [str(uuid.UUID(int=(1 << 64) + at)) for at in range(-(-pods // OWNED))]
    try:
        for at, uid in enumerate(uids):
            meta = {"name": f"web-{at}", "namespace": NAMESPACE, "uid": uid}
            body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
            await _put(store, ConfigMap, body)
        sizes = []
        for start in range(0, pods, 500):
            made = [pod(at, uids) for at in range(start, min(start + 500, pods))]
            sizes += await asyncio.gather(*(_put(store, Pod, body) for body in made))
        return statistics.mean(sizes)
    finally:
        await store.close()


async def _put(store: SqliteStore, kind: type[Object], body: Json) -> int:
    meta: Json = body["metadata"]

    def mutate(there: Record | None, revision: int) -> bytes:
        return msgspec.json.encode({**body, "metadata": {**meta, "resourceVersion": str(revision)}})

    written = await store.write(kind.resource.key(NAMESPACE, meta["name"]), mutate)
    assert written is not None
    return len(written.value)


async def _quiet(server: Running) -> None:
    """Wait until the server has nothing to do any more."""
    before = server.processor()
    while True:
        await asyncio.sleep(2)
        now = server.processor()
        if now - before < 0.1:
            return
        before = now


async def measure(pods: int, runs: int) -> tuple[float, dict[str, list[Figures]]]:
    """The bytes of a pod, and what each way takes, so many times."""
    figures: dict[str, list[Figures]] = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with argosy(folder):
            pass
        size = await _fill(folder, pods)
        async with argosy(folder) as server:
            await _quiet(server)
            for mode in [mode for _ in range(runs) for mode in MODES]:
                figures[mode].append(await _apart(folder, mode))
                await _quiet(server)
    return size, figures


async def _apart(folder: Path, mode: str) -> Figures:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.informer", "--follow", mode, str(folder / "kubeconfig")),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return msgspec.json.decode(output, type=Figures)


@dataclass(frozen=True, slots=True)
class Older:
    """A server that offers no watch that begins with all objects."""

    inner: Transport

    async def send(self, request: Request) -> Response:
        if "sendInitialEvents" in request.query:
            return Response(422, {}, b'{"kind":"Status","code":422,"reason":"Invalid"}')
        return await self.inner.send(request)

    async def close(self) -> None:
        await self.inner.close()


async def follow(mode: str, kubeconfig: Path) -> Figures:
    """Run one informer in this process."""
    client = Client(transport(load(kubeconfig)), "bench")
    if mode == "pages":
        client = replace(client, transport=Older(client.transport))
    kind: type[Object] = PartialObject if mode == "metadata" else Pod
    await client.call("GET", "/readyz")
    before, began, taken = _memory("VmRSS"), time.monotonic(), time.process_time()
    informer = Informer(client, kind, SystemClock(), resource=Pod.resource)
    running = asyncio.create_task(informer.run())
    await informer.synced.wait()
    seconds, processor = time.monotonic() - began, time.process_time() - taken
    grown, most = _memory("VmRSS") - before, _memory("VmHWM") - before
    answered, arrived = await _written(client, informer)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.transport.close()
    return Figures(
        pods=len(list(informer.items())),
        seconds=seconds,
        processor=processor,
        grown=grown,
        most=most,
        answered=statistics.median(answered),
        arrived=statistics.median(arrived),
        arrived_late=statistics.quantiles(arrived, n=100)[98],
    )


async def _written(client: Client, informer: Informer[Any]) -> tuple[list[float], list[float]]:
    """Milliseconds until each write was answered, and until the cache had it."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    informer.subscribe(lambda old, new: heard.put_nowait(time.monotonic()))
    while not heard.empty():
        heard.get_nowait()
    name, answered, arrived = next(iter(informer.items())).metadata.name, [], []
    for at in range(WRITES):
        began = time.monotonic()
        patch = {"metadata": {"annotations": {"bench": str(at)}}}
        await client.merge(Pod.resource, name, NAMESPACE, patch)
        answered.append((time.monotonic() - began) * 1e3)
        arrived.append((await heard.get() - began) * 1e3)
    return answered, arrived


def _memory(name: str) -> float:
    """Of this process, MB."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def _print(size: float, figures: dict[str, list[Figures]]) -> None:
    for mode, runs in figures.items():
        middle = Figures(
            *(statistics.median(column) for column in zip(*map(astuple, runs), strict=True))
        )
        spread = f"{min(run.seconds for run in runs):.2f}–{max(run.seconds for run in runs):.2f}"
        each = middle.grown * 1024 * 1024 / middle.pods
        print(f"{MODES[mode]}: {middle.pods:,.0f} pods of {size:,.0f} bytes")
        print(
            f"  there after {middle.seconds:.2f} s ({spread}), {middle.processor:.2f} s of it its "
            "own processor time; at most 6 s for 100,000"
        )
        print(f"  {middle.grown:.0f} MB, {each:,.0f} bytes each; at most 250 MB for 100,000")
        print(f"  {middle.most:.0f} MB at the most on the way there")
        print(
            f"  a write is answered after {middle.answered:.1f} ms and there after "
            f"{middle.arrived:.1f} ms (p99 {middle.arrived_late:.1f} ms)"
        )


def main() -> None:
    """Print the table; with `--follow`, run one informer and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.informer", description=__doc__)
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--follow", nargs=2, metavar=("MODE", "KUBECONFIG"), help="(for itself)")
    given = parser.parse_args()
    if given.follow:
        mode, kubeconfig = given.follow
        print(json.dumps(asdict(asyncio.run(follow(mode, Path(kubeconfig))))))
        return
    _print(*asyncio.run(measure(given.pods, given.runs)))


if __name__ == "__main__":
    main()
