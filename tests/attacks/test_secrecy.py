"""Attempts to read secrets where they must not be: in the audit log, and on the disk.

Each attack has the refusal, or the nothing, that it must get.
"""

import base64
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from argosy.apiserver.audit.policy import parse as parse_policy
from argosy.apiserver.audit.recorder import Recorder
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import ControlPlane, control_plane
from argosy.http.message import Request
from argosy.store.encryption import EncryptionConfigError, parse
from argosy.store.folder import FILE
from argosy.store.interface import StoreOpenError
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock
from tests.apiserver.kit import Api, serving

Json = dict[str, Any]
PASSWORD = base64.b64encode(b"hunter2-hunter2").decode()
KEY = base64.b64encode(b"k" * 32).decode()


class Lines:
    """A sink of the audit log that keeps its text."""

    def __init__(self) -> None:
        self.text = b""
        self.lost = 0

    def put(self, line: bytes) -> None:
        self.text += line

    def close(self) -> None:
        return None


@asynccontextmanager
async def told_all(level: str = "RequestResponse") -> AsyncGenerator[tuple[Api, Lines], None]:
    """A server whose audit log tells all that it may."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "rules": [{"level": level}],
    }
    lines = Lines()
    async with serving() as api:
        recorder = Recorder(parse_policy(json.dumps(policy).encode()), (lines,), FakeClock())
        api.cluster.plane.server.audit = recorder
        yield api, lines


async def test_a_token_that_is_asked_for_is_not_in_the_audit_log() -> None:
    async with told_all() as (api, lines):
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        await api.ask("POST", accounts, {"metadata": {"name": "robot"}})
        answer = await api.ask("POST", f"{accounts}/robot/token", {"spec": {}})
        token = answer.body["status"]["token"]
        assert answer.status == 201 and token.encode() not in lines.text
        assert b'"subresource":"token"' in lines.text


async def test_a_token_that_is_reviewed_is_not_in_the_audit_log() -> None:
    async with told_all() as (api, lines):
        where = "/apis/authentication.k8s.io/v1/tokenreviews"
        await api.ask("POST", where, {"spec": {"token": "stolen-token"}})
        assert b"tokenreviews" in lines.text and b"stolen-token" not in lines.text


@pytest.mark.parametrize(
    ("method", "name", "kind", "sent"),
    [
        ("POST", "", "application/json", {"metadata": {"name": "x"}, "data": {"a": "hunter2!"}}),
        ("PATCH", "/it", "application/merge-patch+json", {"data": {"a": "hunter2!"}}),
        (
            "PATCH",
            "/it",
            "application/apply-patch+yaml",
            {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": {"b": "hunter2"}}},
        ),
        (
            "PATCH",
            "/it",
            "application/json-patch+json",
            [{"op": "test", "path": "/data/a", "value": "guess"}],
        ),
        (
            "PATCH",
            "/it",
            "application/merge-patch+json",
            b'{"stringData":{"a":"hunter2","a":"hunter2"}}',
        ),
    ],
    ids=["made", "patched", "applied", "guessed", "said twice"],
)
async def test_a_secret_that_is_wrong_is_not_in_the_audit_log(
    method: str, name: str, kind: str, sent: Any
) -> None:
    """The level is Metadata: not even the words of the refusal may repeat what was sent."""
    where = "/api/v1/namespaces/default/secrets"
    async with told_all("Metadata") as (api, lines):
        body = {"metadata": {"name": "it"}, "data": {"a": PASSWORD}}
        assert (await api.ask("POST", where, body)).status == 201
        query: dict[str, Any] = {"fieldManager": "m", "fieldValidation": "Strict"}
        answer = await api.ask(method, f"{where}{name}", sent, kind=kind, **query)
        assert answer.status in (400, 422), answer.body
        assert PASSWORD not in answer.message
        told = json.loads(lines.text.splitlines()[-1])["responseStatus"]
        assert told["code"] == answer.status and "message" not in told
        assert b"hunter2" not in lines.text and PASSWORD.encode() not in lines.text


async def test_a_token_that_is_shown_is_not_in_the_audit_log() -> None:
    async with told_all() as (api, lines):
        for scheme in ("Bearer", "Basic", "Negotiate"):
            headers = {"authorization": f"{scheme} stolen-token"}
            answer = await api.ask("GET", "/api/v1/pods", headers=headers)
            assert answer.status == 401
        own = api.cluster.plane.token.encode()
        assert b"stolen-token" not in lines.text and own not in lines.text


async def test_no_body_begins_an_event_of_its_own() -> None:
    forged = '\n{"kind":"Event","stage":"ResponseComplete","user":{"username":"alice"}}\n'
    async with told_all() as (api, lines):
        sent = {"metadata": {"name": "a"}, "data": {"x": forged}}
        await api.ask(
            "POST",
            "/api/v1/namespaces/default/configmaps",
            json.dumps(sent, indent=2).encode(),
            headers={"user-agent": forged, "audit-id": forged, "x-forwarded-for": forged},
        )
        users = [json.loads(line)["user"]["username"] for line in lines.text.splitlines()]
        assert users == ["system:apiserver"] * 2


async def test_nobody_hides_from_the_audit_log_by_a_wrong_request() -> None:
    async with told_all() as (api, lines):
        before = 0
        for where in ("/api/v1/pods/%ff%fe", "/api/v1/namespaces/a%00b/pods", "/api/v1/../x"):
            await api.ask("GET", where, headers={"user-agent": "\udcff"})
            told = len(lines.text.splitlines())
            assert told - before == 2, where
            before = told


def sealing(secret: str = KEY) -> Sealing:
    key = {"aesgcm": {"keys": [{"name": "key1", "secret": secret}]}}
    entry = {"resources": ["secrets"], "providers": [key, {"identity": {}}]}
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"}
    return parse({**head, "resources": [entry]})


async def asked(plane: ControlPlane, method: str, name: str = "", sent: Json | None = None) -> int:
    where = f"/api/v1/namespaces/default/secrets{name and '/'}{name}"
    headers = {"authorization": f"Bearer {plane.token}", "content-type": "application/json"}
    body = b"" if sent is None else json.dumps(sent).encode()
    return (await plane.server.handle(Request(method, where, "", headers, body))).status


async def filled(folder: Path) -> None:
    """A store with two secrets that were written, changed and, one of them, deleted."""
    store = SqliteStore.open(folder, sealing=sealing())
    plane = control_plane(store, FakeClock())
    await bootstrap(plane.client("test"), plane.resources)
    for name in ("a", "b", "c"):
        secret: Json = {"metadata": {"name": name}, "data": {"password": PASSWORD}}
        assert await asked(plane, "POST", "", secret) == 201
        assert await asked(plane, "PUT", name, {**secret, "type": "Opaque"}) == 200
    assert await asked(plane, "DELETE", "c") == 200
    assert PASSWORD.encode() not in raw(folder)
    store.compact(store.revision - 3)
    await store.tidy()
    await store.close()


def raw(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_thief_of_the_disk_finds_no_secret(tmp_path: Path) -> None:
    await filled(tmp_path)
    text = raw(tmp_path)
    assert PASSWORD.encode() not in text and b"hunter2" not in text
    assert KEY.encode() not in text and b"k" * 32 not in text
    with pytest.raises(StoreOpenError, match="is sealed by aesgcm key 'key1'"):
        SqliteStore.open(tmp_path)


async def test_a_guessed_key_opens_nothing_and_harms_nothing(tmp_path: Path) -> None:
    await filled(tmp_path)
    with pytest.raises(StoreOpenError, match="does not open: the key was another one"):
        SqliteStore.open(tmp_path, sealing=sealing(base64.b64encode(b"g" * 32).decode()))
    store = SqliteStore.open(tmp_path, sealing=sealing())
    record = store.get("//secrets/default/a")
    assert record is not None and PASSWORD.encode() in record.value
    await store.close()


async def test_a_secret_of_one_name_is_not_given_out_under_another(tmp_path: Path) -> None:
    """Who may read secret b, and write to the disk, must not read a by it."""
    await filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        query = "SELECT revision, value FROM change WHERE key = ? ORDER BY revision DESC"
        _, value = connection.execute(query, ("//secrets/default/a",)).fetchone()
        revision, _ = connection.execute(query, ("//secrets/default/b",)).fetchone()
        checksum = crc32(value, crc32(f"{revision} False //secrets/default/b".encode()))
        update = "UPDATE change SET value = ?, checksum = ? WHERE revision = ?"
        connection.execute(update, (value, checksum, revision))
    with pytest.raises(StoreOpenError, match="//secrets/default/b .* does not open"):
        SqliteStore.open(tmp_path, sealing=sealing())


def test_a_wrong_key_is_refused_without_being_shown() -> None:
    for secret in ("c2hvcnQ=", "no-base64-at-all!", "x" * 500):
        with pytest.raises(EncryptionConfigError) as caught:
            sealing(secret)
        assert secret not in str(caught.value) and "REDACTED" in str(caught.value)
