"""Sets of replicas and Deployments, as their tests make and look at them."""

from typing import Any

from argosy.api.core import Event, Pod
from argosy.api.meta import Object
from argosy.base.clock import timestamp
from argosy.testing.clock import settle
from tests.controllers.kit import Scene

Json = dict[str, Any]
LABELS = {"app": "web"}


def template(image: str = "one", **meta: Any) -> Json:
    return {
        "metadata": {"labels": LABELS, **meta},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }


def body(name: str = "web", *, replicas: int = 3, image: str = "one", **spec: Any) -> Json:
    """A ReplicaSet or a Deployment."""
    given: Json = {
        "replicas": replicas,
        "selector": {"matchLabels": LABELS},
        "template": template(image),
    }
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {**given, **spec}}


async def turn(it: Scene, rounds: int = 4) -> None:
    """Let controllers answer one another."""
    await settle(300 * rounds)


async def pods(it: Scene) -> list[Pod]:
    """All pods, in the order of their names."""
    await turn(it)
    return sorted((await it.client.list(Pod, "default")).items, key=lambda pod: pod.key)


async def say(it: Scene, pod: Pod, *, ready: bool = True, phase: str = "Running") -> None:
    """The node tells how the pod is."""
    told = {
        "type": "Ready",
        "status": str(ready),
        "lastTransitionTime": timestamp(it.clock.now()),
    }
    patch = {"status": {"phase": phase, "conditions": [told]}}
    name = pod.metadata.name
    await it.client.merge(Pod.resource, name, "default", patch, subresource="status")


async def all_ready(it: Scene) -> None:
    """Every pod takes work now."""
    for pod in await pods(it):
        if pod.status.phase == "Pending":
            await say(it, pod)
    await turn(it)


async def scale(it: Scene, kind: type[Object], replicas: int, name: str = "web") -> None:
    patch = {"spec": {"replicas": replicas}}
    await it.client.merge(kind.resource, name, "default", patch)
    await turn(it)


async def told(it: Scene, reason: str) -> list[Event]:
    """The events of a reason."""
    await settle()
    return [item for item in (await it.client.list(Event)).items if item.reason == reason]
