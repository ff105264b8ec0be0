"""The transport as a kubeconfig says: credentials that change, trust, proxies; limits, restarts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.base.clock import SystemClock
from argosy.client import kubeconfig
from argosy.client.credentials import VERSIONS, Plugin
from argosy.client.fence import Fence, Fenced
from argosy.client.https import Https, environment_proxy, transport
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates, server_context
from tests.client.httpskit import connected, served, told, whole


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


@pytest.mark.parametrize(
    ("access", "word"),
    [
        (kubeconfig.Access("https://here", "no PEM"), "certificate-authority: not as PEM"),
        (kubeconfig.Access("https://here", "ä"), "certificate-authority: not as PEM"),
        (kubeconfig.Access("https://here", certificate=b"c", key=b"k"), "client-key: not as PEM"),
    ],
)
def test_what_is_no_certificate_is_told(access: kubeconfig.Access, word: str) -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match=word):
        transport(access)


async def test_a_plugins_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    answer = (
        '{"apiVersion": "%s", "kind": "ExecCredential", '
        '"status": {"clientCertificateData": "c", "clientKeyData": "k"}}'
    )
    script = tmp_path / "plugin"
    script.write_text(f"#!/bin/sh\necho '{answer % VERSIONS[0]}'\n")
    script.chmod(0o700)
    access = kubeconfig.Access("https://127.0.0.1:1", plugin=Plugin(command=str(script)))
    async with reaching(access) as way:
        with pytest.raises(ConnectionError, match="exec: the certificate: not as PEM has them"):
            await way.send(GET)


async def test_a_token_that_no_header_may_have_is_told(
    certificates: Certificates, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("a\nb")
    async with served(told, certificates) as url:
        access = kubeconfig.Access(url, certificates.ca_pem.decode(), token_file=file)
        async with reaching(access) as way:
            with pytest.raises(ConnectionError, match="control character"):
                await way.send(GET)


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


async def test_a_write_whose_fence_closed_while_it_connected_does_not_leave(
    certificates: Certificates,
) -> None:
    """The server is slow to shake hands; a stopped process would find the same when it wakes."""
    seen: list[str] = []

    async def noted(request: Request) -> Response:
        seen.append(request.method)
        return Response(200, {}, b"")

    async with served(noted, certificates) as url:
        host, _, port = url.removeprefix("https://").partition(":")

        async def piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            fence.close()
            there, back = await asyncio.open_connection(host, int(port))

            async def copied(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
                while data := await one.read(65536):
                    other.write(data)
                other.close()

            await asyncio.gather(copied(reader, back), copied(there, writer))

        slow = await asyncio.start_server(piped, "127.0.0.1", 0)
        near = f"https://127.0.0.1:{slow.sockets[0].getsockname()[1]}"
        async with slow, connected(near, certificates) as way:
            fenced = Fenced(way, fence := Fence(SystemClock()))
            fence.extend(fence.moment(), 60)
            with pytest.raises(ConnectionError, match="the lease is not held any more"):
                await fenced.send(Request("POST", "/", "", {}, b"{}"))
            assert seen == []
            assert (await fenced.send(GET)).status == 200  # over that very connection
            fence.extend(fence.moment(), 60)
            assert (await fenced.send(Request("POST", "/", "", {}, b"{}"))).status == 200
    assert seen == ["GET", "POST"]


async def test_connections_are_used_again(certificates: Certificates) -> None:
    ports = set()

    async def noted(request: Request) -> Response:
        assert request.peer is not None and request.peer.address is not None
        ports.add(request.peer.address[1])
        return Response(200, {}, b"{}")

    async with served(noted, certificates) as url, connected(url, certificates) as way:
        for _ in range(3):
            assert await whole(await way.send(GET)) == b"{}"
    assert len(ports) == 1
