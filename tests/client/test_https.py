"""The transport over HTTPS, against the real server: sockets, certificates, streams."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.api.core import ConfigMap
from argosy.base.errors import StatusError
from argosy.client import kubeconfig
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.http.message import Request, Response
from argosy.http.tls import Certificates, ensure_certificates
from argosy.testing.cluster import cluster
from tests.client.httpskit import connected, served, told, whole

MAP = {"metadata": {"name": "it", "namespace": "default"}, "data": {"a": "b"}}


async def test_a_request_arrives_as_it_was_sent(certificates: Certificates) -> None:
    request = Request(
        "PATCH", "/a%20b/%2Fc/%7Ed", "x=a%26b&y=%C3%A4+z", {"accept": "text/yaml"}, "ä".encode()
    )
    async with served(told, certificates) as url, connected(url, certificates, "t") as transport:
        response = await transport.send(request)
        shown: Any = yaml.safe_load(await whole(response))

    assert response.status == 200
    assert response.headers["x-it"] == "1"
    assert shown == {
        "method": "PATCH",
        "path": "/a%20b/%2Fc/%7Ed",
        "query": "x=a%26b&y=%C3%A4+z",
        "authorization": "Bearer t",
        "accept": "text/yaml",
        "body": "ä",
    }


async def test_the_client_works_over_it(certificates: Certificates) -> None:
    async with cluster() as running:
        handle, token = running.plane.server.handle, running.plane.token
        async with served(handle, certificates) as url:
            async with connected(url, certificates, token) as transport:
                client = Client(transport, "far")
                created = await client.create(ConfigMap.resource, MAP)
                found = await client.get(ConfigMap, "it", "default")
                with pytest.raises(StatusError) as caught:
                    await client.get(ConfigMap, "that", "default")

    assert found.metadata.uid == created["metadata"]["uid"]
    assert created["metadata"]["managedFields"][0]["manager"] == "far"
    assert caught.value.message == 'configmaps "that" not found'


async def test_a_watch_tells_as_it_happens(certificates: Certificates) -> None:
    async with cluster() as running:
        handle, token = running.plane.server.handle, running.plane.token
        async with served(handle, certificates) as url:
            async with connected(url, certificates, token) as transport:
                client = Client(transport)
                since = (await client.list(ConfigMap)).metadata.resource_version
                async with aclosing(client.watch(ConfigMap, since=since)) as events:
                    for value in ("1", "2", "3"):
                        await client.apply(ConfigMap.resource, {**MAP, "data": {"a": value}})
                        async with asyncio.timeout(1):
                            event = await anext(events)
                        assert event.object.data == {"a": value}


async def test_many_ask_at_once(certificates: Certificates) -> None:
    async with cluster() as running:
        handle, token = running.plane.server.handle, running.plane.token
        async with served(handle, certificates) as url:
            async with connected(url, certificates, token) as transport:
                client = Client(transport)
                bodies = [
                    {"metadata": {"name": f"m{i}", "namespace": "default"}} for i in range(30)
                ]
                creates = [client.create(ConfigMap.resource, body) for body in bodies]
                await asyncio.gather(*creates)
                listed = await client.list(ConfigMap)

    assert len(listed.items) == 30


async def test_nobody_known_is_told_so(certificates: Certificates) -> None:
    async with cluster() as running, served(running.plane.server.handle, certificates) as url:
        async with connected(url, certificates, "wrong") as transport:
            with pytest.raises(StatusError) as caught:
                await Client(transport).list(ConfigMap)

    assert (caught.value.code, caught.value.reason) == (401, "Unauthorized")


async def test_nobody_listens(certificates: Certificates) -> None:
    async with served(told, certificates) as url:
        pass
    async with connected(url, certificates) as transport:
        with pytest.raises(ConnectionError, match="GET https://127.0.0.1"):
            await transport.send(Request("GET", "/"))


async def test_a_stranger_is_not_trusted(certificates: Certificates, tmp_path: Path) -> None:
    other = ensure_certificates(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    async with served(told, certificates) as url, connected(url, other) as transport:
        with pytest.raises(ConnectionError, match="certificate"):
            await transport.send(Request("GET", "/"))


async def test_an_answer_that_breaks_off(certificates: Certificates) -> None:
    arrived = asyncio.Event()

    async def broken(request: Request) -> Response:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield b"some"
            await arrived.wait()
            raise ValueError("no more")

        return Response(200, {}, parts())

    async with served(broken, certificates) as url, connected(url, certificates) as transport:
        response = await transport.send(Request("GET", "/"))
        arrived.set()
        with pytest.raises(ConnectionError, match="broke off"):
            await whole(response)


async def test_a_stream_that_is_left_ends_at_the_server(certificates: Certificates) -> None:
    ended = asyncio.Event()

    async def endless(request: Request) -> Response:
        async def parts() -> AsyncGenerator[bytes, None]:
            try:
                yield b"first"
                await asyncio.Event().wait()
            finally:
                ended.set()

        return Response(200, {}, parts())

    async with served(endless, certificates) as url, connected(url, certificates) as transport:
        response = await transport.send(Request("GET", "/"))
        assert not isinstance(response.body, bytes)
        assert await anext(response.body) == b"first"
        await response.body.aclose()
        async with asyncio.timeout(1):
            await ended.wait()


async def test_a_kubeconfig_is_all_it_takes(certificates: Certificates, tmp_path: Path) -> None:
    async with cluster() as running, served(running.plane.server.handle, certificates) as url:
        config = tmp_path / "kubeconfig"
        config.write_text(kubeconfig.render(url, certificates.ca_pem, running.plane.token))
        way = transport(kubeconfig.load(config))
        try:
            assert (await Client(way).list(ConfigMap)).items == []
        finally:
            await way.close()
