"""Pods and their surroundings, for the node's tests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.base.clock import Clock, SystemClock
from argosy.http.message import Request, Response
from argosy.node.agent import NodeAgent, NodeConfig
from argosy.node.contents import Contents
from argosy.node.gpus import parse_gpus
from argosy.node.runtimes.host import HostRuntime
from argosy.node.runtimes.sandbox import installation
from argosy.node.tokens import PodTokens
from argosy.node.volumes import Volumes
from argosy.runtime.manager import Manager
from argosy.testing.cluster import Cluster, cluster

NODE = "here"


def container(*command: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container of the host runtime."""
    return {"name": name, "image": "host", "command": list(command), **fields}


def shell(script: str, **fields: Any) -> dict[str, Any]:
    """A container that runs a shell script."""
    return container("sh", "-c", script, **fields)


def pod_body(
    *containers: dict[str, Any],
    name: str = "p",
    policy: str = "Never",
    meta: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A pod on this node, by the host runtime; without a token, unless `spec` says so."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **(meta or {})},
        "spec": {
            "containers": list(containers),
            "nodeName": NODE,
            "restartPolicy": policy,
            "runtimeClassName": "host",
            "terminationGracePeriodSeconds": 30,
            "automountServiceAccountToken": False,
            **spec,
        },
    }


def pod_view(
    *containers: dict[str, Any],
    status: dict[str, Any] | None = None,
    **given: Any,
) -> Pod:
    """The same as a view, with a uid."""
    meta = {"uid": "u1", "resourceVersion": "1", **given.pop("meta", {})}
    body = pod_body(*containers, meta=meta, **given)
    body["status"] = status or {}
    return msgspec.json.decode(msgspec.json.encode(body), type=Pod)


def volumes_of(
    parts: Cluster, hidden: tuple[Path, ...] = (), clock: Clock | None = None
) -> Volumes:
    """What sets volumes up, on a cluster."""
    tokens = PodTokens(parts.client, clock or SystemClock())
    return Volumes(parts.client, Contents(parts.client, tokens), hidden)


@dataclass
class Running:
    """A cluster whose node is this machine."""

    cluster: Cluster
    agent: NodeAgent

    async def create(self, body: dict[str, Any]) -> None:
        await self.cluster.client.create(Pod.resource, body)

    async def until(self, name: str, *phases: str) -> Pod:
        """Wait for one of the phases."""
        return await self.cluster.until(Pod, name, "default", lambda p: p.status.phase in phases)

    async def logs(self, name: str, query: Sequence[str] = (), container: str = "main") -> str:
        """The container's log, to its end."""
        path = f"/containerLogs/default/{name}/{container}"
        response = await self.agent.handle(Request("GET", path, "&".join(query)))
        if isinstance(response.body, bytes):
            return response.body.decode()
        return b"".join([piece async for piece in response.body]).decode()


class Door:
    """The API server's way to the agent, which is made after it."""

    agent: NodeAgent | None = None

    async def __call__(self, request: Request) -> Response:
        assert self.agent is not None
        return await self.agent.handle(request)


@asynccontextmanager
async def node(root: Path, *, gpus: str = "") -> AsyncGenerator[Running, None]:
    """A cluster in memory with a node agent that runs real processes."""
    door = Door()
    async with cluster(node=door) as parts:
        async with agent_of(parts, root, gpus=gpus) as agent:
            door.agent = agent
            yield Running(parts, agent)


@asynccontextmanager
async def agent_of(
    parts: Cluster, root: Path, *, gpus: str = ""
) -> AsyncGenerator[NodeAgent, None]:
    """A node agent of `parts`; it is killed, not stopped, at the end of the block."""
    config = NodeConfig(
        name=NODE,
        root=root / "node",
        readable=installation(),
        hidden=(root,),
        gpus=parse_gpus(gpus) if gpus else (),
    )
    agent = NodeAgent(manager=parts.manager, config=config, runtimes={"host": HostRuntime()})
    parts.manager.add_runner(agent.run)
    parts.start()
    await agent.started.wait()
    yield agent


async def killed(parts: Cluster) -> None:
    """End all that runs of the cluster's manager at once, without a word."""
    for task in parts.tasks:
        task.cancel()
    await asyncio.gather(*parts.tasks, return_exceptions=True)
    parts.tasks.clear()


@asynccontextmanager
async def again(parts: Cluster, root: Path) -> AsyncGenerator[NodeAgent, None]:
    """Another run of the node on the same cluster and folder."""
    await killed(parts)
    fresh = replace(parts, manager=Manager(parts.plane.client("argosy"), SystemClock()))
    async with agent_of(fresh, root) as agent:
        yield agent
