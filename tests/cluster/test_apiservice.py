"""The Service by which clients in the cluster look for the API server."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Service
from argosy.api.resource import Resource
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.cluster.apiservice import PAUSE, ServicePublisher
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]


def publisher(parts: Cluster, url: str, clock: FakeClock | None = None) -> ServicePublisher:
    return ServicePublisher(parts.client, clock or FakeClock(), url)


async def found(parts: Cluster, resource: Resource) -> list[Json]:
    listed = msgspec.json.decode(await parts.client.call("GET", resource.path("", "default")))
    return list(listed["items"])


async def test_it_is_as_upstream_shows_it() -> None:
    async with cluster() as parts:
        await publisher(parts, "https://192.0.2.7:6443").publish()
        (service,) = await found(parts, SERVICE)
        assert service["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
        assert service["spec"] == {
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        }
        ((subset,),) = [one["subsets"] for one in await found(parts, ENDPOINTS)]
        assert subset["addresses"] == [{"ip": "192.0.2.7"}]
        (piece,) = await found(parts, ENDPOINT_SLICE)
        assert piece["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
        assert [one["addresses"] for one in piece["endpoints"]] == [["192.0.2.7"]]
        assert [port["port"] for port in piece["ports"]] == [6443]


@pytest.mark.parametrize("url", ["https://127.0.0.1:6443", "https://[::1]:6443"])
async def test_an_address_of_this_machine_alone_stands_in_no_endpoints(url: str) -> None:
    async with cluster() as parts:
        await publisher(parts, "https://192.0.2.7:6443").publish()
        await publisher(parts, url).publish()
        assert len(await found(parts, SERVICE)) == 1
        assert await found(parts, ENDPOINTS) == await found(parts, ENDPOINT_SLICE) == []


async def test_it_comes_back_and_follows_the_server() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as parts:
        parts.manager.add_runner(publisher(parts, "https://127.0.0.1:7443", clock).run)
        parts.start()
        await settle()
        await parts.client.delete(Service.resource, "kubernetes", "default")
        await clock.advance(PAUSE)
        (service,) = await found(parts, SERVICE)
        assert service["spec"]["ports"][0]["targetPort"] == 7443


async def test_what_is_refused_is_tried_again() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as parts:
        spec = {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}
        thief = {"metadata": {"name": "thief", "namespace": "default"}, "spec": spec}
        await parts.client.create(SERVICE, thief)
        parts.manager.add_runner(publisher(parts, "https://127.0.0.1:7443", clock).run)
        parts.start()
        await settle()
        assert [one["metadata"]["name"] for one in await found(parts, SERVICE)] == ["thief"]
        await parts.client.delete(SERVICE, "thief", "default")
        await clock.advance(PAUSE)
        assert [one["metadata"]["name"] for one in await found(parts, SERVICE)] == ["kubernetes"]
