"""Resource claims made from templates: one for each pod and entry, as long as the pod runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import Event, Pod
from argosy.api.dra import ResourceClaim, ResourceClaimTemplate
from argosy.api.meta import owned
from argosy.controllers.resourceclaims import claim_name, resource_claims
from argosy.testing.clock import settle
from tests.controllers.faults import LAG, Lagging, with_faults
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
DEVICES = {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.argosy.dev"}}]}
GPU = {"name": "gpu", "resourceClaimTemplateName": "t"}


@asynccontextmanager
async def claiming() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(resource_claims(manager))) as it:
        yield it


async def make_template(it: Scene, name: str = "t", **meta: Any) -> None:
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"metadata": meta, "spec": {"devices": DEVICES}},
    }
    await it.client.create(ResourceClaimTemplate.resource, body)
    await settle()


async def claims(it: Scene) -> list[ResourceClaim]:
    await settle()
    return (await it.client.list(ResourceClaim, "default")).items


async def told(it: Scene, name: str = "p") -> dict[str, str]:
    """The claims that the pod's status names."""
    await settle()
    pod = await it.client.get(Pod, name, "default")
    return {item.name: item.resource_claim_name for item in pod.status.resource_claim_statuses}


async def test_each_entry_gets_a_claim_of_its_own() -> None:
    async with claiming() as it:
        await make_template(it, labels={"team": "a"}, annotations={"note": "b"})
        other = {"name": "more", "resourceClaimTemplateName": "t"}
        pod = await it.make_pod("p", GPU, other, {"name": "own", "resourceClaimName": "mine"})
        found = await claims(it)
        assert await told(it) == {name: claim_name(pod, name) for name in ("gpu", "more")}
        assert sorted(item.metadata.name for item in found) == sorted((await told(it)).values())
        first = next(c for c in found if c.metadata.name == claim_name(pod, "gpu"))
        assert first.metadata.labels == {"team": "a"}
        assert first.metadata.annotations == {
            "note": "b",
            "resource.kubernetes.io/pod-claim-name": "gpu",
        }
        assert first.controller is not None and first.controller.uid == pod.metadata.uid
        assert first.spec.devices.requests[0].name == "gpu"


async def test_names_tell_pods_and_entries_apart_and_stay() -> None:
    async with claiming() as it:
        await make_template(it)
        first = await it.make_pod("p", GPU)
        assert claim_name(first, "gpu") == claim_name(first, "gpu") != claim_name(first, "more")
        await it.client.delete(Pod.resource, "p", "default")
        second = await it.make_pod("p", GPU)
        assert claim_name(first, "gpu") != claim_name(second, "gpu")
        assert await told(it) == {"gpu": claim_name(second, "gpu")}


async def test_a_template_that_comes_late() -> None:
    async with claiming() as it:
        await make_template(it, "there")
        late = {"name": "late", "resourceClaimTemplateName": "t"}
        there = {"name": "there", "resourceClaimTemplateName": "there"}
        pod = await it.make_pod("p", late, there)
        assert list(await told(it)) == ["there"]
        [event] = (await it.client.list(Event)).items
        assert (event.type, event.reason) == ("Warning", "FailedResourceClaimCreation")
        assert event.message == 'resource claim template "t" not found'
        await make_template(it)
        assert await told(it) == {name: claim_name(pod, name) for name in ("late", "there")}


async def test_a_claim_that_is_there_is_kept_though_its_template_went() -> None:
    async with claiming() as it:
        await make_template(it)
        pod = await it.make_pod("p", GPU)
        await it.client.delete(ResourceClaimTemplate.resource, "t", "default")
        patch: Json = {"status": {"resourceClaimStatuses": None}}
        await it.client.merge(Pod.resource, "p", "default", patch, subresource="status")
        assert await told(it) == {"gpu": claim_name(pod, "gpu")}
        assert len(await claims(it)) == 1


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_a_pod_that_has_ended_lets_go_of_its_claims(phase: str) -> None:
    async with claiming() as it:
        await make_template(it)
        await it.make_pod("p", GPU)
        await it.make_pod("q", GPU)
        await it.end("p", phase)
        [left] = await claims(it)
        assert left.metadata.name == (await told(it, "q"))["gpu"]
        await it.clock.advance(60)
        assert len(await claims(it)) == 1  # none is made for a pod that is done


async def test_a_pod_under_deletion_gets_no_claim() -> None:
    async with claiming() as it:
        await it.make_pod("p", GPU, finalizers=["example.com/keep"])
        await it.client.delete(Pod.resource, "p", "default")
        await make_template(it)
        assert await claims(it) == []


async def test_a_claim_of_somebody_else_is_not_deleted() -> None:
    async with claiming() as it:
        await make_template(it)
        pod = await it.make_pod("p", GPU)
        [claim] = await claims(it)
        other = {**owned(pod), "uid": "another", "name": "another"}
        patch = {"metadata": {"ownerReferences": [other]}}
        await it.client.merge(ResourceClaim.resource, claim.metadata.name, "default", patch)
        await it.end("p")
        assert len(await claims(it)) == 1


async def test_pods_without_claims_are_left_alone() -> None:
    async with claiming() as it:
        before = await it.make_pod("p")
        await it.end("p")
        after = await it.client.get(Pod, "p", "default")
        assert int(after.metadata.resource_version) == int(before.metadata.resource_version) + 1


async def test_a_pod_that_is_gone_gets_none_though_the_cache_has_it() -> None:
    """It would be collected, and made again and again."""
    async with with_faults(Lagging, resource_claims) as (it, _):
        await it.clock.advance(2 * LAG)  # the first list comes late, too
        await make_template(it)
        pod = await it.make_pod("p", GPU)
        await it.clock.advance(1.1 * LAG)
        [claim] = await claims(it)
        await it.client.delete(Pod.resource, pod.metadata.name, "default", grace=0)
        await it.client.delete(ResourceClaim.resource, claim.metadata.name, "default")
        assert await claims(it) == []
        await it.clock.advance(3 * LAG)
        assert await claims(it) == []


@pytest.mark.parametrize("ours", [True, False])
async def test_a_claim_that_is_there_and_not_seen_yet(ours: bool) -> None:
    async with with_faults(Lagging, resource_claims) as (it, _):
        await it.clock.advance(2 * LAG)  # the first list comes late, too
        await make_template(it)
        pod = await it.make_pod("p", GPU)
        name = claim_name(pod, "gpu")
        owners = [owned(pod)] if ours else []
        meta = {"name": name, "namespace": "default", "ownerReferences": owners}
        await it.clock.advance(LAG / 2)
        await it.client.create(
            ResourceClaim.resource, {"metadata": meta, "spec": {"devices": DEVICES}}
        )
        await it.clock.advance(LAG * 0.6)
        assert await told(it) == ({"gpu": name} if ours else {})
        [claim] = await claims(it)
        assert (claim.controller is not None) is ours
