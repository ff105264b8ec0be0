"""Simulated GPUs, offered through dynamic resource allocation.

A simulated GPU computes nothing. It is a name, a model and an amount of memory, so that claims,
shares and placement can be tried and tested on a machine without one; a pod that claims it learns
from its environment what it was given (`ARGOSY_DEVICES`), and that is all it gets. Every device
says so itself by its attribute `simulated`.

A device can be shared (KEP-5075): its capacities are `memory` and `compute`, in percent of the
device. Whoever asks for no amount gets all of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.dra import ResourceClaim, ResourceSlice, SliceSpec
from argosy.base import quantity

DRIVER = "gpu.argosy.dev"
MODELS: Mapping[str, str] = {
    "simulated": "16Gi",
    "A10": "24Gi",
    "A100": "80Gi",
    "B200": "192Gi",
    "GB200": "192Gi",
    "H100": "80Gi",
    "H200": "141Gi",
    "L4": "24Gi",
    "L40S": "48Gi",
    "MI300X": "192Gi",
    "T4": "16Gi",
    "V100": "32Gi",
}
MOST_IN_A_SLICE = 128  # resource.k8s.io's limit
MOST = 1024
_ITEM = re.compile(
    r"(?P<count>\d{1,6})(?:x(?P<model>[A-Za-z0-9]+))?(?:\(memory=(?P<memory>[^()]*)\))?"
)
_GRAMMAR = "COUNT[xMODEL][(memory=SIZE)], comma-separated, such as 2xA100(memory=40Gi),4xL4"


@dataclass(frozen=True, slots=True)
class SimulatedGPU:
    """One device; `memory` is a quantity in bytes."""

    name: str
    model: str
    memory: str


def parse_gpus(spec: str) -> tuple[SimulatedGPU, ...]:
    """Read `1`, `8xH100`, `2xA100(memory=40Gi),4xL4`. Raises ValueError with a text for people."""
    found: list[SimulatedGPU] = []
    for item in spec.split(","):
        count, model, memory = _item(item.strip())
        if len(found) + count > MOST:
            raise ValueError(f"more than {MOST} simulated GPUs")
        first = len(found)
        found += [SimulatedGPU(f"gpu-{first + i}", model, memory) for i in range(count)]
    return tuple(found)


def _item(text: str) -> tuple[int, str, str]:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no simulated GPU: expected {_GRAMMAR}")
    count = int(match["count"])
    if count == 0:
        raise ValueError(f"{text!r}: the count must be at least 1")
    model = match["model"] or "simulated"
    if model not in MODELS:
        known = ", ".join(sorted(MODELS))
        raise ValueError(f"{text!r}: unknown model {model!r}; known models: {known}")
    memory = MODELS[model] if match["memory"] is None else match["memory"]
    try:
        size = quantity.parse(memory)
    except ValueError as error:
        raise ValueError(f"{text!r}: memory {memory!r} is no size: {error}") from None
    if size < 2**20 or size % 2**20:
        raise ValueError(f"{text!r}: memory must be a whole number of mebibytes, such as 40Gi")
    return count, model, memory


def slices(
    node: str, gpus: Sequence[SimulatedGPU], old: Iterable[ResourceSlice]
) -> list[dict[str, Any]]:
    """The node's ResourceSlices. The pool's generation moves on when they differ from the `old`."""
    parts = [gpus[i : i + MOST_IN_A_SLICE] for i in range(0, len(gpus), MOST_IN_A_SLICE)]
    known = {piece.metadata.name: piece.spec for piece in old}
    generation = max((spec.pool.generation for spec in known.values()), default=1)
    bodies = _bodies(node, parts, generation)
    same = {b["metadata"]["name"]: msgspec.convert(b["spec"], SliceSpec) for b in bodies} == known
    return bodies if same or not known else _bodies(node, parts, generation + 1)


def _bodies(
    node: str, parts: Sequence[Sequence[SimulatedGPU]], generation: int
) -> list[dict[str, Any]]:
    pool = {"name": node, "generation": generation, "resourceSliceCount": len(parts)}
    return [
        {
            "metadata": {"name": f"{node}-{DRIVER}-{i}"},
            "spec": {
                "driver": DRIVER,
                "nodeName": node,
                "pool": pool,
                "devices": [_device(gpu, i * MOST_IN_A_SLICE + j) for j, gpu in enumerate(part)],
            },
        }
        for i, part in enumerate(parts)
    ]


def _device(gpu: SimulatedGPU, index: int) -> dict[str, Any]:
    return {
        "name": gpu.name,
        "attributes": {
            "index": {"int": index},
            "model": {"string": gpu.model},
            "simulated": {"bool": True},
        },
        "capacity": {"compute": _capacity("100", "1"), "memory": _capacity(gpu.memory, "1Mi")},
        "allowMultipleAllocations": True,
    }


def _capacity(value: str, step: str) -> dict[str, Any]:
    policy = {"default": value, "validRange": {"min": step, "step": step}}
    return {"value": value, "requestPolicy": policy}


def device_environment(claims: Iterable[tuple[ResourceClaim, str]]) -> dict[str, str]:
    """What a container is told of its devices; each claim with the request it uses ("": all)."""
    names: list[str] = []
    shares: dict[str, str] = {}
    for claim, request in claims:
        allocation = claim.status.allocation
        for result in allocation.devices.results if allocation else ():
            if result.driver != DRIVER or (request and result.request.split("/")[0] != request):
                continue
            names.append(result.device)
            for capacity, amount in result.consumed_capacity.items():
                name = f"ARGOSY_DEVICE_{result.device}_{capacity}".upper().replace("-", "_")
                shares[name] = str(amount)
    return {"ARGOSY_DEVICES": ",".join(dict.fromkeys(names)), **shares} if names else {}
