"""Claims of pods' own, which come and go with them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Event, Pod
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.ephemeralvolumes import ephemeral_volumes
from argosy.testing.clock import settle
from tests.controllers.faults import LAG, Lagging, with_faults
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
CLAIM = PersistentVolumeClaim
SPEC: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@asynccontextmanager
async def making() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(ephemeral_volumes(manager))) as it:
        yield it


async def make_pod(it: Scene, **metadata: object) -> Pod:
    template = {"metadata": metadata, "spec": SPEC}
    volumes = [
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}},
        {"name": "empty", "emptyDir": {}},
    ]
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    body = {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}
    await it.client.create(Pod.resource, body)
    await settle()
    return await it.client.get(Pod, "p", "default")


async def test_a_pod_gets_its_claim_as_the_template_has_it() -> None:
    async with making() as it:
        pod = await make_pod(it, labels={"a": "b"}, annotations={"c": "d"})
        [claim] = (await it.client.list(CLAIM)).items
        assert claim.metadata.name == "p-scratch"
        assert claim.metadata.labels == {"a": "b"}
        assert claim.metadata.annotations["c"] == "d"
        assert claim.controller is not None
        assert claim.controller.uid == pod.metadata.uid
        assert claim.controller.block_owner_deletion is True


async def test_a_claim_that_somebody_deletes_is_made_anew() -> None:
    async with making() as it:
        await make_pod(it)
        [first] = (await it.client.list(CLAIM)).items
        await it.client.delete(CLAIM.resource, "p-scratch", "default")
        await settle()
        [second] = (await it.client.list(CLAIM)).items
        assert second.metadata.uid != first.metadata.uid


async def test_somebody_elses_claim_is_not_taken() -> None:
    async with making() as it:
        body = {"metadata": {"name": "p-scratch", "namespace": "default"}, "spec": SPEC}
        await it.client.create(CLAIM.resource, body)
        await make_pod(it)
        [event] = (await it.client.list(Event)).items
        assert (event.reason, event.type) == ("FailedBinding", "Warning")
        assert event.message == (
            "ephemeral volume scratch: PVC default/p-scratch was not created for pod default/p "
            "(pod is not owner)"
        )
        [claim] = (await it.client.list(CLAIM)).items
        assert claim.controller is None


async def test_a_pod_that_goes_or_has_ended_gets_none() -> None:
    async with making() as it:
        await make_pod(it)
        status = {"status": {"phase": "Succeeded"}}
        await it.client.merge(Pod.resource, "p", "default", status, subresource="status")
        await it.client.delete(CLAIM.resource, "p-scratch", "default")
        await settle()
        assert (await it.client.list(CLAIM)).items == []


async def test_a_claim_that_is_refused_is_told_of_and_tried_again() -> None:
    async with making() as it:
        quota = {"hard": {"persistentvolumeclaims": "0"}}
        where = "/api/v1/namespaces/default/resourcequotas"
        body = {"metadata": {"name": "none"}, "spec": quota, "status": {"hard": quota["hard"]}}
        await it.client.call("POST", where, None, body)
        await make_pod(it)
        [event] = (await it.client.list(Event)).items
        assert event.message.startswith("ephemeral volume scratch: create PVC p-scratch: ")
        assert "exceeded quota: none" in event.message
        await it.client.call("DELETE", f"{where}/none")
        await it.clock.advance(60)
        assert len((await it.client.list(CLAIM)).items) == 1


async def test_a_pod_that_is_gone_gets_none_though_the_cache_has_it() -> None:
    """It would be collected, and made again and again."""
    async with with_faults(Lagging, ephemeral_volumes) as (it, way):
        await it.clock.advance(2 * LAG)  # the first list comes late, too
        pod = await make_pod(it)
        await it.clock.advance(2 * LAG)
        [claim] = (await it.client.list(CLAIM, "default")).items
        await it.client.delete(Pod.resource, pod.metadata.name, "default", grace=0)
        await it.client.delete(CLAIM.resource, claim.metadata.name, "default")
        await settle()
        assert (await it.client.list(CLAIM, "default")).items == []
        assert way.posts("persistentvolumeclaims") == 1
