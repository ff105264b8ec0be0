"""Whoever acts beside the controllers: the user of a script, and nodes that play pods."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from argosy.api.core import Node, Pod
from argosy.api.resource import Resource
from argosy.base.clock import Clock, parse_timestamp, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from tests.simulation.world import Json, World

TRANSIENT = frozenset({409, 429, 500, 503, 504})
SILENT = "silent"
"""The annotation of nodes that do nothing and say nothing."""
GOING = frozenset({403, 404})
"""Answers where a pod's namespace goes, or it has gone itself."""


@dataclass(frozen=True, slots=True)
class User:
    """Does what a script says, and insists on it."""

    client: Client
    clock: Clock
    random: Random
    world: World

    async def pause(self, longest: float = 20.0) -> None:
        """Do nothing for a while: a moment, longer, or until all seems done."""
        await self.clock.sleep(longest * self.random.random() ** 3)
        if self.random.random() < 0.4:
            await self.until(lambda: self.clock.monotonic() - self.world.last > 5, 60)

    async def create(self, resource: Resource, body: Json) -> None:
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        try:
            await self._insist(lambda: self.client.create(resource, {**kind, **body}))
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise

    async def merge(
        self,
        resource: Resource,
        name: str,
        patch: Json,
        *,
        subresource: str = "",
        namespace: str = "default",
    ) -> None:
        namespace = namespace if resource.namespaced else ""
        await self._insist(
            lambda: self.client.merge(resource, name, namespace, patch, subresource=subresource)
        )

    async def delete(
        self, resource: Resource, name: str, propagation: str = "", namespace: str = "default"
    ) -> None:
        where = namespace if resource.namespaced else ""
        await self._insist(
            lambda: self.client.delete(resource, name, where, propagation=propagation)
        )

    async def evict(self, name: str) -> bool:
        """Ask for an eviction; whether the pod went."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": "default"},
        }
        try:
            await self.client.call(
                "POST", f"{Pod.resource.path(name, 'default')}/eviction", {}, body
            )
        except (StatusError, ConnectionError):
            return False
        return True

    async def attempt(self, ask: Awaitable[Any]) -> None:
        """Do it, or not: it is tried again anyhow."""
        try:
            await ask
        except ConnectionError:
            pass
        except StatusError as error:
            if error.code not in TRANSIENT | GOING:
                raise

    async def until(self, holds: Callable[[], bool], longest: float = 900.0) -> None:
        """Wait until it holds; the engine tells of a script that doesn't end."""
        until = self.clock.monotonic() + longest
        while not holds() and self.clock.monotonic() < until:
            await self.clock.sleep(0.5)

    async def _insist(self, ask: Callable[[], Awaitable[Any]]) -> None:
        while True:
            try:
                await ask()
                return
            except ConnectionError:
                pass
            except StatusError as error:
                if error.code not in TRANSIENT or error.reason == "AlreadyExists":
                    raise
            await self.clock.sleep(0.5)


Fate = Callable[[Json, float], str]
"""How a pod ends at an age of so many seconds: "Succeeded", "Failed", or "" where it goes on."""


def runs(pod: Json, age: float) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Binds pods, runs them, ends them, and lets go of those that are deleted."""

    client: Client
    clock: Clock
    random: Random
    world: World
    fate: Fate = runs
    report: str = ""  # what containers say at their end

    async def run(self) -> None:
        while True:
            await self.clock.sleep(0.1 + self.random.random())
            for pod in self.world.all(Pod.resource):
                if self.random.random() < 0.5:
                    await self._attend(pod)

    async def _attend(self, pod: Json) -> None:
        try:
            await self._act(pod)
        except ConnectionError:
            await self.clock.sleep(0.5)
        except StatusError as error:
            if error.code not in TRANSIENT | GOING:
                raise

    async def _act(self, pod: Json) -> None:
        meta, phase, node = pod["metadata"], pod["status"].get("phase"), pod["spec"].get("nodeName")
        name, namespace, uid = meta["name"], meta["namespace"], meta["uid"]
        if node and not self._answers(node):
            return  # nobody is there to say anything of it
        if meta.get("deletionTimestamp"):
            if phase in ("Pending", "Running") and self.random.random() < 0.3:
                await self._say(pod, self._end(pod) or "Failed")
            elif not _lingers(pod):
                await self.client.delete(Pod.resource, name, namespace, uid=uid, grace=0)
        elif not node:
            if (place := self._place(pod)) is not None:
                await self.client.bind(name, namespace, place)
        elif phase == "Pending":
            await self._say(pod, "Running")
        elif phase == "Running" and (end := self._end(pod)):
            await self._say(pod, end)
        elif phase == "Running" and not ready(pod):
            await self._say(pod, "Running")  # somebody said that it isn't

    def _answers(self, name: str) -> bool:
        node = self.world.get(Node.resource, name)
        return node is not None and SILENT not in node["metadata"].get("annotations", {})

    def _end(self, pod: Json) -> str:
        made = parse_timestamp(pod["metadata"]["creationTimestamp"])
        return self.fate(pod, (self.clock.now() - made).total_seconds())

    def _place(self, pod: Json) -> str | None:
        wanted = pinned(pod)
        nodes = self.world.all(Node.resource)
        fitting = [
            node["metadata"]["name"]
            for node in nodes
            if wanted == node["metadata"]["name"] or (not wanted and not evicts(node))
        ]
        return self.random.choice(fitting) if fitting else None

    async def _say(self, pod: Json, phase: str) -> None:
        now = timestamp(self.clock.now())
        running = phase == "Running"
        kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        said = [{"type": kind, "status": str(running), "lastTransitionTime": now} for kind in kinds]
        over: Json = {"exitCode": int(phase == "Failed"), "finishedAt": now, "startedAt": now}
        if self.report:
            over["message"] = self.report
        state = {"running": {"startedAt": now}} if running else {"terminated": over}
        told = [
            {
                "name": item["name"],
                "image": item.get("image", ""),
                "imageID": "",
                "ready": running,
                "restartCount": 0,
                "state": state,
            }
            for item in pod["spec"]["containers"]
        ]
        meta = pod["metadata"]
        ip = "10." + ".".join(str(int(meta["uid"][at : at + 2], 16)) for at in (0, 2, 4))
        ips = {"podIP": ip, "podIPs": [{"ip": ip}]} if running else {}
        status = {"phase": phase, "conditions": said, "containerStatuses": told, **ips}
        patch = {"metadata": {"uid": meta["uid"]}, "status": status}
        await self.client.merge(
            Pod.resource, meta["name"], meta["namespace"], patch, subresource="status"
        )


def ready(pod: Json) -> bool:
    """Whether the pod is said to be ready."""
    said = pod["status"].get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in said)


def evicts(node: Json) -> bool:
    """Whether the node's taints let pods go."""
    return any(
        taint["effect"] == "NoExecute" for taint in (node.get("spec") or {}).get("taints") or ()
    )


def _lingers(pod: Json) -> bool:
    """Whether it only waits for others' finalizers."""
    done = pod["metadata"].get("deletionGracePeriodSeconds") == 0
    return done and bool(pod["metadata"].get("finalizers"))


def pinned(pod: Json) -> str:
    """The node that a daemon's pod is for."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return str(field["values"][0])
    return ""


async def steady(task: asyncio.Task[Any]) -> None:
    """End a task, whatever it does."""
    task.cancel()
    await asyncio.wait((task,))
