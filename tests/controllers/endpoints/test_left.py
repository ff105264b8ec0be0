"""Endpoints of services that went while nobody looked."""

from argosy.api.core import Service
from argosy.api.endpoints import Endpoints
from argosy.controllers.endpoints.left import LEADER, left_endpoints
from argosy.controllers.endpoints.legacy import MANAGED_BY, MANAGER
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.endpoints.scene import LateServices, serve
from tests.controllers.faults import LAG, with_faults


async def test_what_was_left_before_the_start_goes() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as it:
        for name, notes in (("old", {}), ("leader", {LEADER: "{}"})):
            meta = {"name": name, "namespace": "default", "annotations": notes}
            await it.client.create(Endpoints.resource, {"metadata": meta})
        await clock.advance(10)
        it.manager.add(left_endpoints(it.manager))
        it.start()
        await settle()
        new = {"metadata": {"name": "new", "namespace": "default"}}
        await it.client.create(Endpoints.resource, new)
        await settle()
        found = (await it.client.list(Endpoints, "default")).items
        assert [one.metadata.name for one in found] == ["leader", "new"]


async def test_those_of_a_service_of_which_the_cache_does_not_know_stay() -> None:
    async with with_faults(LateServices, left_endpoints) as (it, _):
        await it.clock.advance(2 * LAG)  # the first list comes late, too
        await serve(it)
        meta = {"name": "s", "namespace": "default", "labels": {MANAGED_BY: MANAGER}}
        await it.client.create(Endpoints.resource, {"metadata": meta})
        for _ in range(2):
            await settle()
            assert await it.client.find(Endpoints, "s", "default") is not None
            await it.clock.advance(2 * LAG)
        await it.client.delete(Service.resource, "s", "default")
        await it.clock.advance(2 * LAG)
        assert await it.client.find(Endpoints, "s", "default") is None
