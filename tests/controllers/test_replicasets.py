"""ReplicaSets and ReplicationControllers: as many pods as asked for, of their own, and no more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.resources.core import NAMESPACE, RESOURCE_QUOTA
from argosy.controllers.replicasets import replica_sets, replication_controllers
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.faults import LAG, Breaking, Counting, Lagging, Stormy, with_faults
from tests.controllers.kit import Scene, controlled
from tests.controllers.replicakit import (
    LABELS,
    Json,
    all_ready,
    body,
    pods,
    say,
    scale,
    template,
    told,
    turn,
)


@asynccontextmanager
async def replicating() -> AsyncGenerator[Scene, None]:
    def add(manager: Manager) -> None:
        manager.add(replica_sets(manager))
        manager.add(replication_controllers(manager))

    async with controlled(add) as it:
        yield it


async def make(it: Scene, **given: Any) -> ReplicaSet:
    await it.client.create(ReplicaSet.resource, body(**given))
    await turn(it)
    return await read(it)


async def read(it: Scene) -> ReplicaSet:
    await turn(it)
    return await it.client.get(ReplicaSet, "web", "default")


async def counts(it: Scene) -> tuple[int, ...]:
    status = (await read(it)).status
    return (
        status.replicas,
        status.fully_labeled_replicas,
        status.ready_replicas,
        status.available_replicas,
        status.terminating_replicas or 0,
    )


async def edit(it: Scene, pod: Pod, **meta: Any) -> None:
    await it.client.merge(Pod.resource, pod.metadata.name, "default", {"metadata": meta})
    await turn(it)


async def delete(it: Scene, pod: Pod) -> None:
    await it.client.delete(Pod.resource, pod.metadata.name, "default")
    await turn(it)


def names(found: list[Pod]) -> list[str]:
    return [pod.metadata.name for pod in found]


async def test_pods_are_made_of_the_template() -> None:
    async with replicating() as it:
        given = template(annotations={"note": "a"}, finalizers=["example.com/keep"])
        made = await make(it, template=given)
        first, *others = await pods(it)
        assert len(others) == 2
        assert first.metadata.name.startswith("web-") and len(first.metadata.name) == 9
        assert first.metadata.labels == LABELS
        assert first.metadata.annotations == {"note": "a"}
        assert first.metadata.finalizers == ("example.com/keep",)
        assert first.controller is not None and first.controller.uid == made.metadata.uid
        assert first.spec.containers[0].image == "one"
        assert await counts(it) == (3, 3, 0, 0, 0)
        assert (await read(it)).status.observed_generation == 1
        messages = sorted(event.message for event in await told(it, "SuccessfulCreate"))
        assert messages == [f"Created pod: {name}" for name in names([first, *others])]


async def test_what_is_ready_and_fully_labelled_is_counted() -> None:
    async with replicating() as it:
        await make(it, template=template(labels={**LABELS, "tier": "front"}))
        first, second, _ = await pods(it)
        await say(it, first)
        await edit(it, second, labels={"tier": "back"})
        assert await counts(it) == (3, 2, 1, 1, 0)


async def test_it_grows_and_shrinks() -> None:
    async with replicating() as it:
        await make(it, replicas=1)
        await scale(it, ReplicaSet, 4)
        ready, unready = (await pods(it))[:2], (await pods(it))[2:]
        for pod in ready:
            await say(it, pod)
        await scale(it, ReplicaSet, 2)
        assert await pods(it) and names(await pods(it)) == names(ready)
        deleted = sorted(event.message for event in await told(it, "SuccessfulDelete"))
        assert deleted == sorted(f"Deleted pod: {name}" for name in names(unready))
        await scale(it, ReplicaSet, 0)
        assert await pods(it) == []
        assert await counts(it) == (0, 0, 0, 0, 0)


async def test_what_is_lost_is_made_again() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        gone, failed = await pods(it)
        await delete(it, gone)
        await it.end(failed.metadata.name, "Failed")
        found = await pods(it)
        assert len(found) == 3 and gone.metadata.name not in names(found)
        assert failed.metadata.name in names(found)  # what it said may be of use
        assert await counts(it) == (2, 2, 0, 0, 0)


async def test_a_pod_that_is_held_back_is_replaced_and_told() -> None:
    async with replicating() as it:
        await make(it, replicas=1)
        [pod] = await pods(it)
        await edit(it, pod, finalizers=["example.com/keep"])
        await delete(it, pod)
        assert len(await pods(it)) == 2
        assert await counts(it) == (1, 1, 0, 0, 1)
        await edit(it, pod, finalizers=None)
        assert len(await pods(it)) == 1
        assert await counts(it) == (1, 1, 0, 0, 0)


async def test_orphans_are_adopted_and_strangers_are_not() -> None:
    async with replicating() as it:
        other: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "x",
            "uid": "u",
            "controller": True,
        }
        await it.make_pod("free", labels=LABELS)
        await it.make_pod("taken", labels=LABELS, ownerReferences=[other])
        await it.make_pod("unlike", labels={"app": "other"})
        made = await make(it, replicas=2)
        found = {pod.metadata.name: pod for pod in await pods(it)}
        assert len(found) == 4
        owner = found["free"].controller
        assert owner is not None and owner.uid == made.metadata.uid and owner.block_owner_deletion
        assert found["taken"].controller is not None
        assert found["taken"].controller.uid == "u"
        assert found["unlike"].controller is None
        assert (await counts(it))[0] == 2


async def test_an_orphan_that_comes_late_is_one_too_many() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        await all_ready(it)
        meta = {"name": "late", "namespace": "default", "labels": LABELS}
        await it.client.create(Pod.resource, {"metadata": meta, "spec": template()["spec"]})
        await turn(it)
        assert len(await pods(it)) == 2 and "late" not in names(await pods(it))


async def test_a_pod_that_is_relabelled_is_let_go_and_replaced() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        first, _ = await pods(it)
        await edit(it, first, labels={"app": "debug"})
        found = {pod.metadata.name: pod for pod in await pods(it)}
        assert len(found) == 3
        assert found[first.metadata.name].metadata.owner_references == ()
        assert (await counts(it))[0] == 2
        await edit(it, first, labels=LABELS)
        assert len(await pods(it)) == 2


async def test_two_that_select_the_same_keep_their_own() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        await it.client.create(ReplicaSet.resource, body("twin", replicas=3))
        await turn(it)
        owners = [pod.controller.name for pod in await pods(it) if pod.controller]
        assert sorted(owners) == ["twin"] * 3 + ["web"] * 2


async def test_an_owner_that_goes_makes_and_takes_nothing() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        await it.client.merge(
            ReplicaSet.resource, "web", "default", {"metadata": {"finalizers": ["example.com/x"]}}
        )
        await it.client.delete(ReplicaSet.resource, "web", "default")
        first, _ = await pods(it)
        await delete(it, first)
        await it.make_pod("free", labels=LABELS)
        found = {pod.metadata.name: pod for pod in await pods(it)}
        assert len(found) == 2 and found["free"].controller is None
        assert (await counts(it))[0] == 1


async def quota(it: Scene, count: int) -> None:
    spec = {"hard": {"pods": str(count)}}
    meta = {"name": "few", "namespace": "default"}
    await it.client.create(RESOURCE_QUOTA, {"metadata": meta, "spec": spec})
    await settle()


async def test_refused_pods_are_told_and_tried_again_ever_more_slowly() -> None:
    async with with_faults(Counting, replica_sets) as (it, seen):
        await quota(it, 2)
        await make(it, replicas=5)
        assert len(await pods(it)) == 2
        problem = condition((await read(it)).status.conditions, "ReplicaFailure")
        assert problem is not None
        assert (problem.status, problem.reason) == ("True", "FailedCreate")
        assert "exceeded quota: few" in problem.message
        first = await told(it, "FailedCreate")
        assert first and all(event.type == "Warning" for event in first)
        assert first[0].message.startswith('Error creating: pods "web-')
        before = seen.posts("pods")
        await it.clock.advance(600)
        assert 5 <= seen.posts("pods") - before <= 25
        await it.client.delete(RESOURCE_QUOTA, "few", "default")
        await it.clock.advance(70)
        assert len(await pods(it)) == 5
        assert (await read(it)).status.conditions == ()


async def test_the_first_refusal_ends_the_attempt() -> None:
    async with with_faults(Counting, replica_sets) as (it, seen):
        await quota(it, 0)
        await make(it, replicas=500)
        assert seen.posts("pods") <= 4


async def test_in_a_namespace_that_goes_nothing_is_tried_in_vain() -> None:
    async with replicating() as it:
        meta = {"name": "going", "finalizers": ["example.com/x"]}
        await it.client.create(NAMESPACE, {"metadata": meta})
        given = body(replicas=1)
        given["metadata"]["namespace"] = "going"
        await it.client.create(ReplicaSet.resource, given)
        await turn(it)
        await it.client.delete(NAMESPACE, "going")
        for pod in (await it.client.list(Pod, "going")).items:
            await it.client.delete(Pod.resource, pod.metadata.name, "going")
        await turn(it)
        assert (await it.client.list(Pod, "going")).items == []
        assert await told(it, "FailedCreate") == []


async def test_pods_are_available_when_they_were_ready_for_long_enough() -> None:
    async with replicating() as it:
        await make(it, replicas=2, minReadySeconds=30)
        first, second = await pods(it)
        await say(it, first)
        await it.clock.advance(10)
        await say(it, second)
        assert await counts(it) == (2, 2, 2, 0, 0)
        await it.clock.advance(20)
        assert await counts(it) == (2, 2, 2, 1, 0)
        await it.clock.advance(10)
        assert await counts(it) == (2, 2, 2, 2, 0)


async def test_a_cache_that_lags_makes_nothing_twice() -> None:
    async with with_faults(Lagging, replica_sets) as (it, seen):
        await make(it, replicas=3)
        for second in range(20):
            # Changes of the set lead to looks, each at a cache that lags.
            labels = {"metadata": {"labels": {"turn": str(second)}}}
            await it.client.merge(ReplicaSet.resource, "web", "default", labels)
            await it.clock.advance(1)
        assert seen.posts("pods") == 3
        await it.client.merge(ReplicaSet.resource, "web", "default", {"spec": {"replicas": 1}})
        await it.clock.advance(20)
        assert len(await pods(it)) == 1
        assert (await counts(it))[0] == 1


async def test_an_answer_that_is_lost_makes_nothing_twice() -> None:
    async with with_faults(Breaking, replica_sets) as (it, seen):
        await make(it, replicas=5)
        for _ in range(60):
            await it.clock.advance(1)
        assert seen.lost == 3
        assert seen.posts("pods") == 5
        assert (await counts(it))[0] == 5


class Slow(Breaking):
    """Whoever asks for the pods waits for longer than the cache lags."""

    async def send(self, request: Request) -> Response:
        listing = request.method == "GET" and "/namespaces/default/pods" in request.path
        if listing and "watch=true" not in request.query:
            await self._clock.sleep(3 * LAG)
        return await super().send(request)


async def test_what_the_cache_shows_is_read_after_the_server_was_asked() -> None:
    async with with_faults(Slow, replica_sets) as (it, seen):
        await make(it, replicas=5)
        for _ in range(120):
            await it.clock.advance(1)
        assert seen.lost == 3
        assert seen.posts("pods") == 5


async def test_a_storm_of_conflicts_ends() -> None:
    async with with_faults(Stormy, replica_sets) as (it, seen):
        await it.make_pod("free", labels=LABELS)
        await make(it, replicas=3)
        await it.clock.advance(1500)
        assert seen.thrown == 20
        assert len(await pods(it)) == 3
        assert (await counts(it))[0] == 3


@pytest.mark.parametrize("turns", [1, 10, 100, 300])
async def test_another_process_goes_on(turns: int) -> None:
    """It is ended in the middle, again and again: there are never too many."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        await it.client.create(ReplicaSet.resource, body(replicas=40))
        for _ in range(4):
            manager = Manager(running.plane.client("argosy"), clock)
            manager.add(replica_sets(manager))
            task = asyncio.create_task(manager.run())
            await settle(turns)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert len((await it.client.list(Pod)).items) <= 40
        running.manager.add(replica_sets(running.manager))
        running.start()
        assert len(await pods(it)) == 40
        assert (await counts(it))[0] == 40


async def test_replication_controllers_do_the_same() -> None:
    async with replicating() as it:
        await it.make_pod("free", labels=LABELS)
        given = body(replicas=2, selector=LABELS)
        await it.client.create(ReplicationController.resource, given)
        await all_ready(it)
        found = await pods(it)
        assert len(found) == 2 and "free" in names(found)
        made = await it.client.get(ReplicationController, "web", "default")
        assert [pod.controller and pod.controller.uid for pod in found] == [made.metadata.uid] * 2
        assert found[0].metadata.owner_references[0].kind == "ReplicationController"
        status = made.status
        assert (status.replicas, status.ready_replicas, status.available_replicas) == (2, 2, 2)
        assert status.terminating_replicas is None
        await scale(it, ReplicationController, 1)
        assert len(await pods(it)) == 1


async def test_a_namesake_begins_anew() -> None:
    async with replicating() as it:
        await make(it, replicas=2)
        await it.client.delete(ReplicaSet.resource, "web", "default")
        again = await make(it, replicas=2)
        uids = [pod.controller.uid for pod in await pods(it) if pod.controller is not None]
        assert len(uids) == 4 and uids.count(again.metadata.uid) == 2
        assert (await counts(it))[0] == 2
