"""Endpoints that users make are to be seen as slices too."""

from typing import Any

from argosy.api.core import Service
from argosy.api.endpoints import Endpoints
from argosy.api.resources.core import EVENT
from argosy.controllers.endpoints.mirroring import MANAGER, MOST, SKIP
from argosy.testing.clock import settle
from tests.controllers.endpoints.scene import endpoints, raw, said, serve, slices
from tests.controllers.kit import Scene

Json = dict[str, Any]
PORTS = [{"port": 1}]


async def make(it: Scene, *subsets: Json, **meta: Any) -> None:
    body = {"metadata": {"name": "own", "namespace": "default", **meta}, "subsets": subsets}
    await it.client.create(Endpoints.resource, body)
    await settle()


async def test_each_family_has_a_slice() -> None:
    async with endpoints() as it:
        await serve(it, "own", selector=None)
        notes = {"mine": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
        subset = {
            "addresses": [{"ip": "10.9.9.9", "hostname": "h"}, {"ip": "fd00::1"}],
            "notReadyAddresses": [{"ip": "10.9.9.8"}],
            "ports": PORTS,
        }
        await make(it, subset, labels={"x": "y"}, annotations=notes)
        found = {piece.address_type: piece for piece in await slices(it)}
        assert said(found["IPv4"]) == {"10.9.9.9": True, "10.9.9.8": False}
        assert said(found["IPv6"]) == {"fd00::1": True}
        assert found["IPv4"].endpoints[0].hostname == "h"
        assert found["IPv4"].metadata.annotations == {"mine": "1"}
        assert found["IPv4"].metadata.labels == {
            "x": "y",
            "kubernetes.io/service-name": "own",
            "endpointslice.kubernetes.io/managed-by": MANAGER,
        }
        (owner,) = found["IPv4"].metadata.owner_references
        assert (owner.kind, owner.name) == ("Endpoints", "own")


async def test_changes_are_followed_in_the_same_slice() -> None:
    async with endpoints() as it:
        await serve(it, "own", selector=None)
        await make(it, {"addresses": [{"ip": "10.9.9.9"}], "ports": PORTS})
        (before,) = await slices(it)
        for subset in (
            {"addresses": [{"ip": "10.9.9.7"}], "ports": PORTS},
            {"addresses": [{"ip": "10.9.9.7"}], "ports": [{"port": 2}]},
        ):
            await it.client.merge(Endpoints.resource, "own", "default", {"subsets": [subset]})
            await settle()
            (piece,) = await slices(it)
            assert said(piece) == {"10.9.9.7": True}
            assert piece.metadata.name == before.metadata.name
        assert [port.port for port in piece.ports] == [2]
        await it.client.merge(Endpoints.resource, "own", "default", {"subsets": []})
        await settle()
        assert await slices(it) == []


async def test_a_second_look_writes_nothing() -> None:
    async with endpoints() as it:
        await serve(it, "own", selector=None)
        await make(it, {"addresses": [{"ip": "10.9.9.9"}, {"ip": "10.9.9.8"}], "ports": PORTS})
        (before,) = await slices(it)
        await it.client.merge(
            Service.resource, "own", "default", {"metadata": {"labels": {"a": "b"}}}
        )
        await settle()
        (after,) = await slices(it)
        assert after.metadata.resource_version == before.metadata.resource_version


async def test_what_is_not_mirrored() -> None:
    async with endpoints() as it:
        await make(it, {"addresses": [{"ip": "10.9.9.9"}], "ports": PORTS})
        assert await slices(it) == []  # no service
        await serve(it, "own", selector=None)
        assert len(await slices(it)) == 1
        for labels, number in (({SKIP: "true"}, 0), ({SKIP: None}, 1)):
            await it.client.merge(
                Endpoints.resource, "own", "default", {"metadata": {"labels": labels}}
            )
            await settle()
            assert len(await slices(it)) == number
        await it.client.merge(
            Service.resource, "own", "default", {"spec": {"selector": {"app": "a"}}}
        )
        await settle()
        managers = {piece.metadata.labels[name] for piece in await slices(it) for name in (KEPT,)}
        assert managers == {"endpointslice-controller.k8s.io"}


KEPT = "endpointslice.kubernetes.io/managed-by"


async def test_too_many_are_told_of() -> None:
    async with endpoints() as it:
        await serve(it, "own", selector=None)
        ips = [{"ip": f"10.1.{i // 250}.{i % 250 + 1}"} for i in range(MOST + 5)]
        await make(it, {"addresses": ips, "ports": PORTS})
        (piece,) = await slices(it)
        assert len(piece.endpoints) == MOST
        told = [one["message"] for one in await raw(it, EVENT)]
        assert told == [
            "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. "
            "5 addresses were skipped"
        ]
