"""Gangs of others through the API: whole or absent, and told why they wait."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Object, condition
from argosy.api.podgroups import SchedulerPluginsPodGroup, VolcanoPodGroup
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.scheduler.foreigngroups import COSCHEDULING, KUEUE, TOTAL, VOLCANO
from argosy.testing.cluster import Cluster
from tests.scheduler.builders import pod_body
from tests.scheduler.test_loop import go, placed, refused, scheduling

Words = dict[str, dict[str, str]]
KINDS: dict[str, tuple[type[Object], Words]] = {
    "scheduler-plugins": (SchedulerPluginsPodGroup, {"labels": {COSCHEDULING: "g"}}),
    "volcano": (VolcanoPodGroup, {"annotations": {VOLCANO: "g"}}),
}


async def make_pod(client: Client, name: str, words: Words, cpu: str = "2", **spec: Any) -> None:
    body = pod_body(name, requests={"cpu": cpu}, spec=spec)
    body["metadata"] = {"name": name, "namespace": "default", **words}
    del body["status"]
    await client.create(Pod.resource, body)


async def make_group(running: Cluster, kind: type[Object], least: Any) -> None:
    body = {
        "apiVersion": kind.resource.api_version,
        "kind": kind.resource.kind,
        "metadata": {"name": "g", "namespace": "default"},
        "spec": {"minMember": least},
    }
    await running.client.create(kind.resource, body)


@pytest.mark.parametrize(("kind", "words"), KINDS.values(), ids=KINDS)
async def test_a_gang_by_a_kind_that_comes_later(kind: type[Object], words: Words) -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "a", words)
        text = f'gang "g": waiting for {kind.resource.qualified} "g" to be created'
        await running.until(Pod, "a", "default", refused(text))
        await running.define(kind)
        await clock.advance(30)
        await make_group(running, kind, 3)
        text = 'gang "g": waiting for pods, 3 are needed'
        await running.until(Pod, "a", "default", refused(text))
        for name in "bc":
            await make_pod(client, name, words)
        text = 'gang "g": 2 of 3 pods can be placed: 0/1 nodes are available: 1 Insufficient cpu.'
        for name in "abc":
            await running.until(Pod, name, "default", refused(text))
        await client.merge(kind.resource, "g", "default", {"spec": {"minMember": 2}})
        for name in "ab":
            await running.until(Pod, name, "default", placed)
        assert not placed(await client.get(Pod, "c", "default"))


async def test_a_gang_of_a_kind_that_is_there_is_not_told_to_wait() -> None:
    kind, words = KINDS["volcano"]
    async with scheduling() as (running, _):
        await running.define(kind)
        await make_group(running, kind, 2)
        await make_pod(running.client, "a", words)
        found = await running.until(Pod, "a", "default", lambda pod: bool(pod.status.conditions))
        told = condition(found.status.conditions, "PodScheduled")
        assert told is not None
        assert told.message == 'gang "g": waiting for pods, 2 are needed'
        await make_pod(running.client, "b", words)
        for name in "ab":
            await running.until(Pod, name, "default", placed)


async def test_pods_that_kueue_admits_are_placed_at_once_or_not() -> None:
    words: Words = {"labels": {KUEUE: "g"}, "annotations": {TOTAL: "2"}}
    gates = [{"name": "kueue.x-k8s.io/admission"}]
    async with scheduling() as (running, _):
        client = running.client
        for name in "ab":
            await make_pod(client, name, words, schedulingGates=gates)
        gated = "Scheduling is blocked due to non-empty scheduling gates"
        for name in "ab":
            await running.until(Pod, name, "default", refused(gated))
        open_gates = {"spec": {"schedulingGates": None}}
        await client.merge(Pod.resource, "a", "default", open_gates)
        text = 'gang "g": waiting for pods, 2 are needed'
        await running.until(Pod, "a", "default", refused(text))
        await client.merge(Pod.resource, "b", "default", open_gates)
        for name in "ab":
            await running.until(Pod, name, "default", placed)


async def test_nonsense_is_told_and_mended() -> None:
    async with scheduling() as (running, _):
        client = running.client
        await make_pod(client, "a", {"labels": {KUEUE: "g"}, "annotations": {TOTAL: "many"}})
        text = (
            f'gang "g": metadata.annotations[{TOTAL}]: Invalid value: "many": '
            "must be an integer between 1 and 2147483647"
        )
        await running.until(Pod, "a", "default", refused(text))
        patch = {"metadata": {"annotations": {TOTAL: "1"}}}
        await client.merge(Pod.resource, "a", "default", patch)
        await running.until(Pod, "a", "default", placed)


async def test_nobody_asks_for_kinds_that_no_pod_names() -> None:
    async with scheduling(start=False) as (running, clock):
        way = Noting(running)
        go(running)
        await make_pod(running.client, "a", {"labels": {"app": "a", KUEUE: "g"}}, cpu="1")
        await make_pod(running.client, "b", {"labels": {"app": "b"}}, cpu="1")
        await running.until(Pod, "b", "default", placed)
        await clock.advance(60)
        assert not way.asked(SchedulerPluginsPodGroup) and not way.asked(VolcanoPodGroup)
        await make_pod(running.client, "c", {"annotations": {VOLCANO: "g"}}, cpu="1")
        await clock.advance(60)
        assert not way.asked(SchedulerPluginsPodGroup) and way.asked(VolcanoPodGroup)


class Noting:
    """Stands in front of the server and notes what it is asked for."""

    def __init__(self, running: Cluster) -> None:
        self._inner = running.manager.client.transport
        self._paths: set[str] = set()
        object.__setattr__(running.manager.client, "transport", self)

    def asked(self, kind: type[Object]) -> bool:
        return any(path.startswith(kind.resource.root) for path in self._paths)

    async def send(self, request: Request) -> Response:
        self._paths.add(request.path)
        return await self._inner.send(request)

    async def close(self) -> None:
        """There is nothing to let go of."""
