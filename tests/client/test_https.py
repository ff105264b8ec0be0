"""The transport over HTTPS, against the real server: sockets, certificates, streams."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.api.core import ConfigMap
from argosy.base.errors import StatusError
from argosy.client import kubeconfig
from argosy.client.client import Client
from argosy.client.credentials import VERSIONS, Plugin
from argosy.client.https import Https, environment_proxy, transport
from argosy.http.message import Handler, Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates, ensure_certificates, server_context
from argosy.testing.cluster import cluster

MAP = {"metadata": {"name": "it", "namespace": "default"}, "data": {"a": "b"}}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("pki")
    return ensure_certificates(folder, ["127.0.0.1"], datetime.now(UTC))


@asynccontextmanager
async def served(handler: Handler, certificates: Certificates) -> AsyncGenerator[str, None]:
    """The URL of a server with that handler."""
    tls = server_context(certificates.cert_file, certificates.key_file)
    server = await serve(handler, addresses=[("127.0.0.1", 0)], tls=tls)
    try:
        yield f"https://127.0.0.1:{server.addresses[0][1]}"
    finally:
        await server.close()


@asynccontextmanager
async def connected(
    url: str, certificates: Certificates, token: str = ""
) -> AsyncGenerator[Https, None]:
    transport = Https(url, ssl.create_default_context(cadata=certificates.ca_pem.decode()), token)
    try:
        yield transport
    finally:
        await transport.close()


async def told(request: Request) -> Response:
    """Answers with what it was asked."""
    shown = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "authorization": request.headers.get("authorization", ""),
        "accept": request.headers.get("accept", ""),
        "body": request.body.decode(),
    }
    return Response(200, {"content-type": "text/yaml", "x-it": "1"}, yaml.safe_dump(shown).encode())


async def whole(response: Response) -> bytes:
    assert not isinstance(response.body, bytes)
    return b"".join([piece async for piece in response.body])


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


@asynccontextmanager
async def reaching(access: kubeconfig.Access) -> AsyncGenerator[Https, None]:
    way = transport(access)
    try:
        yield way
    finally:
        await way.close()


GET = Request("GET", "/", "", {}, b"")


async def test_a_token_that_was_renewed_is_read_when_the_old_one_is_refused(
    certificates: Certificates, tmp_path: Path
) -> None:
    file, seen = tmp_path / "token", list[str]()

    async def only_new(request: Request) -> Response:
        seen.append(request.headers["authorization"])
        return Response(200 if seen[-1] == "Bearer new" else 401, {}, b"")

    file.write_text("old")
    async with served(only_new, certificates) as url:
        access = kubeconfig.Access(url, certificates.ca_pem.decode(), token_file=file)
        async with reaching(access) as way:
            assert (await way.send(GET)).status == 401  # there is no other one yet
            file.write_text("new")
            assert (await way.send(GET)).status == 200
    # The one that was refused last is forgotten, so that the new one is read at once.
    assert seen == ["Bearer old", "Bearer old", "Bearer old", "Bearer new"]


async def test_a_server_may_be_trusted_blindly_or_under_another_name(
    certificates: Certificates,
) -> None:
    async with served(told, certificates) as url:
        ca = certificates.ca_pem.decode()
        for access, works in (
            (kubeconfig.Access(url), False),
            (kubeconfig.Access(url, insecure=True), True),
            (kubeconfig.Access(url, ca, server_name="elsewhere"), False),
            (kubeconfig.Access(url, ca, server_name="127.0.0.1"), True),
        ):
            async with reaching(access) as way:
                if works:
                    assert (await way.send(GET)).status == 200
                else:
                    with pytest.raises(ConnectionError):
                        await way.send(GET)


async def test_a_plugins_token_is_sent(certificates: Certificates, tmp_path: Path) -> None:
    script = tmp_path / "plugin"
    answer = '{"apiVersion": "%s", "kind": "ExecCredential", "status": {"token": "p"}}'
    script.write_text(f"#!/bin/sh\necho '{answer % VERSIONS[0]}'\n")
    script.chmod(0o700)
    async with served(told, certificates) as url:
        access = kubeconfig.Access(
            url, certificates.ca_pem.decode(), plugin=Plugin(command=str(script))
        )
        async with reaching(access) as way:
            shown: Any = yaml.safe_load(await whole(await way.send(GET)))
    assert shown["authorization"] == "Bearer p"


async def test_a_proxy_is_asked(certificates: Certificates) -> None:
    asked = asyncio.get_running_loop().create_future()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set_result(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    access = kubeconfig.Access("https://far:6443", proxy=f"http://127.0.0.1:{port}")
    async with listening, reaching(access) as way:
        with pytest.raises(ConnectionError):
            await way.send(GET)
        assert await asked == b"CONNECT far:6443 HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://far:6443", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://far:6443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "far"}, ""),
        ("https://far:6443", {}, ""),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("https://[::1]:6443", {"HTTPS_PROXY": "http://p:1"}, ""),
    ],
)
def test_the_environments_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], proxy: str
) -> None:
    for name in ("HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy


async def test_an_answer_has_a_time_limit_and_a_watch_has_none(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.client.https.ANSWER_SECONDS", 0.1)

    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.3)
        return Response(200, {}, b"")

    async with served(slow, certificates) as url, connected(url, certificates) as way:
        with pytest.raises(ConnectionError, match="no answer in time"):
            await way.send(GET)
        watch = Request("GET", "/", "a=b&watch=true", {}, b"")
        assert (await way.send(watch)).status == 200


async def test_after_a_restart_of_the_server_it_is_found_again(certificates: Certificates) -> None:
    tls = server_context(certificates.cert_file, certificates.key_file)
    server = await serve(told, addresses=[("127.0.0.1", 0)], tls=tls)
    address = server.addresses[0]
    async with connected(f"https://127.0.0.1:{address[1]}", certificates) as way:
        assert (await way.send(GET)).status == 200
        await server.close()
        with pytest.raises(ConnectionError):
            await way.send(GET)
        server = await serve(told, addresses=[address], tls=tls)
        try:
            assert (await way.send(GET)).status == 200
        finally:
            await server.close()
