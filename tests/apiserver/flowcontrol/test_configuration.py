"""Schemas and levels from the store."""

from argosy.apiserver.authorization.attributes import attributes_of
from argosy.apiserver.flowcontrol.configuration import Configuration
from argosy.apiserver.flowcontrol.levels import Levels
from argosy.cluster.server import memory_store
from argosy.http.message import Request
from argosy.store.interface import DELETE, Store
from tests.apiserver.flowcontrol.kit import BOB, level, schema, stored

PREFIX = "/flowcontrol.apiserver.k8s.io/"
ASKED = attributes_of(Request("GET", "/api/v1/pods"), BOB)


class Read:
    def __init__(self, store: Store) -> None:
        self.levels = Levels(600, lambda: 0.0)
        self.changes = 0
        self._configuration = Configuration(store, self.levels, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def schema(self) -> str:
        return self._configuration.classifier().schema(ASKED).name


async def test_the_defaults_count_until_they_are_seen() -> None:
    store = memory_store()
    read = Read(store)
    assert read.schema() == "global-default"
    assert len(read.levels.by_name) == 8
    await store.write(f"{PREFIX}flowschemas/global-default", lambda *_: b'{"metadata":{}}')
    await store.write(f"{PREFIX}flowschemas/global-default", lambda *_: DELETE)
    assert read.schema() == "catch-all"


async def test_the_mandatory_ones_count_even_when_they_are_deleted() -> None:
    store = memory_store()
    read = Read(store)
    for key in ("flowschemas/catch-all", "prioritylevelconfigurations/catch-all"):
        await store.write(PREFIX + key, lambda *_: b"{}")
        await store.write(PREFIX + key, lambda *_: DELETE)
    await store.write(f"{PREFIX}flowschemas/global-default", lambda *_: b"{}")
    assert read.schema() == "catch-all"
    assert "catch-all" in read.levels.by_name


async def test_a_schema_without_its_level_counts_as_not_there() -> None:
    store = memory_store()
    read = Read(store)
    await stored(store, schema("mine", "absent", "bob"))
    assert read.schema() == "global-default"
    await stored(store, level("absent", 1))
    assert read.schema() == "mine"


async def test_nothing_is_done_where_nothing_changed() -> None:
    store = memory_store()
    read = Read(store)
    read.schema()
    read.schema()
    await store.write("/other/things/a", lambda *_: b"{}")
    read.schema()
    assert read.changes == 1


async def test_what_is_not_understood_counts_as_not_there() -> None:
    store = memory_store()
    read = Read(store)
    for broken in (b"[]", b'{"metadata":{"name":"mine"},"spec":{"rules":7}}', b"{"):
        await store.write(f"{PREFIX}flowschemas/mine", lambda *_, text=broken: text)
        assert read.schema() == "global-default"
    false = b'{"metadata":{"name":"catch-all"},"spec":{"type":"Exempt","exempt":{}}}'
    await store.write(f"{PREFIX}prioritylevelconfigurations/catch-all", lambda *_: false)
    read.schema()
    assert not read.levels.by_name["catch-all"].exempt
