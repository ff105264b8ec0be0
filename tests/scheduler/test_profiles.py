"""Several profiles in one scheduler, and plugins that fail, against a whole API server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from argosy.api.core import Event, Pod
from argosy.api.meta import condition
from argosy.scheduler.framework import Plugin
from argosy.scheduler.loop import Scheduler
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.profiles import Profile, Setup
from argosy.scheduler.thirdparty.guard import guarded
from argosy.scheduler.thirdparty.watch import Watch
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import group
from tests.scheduler.test_loop import make, make_node, make_pod, placed

NAMES = tuple(plugin for plugin in PLUGINS if plugin.name != "NodeResourcesFit")


@asynccontextmanager
async def scheduling(setup: Setup) -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """A cluster with one node and such a scheduler."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        await make_node(running.client, "n1")
        running.manager.add_runner(Scheduler(running.manager, setup).run)
        running.start()
        yield running, clock


async def told(running: Cluster, name: str) -> tuple[str, str]:
    """The reason and message with which the pod was refused, once it was."""

    def refused(pod: Pod) -> bool:
        found = condition(pod.status.conditions, "PodScheduled")
        return found is not None and found.status == "False"

    pod = await running.until(Pod, name, "default", refused)
    found = condition(pod.status.conditions, "PodScheduled")
    assert found is not None
    return found.reason, found.message


async def test_each_pod_is_decided_on_by_the_profile_that_it_names() -> None:
    setup = Setup(profiles=(Profile("strict"), Profile("lenient", NAMES)))
    async with scheduling(setup) as (running, _):
        for name in ("strict", "lenient", "nobody"):
            spec = {"schedulerName": name}
            await make_pod(running.client, name, requests={"cpu": "9"}, spec=spec)
        await running.until(Pod, "lenient", "default", placed)
        reason, message = await told(running, "strict")
        assert reason == "Unschedulable" and "1 Insufficient cpu" in message
        await settle()
        nobody = await running.client.get(Pod, "nobody", "default")
        assert not placed(nobody) and nobody.status.conditions == ()
        raw = await running.client.call("GET", Event.resource.path())
        events = msgspec.json.decode(raw)["items"]
        assert {(it["reason"], it["source"]["component"]) for it in events} == {
            ("FailedScheduling", "strict"),
            ("Scheduled", "lenient"),
        }


async def test_profiles_see_what_the_others_have_placed() -> None:
    setup = Setup(profiles=(Profile("a"), Profile("b")))
    async with scheduling(setup) as (running, _):
        await make_pod(running.client, "first", requests={"cpu": "3"}, spec={"schedulerName": "a"})
        await running.until(Pod, "first", "default", placed)
        await make_pod(running.client, "second", requests={"cpu": "3"}, spec={"schedulerName": "b"})
        assert "1 Insufficient cpu" in (await told(running, "second"))[1]


async def test_a_gang_of_two_profiles_is_refused() -> None:
    setup = Setup(profiles=(Profile("a"), Profile("b")))
    async with scheduling(setup) as (running, _):
        await make(running.client, group())
        for name in ("a", "b"):
            await make_pod(running.client, name, gang="g", spec={"schedulerName": name})
        same = "all pods in a single pod group should have the same .spec.schedulerName set"
        for name in ("a", "b"):
            expected = ("SchedulerError", f'{same}, got: "a" and "b"')

            def refused(pod: Pod, expected: tuple[str, str] = expected) -> bool:
                found = condition(pod.status.conditions, "PodScheduled")
                return found is not None and (found.reason, found.message) == expected

            await running.until(Pod, name, "default", refused)


def throw(_: Any) -> None:
    raise ValueError("no\nsuch   thing")


@pytest.mark.parametrize("times", [1, 3])
async def test_a_pod_whose_plugin_threw_is_told_and_tried_again(times: int) -> None:
    left = [times]

    def sometimes(pod: Pod) -> None:
        if pod.metadata.name == "p" and left[0]:
            left[0] -= 1
            throw(pod)

    clock = FakeClock()
    broken = guarded(Plugin(name="Broken", refuse=sometimes), Watch(clock))
    setup = Setup(
        profiles=(Profile("default-scheduler", (*PLUGINS, broken)),), first_rest=4, longest_rest=6
    )
    async with scheduling(setup) as (running, clock):
        await make_pod(running.client, "p")
        await make_pod(running.client, "other")
        await running.until(Pod, "other", "default", placed)
        assert await told(running, "p") == (
            "SchedulerError",
            "plugin Broken failed: ValueError: no such thing",
        )
        await settle()
        (event,) = [
            it
            for it in (await running.client.list(Event, "default")).items
            if it.reason == "FailedScheduling"
        ]
        assert event.message == "plugin Broken failed: ValueError: no such thing"
        for rest in (4, 6, 6)[:times]:
            await clock.advance(rest - 1)
            await settle()
            assert not placed(await running.client.get(Pod, "p", "default"))
            await clock.advance(1)
            await settle()
        await running.until(Pod, "p", "default", placed)
