"""The node agent end to end: a real API server in memory, real sandboxed processes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Event, Node, Pod
from argosy.api.dra import ResourceSlice
from argosy.api.leases import Lease
from argosy.api.meta import condition
from argosy.client.client import Client
from argosy.http.message import Request
from argosy.node.runtimes.host import HostRuntime
from argosy.testing.cluster import cluster
from tests.node.builders import (
    NODE,
    Running,
    again,
    agent_of,
    container,
    killed,
    node,
    pod_body,
    shell,
)

MISSING = HostRuntime().missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
FOREVER = "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done"


async def state_of(running: Running, name: str, check: Callable[[Pod], bool]) -> Pod:
    return await running.cluster.until(Pod, name, "default", check)


def waits(reason: str) -> Callable[[Pod], bool]:
    def check(pod: Pod) -> bool:
        states = [status.state.waiting for status in pod.status.container_statuses]
        return any(state is not None and state.reason == reason for state in states)

    return check


async def gone(client: Client, name: str) -> None:
    """Wait until there is no such pod."""
    async with asyncio.timeout(5):
        listed = await client.list(Pod, "default")
        if all(pod.metadata.name != name for pod in listed.items):
            return
        since = listed.metadata.resource_version
        async for event in client.watch(Pod, "default", since=since):
            if event.type == "DELETED" and event.object.metadata.name == name:
                return


def plain(pod: Pod) -> dict[str, Any]:
    (status,) = pod.status.container_statuses
    ended = status.state.terminated
    assert ended is not None
    return {"phase": pod.status.phase, "code": ended.exit_code, "reason": ended.reason}


async def test_the_node_and_its_devices_are_there(tmp_path: Path) -> None:
    async with node(tmp_path, gpus="2xH100") as running:
        client = running.cluster.client
        me = await client.get(Node, NODE)
        ready = condition(me.status.conditions, "Ready")
        assert ready is not None and ready.status == "True"
        assert me.status.capacity["pods"] == "110"
        assert me.metadata.labels["kubernetes.io/hostname"] == NODE
        (piece,) = (await client.list(ResourceSlice)).items
        assert [device.name for device in piece.spec.devices] == ["gpu-0", "gpu-1"]
        await running.agent.stop()
        ready = condition((await client.get(Node, NODE)).status.conditions, "Ready")
        assert ready is not None and ready.status == "False"


async def test_the_node_renews_a_lease(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        lease = await running.cluster.until(Lease, NODE, "kube-node-lease", lambda _: True)
        assert lease.spec.holder_identity == NODE
        assert lease.metadata.owner_references[0].kind == "Node"


async def test_a_pod_runs_to_its_end(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        script = (
            "echo out; echo $A $(cat /etc/hostname 2>/dev/null); echo why > /dev/termination-log"
        )
        env = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        await running.create(pod_body(shell(f"{script}; exit 3", env=env)))
        pod = await running.until("p", "Failed")
        assert plain(pod) == {"phase": "Failed", "code": 3, "reason": "Error"}
        ended = pod.status.container_statuses[0].state.terminated
        assert ended is not None and ended.message == "why\n"
        assert await running.logs("p") == f"out\n{pod.status.pod_ip}\n"
        assert await running.logs("p", ["tailLines=1"]) == f"{pod.status.pod_ip}\n"
        assert pod.status.pod_ip.startswith("127.")


async def test_the_server_hands_logs_through_while_they_grow(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        await running.create(pod_body(shell(FOREVER)))
        await running.until("p", "Running")
        path = "/api/v1/namespaces/default/pods/p/log"
        pieces = running.cluster.client.stream(path, {"follow": "true"})
        assert await anext(pieces) == b"up\n"
        await running.cluster.client.delete(Pod.resource, "p", "default", grace=5)
        assert [piece async for piece in pieces] == []
        await gone(running.cluster.client, "p")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("/containerLogs/default/p/other", 400),
        ("/containerLogs/default/none/main", 404),
        ("/containerLogs/default/p/main?previous=true", 400),
        ("/containerLogs/default/p/main?tailLines=-1", 400),
        ("/containerLogs/default/p/main?follow=maybe", 400),
        ("/containerLogs/default/p/main?sinceTime=yesterday", 400),
        ("/containerLogs/default/p/main?sinceSeconds=60&limitBytes=2", 200),
        ("/pods", 404),
    ],
)
async def test_the_endpoint(tmp_path: Path, query: str, status: int) -> None:
    async with node(tmp_path) as running:
        await running.create(pod_body(shell("echo text")))
        await running.until("p", "Succeeded")
        path, _, parameters = query.partition("?")
        response = await running.agent.handle(Request("GET", path, parameters))
        assert response.status == status
        if not isinstance(response.body, bytes):
            assert b"".join([piece async for piece in response.body]) == b"te"


@pytest.mark.parametrize(
    ("fields", "reason", "text"),
    [
        ({"runtimeClassName": None}, "RuntimeClassUnavailable", "hint: runtimeClassName: host"),
        (
            {"initContainers": [container("true", name="i")]},
            "CreateContainerConfigError",
            "spec.initContainers",
        ),
        (
            {"volumes": [{"name": "v", "gitRepo": {"repository": "x"}}]},
            "CreateContainerConfigError",
            "gitRepo",
        ),
        ({"containers": [{"name": "main", "image": "nginx"}]}, "CreateContainerError", "nginx"),
        ({"containers": [{"name": "main", "image": "host"}]}, "CreateContainerError", "no command"),
    ],
)
async def test_what_can_not_run_waits_and_says_why(
    tmp_path: Path, fields: dict[str, Any], reason: str, text: str
) -> None:
    async with node(tmp_path) as running:
        await running.create(pod_body(container("true"), **fields))
        pod = await state_of(running, "p", waits(reason))
        waiting = pod.status.container_statuses[0].state.waiting
        assert waiting is not None and text in waiting.message
        assert pod.status.phase == "Pending"
        async with asyncio.timeout(5):
            while not (events := (await running.cluster.client.list(Event, "default")).items):
                await asyncio.sleep(0)
        assert (events[0].type, events[0].message) == ("Warning", waiting.message)
        await running.cluster.client.delete(Pod.resource, "p", "default")
        await gone(running.cluster.client, "p")


async def test_a_pod_starts_when_what_it_lacked_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.node.worker.RETRY", 0.05)
    async with node(tmp_path) as running:
        ref = {"configMapKeyRef": {"name": "m", "key": "k"}}
        body = pod_body(shell("echo $A", env=[{"name": "A", "valueFrom": ref}]))
        await running.create(body)
        await state_of(running, "p", waits("CreateContainerConfigError"))
        meta = {"name": "m", "namespace": "default"}
        await running.cluster.client.create(
            ConfigMap.resource, {"metadata": meta, "data": {"k": "v"}}
        )
        await running.until("p", "Succeeded")
        assert await running.logs("p") == "v\n"


async def test_a_crashed_container_comes_back_and_then_backs_off(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        await running.create(pod_body(shell("echo once; exit 1"), policy="Always"))
        pod = await state_of(running, "p", waits("CrashLoopBackOff"))
        if pod.status.container_statuses[0].restart_count == 0:  # the first restart is at once
            pod = await state_of(
                running,
                "p",
                lambda p: (
                    p.status.container_statuses[0].restart_count == 1
                    and waits("CrashLoopBackOff")(p)
                ),
            )
        (status,) = pod.status.container_statuses
        assert status.last_state.terminated is not None
        assert status.last_state.terminated.exit_code == 1
        assert await running.logs("p", ["previous=true"]) == "once\n"
        async with asyncio.timeout(5):
            reasons: list[str] = []
            while "BackOff" not in reasons:  # events are written after the status
                events = (await running.cluster.client.list(Event, "default")).items
                reasons = [event.reason for event in events]
                await asyncio.sleep(0)


async def test_volumes_are_shared_and_names_resolve(tmp_path: Path) -> None:
    mount = [{"name": "v", "mountPath": "/shared"}]
    async with node(tmp_path) as running:
        waiter = "while ! [ -e /shared/x ]; do sleep 0.01; done; cat /shared/x"
        body = pod_body(
            shell(
                "getent hosts rank-0.sub | cut -d' ' -f1 > /shared/t; mv /shared/t /shared/x",
                volumeMounts=mount,
            ),
            shell(waiter, name="reader", volumeMounts=mount),
            volumes=[{"name": "v", "emptyDir": {}}],
            hostname="rank-0",
            subdomain="sub",
        )
        await running.create(body)
        pod = await running.until("p", "Succeeded", "Failed")
        assert await running.logs("p", container="reader") == f"{pod.status.pod_ip}\n"
        folder = tmp_path / "node" / "pods" / pod.metadata.uid
        assert folder.is_dir()
        await running.cluster.client.delete(Pod.resource, "p", "default")
        async with asyncio.timeout(5):
            while folder.exists():
                await asyncio.sleep(0.01)


async def test_grace_then_kill(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        deaf = "trap '' TERM; echo up; while :; do sleep 0.02; done"
        await running.create(pod_body(shell(deaf)))
        await running.until("p", "Running")
        client = running.cluster.client
        pieces = client.stream("/api/v1/namespaces/default/pods/p/log", {"follow": "true"})
        await anext(pieces)
        await client.delete(Pod.resource, "p", "default", grace=1)
        pod = await state_of(running, "p", lambda p: p.status.phase == "Failed")
        assert plain(pod) == {"phase": "Failed", "code": 137, "reason": "Error"}
        assert [piece async for piece in pieces] == []
        await gone(client, "p")


async def test_a_deadline_ends_a_pod(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        await running.create(pod_body(shell(FOREVER), activeDeadlineSeconds=1, policy="Always"))
        pod = await running.until("p", "Failed")
        assert pod.status.reason == "DeadlineExceeded"


async def test_probes_decide_readiness_and_life(tmp_path: Path) -> None:
    async with node(tmp_path) as running:
        script = (
            "import http.server, os, sys; ip = os.environ['IP'];"
            "http.server.HTTPServer((ip, 8000), http.server.SimpleHTTPRequestHandler)"
            ".serve_forever()"
        )
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        probe = {"httpGet": {"port": 8000}, "periodSeconds": 1}
        web = container("python", "-c", script, env=env, readinessProbe=probe)
        await running.create(pod_body(web, policy="Always"))
        dead = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 1}
        await running.create(pod_body(shell(FOREVER, livenessProbe=dead), name="dead"))

        def ready(pod: Pod) -> bool:
            found = condition(pod.status.conditions, "Ready")
            return found is not None and found.status == "True"

        await state_of(running, "p", ready)
        assert plain(await running.until("dead", "Succeeded", "Failed"))["reason"] != ""


@pytest.mark.parametrize(
    ("policy", "phase", "disrupted"), [("Never", "Failed", True), ("Always", "Running", False)]
)
async def test_stop_ends_pods_cleanly_and_the_next_run_goes_on(
    tmp_path: Path, policy: str, phase: str, disrupted: bool
) -> None:
    async with cluster() as parts:
        async with agent_of(parts, tmp_path) as agent:
            running = Running(parts, agent)
            await running.create(pod_body(shell(FOREVER), policy=policy))
            await running.until("p", "Running")
            await agent.stop()
        pod = await parts.client.get(Pod, "p", "default")
        assert plain(pod)["reason"] == "NodeShutdown" and pod.status.phase == phase
        target = condition(pod.status.conditions, "DisruptionTarget")
        assert (target is not None and target.reason == "TerminationByKubelet") is disrupted
        if policy == "Always":
            async with again(parts, tmp_path) as second:
                pod = await state_of(
                    Running(parts, second),
                    "p",
                    lambda p: p.status.container_statuses[0].state.running is not None,
                )
                assert pod.status.container_statuses[0].restart_count == 1


@pytest.mark.parametrize("policy", ["Never", "Always"])
async def test_after_a_crash_lost_containers_are_told(tmp_path: Path, policy: str) -> None:
    async with cluster() as parts:
        async with agent_of(parts, tmp_path) as agent:
            running = Running(parts, agent)
            await running.create(pod_body(shell(FOREVER), policy=policy))
            before = await running.until("p", "Running")
            await killed(parts)
        async with again(parts, tmp_path) as second:
            running = Running(parts, second)
            if policy == "Never":
                pod = await running.until("p", "Failed")
                assert plain(pod) == {
                    "phase": "Failed",
                    "code": 137,
                    "reason": "ContainerStatusUnknown",
                }
                target = condition(pod.status.conditions, "DisruptionTarget")
                assert target is not None and target.status == "True"
                return
            pod = await state_of(
                running, "p", lambda p: p.status.container_statuses[0].restart_count == 1
            )
            last = pod.status.container_statuses[0].last_state.terminated
            assert last is not None and last.reason == "ContainerStatusUnknown"
            assert pod.status.pod_ip == before.status.pod_ip


async def test_a_running_pod_sees_what_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.node.pods.REFRESH", 0.05)
    async with node(tmp_path) as running:
        client, meta = running.cluster.client, {"name": "m", "namespace": "default"}
        await client.create(ConfigMap.resource, {"metadata": meta, "data": {"k": "old"}})
        mounts = [
            {"name": "v", "mountPath": "/v"},
            {"name": "v", "mountPath": "/one", "subPath": "k"},
        ]
        script = "cat /v/k /one; echo; while grep -q old /v/k; do sleep 0.02; done; cat /v/k /one"
        volumes = [{"name": "v", "configMap": {"name": "m"}}]
        await running.create(pod_body(shell(script, volumeMounts=mounts), volumes=volumes))
        await running.until("p", "Running")
        path = "/api/v1/namespaces/default/pods/p/log"
        pieces = client.stream(path, {"follow": "true"})
        assert await anext(pieces) == b"oldold\n"
        await client.merge(ConfigMap.resource, "m", "default", {"data": {"k": "new"}})
        assert b"".join([piece async for piece in pieces]) == b"newold\n"
