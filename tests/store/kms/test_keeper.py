"""A store whose secrets are sealed by keys of a plugin, through rotations and outages."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from argosy.base.errors import StatusError
from argosy.store.backup import back_up, restore
from argosy.store.encryption import read
from argosy.store.interface import StoreOpenError
from argosy.store.kms.keeper import ILL_SECONDS, WELL_SECONDS, Keeper
from argosy.store.kms.provider import GOOD_FOR
from argosy.store.sealing import MARK, Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock
from tests.store.builders import delete, put
from tests.store.kms.plugin import FakePlugin, served

WORD = b"hunter2-is-the-password"
SECRET, OTHER, POD = "//secrets/default/a", "//secrets/default/b", "//pods/default/a"
PREFIX = MARK + b"kms:v2:vault:"
KEYED = {"aesgcm": {"keys": [{"name": "old", "secret": "a" * 43 + "="}]}}


def value(number: int) -> bytes:
    return b'{"data":"%s","number":%d}' % (WORD, number)


class Kit:
    """A plugin, a clock, and the stores that use them."""

    def __init__(self, folder: Path) -> None:
        self.plugin = FakePlugin()
        self.folder = folder / "store"
        self.socket = folder / "kms.sock"
        self.clock = FakeClock()
        self.file = folder / "encryption.yaml"
        self.configure(self.kms(), {"identity": {}})
        self.made: list[Sealing] = []

    def kms(self, socket: str = "", timeout: str = "300ms") -> object:
        endpoint = f"unix://{socket or self.socket}"
        fields = {"apiVersion": "v2", "name": "vault", "endpoint": endpoint}
        return {"kms": {**fields, "timeout": timeout}}

    def configure(self, *providers: object) -> None:
        head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"}
        entry = {"resources": ["secrets"], "providers": list(providers)}
        self.file.write_text(yaml.safe_dump({**head, "resources": [entry]}))

    def sealing(self) -> Sealing:
        self.made.append(read(self.file, self.clock))
        return self.made[-1]

    def open(self) -> SqliteStore:
        return SqliteStore.open(self.folder, sealing=self.sealing())

    @contextmanager
    def kept(self) -> Iterator[SqliteStore]:
        """A store with somebody who looks after its keys."""
        sealing = self.sealing()
        store = SqliteStore.open(self.folder, sealing=sealing)
        task = asyncio.create_task(Keeper(store, sealing, self.clock).run())
        try:
            yield store
        finally:
            task.cancel()

    def raw(self) -> bytes:
        """All that the store's files hold."""
        files = (file for file in self.folder.iterdir() if file.name != "store.lock")
        return b"".join(file.read_bytes() for file in files)

    async def passes(self, seconds: float, calls: int) -> None:
        """Let time pass, and so many calls of the plugin come to their end in their threads."""
        upto = len(self.plugin.calls) + calls
        await self.clock.advance(seconds)
        async with asyncio.timeout(5):
            while len(self.plugin.calls) < upto:
                await asyncio.sleep(0.005)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    with served(kit.plugin, kit.socket):
        yield kit
        for sealing in kit.made:
            sealing.close()


async def until_sealed_by(store: SqliteStore, sealing: Sealing, kit: Kit, key_id: bytes) -> None:
    """Wait for what happens in threads."""
    async with asyncio.timeout(5):
        while sealing.remotes[0].key_id.encode() != key_id or stale(kit, key_id):
            await asyncio.sleep(0.005)


def stale(kit: Kit, key_id: bytes) -> bool:
    """Whether a row is sealed by another key."""
    return any(key_id not in value for value in rows(kit))


def rows(kit: Kit) -> list[bytes]:
    """The values of secrets in the file."""
    with closing(sqlite3.connect(kit.folder / "store.db")) as connection:
        query = "SELECT value FROM change WHERE key LIKE '//secrets/%' AND value IS NOT NULL"
        return [bytes(row[0]) for row in connection.execute(query)]


async def test_secrets_go_to_the_disk_sealed_and_come_back_after_a_start(kit: Kit) -> None:
    store = kit.open()
    await store.write(SECRET, put(value(1)))
    await store.write(POD, put(b'{"kind":"Pod"}'))
    assert WORD not in kit.raw() and PREFIX in kit.raw() and b'"Pod"' in kit.raw()
    await store.close()
    kit.plugin.rotate("key-2")  # while it was closed
    store = kit.open()
    record = store.get(SECRET)
    assert record is not None and record.value == value(1)
    assert not stale(kit, b"key-2")
    del kit.plugin.keys["key-1"]  # nothing needs it any more
    await store.close()
    store = kit.open()
    assert store.get(SECRET) == record
    await store.close()


async def test_plain_and_locally_sealed_values_move_to_the_plugin_and_back(kit: Kit) -> None:
    kit.configure(KEYED)
    store = kit.open()
    await store.write(SECRET, put(value(1)))
    await store.close()
    steps: list[list[object]] = [[kit.kms(), KEYED], [kit.kms()], [{"identity": {}}, kit.kms()]]
    for providers in steps:
        kit.configure(*providers)
        store = kit.open()
        record = store.get(SECRET)
        assert record is not None and record.value == value(1)
        await store.close()
        assert (PREFIX in kit.raw()) == (providers[0] == kit.kms())
    assert WORD in kit.raw()


async def test_a_key_that_is_rotated_meanwhile_seals_all_anew_and_loses_nothing(kit: Kit) -> None:
    with kit.kept() as store:
        for number in range(150):  # more than two bites
            await store.write(f"//secrets/default/s{number}", put(value(number)))
        await store.write("//secrets/default/s7", delete)
        kit.plugin.rotate("key-2")
        writing = asyncio.create_task(store.write(SECRET, put(value(1))))
        await kit.clock.advance(WELL_SECONDS)
        await writing
        await until_sealed_by(store, kit.made[0], kit, b"key-2")
        assert b"key-1" not in b"".join(rows(kit))
        await store.write(SECRET, put(value(2)))
        await store.close()
    del kit.plugin.keys["key-1"]
    store = kit.open()
    assert len(store.list("//secrets/")) == 150
    record = store.get(SECRET)
    assert record is not None and record.value == value(2)
    assert [change.value for change in store.watch(SECRET, 1).ready()] == [value(1), value(2)]
    await store.close()


async def test_a_plugin_that_fails_is_told_of_and_writes_go_on_until_its_key_is_old(
    kit: Kit,
) -> None:
    with kit.kept() as store:
        sealing = kit.made[0]
        assert sealing.failure() == ""
        await store.write(SECRET, put(value(1)))
        kit.plugin.healthz = "on fire"
        kit.plugin.answers["Status"] = lambda: b"\xff"
        await kit.passes(WELL_SECONDS, 1)
        async with asyncio.timeout(5):
            while not sealing.failure():
                await asyncio.sleep(0.005)
        assert sealing.failure().startswith("kms-provider-0: failed to perform status section")
        await store.write(SECRET, put(value(2)))
        await kit.clock.advance(GOOD_FOR + 1)
        with pytest.raises(StatusError, match="Internal error occurred: encryptedDEKSource") as no:
            await store.write(SECRET, put(value(3)))
        assert no.value.code == 500
        pod, gone = await asyncio.gather(
            store.write(POD, put(b"{}")), store.write(OTHER, put(b"")), return_exceptions=True
        )
        assert not isinstance(pod, BaseException) and isinstance(gone, StatusError)
        assert (await store.write(SECRET, delete)) is not None
        kit.plugin.answers.clear()
        kit.plugin.healthz = "ok"
        await kit.passes(ILL_SECONDS, 1)
        async with asyncio.timeout(5):
            while sealing.failure():
                await asyncio.sleep(0.005)
        await store.write(SECRET, put(value(4)))
        await store.close()
    store = kit.open()
    record = store.get(SECRET)
    assert record is not None and record.value == value(4)
    await store.close()


async def test_a_reseal_that_fails_is_tried_again(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    first = kit.open()
    await first.write(SECRET, put(value(1)))
    await first.close()
    with kit.kept() as store:
        first_seed = kit.made[-1].remotes[0].__dict__["_heads"]
        first_seed.clear()  # as after many others: it must be asked for
        kit.plugin.rotate("key-2")
        old = kit.plugin.keys.pop("key-1")
        await kit.clock.advance(WELL_SECONDS)
        async with asyncio.timeout(5):
            while "could not be sealed by a new key yet" not in caplog.text:
                await asyncio.sleep(0.005)
        await store.write(OTHER, put(value(2)))
        kit.plugin.keys["key-1"] = old
        await kit.clock.advance(ILL_SECONDS)
        await until_sealed_by(store, kit.made[-1], kit, b"key-2")
        await store.close()


async def test_a_plugin_that_is_down_at_the_start_is_an_error_with_a_hint(kit: Kit) -> None:
    store = kit.open()
    await store.write(SECRET, put(value(1)))
    await store.close()
    before = kit.raw()
    kit.configure(kit.kms(f"{kit.socket}x"))
    with pytest.raises(StoreOpenError, match="code = (DeadlineExceeded|Unavailable)") as caught:
        kit.open()
    assert "opening the store in" in str(caught.value) and "start the plugin" in caught.value.hint
    kit.configure(kit.kms())
    kit.plugin.keys["key-1"] = FakePlugin().keys["key-1"]  # it has lost its keys
    with pytest.raises(StoreOpenError, match=f"value of {SECRET} .* failed to decrypt DEK"):
        kit.open()
    assert kit.raw() == before


async def test_a_backup_is_sealed_and_comes_back_by_the_plugin(kit: Kit, tmp_path: Path) -> None:
    store = kit.open()
    await store.write(SECRET, put(value(1)))
    facts = back_up(kit.folder, tmp_path / "backup")
    await store.close()
    assert (facts.objects, facts.sealed) == (1, 1)
    assert WORD not in (tmp_path / "backup").read_bytes()
    restore(tmp_path / "backup", tmp_path / "back", kit.clock.now())
    kit.folder = tmp_path / "back"
    store = kit.open()
    record = store.get(SECRET)
    assert record is not None and record.value == value(1)
    await store.close()


async def test_a_plugin_that_only_opens_keeps_nobody_from_starting(kit: Kit) -> None:
    kit.configure(KEYED, kit.kms(f"{kit.socket}x"))
    with kit.kept() as store:
        assert "no status was had yet" in kit.made[0].failure()
        await store.write(SECRET, put(value(1)))
        async with asyncio.timeout(5):
            while "rpc error" not in kit.made[0].failure():
                await asyncio.sleep(0.005)
        await store.close()
    assert PREFIX not in kit.raw() and WORD not in kit.raw()


async def test_a_plugin_that_hangs_holds_up_no_write(kit: Kit) -> None:
    kit.configure(kit.kms(timeout="30s"))
    with kit.kept() as store:
        kit.plugin.answers["Status"] = kit.plugin.hang
        await kit.passes(WELL_SECONDS, 1)
        async with asyncio.timeout(5):  # less than the call's own timeout
            await store.write(SECRET, put(value(1)))
        kit.made[0].close()  # as at the end: the call ends, too
        async with asyncio.timeout(5):
            while not kit.made[0].failure():
                await asyncio.sleep(0.005)
        await store.close()
