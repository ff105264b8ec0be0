"""Endpoints follow services and pods."""

import pytest

from argosy.api.core import Pod, Service
from argosy.api.endpoints import Endpoints
from argosy.controllers.endpoints.legacy import MANAGED_BY, MANAGER, OVER, subsets
from argosy.controllers.endpoints.triggers import ANNOTATION
from argosy.testing.clock import settle
from tests.controllers.endpoints.kit import pod, service
from tests.controllers.endpoints.scene import endpoints, legacy, raw, run, say, serve


async def test_a_pod_comes_and_goes() -> None:
    async with endpoints() as it:
        await serve(it, labels={"x": "y"})
        found = await legacy(it)
        assert found is not None and found.subsets == ()
        assert found.metadata.labels == {"x": "y", MANAGED_BY: MANAGER}
        await run(it, "p", "10.0.0.1", ready=False)
        (body,) = [one for one in await raw(it, Endpoints.resource)]
        (subset,) = body["subsets"]
        (address,) = subset["notReadyAddresses"]
        assert (address["ip"], address["nodeName"]) == ("10.0.0.1", "n")
        assert (address["targetRef"]["kind"], address["targetRef"]["name"]) == ("Pod", "p")
        assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
        await it.clock.advance(5)
        await say(it, "p", "10.0.0.1", ready=True)
        found = await legacy(it)
        assert found is not None and [one.ip for one in found.subsets[0].addresses] == ["10.0.0.1"]
        assert found.metadata.annotations[ANNOTATION] == "2026-01-01T00:00:05Z"
        await it.client.delete(Pod.resource, "p", "default", grace=0)
        await settle()
        found = await legacy(it)
        assert found is not None and found.subsets == ()


async def test_what_others_do_to_them_is_mended() -> None:
    async with endpoints() as it:
        await serve(it)
        await run(it, "p", "10.0.0.1")
        marked = {"metadata": {"annotations": {OVER: "truncated", "mine": "1"}}, "subsets": []}
        await it.client.merge(Endpoints.resource, "s", "default", marked)
        await settle()
        found = await legacy(it)
        assert found is not None and len(found.subsets[0].addresses) == 1
        assert OVER not in found.metadata.annotations and found.metadata.annotations["mine"] == "1"
        await it.client.delete(Endpoints.resource, "s", "default")
        await settle()
        assert await legacy(it) is not None


async def test_they_go_with_their_service() -> None:
    async with endpoints() as it:
        await serve(it)
        await it.client.delete(Service.resource, "s", "default")
        await settle()
        assert await legacy(it) is None


async def test_what_users_make_goes_when_their_service_does_and_not_before() -> None:
    async with endpoints() as it:
        own = {
            "metadata": {"name": "own", "namespace": "default"},
            "subsets": [{"addresses": [{"ip": "10.9.9.9"}], "ports": [{"port": 1}]}],
        }
        await it.client.create(Endpoints.resource, own)
        await it.clock.advance(100)
        assert await legacy(it, "own") is not None
        await serve(it, "own", selector=None)
        found = await legacy(it, "own")
        assert found is not None and found.subsets[0].addresses[0].ip == "10.9.9.9"
        await it.client.delete(Service.resource, "own", "default")
        await settle()
        assert await legacy(it, "own") is None


@pytest.mark.parametrize(
    ("one", "published", "ready", "others"),
    [
        (pod("p", "10.0.0.1"), False, 1, 0),
        (pod("p", "10.0.0.1", ready=False), False, 0, 1),
        (pod("p", "10.0.0.1", ready=False), True, 1, 0),
        (pod("p", "10.0.0.1", going=True), False, 0, 0),
        (pod("p", "10.0.0.1", going=True), True, 1, 0),
        (pod("p", "fd00::1"), False, 0, 0),
    ],
)
def test_who_is_in_them(one: Pod, published: bool, ready: int, others: int) -> None:
    found = subsets(service(publish_not_ready_addresses=published), [one])
    assert sum(len(part.addresses) for part in found) == ready
    assert sum(len(part.not_ready_addresses) for part in found) == others


def test_headless_services_need_no_ports() -> None:
    of = service(cluster_ip="None")
    bare = Service(metadata=of.metadata, spec=type(of.spec)(cluster_ip="None"))
    (part,) = subsets(bare, [pod("p", "10.0.0.1")])
    assert (part.ports, len(part.addresses)) == ((), 1)
    (six,) = subsets(bare, [pod("p", "fd00::1")])
    assert six.addresses[0].ip == "fd00::1"
