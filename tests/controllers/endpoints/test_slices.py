"""Slices follow services and pods."""

import logging

import pytest

from argosy.api.core import Namespace, Node, Pod, Service
from argosy.api.endpoints import Endpoints, EndpointSlice
from argosy.api.resources.core import EVENT
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.controllers.endpoints.slices import (
    NODE_PATIENCE,
    selected_by_services,
    service_slices,
)
from argosy.controllers.endpoints.triggers import ANNOTATION
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle
from tests.controllers.endpoints.scene import (
    LateServices,
    endpoints,
    raw,
    run,
    said,
    say,
    serve,
    slices,
)
from tests.controllers.faults import LAG, with_faults

START = "2026-01-01T00:00:00Z"


async def test_a_pod_comes_and_goes() -> None:
    async with endpoints() as it:
        await serve(it)
        (empty,) = await slices(it)
        assert empty.endpoints == () and empty.metadata.annotations[ANNOTATION] == START
        await run(it, "p", "10.0.0.1", ready=False)
        (piece,) = await slices(it)
        assert said(piece) == {"10.0.0.1": False}
        assert piece.metadata.name == empty.metadata.name
        await it.clock.advance(5)
        await say(it, "p", "10.0.0.1", ready=True)
        (piece,) = await slices(it)
        assert said(piece) == {"10.0.0.1": True}
        assert piece.metadata.annotations[ANNOTATION] == "2026-01-01T00:00:05Z"
        assert piece.endpoints[0].zone == "z"
        await it.client.delete(Pod.resource, "p", "default", grace=0)
        await settle()
        (piece,) = await slices(it)
        assert piece.endpoints == () and ANNOTATION not in piece.metadata.annotations


async def test_what_a_slice_says_of_its_service() -> None:
    async with endpoints() as it:
        await serve(it, labels={"x": "y"})
        (body,) = await raw(it, ENDPOINT_SLICE)
        meta = body["metadata"]
        assert meta["generateName"] == "s-" and meta["name"].startswith("s-")
        assert meta["labels"] == {
            "x": "y",
            "kubernetes.io/service-name": "s",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        (owner,) = meta["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["controller"]) == ("Service", "s", True)


async def test_labels_that_pods_and_services_change() -> None:
    async with endpoints() as it:
        await serve(it)
        await run(it, "p", "10.0.0.1")
        other = {"metadata": {"labels": {"app": "b"}}}
        await it.client.merge(Pod.resource, "p", "default", other)
        await settle()
        assert [said(piece) for piece in await slices(it)] == [{}]
        patch = {"metadata": {"labels": {"x": "y"}}, "spec": {"selector": {"app": "b"}}}
        await it.client.merge(Service.resource, "s", "default", patch)
        await settle()
        (piece,) = await slices(it)
        assert said(piece) == {"10.0.0.1": True} and piece.metadata.labels["x"] == "y"


async def test_what_others_do_to_slices_is_mended() -> None:
    async with endpoints() as it:
        await serve(it)
        await run(it, "p", "10.0.0.1")
        (piece,) = await slices(it)
        lie = {"endpoints": [{"addresses": ["10.0.0.66"]}]}
        await it.client.merge(ENDPOINT_SLICE, piece.metadata.name, "default", lie)
        await settle()
        assert [said(one) for one in await slices(it)] == [{"10.0.0.1": True}]
        await it.client.delete(ENDPOINT_SLICE, piece.metadata.name, "default")
        await settle()
        assert [said(one) for one in await slices(it)] == [{"10.0.0.1": True}]


async def test_services_that_select_nothing_are_left_alone() -> None:
    async with endpoints() as it:
        await serve(it, "bare", selector=None)
        await serve(it, "away", type="ExternalName", externalName="x.example.com", ports=[])
        own = {
            "metadata": {
                "name": "mine",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "bare"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.9.9.9"]}],
        }
        await it.client.create(ENDPOINT_SLICE, own)
        await settle()
        (piece,) = await slices(it)
        assert said(piece) == {"10.9.9.9": None}


async def test_a_pod_whose_node_comes_later() -> None:
    async with endpoints() as it:
        await it.client.delete(Node.resource, "n")
        await serve(it)
        await run(it, "p", "10.0.0.1")
        assert [said(piece) for piece in await slices(it)] == [{}]
        await it.client.create(Node.resource, {"metadata": {"name": "n"}})
        await it.clock.advance(NODE_PATIENCE + 1)
        assert [said(piece) for piece in await slices(it)] == [{"10.0.0.1": True}]


async def test_large_services_are_not_written_at_each_change() -> None:
    """A hundred changes of a service with 120 pods: nobody needs a hundred writes."""
    async with endpoints() as it:
        await serve(it)
        for i in range(120):
            await run(it, f"p{i}", f"10.0.0.{i + 1}", ready=False)
        await it.clock.advance(1)
        before = sum(one.metadata.generation for one in await slices(it))
        for i in range(100):
            await say(it, f"p{i}", f"10.0.0.{i + 1}", ready=True)
        await it.clock.advance(1)
        pieces = await slices(it)
        assert sum(list(said(piece).values()).count(True) for piece in pieces) == 100
        assert sum(one.metadata.generation for one in pieces) - before <= 6


async def test_a_slice_is_of_its_own_version() -> None:
    """The view takes what the server stores of slices that users write badly."""
    async with endpoints() as it:
        bad = {
            "metadata": {"name": "x", "namespace": "default", "labels": None},
            "addressType": "IPv4",
            "endpoints": None,
            "ports": None,
        }
        await it.client.create(ENDPOINT_SLICE, bad)
        found = await it.client.get(EndpointSlice, "x", "default")
        assert (found.endpoints, found.ports) == ((), ())


async def test_a_namespace_that_goes_gets_nothing_new(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is it tried again and again."""
    caplog.set_level(logging.INFO, "argosy.runtime.controller")
    async with endpoints() as it:
        meta = {"name": "s", "namespace": "going"}
        spec = {"selector": {"app": "a"}, "ports": [{"port": 80}]}
        await it.client.create(Namespace.resource, {"metadata": {"name": "going"}})
        await it.client.create(Service.resource, {"metadata": meta, "spec": spec})
        await settle()
        await it.client.delete(Namespace.resource, "going")
        (piece,) = (await it.client.list(EndpointSlice, "going")).items
        await it.client.delete(ENDPOINT_SLICE, piece.metadata.name, "going")
        await it.client.delete(Endpoints.resource, "s", "going")
        await it.clock.advance(300)
        for kind in (EndpointSlice, Endpoints):
            assert (await it.client.list(kind, "going")).items == []
    assert "trying again" not in caplog.messages


async def test_a_service_that_is_gone_gets_no_slices() -> None:
    """They would be collected and made again until the cache knows."""

    def add(manager: Manager) -> Controller[Service]:
        return service_slices(manager, selected_by_services(manager))

    async with with_faults(LateServices, add) as (it, way):
        for made in (1, 2):  # one of the same name is another one
            await serve(it)
            await it.clock.advance(2 * LAG)
            (piece,) = await slices(it)
            await it.client.delete(Service.resource, "s", "default")
            await it.client.delete(ENDPOINT_SLICE, piece.metadata.name, "default")
            await settle()
            assert (await slices(it), way.posts("endpointslices")) == ([], made)
            await it.clock.advance(2 * LAG)
        await serve(it)
        await it.clock.advance(2 * LAG)
        (piece,) = await slices(it)
        await it.client.delete(ENDPOINT_SLICE, piece.metadata.name, "default")
        await settle()
        assert (len(await slices(it)), way.posts("endpointslices")) == (1, 4)


async def test_a_refusal_is_told_of() -> None:
    """An address that a pod may have and no endpoint: it is an event, and mended later."""
    async with endpoints() as it:
        await serve(it)
        await run(it, "p", "169.254.1.1")
        told = {one["reason"]: one["message"] for one in await raw(it, EVENT)}
        assert set(told) == {"FailedToUpdateEndpointSlices", "FailedToUpdateEndpoint"}
        text = "Error updating Endpoint Slices for Service default/s: "
        assert told["FailedToUpdateEndpointSlices"].startswith(text)
        await say(it, "p", "10.0.0.1", ready=True)
        await it.clock.advance(10)
        assert [said(one) for one in await slices(it)] == [{"10.0.0.1": True}]
