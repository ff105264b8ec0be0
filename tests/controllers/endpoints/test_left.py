"""Endpoints of services that went while nobody looked."""

from argosy.api.endpoints import Endpoints
from argosy.controllers.endpoints.left import LEADER, left_endpoints
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster


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
