"""A cluster in virtual time with autoscalers, whose metrics the test says.

The metrics APIs are answered in the client's way to the API server, which has everything else: in
virtual time nothing may wait for a socket. Over real ones they are in `tests/e2e`.
"""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.core import Event, Pod
from argosy.api.meta import condition
from argosy.api.replicas import Deployment
from argosy.base.clock import timestamp
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.controllers.autoscaling.autoscaler import horizontal_pod_autoscalers
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]
SPACE = "default"
OURS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")


@dataclass
class Metered:
    """A transport; `cpu` is what each pod uses, `values` what is at other paths, `instead` answers
    in place of the API server.
    """

    beyond: Transport
    clock: FakeClock
    cpu: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[Json]] = field(default_factory=dict)
    instead: Callable[[Request], Response | None] = lambda _: None
    asked: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        group = request.path.split("/")[2] if request.path.count("/") > 1 else ""
        if (answer := self.instead(request)) is not None:
            return answer
        if group not in OURS:
            return await self.beyond.send(request)
        self.asked.append(request)
        return self._answer(request, group)

    def _answer(self, request: Request, group: str) -> Response:
        if request.path.count("/") == 2:
            version = {"version": "v1beta2" if group == OURS[1] else "v1beta1"}
            return told({"preferredVersion": version, "versions": [version]})
        if group == OURS[0] and self.cpu:
            return told({"items": [self._use(name) for name in self.cpu]})
        if (found := self.values.get(unquote(request.path))) is not None:
            return told({"items": found})
        return Response(404, {}, b"404 page not found\n")

    def _use(self, name: str) -> Json:
        return {
            "metadata": {"name": name},
            "timestamp": timestamp(self.clock.now()),
            "window": "30s",
            "containers": [{"name": "c", "usage": {"cpu": self.cpu[name], "memory": "64Mi"}}],
        }

    async def close(self) -> None:
        """There is nothing to let go of."""


def told(body: Json) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps(body).encode())


@dataclass
class Stage:
    """What a test acts on."""

    running: Cluster
    client: Client
    clock: FakeClock
    metered: Metered

    async def deploy(self, replicas: int, name: str = "web", **labels: str) -> None:
        """A Deployment of so many pods, which run and have been ready for long."""
        labels = labels or {"app": name}
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}
        body = {
            "metadata": {"name": name, "namespace": SPACE},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
        await self.client.create(Deployment.resource, body)
        await self.pods(name, range(replicas), **labels)

    async def pods(self, name: str, numbers: range, **labels: str) -> None:
        """Pods of a Deployment; nobody here makes them."""
        labels = labels or {"app": name}
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}
        since = "2025-12-31T00:00:00Z"
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        for i in numbers:
            body = {
                "metadata": {"name": f"{name}-{i}", "namespace": SPACE, "labels": labels},
                "spec": {"containers": [container]},
            }
            await self.client.create(Pod.resource, body)
            status = {"phase": "Running", "startTime": since, "conditions": [ready]}
            await self.client.merge(
                Pod.resource, f"{name}-{i}", SPACE, {"status": status}, subresource="status"
            )
        patch = {"status": {"replicas": numbers.stop}}
        await self.client.merge(Deployment.resource, name, SPACE, patch, subresource="status")
        await settle()

    def use(self, amount: str, count: int, name: str = "web") -> None:
        """So many of the pods use so much cpu; of no others anything is known."""
        self.metered.cpu = {f"{name}-{i}": amount for i in range(count)}

    async def scale(self, name: str = "web", *, metrics: Any = None, **spec: Any) -> None:
        """An autoscaler for the Deployment `name`, by default for cpu at 50 per cent."""
        target = {"type": "Utilization", "averageUtilization": 50}
        cpu = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        body = {
            "metadata": {"name": spec.pop("called", name), "namespace": SPACE},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "maxReplicas": 10,
                "metrics": metrics or [cpu],
                **spec,
            },
        }
        await self.client.create(HorizontalPodAutoscaler.resource, body)
        await settle()

    async def replicas(self, name: str = "web") -> int:
        return (await self.client.get(Deployment, name, SPACE)).spec.replicas

    async def resize(self, replicas: int, name: str = "web") -> None:
        patch = {"spec": {"replicas": replicas}}
        await self.client.merge(Deployment.resource, name, SPACE, patch)

    async def scaler(self, name: str = "web") -> HorizontalPodAutoscaler:
        return await self.client.get(HorizontalPodAutoscaler, name, SPACE)

    async def said(self, kind: str, name: str = "web") -> tuple[str, str, str]:
        """Status, reason and message of a condition."""
        found = condition((await self.scaler(name)).status.conditions, kind)
        return (found.status, found.reason, found.message) if found else ("", "", "")

    async def told(self) -> list[tuple[str, str]]:
        """Reasons and messages of all events."""
        events = (await self.client.list(Event, SPACE)).items
        return [(event.reason, event.message) for event in events]


@asynccontextmanager
async def staged(*, zero: bool = True) -> AsyncGenerator[Stage, None]:
    """A cluster with autoscalers, and nothing else that acts."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        metered = Metered(running.client.transport, clock)
        manager = Manager(Client(metered, "argosy"), clock)
        manager.add(horizontal_pod_autoscalers(manager, zero=zero))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        yield Stage(running, running.client, clock, metered)
