"""One seed of the packing experiment over the real API and scheduler, beside the replay's figures.

    python bench/packing.py --nodes N.csv --pods P.csv [--seed 42] [--policy argosy] [--share 100]
                            [--until 130] [--learn] [-o json]

The files are those of `argosy simulate packing`. A fresh `argosy up` as shipped gets the trace's
nodes as objects that nobody runs, each with a ResourceSlice; its profile packs: `GPUPacking` is its
only score. The pods of the seed are created one after the other, in the replay's order; each with
GPUs has a claim, whose share of a device is consumable capacity. None goes, as in the replay.

What is told is read from the claims at the end: of the pods that had come by then, so many
thousandths of devices had been given out. The scheduler is told which pods are typical, as the
replay is; with `--learn` it must see for itself. `--share` takes so many percent of the nodes,
evenly, and pods to go with them; `--until 100` stops once so much demand has come.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from argosy.api.core import Namespace, Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.client.client import Client
from argosy.scheduler.packing.columns import MILLI, Demand, GpuNode
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.replay import MOMENTS, outcome
from argosy.scheduler.packing.traces import arrivals, nodes_of, pods_of, typical
from bench.nodes import NEW, beating, cordon, together, untainted
from bench.server import argosy

Json = dict[str, Any]
SPACE, CLASS, DRIVER, AMOUNT = "packing", "gpu", "gpu.example.com", "compute"
PATIENCE = 3_600.0
BORNE: Sequence[Json] = [{"key": key, "operator": "Exists"} for key in NEW]
"""A busy machine may be late with the signs of life of nodes that nobody runs."""
PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Experiment:
    """Nodes, the pods of the trace, and those that come, in order."""

    nodes: Sequence[GpuNode]
    pods: Sequence[Demand]
    coming: Sequence[Demand]
    until: int = MOMENTS[-1]

    @property
    def capacity(self) -> int:
        """Milli of GPU that there are."""
        return MILLI * sum(node.gpus for node in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Percent of the GPUs that nobody has, by percent of demand that has arrived."""

    unallocated: Mapping[int, float]
    placed: int
    seconds: float


def experiment(nodes: Path, pods: Path, seed: int, share: int, until: int) -> Experiment:
    """The trace, or so many percent of it, until so many percent of demand have come."""
    every = nodes_of(nodes)
    some = [node for at, node in enumerate(every) if at * share // 100 != (at + 1) * share // 100]
    asked = pods_of(pods)
    capacity = MILLI * sum(node.gpus for node in some)
    coming = arrivals(asked, capacity, Random(seed))
    come = [0, *accumulate(demand.total for demand in coming)]
    kept = [demand for at, demand in enumerate(coming) if 100 * come[at] < until * capacity]
    return Experiment(some, asked, kept, until)


async def measure(it: Experiment, policy: str, *, learn: bool) -> Outcome:
    """The seed's pods through a server of their own."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "profile.json"
        config.write_text(json.dumps(profile([] if learn else it.pods, policy)))
        async with argosy(Path(folder) / "data", "--scheduler-config", str(config)) as running:
            client = running.client
            try:
                return await _measured(client, it)
            finally:
                await client.transport.close()


def profile(pods: Sequence[Demand], policy: str) -> Json:
    """A KubeSchedulerConfiguration under which nothing scores but packing."""
    shapes = [
        {
            "cpu": f"{it.demand.cpu}m",
            "share": round(it.share * PARTS),
            **({"gpus": it.demand.gpus, "gpuMilli": it.demand.milli} if it.demand.gpus else {}),
            **({"models": sorted(it.demand.models)} if it.demand.models else {}),
        }
        for it in (typical(pods) if pods else ())
    ]
    score = {"disabled": [{"name": "*"}], "enabled": [{"name": "GPUPacking"}]}
    args = {"policy": policy, "typicalPods": shapes}
    own = {
        "schedulerName": "default-scheduler",
        "plugins": {"score": score},
        "pluginConfig": [{"name": "GPUPacking", "args": args}],
    }
    kind = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
    return {**kind, "profiles": [own]}


async def _measured(client: Client, it: Experiment) -> Outcome:
    await _prepare(client, it)
    async with beating(client, [node.name for node in it.nodes]):
        await untainted(client)
        await _claimed(client, it)
        return await _played(client, it)


async def _played(client: Client, it: Experiment) -> Outcome:
    since = (await client.list(Pod, SPACE)).metadata.resource_version
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        decided = group.create_task(_decided(client, since, len(it.coming)))
        for number, demand in enumerate(it.coming):
            await client.create(Pod.resource, _pod(number, demand))
    seconds, found = time.monotonic() - began, await _unallocated(client, it)
    return Outcome(unallocated=found, placed=decided.result(), seconds=seconds)


async def _prepare(client: Client, it: Experiment) -> None:
    await client.create(Namespace.resource, {"metadata": {"name": SPACE}})
    await cordon(client)
    selector = {"cel": {"expression": f'device.driver == "{DRIVER}"'}}
    gpus = {"metadata": {"name": CLASS}, "spec": {"selectors": [selector]}}
    await client.create(DeviceClass.resource, gpus)
    await together(client.create(Node.resource, _node(node)) for node in it.nodes)
    there = (node for node in it.nodes if node.gpus)
    await together(client.create(ResourceSlice.resource, _slice(node)) for node in there)


async def _claimed(client: Client, it: Experiment) -> None:
    claims = ((at, demand) for at, demand in enumerate(it.coming) if demand.gpus)
    await together(client.create(ResourceClaim.resource, _claim(*asked)) for asked in claims)


def _node(node: GpuNode) -> Json:
    has = {"cpu": f"{node.cpu}m", "memory": f"{node.memory}Mi", "pods": "10000"}
    ready = {"type": "Ready", "status": "True", "reason": "Bench", "message": ""}
    status = {"capacity": has, "allocatable": has, "conditions": [ready]}
    return {"metadata": {"name": node.name}, "status": status}


def _slice(node: GpuNode) -> Json:
    device = {
        "allowMultipleAllocations": True,
        "attributes": {"model": {"string": node.model}},
        "capacity": {AMOUNT: {"value": str(MILLI)}},
    }
    pool = {"name": node.name, "generation": 1, "resourceSliceCount": 1}
    devices = [{"name": f"gpu-{at}", **device} for at in range(node.gpus)]
    spec = {"driver": DRIVER, "nodeName": node.name, "pool": pool, "devices": devices}
    return {"metadata": {"name": node.name}, "spec": spec}


def _claim(number: int, demand: Demand) -> Json:
    models = json.dumps(sorted(demand.models))
    one_of = f'device.attributes["{DRIVER}"].model in {models}'
    exactly: Json = {
        "deviceClassName": CLASS,
        "count": demand.gpus,
        "capacity": {"requests": {AMOUNT: str(demand.milli)}},
        **({"selectors": [{"cel": {"expression": one_of}}]} if demand.models else {}),
    }
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}
    return {"metadata": {"name": _name(number), "namespace": SPACE}, "spec": spec}


def _pod(number: int, demand: Demand) -> Json:
    asked = {"cpu": f"{demand.cpu}m", "memory": f"{demand.memory}Mi"}
    container: Json = {
        "name": "work",
        "image": "registry.example/work",
        "resources": {"requests": asked},
    }
    spec: Json = {"containers": [container], "tolerations": [*BORNE]}
    if demand.gpus:
        spec["resourceClaims"] = [{"name": "gpu", "resourceClaimName": _name(number)}]
    return {"metadata": {"name": _name(number), "namespace": SPACE}, "spec": spec}


def _name(number: int) -> str:
    return f"pod-{number:05}"


async def _decided(client: Client, since: str, count: int) -> int:
    """Wait until each pod is bound or was refused; how many are bound."""
    waiting, bound = {_name(number) for number in range(count)}, 0
    async with aclosing(client.watch(Pod, SPACE, since=since)) as changes:
        async for event in changes:
            pod = event.object
            if not isinstance(pod, Pod) or pod.metadata.name not in waiting:
                continue  # a bookmark, or one that is known
            placed = bool(pod.spec.node_name)
            if placed or _refused(pod):
                waiting.remove(pod.metadata.name)
                bound += placed
            if not waiting:
                return bound
    raise ConnectionError("the watch ended before all pods were decided")


def _refused(pod: Pod) -> bool:
    return any(it.type == "PodScheduled" and it.status == "False" for it in pod.status.conditions)


async def _unallocated(client: Client, it: Experiment) -> dict[int, float]:
    """From the claims: what the pods have that had arrived at each moment."""
    claims = (await client.list(ResourceClaim, SPACE)).items
    given = {claim.metadata.name: dict(_given(claim)) for claim in claims}
    taken: Counter[tuple[str, str]] = Counter()
    for parts in given.values():
        taken.update(parts)
    assert max(taken.values(), default=0) <= MILLI, "a device was given out twice"
    found: dict[int, float] = {}
    used = arrived = 0
    for number, demand in enumerate(it.coming):
        arrived += demand.total
        used += sum(given.get(_name(number), {}).values())
        for moment in MOMENTS[:-1]:
            if moment not in found and 100 * arrived >= moment * it.capacity:
                found[moment] = 100 * (1 - used / it.capacity)
    return {**found, it.until: 100 * (1 - used / it.capacity)}


def _given(claim: ResourceClaim) -> Iterator[tuple[tuple[str, str], int]]:
    """Milli by device."""
    if claim.status.allocation is not None:
        for result in claim.status.allocation.devices.results:
            yield (result.pool, result.device), int(result.consumed_capacity[AMOUNT])


def main(given: Sequence[str]) -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python bench/packing.py", description=__doc__)
    parser.add_argument("--nodes", type=Path, required=True)
    parser.add_argument("--pods", type=Path, required=True)
    parser.add_argument("--policy", choices=[*POLICIES], default="argosy")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--share", type=int, choices=range(1, 101), default=100, metavar="1-100")
    parser.add_argument("--until", type=int, choices=MOMENTS, default=MOMENTS[-1])
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    args = parser.parse_args(given)
    it = experiment(args.nodes, args.pods, args.seed, args.share, args.until)
    replayed = outcome(it.nodes, it.pods, POLICIES[args.policy], args.seed)
    real = asyncio.run(measure(it, args.policy, learn=args.learn))
    if args.output == "json":
        told = {
            "unallocated_percent": {str(at): part for at, part in real.unallocated.items()},
            "replay": {str(at): part for at, part in replayed.items()},
            "pods": {"came": len(it.coming), "placed": real.placed},
            "seconds": real.seconds,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    sys.stdout.write(f"{args.policy}, seed {args.seed}: percent of the GPUs unallocated\n")
    for name, figures in (("over the API", real.unallocated), ("replay", replayed)):
        told_at = ", ".join(f"{figures[at]:.2f} at {at} %" for at in real.unallocated)
        sys.stdout.write(f"{name:14}{told_at}\n")
    rate = len(it.coming) / real.seconds
    sys.stdout.write(
        f"{len(it.coming):,} pods came, {real.placed:,} were placed; {real.seconds:.0f} s, "
        f"{rate:,.0f} pods/s\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
