"""Attacks on those who are asked and believed beside the server's own: webhooks and proxies.

The webhooks are real servers on local TLS ports, which lie, hang or talk nonsense; the proxies show
real certificates, or none.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from argosy.apiserver.authentication.frontproxy import ProxyRules
from argosy.apiserver.authentication.tokenwebhook import TokenWebhookRules
from argosy.apiserver.authorization.configuration import load
from argosy.apiserver.guards import Guards
from argosy.apiserver.remotes import read
from argosy.base.clock import SystemClock
from argosy.cluster.authority import Authority
from argosy.cluster.server import ControlPlane, control_plane, memory_store
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context
from tests.apiserver.hookkit import Hook, Saying, authorizers, hooking, rules
from tests.apiserver.kit import JSON, Answer, answered
from tests.attacks.test_authentication import requested

Json = dict[str, Any]
NODES = "/api/v1/nodes"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@asynccontextmanager
async def guarded(guards: Guards) -> AsyncGenerator[ControlPlane, None]:
    store = memory_store()
    plane = control_plane(store, SystemClock(), guards=guards)
    try:
        yield plane
    finally:
        await plane.server.outbound.close()
        await store.close()


@asynccontextmanager
async def authorized(
    folder: Path, says: Saying, **more: Any
) -> AsyncGenerator[tuple[ControlPlane, Hook], None]:
    """A server that asks a webhook what is allowed."""
    async with hooking(folder, says) as hook:
        file = folder / "authorization.yaml"
        file.write_text(yaml.safe_dump(authorizers(("hook", rules(hook.file, **more)))))
        async with guarded(Guards(authorization=load(file))) as plane:
            yield plane, hook


async def ask(
    plane: ControlPlane, path: str, *, user: str = "eve", body: Json | None = None
) -> Answer:
    headers = {"authorization": f"Bearer {plane.token}", "content-type": JSON}
    if user:
        headers["impersonate-user"] = user
    sent = b"" if body is None else json.dumps(body).encode()
    request = Request("GET" if body is None else "POST", path, "", headers, sent)
    return await answered(plane.server.handle, request)


LIES: Mapping[str, tuple[Saying, str]] = {
    "yes and no at once": (
        lambda spec: {"allowed": True, "denied": True},
        "webhook subject access review returned both allow and deny response",
    ),
    "a yes that is text": (lambda spec: {"allowed": "true"}, "Expected `bool"),
    "a yes that is a number": (lambda spec: {"allowed": 1}, "Expected `bool"),
    "a yes with an error code": (
        lambda spec: Response(403, {}, b'{"status": {"allowed": true}}'),
        "the server answered 403",
    ),
    "a yes of another kind": (
        lambda spec: Response(
            200,
            {},
            b'{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", '
            b'"status": {"allowed": true, "authenticated": true}}',
        ),
        "is of another kind",
    ),
    "a yes in the wrong place": (
        lambda spec: Response(200, {}, b'{"allowed": true, "status": {"allowed": true}}'),
        "missing required field",
    ),
    "no JSON": (lambda spec: Response(200, {}, b"yes!"), "decoding the answer"),
    "nothing": (lambda spec: Response(200, {}, b""), "decoding the answer"),
    "bytes": (lambda spec: Response(200, {}, b"\xff\xfe"), "decoding the answer"),
    "nested deeply": (lambda spec: Response(200, {}, b"[" * 100_000), "decoding the answer"),
    "elsewhere": (
        lambda spec: Response(307, {"location": "https://127.0.0.1:1/"}, b""),
        "the server answered 307",
    ),
    "more than there is room for": (
        lambda spec: Response(200, {}, b" " * ((16 << 20) + 1)),
        "the answer has more than 16777216 bytes",
    ),
}


@pytest.mark.parametrize("policy", ["Deny", "NoOpinion"])
@pytest.mark.parametrize("lie", LIES)
async def test_a_webhook_that_lies_allows_nothing(tmp_path: Path, lie: str, policy: str) -> None:
    says, words = LIES[lie]
    async with authorized(tmp_path, says, failurePolicy=policy) as (plane, _):
        answer = await ask(plane, NODES)
        assert (answer.status, answer.body["reason"]) == (500, "InternalError")
        assert answer.message.startswith(f'Internal Server Error: "{NODES}": ')
        assert words in answer.message
        attributes = {"verb": "list", "resource": "nodes"}
        spec = {"user": "eve", "resourceAttributes": attributes}
        reviewed = await ask(plane, REVIEWS, user="", body={"spec": spec})
        assert reviewed.body["status"]["allowed"] is False
        assert words in reviewed.body["status"]["evaluationError"]


async def test_a_lie_is_not_remembered(tmp_path: Path) -> None:
    truth = False
    says: Saying = lambda spec: {"allowed": True} if truth else Response(200, {}, b"?")  # noqa: E731
    async with authorized(tmp_path, says) as (plane, _):
        assert (await ask(plane, NODES)).status == 500
        truth = True
        assert (await ask(plane, NODES)).status == 200


async def test_a_webhook_that_hangs_delays_nobody_else(tmp_path: Path) -> None:
    async with authorized(tmp_path, lambda spec: {}, timeout="1s") as (plane, hook):
        hook.silent = True
        waiting = asyncio.create_task(ask(plane, NODES))
        while not hook.asked:
            await asyncio.sleep(0.001)
        async with asyncio.timeout(0.9):
            assert (await ask(plane, NODES, user="")).status == 200
        answer = await waiting
        assert answer.status == 500
        assert "context deadline exceeded" in answer.message


async def test_a_webhook_of_another_authority_is_not_asked(tmp_path: Path) -> None:
    async with authorized(tmp_path, lambda spec: {"allowed": True}) as (plane, hook):
        stranger = ensure_certificates(tmp_path / "stranger", ["127.0.0.1"], datetime.now(UTC))
        told = hook.file.read_text()
        trusted = yaml.safe_load(told)
        trusted["clusters"][0]["cluster"].pop("certificate-authority-data")
        path = str(tmp_path / "stranger" / "ca.crt")
        assert stranger.ca_pem
        trusted["clusters"][0]["cluster"]["certificate-authority"] = path
        hook.file.write_text(yaml.safe_dump(trusted))
        async with guarded(Guards(authorization=load(tmp_path / "authorization.yaml"))) as other:
            answer = await ask(other, NODES)
            assert answer.status == 500
            assert hook.asked == []


async def test_who_impersonates_is_asked_about_not_who_they_become(tmp_path: Path) -> None:
    """A webhook that trusts bob helps nobody to become him."""
    says: Saying = lambda spec: {"allowed": spec["user"] == "bob"}  # noqa: E731
    async with authorized(tmp_path, says) as (plane, _):
        plane.server.issuer.keys.make()
        headers = {"authorization": "Bearer forged", "impersonate-user": "bob"}
        request = Request("GET", NODES, "", headers)
        assert (await answered(plane.server.handle, request)).status == 401
        assert (await ask(plane, NODES, user="bob")).status == 200


TOKEN_LIES: Mapping[str, Saying] = {
    "somebody without a name": lambda spec: {"authenticated": True, "user": {"groups": ["a"]}},
    "nobody": lambda spec: {"authenticated": True},
    "a name that is a list": lambda spec: {"authenticated": True, "user": {"username": ["a"]}},
    "not, but a master": lambda spec: {
        "authenticated": False,
        "user": {"username": "eve", "groups": ["system:masters"]},
    },
    "for another audience": lambda spec: {
        "authenticated": True,
        "audiences": ["bank"],
        "user": {"username": "eve"},
    },
    "a yes that is text": lambda spec: {"authenticated": "yes", "user": {"username": "eve"}},
    "of another kind": lambda spec: Response(
        200,
        {},
        b'{"apiVersion": "v1", "kind": "Status", "status": {"authenticated": true, '
        b'"user": {"username": "eve"}}}',
    ),
    "nonsense": lambda spec: Response(200, {}, b"{"),
    "an error": lambda spec: Response(401, {}, b"{}"),
}


@pytest.mark.parametrize("lie", TOKEN_LIES)
async def test_a_token_that_is_lied_about_is_nobodys(tmp_path: Path, lie: str) -> None:
    async with hooking(tmp_path, TOKEN_LIES[lie]) as hook:
        remote = read(hook.file, "authentication webhook")
        told = TokenWebhookRules(remote=remote, version="v1")
        async with guarded(Guards(token_webhook=told)) as plane:
            headers = {"authorization": "Bearer somebodys"}
            request = Request("GET", NODES, "", headers)
            assert (await answered(plane.server.handle, request)).status == 401
            request = Request("GET", NODES, "", {"authorization": f"Bearer {plane.token}"})
            assert (await answered(plane.server.handle, request)).status == 200


async def test_a_token_webhook_is_not_asked_what_is_known_or_too_long(tmp_path: Path) -> None:
    async with hooking(tmp_path, lambda spec: {}) as hook:
        remote = read(hook.file, "authentication webhook")
        told = TokenWebhookRules(remote=remote, version="v1")
        async with guarded(Guards(token_webhook=told)) as plane:
            for token, status in ((plane.token, 200), ("x" * 20_000, 401)):
                request = Request("GET", NODES, "", {"authorization": f"Bearer {token}"})
                assert (await answered(plane.server.handle, request)).status == status
            assert hook.asked == []


@dataclass
class Front:
    """A server on a TLS port, behind a proxy; `folder` has both authorities."""

    plane: ControlPlane
    folder: Path
    address: tuple[str, int]
    trusted: bytes

    async def ask(self, lines: Sequence[str], *, by: str, who: Sequence[str]) -> tuple[int, Json]:
        """Status and body of the answer to a client with a certificate of `by`; 0 for none."""
        trust = ssl.create_default_context(cadata=self.trusted.decode())
        if by:
            trust.load_cert_chain(self._certificate(by, who))
        head = [f"POST {WHOAMI} HTTP/1.1", "host: localhost", "content-type: application/json"]
        request = "\r\n".join([*head, "content-length: 2", "connection: close", *lines, "", "{}"])
        try:
            reader, writer = await asyncio.open_connection(*self.address, ssl=trust)
            writer.write(request.encode())
            answer = await reader.read()
        except OSError:
            return 0, {}
        writer.close()
        head_bytes, _, body = answer.partition(b"\r\n\r\n")
        if not head_bytes:
            return 0, {}
        return int(head_bytes.split()[1]), json.loads(body)

    def _certificate(self, by: str, who: Sequence[str]) -> Path:
        from cryptography.hazmat.primitives import serialization

        key, asked = requested(*who)
        signed = Authority(self.folder / by, SystemClock()).sign(asked, ("client auth",), None)
        file = self.folder / "client.pem"
        file.write_bytes(
            signed
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncGenerator[Front, None]:
    now = datetime.now(UTC)
    own = ensure_certificates(tmp_path / "own", ["127.0.0.1"], now)
    proxies = ensure_certificates(tmp_path / "proxy", ["127.0.0.1"], now).ca_pem
    ensure_certificates(tmp_path / "evil", ["127.0.0.1"], now)
    told = ProxyRules(
        authority=proxies,
        names=frozenset(["the-proxy"]),
        username=("x-remote-user",),
        group=("x-remote-group",),
        uid=("x-remote-uid",),
        extra=("x-remote-extra-",),
    )
    guards = Guards(front_proxy=told, client_authority=own.ca_pem)
    async with guarded(guards) as plane:
        tls = server_context(own.cert_file, own.key_file, client_ca=own.ca_pem + b"\n" + proxies)
        server = await serve(plane.server.handle, addresses=[("127.0.0.1", 0)], tls=tls)
        try:
            yield Front(plane, tmp_path, server.addresses[0], own.ca_pem)
        finally:
            await server.close()


BOB = ("X-Remote-User: bob", "X-Remote-Group: devs", "x-remote-group: ops, system:masters")
MASTER = ("X-Remote-User: root", "X-Remote-Group: system:masters")


async def test_the_proxy_names_the_user(front: Front) -> None:
    """What the attacks are measured by."""
    status, body = await front.ask(BOB, by="proxy", who=("the-proxy", "front"))
    assert status == 201
    assert body["status"]["userInfo"] == {
        "username": "bob",
        "groups": ["devs", "ops, system:masters", "system:authenticated"],
    }


@pytest.mark.parametrize(
    ("lines", "by", "who", "status"),
    [
        (MASTER, "", (), 401),  # no certificate at all
        (MASTER, "evil", ("the-proxy", "front"), 0),  # of an authority that nobody trusts
        (MASTER, "proxy", ("another", "front"), 401),  # of the right one, by a wrong name
        (MASTER, "proxy", ("the-proxy.example", "front"), 401),
        (MASTER, "proxy", ("THE-PROXY", "front"), 401),
        ((), "proxy", ("the-proxy", "front"), 401),  # a proxy is nobody itself
        ((), "proxy", ("root", "system:masters"), 401),  # its authority makes no users
        (MASTER, "proxy", ("root", "system:masters"), 401),
        (("X-Remote-Group: system:masters",), "proxy", ("the-proxy", "front"), 401),
        (("X_Remote_User: root", "X_Remote_Group: a"), "proxy", ("the-proxy", "front"), 401),
    ],
)
async def test_forged_headers_make_nobody(
    front: Front, lines: Sequence[str], by: str, who: Sequence[str], status: int
) -> None:
    assert (await front.ask(lines, by=by, who=who))[0] == status


async def test_headers_of_a_client_of_ours_count_for_nothing(front: Front) -> None:
    """By name and authority: our own clients are no proxies, whatever they are called."""
    for name in ("jane", "the-proxy"):
        status, body = await front.ask(MASTER, by="own", who=(name, "staff"))
        assert status == 201
        groups = ["staff", "system:authenticated"]
        info = body["status"]["userInfo"]
        assert (info["username"], info["groups"]) == (name, groups)


async def test_a_token_beside_forged_headers_is_whose_it_is(front: Front) -> None:
    lines = (*MASTER, f"authorization: Bearer {front.plane.token}")
    status, body = await front.ask(lines, by="", who=())
    assert status == 201
    assert body["status"]["userInfo"]["username"] == "system:apiserver"


async def test_the_proxys_user_impersonates_only_with_leave(front: Front) -> None:
    """A chain: who the proxy names is who is asked about, not the proxy."""
    lines = (*BOB, "Impersonate-User: root", "Impersonate-Group: system:masters")
    status, body = await front.ask(lines, by="proxy", who=("the-proxy", "front"))
    assert status == 403
    assert 'User "bob" cannot impersonate' in body["message"]


async def test_nobody_behind_the_server_sees_the_headers() -> None:
    """What a client sends to a proxied pod says nothing of who asks."""
    seen: list[Request] = []

    async def node(request: Request) -> Response:
        seen.append(request)
        return Response(200, {}, b"")

    plane = control_plane(memory_store(), SystemClock(), node=node)
    headers = {
        "authorization": f"Bearer {plane.token}",
        "content-type": JSON,
        "impersonate-user": "bob",
        "impersonate-group": "system:masters",
        "x-remote-user": "root",
        "x-remote-group": "system:masters",
        "x-remote-extra-a": "b",
        "x-kept": "yes",
    }
    body = json.dumps({"metadata": {"name": "n1"}}).encode()
    made = await answered(plane.server.handle, Request("POST", NODES, "", headers, body))
    assert made.status == 201
    await answered(plane.server.handle, Request("GET", f"{NODES}/n1/proxy/x", "", headers))
    [asked] = seen
    assert asked.headers["x-kept"] == "yes"
    assert not [name for name in asked.headers if name.startswith(("x-remote-", "impersonate-"))]
