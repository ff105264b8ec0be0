"""Webhooks that hang, lie, flood or are somebody else: each with the refusal that it must get.

Whoever runs a webhook may say no to all that it is asked about, and nothing more: it must not get
at the server's memory or time, nor at objects that it was not asked about.
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import pytest_asyncio

from argosy.http.message import Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context
from tests.apiserver.admission.webhooks.kit import (
    ANYTHING,
    CONFIG_MAPS,
    MUTATING,
    VALIDATING,
    Json,
    Says,
    Webhook,
    certificates,
    configure,
    listening,
    patching,
    raw,
    review,
    sent,
)
from tests.apiserver.kit import Api, serving

FAILED = 'Internal error occurred: failed calling webhook "one.example.com": '
CALL = f"{FAILED}failed to call webhook: "
INVALID = f"{FAILED}received invalid webhook response: "


def flood(request: Json) -> Response:
    return Response(200, {"content-type": "application/json"}, b"[" + b" " * (20 << 20))


def bomb(request: Json) -> Response:
    packed = gzip.compress(json.dumps(review(request, warnings=["0" * (8 << 20)])).encode())
    head = {"content-type": "application/json", "content-encoding": "gzip"}
    return Response(200, head, packed)


def elsewhere(request: Json) -> Response:
    return Response(307, {"location": "https://localhost:1/"}, b"")


def many(request: Json) -> Json:
    operation = {"op": "add", "path": "/data/a", "value": "b"}
    return review(request, **patching(*[operation] * 100_000))


def doubling(request: Json) -> Json:
    first = {"op": "add", "path": "/x", "value": ["0" * 1000]}
    more = [{"op": "copy", "from": "/x", "path": "/x/-"} for _ in range(40)]
    return review(request, **patching(first, *more))


def changed(path: str, value: Any) -> Says:
    operation = {"op": "add", "path": path, "value": value}
    return lambda request: review(request, **patching(operation))


@dataclass(frozen=True)
class Attack:
    """What a webhook does to a ConfigMap's creation, and what its writer is told."""

    name: str
    says: Says
    refusal: str
    status: int = 500
    where: str = MUTATING


ATTACKS = (
    Attack(
        "answer another request's review",
        lambda request: review(request, uid="0"),
        f"{INVALID}expected response.uid=",
    ),
    Attack("answer with nothing", lambda request: b"", f"{CALL}0-length response"),
    Attack("answer null", lambda request: b"null", f"{INVALID}webhook response was absent"),
    Attack("answer garbage", lambda request: b"\xff\xfe\x00", f"{CALL}couldn't get version/kind"),
    Attack("answer half", lambda request: b'{"response":{"allo', f"{CALL}couldn't get version"),
    Attack("answer a depth", lambda request: b'{"a":' * 100_000, f"{CALL}couldn't get version"),
    Attack("answer a list", lambda request: b"[]", f"{CALL}couldn't get version/kind"),
    Attack("flood the server", flood, f"{CALL}Post "),
    Attack("send a bomb of zeros", bomb, f"{CALL}couldn't get version/kind"),
    Attack("lead the server elsewhere", elsewhere, f"{CALL}the server responded with the status"),
    Attack(
        "put a line into the answer's head",
        lambda request: review(
            request,
            allowed=False,
            status={"code": 429, "details": {"retryAfterSeconds": "1\r\nset-cookie: a=b"}},
        ),
        f"{CALL}couldn't get version/kind",
    ),
    Attack(
        "allow and refuse",
        lambda request: review(request, allowed=False, status={"code": 200, "status": "Success"}),
        'admission webhook "one.example.com" denied the request without explanation',
        400,
    ),
    Attack("patch without end", many, "Internal error occurred: The allowed maximum operations"),
    Attack("double without end", doubling, "Internal error occurred: ", 500),
    Attack(
        "move an object into another namespace",
        changed("/metadata/namespace", "kube-system"),
        "the namespace of the provided object does not match the namespace sent on the request",
        400,
    ),
    Attack(
        "turn an object into another kind",
        changed("/kind", "Secret"),
        'Internal error occurred: admission webhook "one.example.com" attempted to change kind',
    ),
    Attack(
        "turn an object into another version",
        changed("/apiVersion", "v2"),
        'Internal error occurred: admission webhook "one.example.com" attempted to change',
    ),
    Attack("break an object's shape", changed("/data", [1]), "Internal error occurred: data"),
    Attack("give it a bad name", changed("/metadata/name", "../x"), "metadata.name", 422),
    Attack(
        "judge by changing",
        changed("/data/a", "b"),
        f"{INVALID}validating webhook may not return response.patch",
        where=VALIDATING,
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_it_is_refused(api: Api, attack: Attack) -> None:
    async with listening(attack.says) as hook:
        await configure(api, attack.where, hook.one())
        answer = await sent(api)
        assert answer.status == attack.status, answer.body
        assert attack.refusal in answer.message
        assert "set-cookie" not in answer.headers
        listed = await api.get(CONFIG_MAPS)
        assert all(item["metadata"]["name"] != "it" for item in listed.body["items"])


def changing(field: str, value: Any) -> Json:
    return {"op": "add", "path": f"/metadata/{field}", "value": value}


async def test_what_is_the_servers_to_say_stays(api: Api) -> None:
    forged = [
        changing("uid", "00000000-0000-0000-0000-000000000000"),
        changing("creationTimestamp", "2000-01-01T00:00:00Z"),
        changing("deletionTimestamp", "2000-01-01T00:00:00Z"),
        changing("resourceVersion", "1"),
        changing("managedFields", [{"manager": "somebody"}]),
    ]
    async with listening(lambda request: review(request, **patching(*forged))) as hook:
        await configure(api, MUTATING, hook.one())
        answer = await sent(api)
        assert answer.status == 201, answer.body
        assert answer.meta["uid"] != forged[0]["value"]
        assert not answer.meta["creationTimestamp"].startswith("2000")
        assert "deletionTimestamp" not in answer.meta
        assert answer.meta["resourceVersion"] != "1"
        assert answer.meta["managedFields"][0]["manager"] != "somebody"


async def test_a_warning_can_not_forge_a_header(api: Api) -> None:
    evil = 'a"\r\nset-cookie: b=c\x00'
    async with listening(lambda request: review(request, warnings=[evil] * 1000)) as hook:
        await configure(api, VALIDATING, hook.one())
        answer = await sent(api)
        assert answer.status == 201
        assert "\r" not in answer.headers["warning"]
        assert len(answer.headers["warning"]) < 5000


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.transport.abort()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()
    await reader.read()


async def lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000)
    await writer.drain()


@asynccontextmanager
async def talking(talk: Talk, context: ssl.SSLContext | None) -> AsyncGenerator[Webhook, None]:
    """A server that speaks for itself."""

    async def at_last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(at_last, "127.0.0.1", 0, ssl=context)
    hook = Webhook(port=server.sockets[0].getsockname()[1], ca=certificates().ca_pem)
    try:
        yield hook
    finally:
        server.close()


TALKS: tuple[tuple[str, Talk, bool, str], ...] = (
    ("hang", hang, True, "context deadline exceeded"),
    ("say one byte and hang", drip, True, "context deadline exceeded"),
    ("reset the connection", reset, True, ""),
    ("speak without TLS", lines, False, ""),
    ("flood the server with headers", lines, True, ""),
)


@pytest.mark.parametrize(("name", "talk", "tls", "why"), TALKS, ids=[talk[0] for talk in TALKS])
async def test_the_server_is_not_held(api: Api, name: str, talk: Talk, tls: bool, why: str) -> None:
    known = certificates()
    context = server_context(known.cert_file, known.key_file) if tls else None
    async with talking(talk, context) as hook:
        await configure(api, VALIDATING, hook.one(timeoutSeconds=1))
        async with asyncio.timeout(1.8):
            answer = await sent(api)
        assert answer.status == 500, answer.body
        assert answer.message.startswith(f'{CALL}Post "https://localhost:'), answer.message
        assert why in answer.message
        assert (await api.create("Pod")).status == 201


@cache
def strangers() -> Path:
    """Where the certificates of those are who are not who they say."""
    return Path(mkdtemp())


LONG_AGO = datetime.now(UTC) - timedelta(days=400)
CERTIFICATES = (
    ("another authority's", "localhost", datetime.now(UTC), False, "certificate"),
    ("another name's", "elsewhere", datetime.now(UTC), True, "ostname mismatch"),
    ("an expired one", "localhost", LONG_AGO, True, "certificate has expired"),
)


@pytest.mark.parametrize(
    ("name", "host", "moment", "known", "why"), CERTIFICATES, ids=[one[0] for one in CERTIFICATES]
)
async def test_a_certificate_must_be_of_the_one_named(
    api: Api, name: str, host: str, moment: datetime, known: bool, why: str
) -> None:
    files = ensure_certificates(strangers() / name.replace(" ", "-"), [host], moment)
    context = server_context(files.cert_file, files.key_file)
    hook = Webhook(ca=files.ca_pem if known else certificates().ca_pem)
    server = await serve(hook.handle, addresses=[("127.0.0.1", 0)], tls=context)
    hook.port = server.addresses[0][1]
    try:
        await configure(api, VALIDATING, hook.one())
        answer = await sent(api)
        assert answer.status == 500
        assert "tls: failed to verify certificate: x509: " in answer.message
        assert why in answer.message
        assert hook.asked == []
    finally:
        await server.close()


async def test_no_webhook_keeps_its_own_configuration(api: Api) -> None:
    async with listening(lambda request: review(request, allowed=False)) as hook:
        await configure(api, VALIDATING, hook.one("one.example.com", ANYTHING))
        assert (await sent(api)).status == 400
        assert (await api.ask("DELETE", f"{VALIDATING}/them")).status == 200
        assert (await sent(api)).status == 201


async def test_one_that_asks_for_what_it_judges_ends_in_time(api: Api) -> None:
    """It makes the very request that it is asked about, which asks it in turn, and so on."""

    async def calls_back() -> None:
        if len(hook.asked) < 50:
            await sent(api, f"n{len(hook.asked)}")

    async with listening() as hook:
        hook.before = calls_back
        await configure(api, VALIDATING, hook.one(timeoutSeconds=1))
        async with asyncio.timeout(1.9):
            await sent(api)
        assert (await api.get(CONFIG_MAPS)).status == 200


async def test_one_that_changes_what_it_judges_does_not_win(api: Api) -> None:
    await sent(api)
    target = f"{CONFIG_MAPS}/it"

    async def changes() -> None:
        blind = {"metadata": {"annotations": {"n": str(len(hook.asked))}}}
        await raw(api, "PATCH", target, blind)

    async with listening() as hook:
        mine = [{"name": "mine", "expression": "'mine' in object.data"}]
        await configure(api, VALIDATING, hook.one(matchConditions=mine))
        hook.before = changes
        answer = await raw(api, "PATCH", target, {"data": {"mine": "yes"}})
        assert answer.status == 409
        assert "the object has been modified" in answer.message
        assert len(hook.asked) == 8


async def test_one_that_goes_meanwhile_is_gone(api: Api) -> None:
    async def goes() -> None:
        await api.ask("DELETE", f"{VALIDATING}/them")

    async with listening(lambda request: review(request, allowed=False)) as hook:
        hook.before = goes
        await configure(api, VALIDATING, hook.one())
        assert (await sent(api)).status == 201


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running
