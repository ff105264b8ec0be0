"""What a runtime is handed: commands, devices, mounts, and what is refused before that."""

from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.kinds import RuntimeClass
from argosy.node.hosts import HostsFiles
from argosy.node.launch import Instance, Parts, Prepared, configure, prepare
from argosy.node.refusal import Refusal
from argosy.node.runtimes.host import HostRuntime
from argosy.node.runtimes.interface import ContainerConfig
from argosy.runtime.events import EventRecorder
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.node.builders import container, pod_view, volumes_of


def parts_of(parts: Cluster, root: Path, missing: dict[str, str] | None = None) -> Parts:
    clock = FakeClock()
    return Parts(
        client=parts.client,
        clock=clock,
        events=EventRecorder(parts.client, clock, "kubelet"),
        root=root,
        volumes=volumes_of(parts),
        hosts=HostsFiles(root / "hosts"),
        runtimes={"host": HostRuntime()},
        missing=missing or {},
        host_ip="127.64.0.1",
    )


async def configured(parts: Cluster, root: Path, pod: Pod) -> ContainerConfig:
    instance = Instance(
        id="i", pod_ip="127.64.0.2", message=root / "m" / "0", output=lambda s, d: None
    )
    prepared = Prepared(handler="host", runtime=HostRuntime(), sources={})
    return await configure(parts_of(parts, root), pod, pod.spec.containers[0], prepared, instance)


async def test_a_command_and_what_surrounds_it(tmp_path: Path) -> None:
    body = container("run", "$(A)", args=["$$(A)"], env=[{"name": "A", "value": "1"}])
    async with cluster() as parts:
        config = await configured(parts, tmp_path, pod_view({**body, "workingDir": "/w"}))
    assert config.argv == ("run", "1", "$(A)")
    assert config.env == {"HOSTNAME": "p", "A": "1"}
    assert (config.hostname, config.working_dir) == ("p", "/w")
    targets = {mount.target: mount for mount in config.mounts}
    assert targets["/etc/hosts"].read_only
    message = targets["/dev/termination-log"]
    assert not message.read_only and message.source.stat().st_mode & 0o777 == 0o666


def claim_body(**result: Any) -> dict[str, Any]:
    exactly = {"deviceClassName": "gpu.argosy.dev", "allocationMode": "ExactCount", "count": 1}
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}
    return {"metadata": {"name": "c-1", "namespace": "default"}, "spec": spec}


ALLOCATED = {
    "request": "gpu",
    "driver": "gpu.argosy.dev",
    "pool": "here",
    "device": "gpu-0",
    "shareID": "6f1ed1f2-3f9b-4a52-8d1f-7d4a3c1f2b1a",
    "consumedCapacity": {"compute": "50"},
}
CONSUMER = {"resource": "pods", "name": "p", "uid": "u1"}


def status(
    *, results: tuple[dict[str, Any], ...] = (ALLOCATED,), consumer: Any = CONSUMER
) -> dict[str, Any]:
    return {"allocation": {"devices": {"results": list(results)}}, "reservedFor": [consumer]}


def claiming() -> Pod:
    return pod_view(
        container("true", resources={"claims": [{"name": "half", "request": "gpu"}]}),
        resourceClaims=[{"name": "half", "resourceClaimTemplateName": "t"}],
        status={"resourceClaimStatuses": [{"name": "half", "resourceClaimName": "c-1"}]},
    )


async def create_claim(parts: Cluster, written: dict[str, Any] | None) -> None:
    resource = ResourceClaim.resource
    await parts.client.create(resource, claim_body())
    if written is not None:
        patch = {"status": written}
        await parts.client.merge(resource, "c-1", "default", patch, subresource="status")


async def test_a_container_learns_its_share_of_a_device(tmp_path: Path) -> None:
    async with cluster() as parts:
        await create_claim(parts, status())
        config = await configured(parts, tmp_path, claiming())
    assert config.env["ARGOSY_DEVICES"] == "gpu-0"
    assert config.env["ARGOSY_DEVICE_GPU_0_COMPUTE"] == "50"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (None, "ResourceClaim c-1 is not allocated"),
        (status(consumer={**CONSUMER, "uid": "u2"}), "is not reserved for this pod"),
        (status(results=({**ALLOCATED, "driver": "gpu.example"},)), "no driver 'gpu.example'"),
    ],
)
async def test_claims_that_are_not_ready(
    tmp_path: Path, written: dict[str, Any] | None, text: str
) -> None:
    async with cluster() as parts:
        await create_claim(parts, written)
        with pytest.raises(Refusal, match=text):
            await configured(parts, tmp_path, claiming())


async def test_a_claim_that_does_not_exist_yet(tmp_path: Path) -> None:
    async with cluster() as parts:
        with pytest.raises(Refusal, match="resource claim 'half' of the pod does not exist yet"):
            await configured(parts, tmp_path, claiming())


@pytest.mark.parametrize(
    ("name", "missing", "text"),
    [
        ("", {}, "hint: runtimeClassName: host"),
        ("none", {}, 'RuntimeClass "none" not found'),
        ("other", {}, 'no runtime handler "runsc" on this node; there is host'),
        ("host", {"host": "bubblewrap is not installed"}, "bubblewrap is not installed"),
    ],
)
async def test_pods_without_a_runtime(
    tmp_path: Path, name: str, missing: dict[str, str], text: str
) -> None:
    async with cluster() as parts:
        other = {"metadata": {"name": "other"}, "handler": "runsc"}
        await parts.client.create(RuntimeClass.resource, other)
        pod = pod_view(container("true"), runtimeClassName=name)
        with pytest.raises(Refusal, match=text) as refused:
            await prepare(parts_of(parts, tmp_path, missing), pod, tmp_path)
    assert refused.value.reason == "RuntimeClassUnavailable"
