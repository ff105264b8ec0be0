"""From a pod to what a runtime starts: runtime class, volumes, devices, variables, command.

Everything is read fresh from the API server; what is missing is a `Refusal`, and the worker tries
again a little later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from argosy.api.core import ConfigMap, Container, Pod, Secret
from argosy.api.dra import ResourceClaim
from argosy.api.kinds import RuntimeClass
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.node.admit import admit
from argosy.node.environment import (
    Known,
    config_maps,
    environment,
    expand,
    field_values,
    secrets,
)
from argosy.node.gpus import DRIVER, device_environment
from argosy.node.hosts import HostsFiles
from argosy.node.refusal import Refusal
from argosy.node.runtimes.interface import ContainerConfig, Mount, Output, Runtime
from argosy.node.volumes import KINDS, Source, Volumes, mounts
from argosy.runtime.events import EventRecorder

NO_RUNTIME = "RuntimeClassUnavailable"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What all workers of a node share. `host_ip` is the node's own address; `variables` are in
    every container, unless it has its own of the name."""

    client: Client
    clock: Clock
    events: EventRecorder
    root: Path
    volumes: Volumes
    hosts: HostsFiles
    runtimes: Mapping[str, Runtime]
    missing: Mapping[str, str]  # what keeps a runtime of the table from running here
    host_ip: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A pod whose containers can be started. `sources` are kept as its volumes change."""

    handler: str
    runtime: Runtime
    sources: dict[str, Source]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One start of a container. `message` is the file of its termination message."""

    id: str
    pod_ip: str
    message: Path
    output: Output


async def prepare(parts: Parts, pod: Pod, folder: Path) -> Prepared:
    """Admit the pod and set its volumes up in `folder`. Raises Refusal."""
    handler = await _handler(parts, pod)
    runtime = parts.runtimes[handler]
    admit(pod, KINDS)
    for container in pod.spec.containers:
        if why := runtime.refuses(container.image):
            raise Refusal("CreateContainerError", f"container {container.name!r}: {why}")
    sources = await parts.volumes.prepare(pod, folder)
    return Prepared(handler=handler, runtime=runtime, sources=sources)


async def _handler(parts: Parts, pod: Pod) -> str:
    """The key in the table of runtimes that the pod's RuntimeClass names."""
    name = pod.spec.runtime_class_name
    if not name:
        text = "no container runtime on this node runs pods that name no RuntimeClass"
        known = " or ".join(f"runtimeClassName: {key}" for key in sorted(parts.runtimes))
        raise Refusal(NO_RUNTIME, f"{text}; hint: {known}")
    found = await parts.client.find(RuntimeClass, name)
    if found is None:
        raise Refusal(NO_RUNTIME, f'RuntimeClass "{name}" not found')
    if found.handler not in parts.runtimes:
        known = ", ".join(sorted(parts.runtimes))
        text = f'no runtime handler "{found.handler}" on this node; there is {known}'
        raise Refusal(NO_RUNTIME, f'RuntimeClass "{name}": {text}')
    if missing := parts.missing.get(found.handler):
        raise Refusal(NO_RUNTIME, f'RuntimeClass "{name}": {missing}')
    return found.handler


async def configure(
    parts: Parts, pod: Pod, container: Container, prepared: Prepared, instance: Instance
) -> ContainerConfig:
    """What the runtime starts for one container. Raises Refusal."""
    known = await _known(parts.client, container, pod.metadata.namespace)
    values = field_values(pod, pod_ip=instance.pod_ip, host_ip=parts.host_ip)
    own = environment(container, pod, values, known, parts.variables)
    argv = tuple(expand(part, own) for part in (*container.command, *container.args))
    if not argv:
        raise Refusal("CreateContainerError", f"container {container.name!r}: no command specified")
    hostname = pod.spec.hostname or pod.metadata.name[:63].rstrip("-.")
    devices = device_environment(await _claims(parts.client, pod, container))
    return ContainerConfig(
        id=instance.id,
        hostname=hostname,
        argv=argv,
        env={"HOSTNAME": hostname, **devices, **own},
        working_dir=container.working_dir,
        mounts=(
            *_own_mounts(parts, pod, container, instance),
            *mounts(container, prepared.sources),
        ),
        output=instance.output,
    )


async def _known(client: Client, container: Container, namespace: str) -> Known:
    """What the container's variables are made from."""
    return Known(
        {
            name: await client.find(ConfigMap, name, namespace)
            for name in sorted(config_maps(container))
        },
        {name: await client.find(Secret, name, namespace) for name in sorted(secrets(container))},
    )


def _own_mounts(
    parts: Parts, pod: Pod, container: Container, instance: Instance
) -> tuple[Mount, ...]:
    instance.message.parent.mkdir(parents=True, exist_ok=True)
    instance.message.touch()
    instance.message.chmod(0o666)
    hosts = parts.hosts.path(pod.metadata.namespace)
    message = str(PurePosixPath("/", container.termination_message_path))
    return (
        Mount(source=hosts, target="/etc/hosts", read_only=True),
        Mount(source=instance.message, target=message),
    )


async def _claims(
    client: Client, pod: Pod, container: Container
) -> list[tuple[ResourceClaim, str]]:
    """The claims that the container uses, each with the request it uses of it."""
    found = []
    made = {s.name: s.resource_claim_name for s in pod.status.resource_claim_statuses}
    names = {
        c.name: c.resource_claim_name or made.get(c.name, "") for c in pod.spec.resource_claims
    }
    for ref in container.resources.claims:
        name = names.get(ref.name, "")
        claim = await client.find(ResourceClaim, name, pod.metadata.namespace) if name else None
        if claim is None:
            raise _unprepared(f"resource claim {ref.name!r} of the pod does not exist yet")
        _check(claim, pod)
        found.append((claim, ref.request))
    return found


def _check(claim: ResourceClaim, pod: Pod) -> None:
    name, status = claim.metadata.name, claim.status
    if status.allocation is None:
        raise _unprepared(f"ResourceClaim {name} is not allocated")
    if not any(consumer.uid == pod.metadata.uid for consumer in status.reserved_for):
        raise _unprepared(f"ResourceClaim {name} is not reserved for this pod")
    for result in status.allocation.devices.results:
        if result.driver != DRIVER:
            text = f"ResourceClaim {name}: this node has no driver {result.driver!r}"
            raise _unprepared(text)


def _unprepared(text: str) -> Refusal:
    return Refusal("ContainerCreating", text, event="FailedPrepareDynamicResources")
