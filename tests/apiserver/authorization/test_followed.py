"""Following a part of the store by asking."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from argosy.apiserver.authorization.followed import Followed
from argosy.store.interface import DELETE
from argosy.store.memory import MemoryStore


class Kept:
    """A table that refuses what is no number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.cleared = 0

    def clear(self) -> None:
        self.known.clear()
        self.cleared += 1

    def put(self, key: str, value: bytes) -> None:
        self.known[key] = int(value)

    def drop(self, key: str) -> None:
        self.known.pop(key, None)


@pytest_asyncio.fixture
async def store() -> AsyncIterator[MemoryStore]:
    made = MemoryStore()
    yield made
    await made.close()


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def put(store: MemoryStore, key: str, value: bytes | None) -> None:
    await store.write(key, lambda record, revision: DELETE if value is None else value)


async def test_nothing_is_read_before_somebody_asks(store: MemoryStore, kept: Kept) -> None:
    await put(store, "/a/x", b"1")
    followed = Followed(store, "/a/", kept)
    assert kept.cleared == 0
    followed.catch_up()
    assert (kept.known, kept.cleared) == ({"/a/x": 1}, 1)


async def test_changes_are_followed_also_very_many(store: MemoryStore, kept: Kept) -> None:
    followed = Followed(store, "/a/", kept)
    followed.catch_up()
    for number in range(600):
        await put(store, f"/a/{number}", b"%d" % number)
        await put(store, f"/b/{number}", b"0")
    await put(store, "/a/7", None)
    followed.catch_up()
    assert kept.known == {f"/a/{n}": n for n in range(600) if n != 7}
    assert kept.cleared == 1


async def test_all_is_read_anew_where_the_history_is_gone(store: MemoryStore, kept: Kept) -> None:
    followed = Followed(store, "/a/", kept)
    await put(store, "/a/x", b"1")
    followed.catch_up()
    await put(store, "/a/x", None)
    await put(store, "/a/y", b"2")
    store.compact(store.revision)
    followed.catch_up()
    assert (kept.known, kept.cleared) == ({"/a/y": 2}, 2)
    await put(store, "/a/z", b"3")
    followed.catch_up()
    assert kept.known == {"/a/y": 2, "/a/z": 3}


async def test_what_is_not_understood_counts_as_not_there(store: MemoryStore, kept: Kept) -> None:
    followed = Followed(store, "/a/", kept)
    await put(store, "/a/x", b"1")
    followed.catch_up()
    await put(store, "/a/x", b"?")
    await put(store, "/a/y", b"2")
    followed.catch_up()
    assert kept.known == {"/a/y": 2}


async def test_no_change_is_lost_where_reading_fails(store: MemoryStore) -> None:
    class Broken(Kept):
        def drop(self, key: str) -> None:
            if key == "/a/bad":
                raise RuntimeError(key)
            super().drop(key)

    table = Broken()
    followed = Followed(store, "/a/", table)
    await put(store, "/a/bad", b"1")
    await put(store, "/a/x", b"1")
    followed.catch_up()
    await put(store, "/a/bad", None)
    await put(store, "/a/x", None)
    with pytest.raises(RuntimeError):
        followed.catch_up()
    followed.catch_up()
    assert table.known == {}
