"""Requests of the server's own: whom they reach, whom they trust, how much they take."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import pytest

from argosy.api.resources.core import ENDPOINTS, POD, SERVICE
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.apiserver.outbound import KEEPERS, LARGEST, Outbound, OutboundError, Where, backend
from argosy.cluster.server import memory_store
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import server_context
from argosy.store.interface import Record, Store
from tests.apiserver.admission.webhooks.kit import certificates

Json = dict[str, Any]


def _stored(value: bytes, record: Record | None, revision: int) -> bytes:
    return value


@asynccontextmanager
async def stored(*objects: tuple[str, Json]) -> AsyncGenerator[Store, None]:
    store = memory_store()
    for key, obj in objects:
        value = msgspec.json.encode(obj)
        await store.write(key, partial(_stored, value))
    try:
        yield store
    finally:
        await store.close()


def service(**spec: Any) -> tuple[str, Json]:
    ports = [{"name": "https", "port": 443, "targetPort": "hook"}]
    return SERVICE.key("default", "hook"), {
        "metadata": {"name": "hook", "namespace": "default"},
        "spec": {"ports": ports, "selector": {"app": "hook"}, **spec},
    }


def pod(name: str, *, ready: bool = True, app: str = "hook") -> tuple[str, Json]:
    port = {"name": "hook", "containerPort": 9443}
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return POD.key("default", name), {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
        "spec": {"containers": [{"name": "a", "image": "x", "ports": [port]}]},
        "status": {"podIP": "10.0.0.1", "conditions": [condition]},
    }


def endpoints(*addresses: str) -> tuple[str, Json]:
    subset = {
        "addresses": [{"ip": address} for address in addresses],
        "ports": [{"name": "https", "port": 8443}],
    }
    return ENDPOINTS.key("default", "hook"), {
        "metadata": {"name": "hook", "namespace": "default"},
        "subsets": [subset] if addresses else [],
    }


def piece(address: str, *, ready: bool | None = None, of: str = "hook") -> tuple[str, Json]:
    meta = {
        "name": f"{of}-1",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": of},
    }
    facts = {} if ready is None else {"conditions": {"ready": ready}}
    return ENDPOINT_SLICE.key("default", f"{of}-1"), {
        "metadata": meta,
        "endpoints": [{"addresses": [address], **facts}],
        "ports": [{"name": "https", "port": 7443}],
    }


def kept(one: tuple[str, Json]) -> tuple[str, Json]:
    """As a controller has it that has not seen any pod yet."""
    meta = one[1]["metadata"]
    meta["labels"] = {**(meta.get("labels") or {}), **dict(KEEPERS)}
    return one


FOUND: list[tuple[list[tuple[str, Json]], tuple[str, int]]] = [
    ([service(), pod("a")], ("10.0.0.1", 9443)),
    ([service(), pod("a"), endpoints("10.0.0.2")], ("10.0.0.2", 8443)),
    ([service(), pod("a"), piece("10.0.0.3")], ("10.0.0.3", 7443)),
    ([service(), piece("10.0.0.3"), endpoints("10.0.0.2")], ("10.0.0.3", 7443)),
    ([service(), pod("a"), piece("10.0.0.3", of="other")], ("10.0.0.1", 9443)),
    ([service(), pod("a"), kept(endpoints())], ("10.0.0.1", 9443)),
    ([service(), pod("a"), kept(piece("10.0.0.3", ready=False))], ("10.0.0.1", 9443)),
    ([service(), pod("a"), kept(piece("10.0.0.3"))], ("10.0.0.3", 7443)),
    ([service(type="ExternalName", externalName="a.example.com")], ("a.example.com", 443)),
]


@pytest.mark.parametrize(("objects", "wanted"), FOUND)
async def test_a_service_leads_to_a_backend(
    objects: list[tuple[str, Json]], wanted: tuple[str, int]
) -> None:
    async with stored(*objects) as store:
        assert backend(store, "default", "hook", 443) == wanted


MISSING: list[tuple[list[tuple[str, Json]], int, str]] = [
    ([], 443, 'service "hook" not found'),
    ([service()], 80, 'no service port 80 found for service "hook"'),
    ([service(), pod("a", ready=False)], 443, 'no endpoints available for service "hook"'),
    ([service(), pod("a", app="other")], 443, 'no endpoints available for service "hook"'),
    ([service(), pod("a"), endpoints()], 443, 'no endpoints available for service "hook"'),
    (
        [service(), pod("a", ready=False), kept(endpoints())],
        443,
        'no endpoints available for service "hook"',
    ),
    (
        [service(), piece("10.0.0.3", ready=False)],
        443,
        'no endpoints available for service "hook"',
    ),
]


@pytest.mark.parametrize(("objects", "port", "text"), MISSING)
async def test_who_is_not_there_is_named(
    objects: list[tuple[str, Json]], port: int, text: str
) -> None:
    async with stored(*objects) as store:
        with pytest.raises(OutboundError) as caught:
            backend(store, "default", "hook", port)
        assert str(caught.value) == text


BUNDLES = ("!", base64.b64encode(b"no certificate").decode(), base64.b64encode(b"\xff").decode())


@pytest.mark.parametrize("bundle", BUNDLES)
async def test_a_bundle_must_be_one(bundle: str) -> None:
    async with stored() as store:
        with pytest.raises(OutboundError, match="unable to load root certificates"):
            Outbound(store).where({"url": "https://localhost/", "caBundle": bundle})


@asynccontextmanager
async def answering(response: Response) -> AsyncGenerator[tuple[Outbound, Where], None]:
    """A server that gives one answer, and the way to it by a service's name."""
    known = certificates()

    async def handle(request: Request) -> Response:
        heard.append(request)
        return response

    heard: list[Request] = []
    context = server_context(known.cert_file, known.key_file)
    server = await serve(handle, addresses=[("127.0.0.1", 0)], tls=context)
    async with stored() as store:
        outbound = Outbound(store)
        bundle = base64.b64encode(known.ca_pem).decode()
        trusted = outbound.where({"url": "https://x/", "caBundle": bundle}).tls
        where = Where("https://localhost:443/path", trusted, server.addresses[0])
        try:
            yield outbound, where
        finally:
            await outbound.close()
            await server.close()
    for request in heard:
        assert request.headers["host"] == "localhost:443"
        assert request.headers["user-agent"] == "kube-apiserver-admission"
        assert request.headers["accept-encoding"] == "identity"


async def test_an_answer_comes_back_whatever_its_code() -> None:
    async with answering(Response(404, {}, b"no")) as (outbound, where):
        assert await outbound.post(where, b"{}", seconds=5, query="a=b") == (404, b"no")


async def test_an_answer_is_bounded() -> None:
    async with answering(Response(200, {}, b" " * (LARGEST + 1))) as (outbound, where):
        with pytest.raises(OutboundError, match=f"more than {LARGEST} bytes"):
            await outbound.post(where, b"{}", seconds=5)


async def test_redirects_are_not_followed() -> None:
    moved = Response(302, {"location": "https://localhost:1/"}, b"")
    async with answering(moved) as (outbound, where):
        assert (await outbound.post(where, b"{}", seconds=5))[0] == 302


async def test_nobody_there_is_said_with_the_address() -> None:
    async with stored() as store:
        outbound = Outbound(store)
        where = outbound.where({"url": "https://127.0.0.1:1/path"})
        words = "dial tcp 127.0.0.1:1: connect: connection refused"
        said = f'^Post "https://127.0.0.1:1/path\\?timeout=1s": {words}$'
        with pytest.raises(OutboundError, match=said):
            await outbound.post(where, b"{}", seconds=1, query="timeout=1s")
        await outbound.close()


async def test_it_may_be_given_up() -> None:
    async def handle(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    begun, known = asyncio.Event(), certificates()
    context = server_context(known.cert_file, known.key_file)
    server = await serve(handle, addresses=[("127.0.0.1", 0)], tls=context)
    async with stored() as store:
        outbound = Outbound(store)
        bundle = base64.b64encode(known.ca_pem).decode()
        url = f"https://localhost:{server.addresses[0][1]}/"
        where = outbound.where({"url": url, "caBundle": bundle})
        task = asyncio.create_task(outbound.post(where, b"{}", seconds=5))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await outbound.close()
        await server.close()
