"""Simulated GPUs: the grammar, the slices, what a container is told."""

from typing import Any

import msgspec
import pytest

from argosy.api.dra import ResourceClaim, ResourceSlice
from argosy.node.gpus import SimulatedGPU, device_environment, parse_gpus, slices


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("1", [("gpu-0", "simulated", "16Gi")]),
        ("2xH100", [("gpu-0", "H100", "80Gi"), ("gpu-1", "H100", "80Gi")]),
        ("1xA100(memory=40Gi), 1xL4", [("gpu-0", "A100", "40Gi"), ("gpu-1", "L4", "24Gi")]),
        ("1(memory=512Mi)", [("gpu-0", "simulated", "512Mi")]),
    ],
)
def test_specs(spec: str, found: list[tuple[str, str, str]]) -> None:
    assert parse_gpus(spec) == tuple(SimulatedGPU(*gpu) for gpu in found)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("", "expected COUNT"),
        ("H100", "expected COUNT"),
        ("2xH100,", "expected COUNT"),
        ("2xH100(size=1)", "expected COUNT"),
        ("-1", "expected COUNT"),
        ("0", "at least 1"),
        ("1xRTX", "unknown model 'RTX'; known models: A10, A100"),
        ("1(memory=much)", "no size"),
        ("1(memory=)", "no size"),
        ("1(memory=1000)", "whole number of mebibytes"),
        ("1025", "more than 1024"),
        ("1000,25", "more than 1024"),
    ],
)
def test_bad_specs(spec: str, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
        parse_gpus(spec)


def as_slices(bodies: list[dict[str, Any]]) -> list[ResourceSlice]:
    return [msgspec.convert(body, ResourceSlice) for body in bodies]


def test_slices_hold_all_devices_within_the_limit() -> None:
    found = as_slices(slices("n", parse_gpus("130xH100"), []))
    assert [len(piece.spec.devices) for piece in found] == [128, 2]
    assert {piece.spec.pool.resource_slice_count for piece in found} == {2}
    names = [device.name for piece in found for device in piece.spec.devices]
    assert names == [f"gpu-{i}" for i in range(130)]
    last = found[1].spec.devices[1]
    assert last.attributes == {
        "index": {"int": 129},
        "model": {"string": "H100"},
        "simulated": {"bool": True},
    }
    assert last.capacity["memory"].value == "80Gi"
    assert last.capacity["compute"].request_policy is not None
    assert last.capacity["compute"].request_policy.default == "100"


@pytest.mark.parametrize(("then", "generation"), [("2xH100", 1), ("1xH100", 2), ("2xL4", 2)])
def test_the_generation_moves_with_the_devices(then: str, generation: int) -> None:
    old = as_slices(slices("n", parse_gpus("2xH100"), []))
    assert [b["spec"]["pool"]["generation"] for b in slices("n", parse_gpus(then), old)] == [
        generation
    ]


def claim(*results: dict[str, Any]) -> ResourceClaim:
    body = {"status": {"allocation": {"devices": {"results": list(results)}}}}
    return msgspec.convert(body, ResourceClaim)


def result(device: str, request: str = "gpu", **consumed: str) -> dict[str, Any]:
    return {
        "request": request,
        "driver": "gpu.argosy.dev",
        "pool": "n",
        "device": device,
        "consumedCapacity": consumed,
    }


def test_a_container_is_told_its_devices_and_shares() -> None:
    shared = claim(result("gpu-1", compute="50", memory="40Gi"), result("gpu-0", request="other"))
    assert device_environment([(shared, "gpu")]) == {
        "ARGOSY_DEVICES": "gpu-1",
        "ARGOSY_DEVICE_GPU_1_COMPUTE": "50",
        "ARGOSY_DEVICE_GPU_1_MEMORY": "40Gi",
    }
    assert device_environment([(shared, "")])["ARGOSY_DEVICES"] == "gpu-1,gpu-0"
    assert device_environment([(ResourceClaim(), "")]) == {}
