"""StatefulSets on the embedded server: names, order, storage, updates, history."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from argosy.api.core import Event, Pod
from argosy.api.meta import owned
from argosy.api.revisions import ControllerRevision
from argosy.api.statefulsets import StatefulSet, StatefulSetStatus
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.clock import timestamp
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.http.message import Request, Response
from argosy.testing.clock import settle
from tests.controllers.faults import Lagging, with_faults
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
LABELS = {"app": "web"}
TEMPLATE = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "c", "image": "one"}]},
}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard",
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


@asynccontextmanager
async def sets() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(stateful_sets(manager))) as it:
        yield it


async def turn() -> None:
    await settle(600)


async def make(it: Scene, **spec: Any) -> StatefulSet:
    given = {
        "replicas": 3,
        "serviceName": "web",
        "selector": {"matchLabels": LABELS},
        "template": TEMPLATE,
        **spec,
    }
    body = {"metadata": {"name": "web", "namespace": "default"}, "spec": given}
    await it.client.create(StatefulSet.resource, body)
    await turn()
    return await it.client.get(StatefulSet, "web", "default")


async def change(it: Scene, **spec: Any) -> None:
    await it.client.merge(StatefulSet.resource, "web", "default", {"spec": spec})
    await turn()


async def image(it: Scene, name: str) -> None:
    containers = [{"name": "c", "image": name}]
    await change(it, template={"spec": {"containers": containers}})


async def pods(it: Scene) -> dict[str, Pod]:
    found = (await it.client.list(Pod, "default")).items
    return {pod.metadata.name: pod for pod in sorted(found, key=lambda pod: pod.key)}


async def images(it: Scene) -> dict[str, str]:
    return {name: pod.spec.containers[0].image for name, pod in (await pods(it)).items()}


async def say(it: Scene, name: str, *, ready: bool = True, phase: str = "Running") -> None:
    """The node tells how a pod is."""
    since = timestamp(it.clock.now())
    told = {"type": "Ready", "status": str(ready), "lastTransitionTime": since}
    patch = {"status": {"phase": phase, "conditions": [told]}}
    await it.client.merge(Pod.resource, name, "default", patch, subresource="status")
    await turn()


async def all_up(it: Scene) -> list[str]:
    """Every pod becomes ready as soon as it is there; in which order they came."""
    seen: list[str] = []
    while True:
        waiting = [n for n, pod in (await pods(it)).items() if pod.status.phase == "Pending"]
        if not waiting:
            return seen
        for name in waiting:
            seen.append(name)
            await say(it, name)


async def status(it: Scene) -> StatefulSetStatus:
    await turn()
    return (await it.client.get(StatefulSet, "web", "default")).status


async def claims(it: Scene) -> dict[str, PersistentVolumeClaim]:
    found = (await it.client.list(PersistentVolumeClaim, "default")).items
    return {claim.metadata.name: claim for claim in found}


async def test_ordered_pods_come_one_after_the_other() -> None:
    async with sets() as it:
        await make(it)
        assert list(await pods(it)) == ["web-0"]
        await say(it, "web-0", ready=False)
        assert list(await pods(it)) == ["web-0"]
        await say(it, "web-0")
        assert list(await pods(it)) == ["web-0", "web-1"]
        assert await all_up(it) == ["web-1", "web-2"]
        told = await status(it)
        assert (told.replicas, told.ready_replicas, told.available_replicas) == (3, 3, 3)
        assert (told.current_replicas, told.updated_replicas) == (3, 3)
        assert told.current_revision == told.update_revision != ""
        assert (told.collision_count, told.observed_generation) == (0, 1)


async def test_a_pod_knows_who_it_is() -> None:
    async with sets() as it:
        owner = await make(it, replicas=1, ordinals={"start": 5}, volumeClaimTemplates=[CLAIM])
        pod = (await pods(it))["web-5"]
        assert (pod.spec.hostname, pod.spec.subdomain) == ("web-5", "web")
        assert pod.metadata.labels == {
            **LABELS,
            "statefulset.kubernetes.io/pod-name": "web-5",
            "apps.kubernetes.io/pod-index": "5",
            "controller-revision-hash": owner.status.update_revision,
        }
        assert pod.controller is not None and pod.controller.uid == owner.metadata.uid
        [mounted] = [item for item in pod.spec.volumes if item["name"] == "data"]
        assert mounted["persistentVolumeClaim"]["claimName"] == "data-web-5"
        claim = (await claims(it))["data-web-5"]
        assert claim.metadata.labels == LABELS and claim.metadata.owner_references == ()
        events = (await it.client.list(Event)).items
        assert {(event.reason, event.message) for event in events} == {
            ("SuccessfulCreate", "Create Claim data-web-5 Pod web-5 in StatefulSet web success"),
            ("SuccessfulCreate", "Create Pod web-5 in StatefulSet web successful"),
        }


async def test_parallel_pods_come_and_go_at_once() -> None:
    async with sets() as it:
        await make(it, podManagementPolicy="Parallel")
        assert list(await pods(it)) == ["web-0", "web-1", "web-2"]
        await change(it, replicas=0)
        assert await pods(it) == {}


async def test_scaling_down_takes_the_highest_first_and_waits_for_the_others() -> None:
    async with sets() as it:
        await make(it)
        await all_up(it)
        await say(it, "web-0", ready=False)
        await change(it, replicas=1)
        assert list(await pods(it)) == ["web-0", "web-1", "web-2"]
        await say(it, "web-0")
        assert list(await pods(it)) == ["web-0"]
        assert (await status(it)).replicas == 1


async def test_an_update_goes_from_the_highest_down() -> None:
    async with sets() as it:
        before = (await make(it)).status.update_revision
        await all_up(it)
        await image(it, "two")
        assert list(await pods(it)) == ["web-0", "web-1", "web-2"]
        assert await images(it) == {"web-0": "one", "web-1": "one", "web-2": "two"}
        told = await status(it)
        assert (told.current_replicas, told.updated_replicas) == (2, 1)
        assert told.current_revision == before != told.update_revision
        assert await all_up(it) == ["web-2", "web-1", "web-0"]
        assert set((await images(it)).values()) == {"two"}
        told = await status(it)
        assert told.current_revision == told.update_revision != before
        assert (told.current_replicas, told.updated_replicas) == (3, 3)


async def test_a_partition_keeps_the_lower_ones() -> None:
    async with sets() as it:
        await make(it, updateStrategy={"rollingUpdate": {"partition": 2}})
        await all_up(it)
        await image(it, "two")
        await all_up(it)
        assert await images(it) == {"web-0": "one", "web-1": "one", "web-2": "two"}
        await it.client.delete(Pod.resource, "web-0", "default")
        await it.client.delete(Pod.resource, "web-2", "default")
        await turn()
        await all_up(it)
        assert await images(it) == {"web-0": "one", "web-1": "one", "web-2": "two"}
        await change(it, updateStrategy={"rollingUpdate": {"partition": 0}})
        await all_up(it)
        assert set((await images(it)).values()) == {"two"}


async def test_several_may_be_unavailable() -> None:
    async with sets() as it:
        rolling = {"rollingUpdate": {"maxUnavailable": 2}}
        await make(it, podManagementPolicy="Parallel", updateStrategy=rolling)
        await all_up(it)
        await image(it, "two")
        assert await images(it) == {"web-0": "one", "web-1": "two", "web-2": "two"}


async def test_on_delete_updates_what_somebody_deletes() -> None:
    async with sets() as it:
        await make(it, updateStrategy={"type": "OnDelete"})
        await all_up(it)
        await image(it, "two")
        assert set((await images(it)).values()) == {"one"}
        await it.client.delete(Pod.resource, "web-1", "default")
        await turn()
        assert (await images(it))["web-1"] == "two"


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_a_pod_that_has_ended_is_made_anew(phase: str) -> None:
    async with sets() as it:
        await make(it, replicas=1)
        first = (await pods(it))["web-0"]
        await say(it, "web-0", ready=False, phase=phase)
        second = (await pods(it))["web-0"]
        assert second.metadata.uid != first.metadata.uid and second.status.phase == "Pending"


async def test_available_is_who_was_ready_for_long_enough() -> None:
    async with sets() as it:
        await make(it, replicas=2, minReadySeconds=10)
        await say(it, "web-0")
        assert list(await pods(it)) == ["web-0"]
        told = await status(it)
        assert (told.ready_replicas, told.available_replicas) == (1, 0)
        await it.clock.advance(10)
        await turn()
        assert list(await pods(it)) == ["web-0", "web-1"]
        assert (await status(it)).available_replicas == 1


async def test_a_revision_that_comes_back_is_the_newest_again() -> None:
    async with sets() as it:
        first = (await make(it, replicas=1)).status.update_revision
        await image(it, "two")
        await image(it, "one")
        assert (await status(it)).update_revision == first
        found = (await it.client.list(ControllerRevision, "default")).items
        assert sorted(item.revision for item in found) == [2, 3]
        newest = max(found, key=lambda item: item.revision)
        assert newest.metadata.name == first
        assert newest.data["spec"]["template"]["$patch"] == "replace"
        assert newest.metadata.labels["controller.kubernetes.io/hash"] == first.removeprefix("web-")


async def test_history_is_as_long_as_it_may_be() -> None:
    async with sets() as it:
        await make(it, replicas=1, revisionHistoryLimit=1)
        for name in ("two", "three", "four", "five"):
            await image(it, name)
            await all_up(it)
        found = (await it.client.list(ControllerRevision, "default")).items
        assert sorted(item.revision for item in found) == [4, 5]


async def test_a_name_that_is_taken_by_another_revision_is_left_to_it() -> None:
    async with sets() as it:
        first = (await make(it, replicas=1)).status.update_revision
        await it.client.delete(StatefulSet.resource, "web", "default")
        await it.client.delete(Pod.resource, "web-0", "default")
        strange = {"metadata": {"ownerReferences": None, "labels": None}}
        await it.client.merge(ControllerRevision.resource, first, "default", strange)
        await make(it, replicas=1)
        told = await status(it)
        assert told.update_revision != first and told.collision_count == 1


async def test_orphans_are_adopted_by_name_and_labels() -> None:
    async with sets() as it:
        made = await make(it, replicas=2)
        await all_up(it)
        for name in ("web-0", "web-1"):
            patch = {"metadata": {"ownerReferences": None}}
            await it.client.merge(Pod.resource, name, "default", patch)
        patch = {"metadata": {"ownerReferences": None}}
        revision = made.status.update_revision
        await it.client.merge(ControllerRevision.resource, revision, "default", patch)
        stranger = {"metadata": {"name": "other-0", "namespace": "default", "labels": LABELS}}
        await it.client.create(Pod.resource, {**stranger, "spec": TEMPLATE["spec"]})
        await turn()
        found = await pods(it)
        for name in ("web-0", "web-1"):
            owner = found[name].controller
            assert owner is not None and owner.uid == made.metadata.uid
        assert found["other-0"].controller is None
        kept = await it.client.get(ControllerRevision, revision, "default")
        assert kept.controller is not None


async def test_a_pod_that_lost_its_label_gets_it_back() -> None:
    async with sets() as it:
        await make(it, replicas=1)
        await all_up(it)
        label = "statefulset.kubernetes.io/pod-name"
        patch: Json = {"metadata": {"labels": {label: None}}}
        await it.client.merge(Pod.resource, "web-0", "default", patch)
        await turn()
        assert (await pods(it))["web-0"].metadata.labels[label] == "web-0"


@pytest.mark.parametrize(
    ("policy", "running", "scaled"),
    [
        ({}, "", ""),
        ({"whenDeleted": "Delete"}, "StatefulSet", "StatefulSet"),
        ({"whenScaled": "Delete"}, "", "Pod"),
        ({"whenDeleted": "Delete", "whenScaled": "Delete"}, "StatefulSet", "Pod"),
    ],
)
async def test_owners_of_claims_follow_the_policy(policy: Json, running: str, scaled: str) -> None:
    async with sets() as it:
        await make(
            it,
            volumeClaimTemplates=[CLAIM],
            persistentVolumeClaimRetentionPolicy=policy,
            replicas=1,
        )
        await all_up(it)

        async def owner() -> str:
            found = (await claims(it))["data-web-0"].controller
            return found.kind if found is not None else ""

        assert await owner() == running
        await change(it, replicas=0)
        assert await pods(it) == {} and await owner() == scaled


async def test_a_policy_that_changes_changes_owners() -> None:
    async with sets() as it:
        made = await make(it, volumeClaimTemplates=[CLAIM], replicas=1)
        await all_up(it)
        await change(it, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
        [claim] = (await claims(it)).values()
        assert claim.controller is not None and claim.controller.uid == made.metadata.uid
        await change(it, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain"})
        [claim] = (await claims(it)).values()
        assert claim.metadata.owner_references == ()


async def test_storage_that_is_on_its_way_out_is_waited_for() -> None:
    async with sets() as it:
        meta = {"name": "data-web-0", "namespace": "default", "finalizers": ["example.com/keep"]}
        await it.client.create(PersistentVolumeClaim.resource, {**CLAIM, "metadata": meta})
        await it.client.delete(PersistentVolumeClaim.resource, "data-web-0", "default")
        await make(it, replicas=1, volumeClaimTemplates=[CLAIM])
        assert await pods(it) == {}
        [event] = (await it.client.list(Event)).items
        assert event.message.endswith("failed error: pvc data-web-0 is being deleted")
        patch: Json = {"metadata": {"finalizers": None}}
        await it.client.merge(PersistentVolumeClaim.resource, "data-web-0", "default", patch)
        await turn()
        assert list(await pods(it)) == ["web-0"] and list(await claims(it)) == ["data-web-0"]


async def test_storage_of_an_earlier_pod_is_not_taken() -> None:
    async with sets() as it:
        gone = {"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "earlier"}
        meta = {"name": "data-web-0", "namespace": "default", "ownerReferences": [gone]}
        await it.client.create(PersistentVolumeClaim.resource, {**CLAIM, "metadata": meta})
        policy = {"whenScaled": "Delete"}
        await make(
            it,
            replicas=1,
            volumeClaimTemplates=[CLAIM],
            persistentVolumeClaimRetentionPolicy=policy,
        )
        assert await pods(it) == {}
        await it.client.delete(PersistentVolumeClaim.resource, "data-web-0", "default")
        await turn()
        assert list(await pods(it)) == ["web-0"]


async def test_a_claim_that_somebody_else_controls_is_left_to_them() -> None:
    async with sets() as it:
        made = await make(it, replicas=1, volumeClaimTemplates=[CLAIM])
        await all_up(it)
        other = {**owned(made), "kind": "Other", "name": "o", "uid": "other"}
        patch = {"metadata": {"ownerReferences": [other]}}
        await it.client.merge(PersistentVolumeClaim.resource, "data-web-0", "default", patch)
        await change(it, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
        [claim] = (await claims(it)).values()
        assert [ref.uid for ref in claim.metadata.owner_references] == ["other"]


async def test_a_set_that_is_going_makes_nothing() -> None:
    async with sets() as it:
        await make(it)
        await all_up(it)
        keep = {"metadata": {"finalizers": ["example.com/keep"]}}
        await it.client.merge(StatefulSet.resource, "web", "default", keep)
        await it.client.delete(StatefulSet.resource, "web", "default")
        await it.client.delete(Pod.resource, "web-1", "default")
        await turn()
        assert list(await pods(it)) == ["web-0", "web-2"]
        assert (await status(it)).replicas == 2


async def test_what_the_api_refuses_is_told_and_tried_again() -> None:
    async with sets() as it:
        quota = {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "1"}}}
        path = "/api/v1/namespaces/default/resourcequotas"
        await it.client.call(
            "POST", path, {}, {"apiVersion": "v1", "kind": "ResourceQuota", **quota}
        )
        await make(it, podManagementPolicy="Parallel")
        assert list(await pods(it)) == ["web-0"]
        events = [e for e in (await it.client.list(Event)).items if e.reason == "FailedCreate"]
        assert events and "exceeded quota" in events[0].message
        await it.client.call("DELETE", f"{path}/q")
        await it.clock.advance(60)
        await turn()
        assert list(await pods(it)) == ["web-0", "web-1", "web-2"]


class Losing(Lagging):
    """The answer to the first deletion of a pod gets lost, after something else was done."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if self.meanwhile is None or request.method != "DELETE" or "/pods/" not in request.path:
            return response
        done, self.meanwhile = self.meanwhile(), None
        await done
        raise ConnectionError("the connection broke")


async def test_a_pod_whose_deletion_was_not_answered_is_not_taken_to_be_there() -> None:
    """The set grows before the cache shows it: the pod that is missing comes first."""
    async with with_faults(Losing, stateful_sets) as (it, way):
        await make(it, replicas=2)
        for _ in range(6):
            await it.clock.advance(5)
            await all_up(it)
        assert list(await pods(it)) == ["web-0", "web-1"]
        way.meanwhile = partial(change, it, replicas=3)
        await image(it, "two")
        came = []
        for _ in range(40):
            await it.clock.advance(1)
            came += await all_up(it)
        assert came == ["web-1", "web-2", "web-0"]
