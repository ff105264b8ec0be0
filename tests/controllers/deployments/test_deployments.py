"""Deployments with the controllers of their ReplicaSets: rollouts, and what disturbs them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.replicas import Deployment, DeploymentCondition, ReplicaSet
from argosy.api.resources.core import RESOURCE_QUOTA
from argosy.controllers.deployments.deployments import deployments
from argosy.controllers.replicasets import replica_sets
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.faults import Counting, Lagging, Stormy, with_faults
from tests.controllers.kit import Scene, controlled
from tests.controllers.replicakit import (
    LABELS,
    all_ready,
    body,
    pods,
    scale,
    template,
    told,
    turn,
)

REVISION = "deployment.kubernetes.io/revision"


def both(manager: Manager) -> None:
    manager.add(replica_sets(manager))
    manager.add(deployments(manager))


@asynccontextmanager
async def deploying() -> AsyncGenerator[Scene, None]:
    async with controlled(both) as it:
        yield it


async def make(it: Scene, **given: Any) -> Deployment:
    await it.client.create(Deployment.resource, body(**given))
    await turn(it)
    return await read(it)


async def read(it: Scene) -> Deployment:
    await turn(it)
    return await it.client.get(Deployment, "web", "default")


async def change(it: Scene, **spec: Any) -> None:
    await it.client.merge(Deployment.resource, "web", "default", {"spec": spec})
    await turn(it)


async def sets(it: Scene) -> dict[str, ReplicaSet]:
    """The sets by the images of their templates."""
    await turn(it)
    found = (await it.client.list(ReplicaSet, "default")).items
    return {
        msgspec.json.decode(s.spec.template)["spec"]["containers"][0]["image"]: s for s in found
    }


async def roll(it: Scene) -> None:
    """Let every pod become ready, until the rollout is through."""
    for _ in range(12):
        await all_ready(it)


async def images(it: Scene) -> list[str]:
    return sorted(pod.spec.containers[0].image for pod in await pods(it))


def progress(it: Deployment) -> DeploymentCondition:
    return next(item for item in it.status.conditions if item.type == "Progressing")


async def test_a_rollout_and_back() -> None:
    async with deploying() as it:
        await make(it, replicas=3)
        await roll(it)
        await change(it, template=template("two"))
        assert await images(it) == ["one", "one", "one", "two"]
        await roll(it)
        done = await read(it)
        assert await images(it) == ["two"] * 3
        assert progress(done).reason == "NewReplicaSetAvailable"
        assert done.metadata.annotations[REVISION] == "2"
        assert done.metadata.generation == 2  # the revision is no change of its own
        assert done.status.observed_generation == 2
        await change(it, template=template("one"))
        await roll(it)
        assert await images(it) == ["one"] * 3
        found = await sets(it)
        assert {image: s.metadata.annotations[REVISION] for image, s in found.items()} == {
            "one": "3",
            "two": "2",
        }
        messages = [event.message for event in await told(it, "ScalingReplicaSet")]
        name = found["one"].metadata.name
        assert f"Scaled up replica set {name} from 0 to 3" in messages


async def test_the_status_is_written_once_it_is_so() -> None:
    async with deploying() as it:
        await make(it, replicas=2)
        await roll(it)
        before = (await read(it)).metadata.resource_version
        await it.clock.advance(3600)
        assert (await read(it)).metadata.resource_version == before


async def test_a_number_of_replicas_in_the_middle() -> None:
    async with deploying() as it:
        await make(it, replicas=4)
        await roll(it)
        await change(it, template=template("two"))
        await scale(it, Deployment, 8)
        assert len(await pods(it)) == 10  # with the surge
        await roll(it)
        assert await images(it) == ["two"] * 8


async def test_recreate_waits_for_pods_that_go_slowly() -> None:
    async with deploying() as it:
        held = template("one", finalizers=["example.com/keep"])
        await make(it, replicas=2, template=held, strategy={"type": "Recreate"})
        await roll(it)
        await change(it, template=template("two"))
        assert (await read(it)).status.terminating_replicas == 2
        assert await images(it) == ["one", "one"]
        for pod in await pods(it):
            assert "two" not in await images(it)
            gone = {"metadata": {"finalizers": None}}
            await it.client.merge(Pod.resource, pod.metadata.name, "default", gone)
            await turn(it)
        assert await images(it) == ["two", "two"]


async def test_a_pause() -> None:
    async with deploying() as it:
        await make(it, replicas=2)
        await roll(it)
        await change(it, paused=True, template=template("two"))
        await scale(it, Deployment, 3)
        await roll(it)
        assert await images(it) == ["one"] * 3
        assert progress(await read(it)).reason == "DeploymentPaused"
        await change(it, paused=False)
        await roll(it)
        assert await images(it) == ["two"] * 3


async def test_only_so_many_old_sets_are_kept() -> None:
    async with deploying() as it:
        await make(it, replicas=1, revisionHistoryLimit=1)
        for image in ("two", "three", "four"):
            await roll(it)
            await change(it, template=template(image))
        await roll(it)
        assert sorted(await sets(it)) == ["four", "three"]


async def test_the_deadline_passes() -> None:
    async with deploying() as it:
        await make(it, replicas=1, progressDeadlineSeconds=60)
        await it.clock.advance(59)
        assert progress(await read(it)).status == "True"
        await it.clock.advance(4)
        assert progress(await read(it)).reason == "ProgressDeadlineExceeded"
        await roll(it)
        assert progress(await read(it)).reason == "NewReplicaSetAvailable"


async def test_pods_are_available_only_after_a_while() -> None:
    async with deploying() as it:
        await make(it, replicas=1, minReadySeconds=20)
        await all_ready(it)
        assert (await read(it)).status.available_replicas == 0
        await it.clock.advance(20)
        assert (await read(it)).status.available_replicas == 1
        await change(it, minReadySeconds=40)
        assert (await sets(it))["one"].spec.min_ready_seconds == 40
        assert (await read(it)).status.available_replicas == 0


async def test_a_set_without_owner_is_adopted_and_a_relabelled_one_let_go() -> None:
    async with deploying() as it:
        orphan = body("orphan", replicas=2)
        orphan["metadata"]["labels"] = LABELS
        await it.client.create(ReplicaSet.resource, orphan)
        made = await make(it, replicas=2)
        [found] = (await it.client.list(ReplicaSet, "default")).items
        assert found.controller is not None and found.controller.uid == made.metadata.uid
        assert found.metadata.annotations[REVISION] == "1"
        labels = {"metadata": {"labels": {"app": "other"}}}
        await it.client.merge(ReplicaSet.resource, "orphan", "default", labels)
        await turn(it)
        freed = await it.client.get(ReplicaSet, "orphan", "default")
        assert freed.controller is None
        assert len((await it.client.list(ReplicaSet, "default")).items) == 2


@pytest.mark.parametrize("image", ["another", "one"])
async def test_a_name_that_is_taken_is_given_way_to(image: str) -> None:
    """By a set of another template, or of nobody's that can't be adopted."""
    async with controlled(lambda manager: manager.add(deployments(manager))) as it:
        await make(it, replicas=1)
        [first] = (await sets(it)).values()
        await it.client.delete(Deployment.resource, "web", "default")
        await it.client.delete(ReplicaSet.resource, first.metadata.name, "default")
        taken = body(first.metadata.name, image=image)
        taken["metadata"]["labels"] = {"app": "other"}
        await it.client.create(ReplicaSet.resource, taken)
        await make(it, replicas=1)
        await it.clock.advance(6)
        made = await read(it)
        assert made.status.collision_count == 1
        found = {s.metadata.name: s for s in (await it.client.list(ReplicaSet)).items}
        assert found.pop(first.metadata.name).controller is None
        [mine] = found.values()
        assert mine.controller is not None and mine.controller.uid == made.metadata.uid
        assert progress(made).reason == "NewReplicaSetCreated"


async def quota(it: Scene, **hard: str) -> None:
    meta = {"name": "few", "namespace": "default"}
    names = {name.replace("__", "/").replace("_", "."): text for name, text in hard.items()}
    await it.client.create(RESOURCE_QUOTA, {"metadata": meta, "spec": {"hard": names}})
    await settle()


async def test_pods_that_are_refused_are_told() -> None:
    async with deploying() as it:
        await quota(it, pods="1")
        made = await make(it, replicas=2)
        failure = next(item for item in made.status.conditions if item.type == "ReplicaFailure")
        assert (failure.status, failure.reason) == ("True", "FailedCreate")
        assert "exceeded quota" in failure.message
        await it.client.delete(RESOURCE_QUOTA, "few", "default")
        await it.clock.advance(60)
        made = await read(it)
        assert made.status.replicas == 2
        assert "ReplicaFailure" not in {item.type for item in made.status.conditions}


async def test_a_set_that_is_refused_is_told_and_tried_again_ever_more_slowly() -> None:
    async with with_faults(Counting, replica_sets, deployments) as (it, seen):
        await quota(it, count__replicasets_apps="0")
        made = await make(it, replicas=2)
        told_of = progress(made)
        assert (told_of.status, told_of.reason) == ("False", "ReplicaSetCreateError")
        assert told_of.message.startswith('Failed to create new replica set "web-')
        assert await told(it, "ReplicaSetCreateError")
        before = seen.posts("replicasets")
        await it.clock.advance(600)
        assert 5 <= seen.posts("replicasets") - before <= 25
        await it.client.delete(RESOURCE_QUOTA, "few", "default")
        await it.clock.advance(70)
        await roll(it)
        assert progress(await read(it)).reason == "NewReplicaSetAvailable"


async def test_one_that_goes_makes_nothing() -> None:
    async with deploying() as it:
        await make(it, replicas=2)
        held = {"metadata": {"finalizers": ["example.com/keep"]}}
        await it.client.merge(Deployment.resource, "web", "default", held)
        await it.client.delete(Deployment.resource, "web", "default")
        [found] = (await sets(it)).values()
        await it.client.delete(ReplicaSet.resource, found.metadata.name, "default")
        await change(it, template=template("two"))
        assert await sets(it) == {}


async def test_a_cache_that_lags() -> None:
    async with with_faults(Lagging, replica_sets, deployments) as (it, seen):
        await make(it, replicas=2)
        for _ in range(10):
            await it.clock.advance(5)
            await all_ready(it)
        assert (seen.posts("replicasets"), seen.posts("pods")) == (1, 2)
        await change(it, template=template("two"))
        for _ in range(40):
            await it.clock.advance(5)
            found = await pods(it)
            assert len(found) <= 3
            ready = [pod for pod in found if pod.status.conditions]
            assert len(ready) >= 2
            await all_ready(it)
        assert await images(it) == ["two", "two"]
        assert (seen.posts("replicasets"), seen.posts("pods")) == (2, 4)


class Losing(Lagging):
    """The answer to the first ReplicaSet gets lost."""

    lost = False

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not self.lost and request.method == "POST" and request.path.endswith("/replicasets"):
            self.lost = True
            raise ConnectionError("the connection broke")
        return response


async def test_a_set_whose_answer_was_lost_is_counted() -> None:
    """Another template comes before the cache shows it: there are never more pods than allowed."""
    async with with_faults(Losing, replica_sets, deployments) as (it, way):
        await it.client.create(Deployment.resource, body(replicas=4))
        while not way.lost:
            await it.clock.advance(1)
        await change(it, template=template("two"))
        for _ in range(40):
            asked = [s.spec.replicas for s in (await it.client.list(ReplicaSet, "default")).items]
            assert sum(asked) <= 5
            await it.clock.advance(5)
            await all_ready(it)
        assert await images(it) == ["two"] * 4


async def test_a_first_status_tells_of_the_first_pods() -> None:
    """It is one write, with what the set has told; without a set's word it comes a bit later."""
    told: list[str] = []
    async with deploying() as it:
        it.manager.informer(Deployment).subscribe(
            lambda old, new: told.append(new.metadata.resource_version) if new else None
        )
        made = await make(it, replicas=3)
        assert (made.status.replicas, len(told)) == (3, 2)
    async with controlled(lambda manager: manager.add(deployments(manager))) as it:
        assert (await make(it, replicas=3)).status.observed_generation == 0
        await it.clock.advance(6)
        made = await read(it)
        assert (made.status.observed_generation, made.status.replicas) == (1, 0)
        assert progress(made).reason == "NewReplicaSetCreated"


async def test_a_storm_of_conflicts_ends() -> None:
    async with with_faults(Stormy, replica_sets, deployments) as (it, seen):
        await make(it, replicas=2)
        await it.clock.advance(1500)
        await roll(it)
        await it.clock.advance(1500)
        assert seen.thrown == 20
        done = await read(it)
        assert done.status.available_replicas == 2
        assert progress(done).reason == "NewReplicaSetAvailable"


@pytest.mark.parametrize("turns", [3, 20, 90])
async def test_another_process_goes_on(turns: int) -> None:
    """It is ended again and again, in the middle of everything."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        await it.client.create(Deployment.resource, body(replicas=4))
        for number in range(8):
            manager = Manager(running.plane.client("argosy"), clock)
            both(manager)
            task = asyncio.create_task(manager.run())
            await settle(turns)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if number == 4:
                await change(it, template=template("two"))
            assert len(await pods(it)) <= 5
        both(running.manager)
        running.start()
        await roll(it)
        assert await images(it) == ["two"] * 4
        assert len(await sets(it)) <= 2
