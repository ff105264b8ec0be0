"""The scheduler begins when it is needed, and with all that it reads."""

import subprocess
import sys
from typing import Any

import pytest

from argosy.api.core import Node, Pod
from argosy.api.scheduling import PodGroup
from argosy.cluster.scheduling import add_scheduler
from argosy.scheduler import loop
from argosy.scheduler.kinds import READ
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.test_loop import make_node

POD = {"containers": [{"name": "c", "image": "i"}]}


async def created(running: Cluster, name: str, **more: Any) -> None:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": {**POD, **more}}
    await running.client.create(Pod.resource, body)


async def test_it_waits_for_a_pod_without_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    class Told(loop.Scheduler):
        async def run(self) -> None:
            begun.append("scheduler")
            await super().run()

    monkeypatch.setattr(loop, "Scheduler", Told)
    async with cluster(clock=FakeClock()) as running:
        add_scheduler(running.manager)
        running.start()
        await running.client.create(Node.resource, {"metadata": {"name": "a"}})
        room = {"status": {"allocatable": {"cpu": "4", "memory": "4Gi", "pods": "10"}}}
        await running.client.merge(Node.resource, "a", "", room, subresource="status")
        await created(running, "placed", nodeName="a")
        await settle()
        assert begun == []
        for name in ("first", "second"):
            await created(running, name)
            await running.until(Pod, name, "default", lambda pod: pod.spec.node_name == "a")
        assert begun == ["scheduler"]


def test_a_cluster_without_pods_has_no_numpy() -> None:
    shown = "from argosy.cluster import embedded, operators; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "argosy.controllers.garbage" in loaded and "numpy" not in loaded


async def test_it_does_without_what_is_not_served() -> None:
    without = "scheduling.k8s.io/v1beta1=false"
    served = [kind.resource for kind in READ if kind is not PodGroup]
    async with cluster(clock=FakeClock(), runtime_config=without) as running:
        add_scheduler(running.manager, served=served)
        running.start()
        await make_node(running.client, "a")
        await created(running, "p")
        await running.until(Pod, "p", "default", lambda pod: pod.spec.node_name == "a")
