"""What every store promises, whichever it is. A new implementation adds one line to `KINDS`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from argosy.store.interface import (
    Change,
    CompactedError,
    Page,
    Record,
    Store,
    StoreUnavailableError,
    Watch,
)
from argosy.store.log import Limits
from argosy.store.memory import MemoryStore
from argosy.store.sqlite import SqliteStore
from tests.store.builders import delete, put

Kind = Callable[[Path, Limits], Store]


def _memory(_folder: Path, limits: Limits) -> Store:
    return MemoryStore(limits=limits)


def _sqlite(folder: Path, limits: Limits) -> Store:
    return SqliteStore.open(folder, limits=limits)


KINDS: tuple[Kind, ...] = (_memory, _sqlite)


@pytest.fixture(params=KINDS, ids=("memory", "sqlite"))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store = request.param(tmp_path, Limits(changes=20))
    yield opened
    await opened.close()


def skip(_now: Record | None, _revision: int) -> None:
    return None


async def fill(store: Store, *keys: str) -> None:
    for key in keys:
        await store.write(key, put(key.encode()))


async def read(watch: Watch, number: int) -> list[int]:
    async with asyncio.timeout(1):
        return [(await anext(watch)).revision for _ in range(number)]


# Writes


async def test_a_fresh_store_is_at_revision_1_and_empty(store: Store) -> None:
    assert (store.revision, store.get("/a"), store.list("")) == (1, None, [])


async def test_a_write_takes_the_next_revision_and_tells_the_mutation(store: Store) -> None:
    seen: list[tuple[Record | None, int]] = []

    def mutate(now: Record | None, revision: int) -> bytes:
        seen.append((now, revision))
        return b"at %d" % revision

    first = await store.write("/a", mutate)
    second = await store.write("/a", mutate)

    assert first == Record("/a", b"at 2", 2)
    assert second == store.get("/a") == Record("/a", b"at 3", 3)
    assert seen == [(None, 2), (first, 3)]
    assert store.revision == 3


async def test_a_mutation_that_returns_none_writes_nothing(store: Store) -> None:
    await fill(store, "/a")
    assert await store.write("/a", skip) == Record("/a", b"/a", 2)
    assert await store.write("/b", skip) is None
    assert store.revision == 2


async def test_a_delete_returns_the_last_record_with_its_own_revision(store: Store) -> None:
    await fill(store, "/a")
    assert await store.write("/a", delete) == Record("/a", b"/a", 3)
    assert (store.get("/a"), store.list(""), store.revision) == (None, [], 3)


async def test_deleting_nothing_writes_nothing(store: Store) -> None:
    assert await store.write("/a", delete) is None
    assert store.revision == 1


async def test_a_deleted_key_can_be_written_again(store: Store) -> None:
    await fill(store, "/a")
    await store.write("/a", delete)
    assert await store.write("/a", put(b"new")) == Record("/a", b"new", 4)


async def test_an_exception_of_the_mutation_reaches_the_caller_and_writes_nothing(
    store: Store,
) -> None:
    def refuse(_now: Record | None, _revision: int) -> bytes:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await store.write("/a", refuse)
    assert store.revision == 1
    assert await store.write("/a", put(b"yes")) == Record("/a", b"yes", 2)


@pytest.mark.parametrize("outcome", ["text", 5, bytearray(b"no")])
async def test_a_mutation_that_returns_something_else_is_refused(
    store: Store, outcome: object
) -> None:
    with pytest.raises(TypeError, match=type(outcome).__name__):
        await store.write("/a", lambda _now, _revision: outcome)
    assert store.revision == 1


async def test_a_key_that_is_no_text_is_refused_alone(store: Store) -> None:
    results = await asyncio.gather(
        store.write("/a", put(b"a")),
        store.write("/\ud800", put(b"b")),
        return_exceptions=True,
    )
    assert results[0] == Record("/a", b"a", 2)
    assert isinstance(results[1], ValueError)


async def test_writes_at_once_see_each_other_and_lose_nothing(store: Store) -> None:
    def add(now: Record | None, _revision: int) -> bytes:
        return b"%d" % (int(now.value if now else b"0") + 1)

    results = await asyncio.gather(*(store.write("/count", add) for _ in range(50)))

    assert [result.value for result in results if result] == [b"%d" % i for i in range(1, 51)]
    assert store.get("/count") == Record("/count", b"50", 51)


async def test_a_write_is_visible_when_its_await_ends(store: Store) -> None:
    async def one(key: str) -> bool:
        record = await store.write(key, put(b"x"))
        assert record is not None
        return store.get(key) == record and store.revision >= record.revision

    assert all(await asyncio.gather(*(one(f"/{i}") for i in range(50))))


async def test_a_cancelled_writer_harms_nobody(store: Store) -> None:
    tasks = [asyncio.create_task(store.write(f"/{i}", put(b"x"))) for i in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(result, Record) for result in results[1::2])
    await store.write("/last", put(b"x"))
    revisions = sorted(record.revision for record in store.list(""))
    assert revisions == list(range(2, store.revision + 1))


# Lists


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["/a", "/a/1", "/a/2", "/b/1", "/\U0010ffff", "/\U0010ffffx"]),
        ("/a", ["/a", "/a/1", "/a/2"]),
        ("/a/", ["/a/1", "/a/2"]),
        ("/b/1", ["/b/1"]),
        ("/c", []),
        ("/\U0010ffff", ["/\U0010ffff", "/\U0010ffffx"]),
        ("\U0010ffff", []),
    ],
)
async def test_a_list_has_the_keys_under_the_prefix_in_order(
    store: Store, prefix: str, expected: list[str]
) -> None:
    await fill(store, "/\U0010ffffx", "/b/1", "/a/2", "/a", "/\U0010ffff", "/a/1", "/gone")
    await store.write("/gone", delete)
    assert [record.key for record in store.list(prefix)] == expected


# Pages


def keys(page: Page) -> list[str]:
    return [record.key for record in page.records]


@pytest.mark.parametrize(
    ("prefix", "start_after", "limit", "expected", "remaining"),
    [
        ("/a/", "", 0, ["/a/1", "/a/2", "/a/3"], 0),
        ("/a/", "", 2, ["/a/1", "/a/2"], 1),
        ("/a/", "", 3, ["/a/1", "/a/2", "/a/3"], 0),
        ("/a/", "/a/2", 2, ["/a/3"], 0),
        ("/a/", "/a/15", 1, ["/a/2"], 1),
        ("/a/", "/a/3", 1, [], 0),
        ("/a/", "/a", 1, ["/a/1"], 2),
        ("/a/", "/z", 1, [], 0),
        ("/c/", "", 1, [], 0),
        ("", "/a/3", 0, ["/b/1"], 0),
    ],
)
async def test_a_page_is_a_piece_of_the_list(
    store: Store,
    prefix: str,
    start_after: str,
    limit: int,
    expected: list[str],
    remaining: int,
) -> None:
    await fill(store, "/b/1", "/a/2", "/a/1", "/a/3")
    page = store.page(prefix, start_after=start_after, limit=limit)
    assert (keys(page), page.remaining, page.revision) == (expected, remaining, 5)
    assert page.next == (expected[-1] if remaining else "")


async def test_later_pages_are_of_the_first_one_s_revision(store: Store) -> None:
    await fill(store, "/a/1", "/a/3", "/a/5", "/a/7")
    before = store.list("/a/")
    first = store.page("/a/", limit=1)
    await store.write("/a/3", put(b"changed"))
    await store.write("/a/3", put(b"and again"))
    await store.write("/a/5", delete)
    await fill(store, "/a/2", "/a/4", "/a/6", "/a/8", "/b")
    await store.write("/a/6", delete)
    await store.write("/a/7", delete)
    await fill(store, "/a/7")

    second = store.page("/a/", start_after=first.next, limit=1, revision=first.revision)
    third = store.page("/a/", start_after=second.next, limit=2, revision=first.revision)
    assert [*first.records, *second.records, *third.records] == before
    assert [page.remaining for page in (first, second, third)] == [3, 2, 0]
    assert {page.revision for page in (first, second, third)} == {5}
    assert third.next == ""


async def test_a_page_of_a_revision_that_is_gone_is_refused(store: Store) -> None:
    await fill(store, "/a", "/b", "/c")
    store.compact(3)
    assert keys(store.page("/", revision=3)) == ["/a", "/b"]
    with pytest.raises(CompactedError) as caught:
        store.page("/", revision=2)
    assert caught.value.oldest == 4


async def test_a_page_of_the_future_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="revision 2 is yet to come"):
        store.page("/", revision=2)


# Watches


async def test_a_watch_has_all_later_changes_under_its_prefix_in_order(store: Store) -> None:
    await fill(store, "/a/1", "/b/1", "/a/2")
    watch = store.watch("/a/", 2)
    await fill(store, "/a/1", "/b/2")
    await store.write("/a/2", delete)

    assert await read(watch, 3) == [4, 5, 7]


async def test_a_change_tells_what_was_there_before(store: Store) -> None:
    watch = store.watch("/", 1)
    await fill(store, "/a")
    await store.write("/a", put(b"new"))
    await store.write("/a", delete)

    assert [await anext(watch) for _ in range(3)] == [
        Change("/a", 2, b"/a", None),
        Change("/a", 3, b"new", b"/a"),
        Change("/a", 4, None, b"new"),
    ]


async def test_a_watch_tells_how_far_it_has_come(store: Store) -> None:
    """What a bookmark needs: a quiet watch moves on with the store."""
    watch = store.watch("/a", 1)
    assert watch.revision == 1
    await fill(store, "/a", "/b", "/c")
    assert await read(watch, 1) == [2]
    assert watch.revision == 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(watch)
    assert watch.revision == 4


async def test_a_waiting_watch_is_woken(store: Store) -> None:
    waiting = [asyncio.create_task(read(store.watch("/a", 1), 2)) for _ in range(3)]
    await asyncio.sleep(0)
    await fill(store, "/b", "/a", "/b", "/a")
    assert await asyncio.gather(*waiting) == [[3, 5]] * 3


async def test_a_watch_from_the_future_skips_what_comes_before(store: Store) -> None:
    watch = store.watch("/", 3)
    waiting = asyncio.create_task(read(watch, 1))
    await asyncio.sleep(0)
    await fill(store, "/a", "/b", "/c")
    assert await waiting == [4]


@pytest.mark.parametrize("order", ["cancel first", "write first"])
async def test_a_cancelled_read_loses_nothing(store: Store, order: str) -> None:
    watch = store.watch("/a", 1)
    waiting = asyncio.create_task(read(watch, 1))
    await asyncio.sleep(0)
    if order == "cancel first":
        waiting.cancel()  # the task hears of it only when it runs next
    await fill(store, "/b", "/a")
    waiting.cancel()
    heard = (await asyncio.gather(waiting, return_exceptions=True))[0]

    assert (heard if isinstance(heard, list) else await read(watch, 1)) == [3]


async def test_an_old_revision_is_compacted(store: Store) -> None:
    await fill(store, "/a", "/b", "/c")
    store.compact(3)

    with pytest.raises(CompactedError) as caught:
        await anext(store.watch("/", 2))
    assert caught.value.oldest == 4
    assert await read(store.watch("/", 3), 1) == [4]


async def test_compaction_ends_at_the_present(store: Store) -> None:
    await fill(store, "/a")
    store.compact(1000)
    watch = store.watch("/", store.revision)
    await fill(store, "/b")
    assert await read(watch, 1) == [3]
    assert [record.key for record in store.list("")] == ["/a", "/b"]


async def test_a_slow_reader_is_told_that_it_lost_something(store: Store) -> None:
    watch = store.watch("/", 1)
    await fill(store, "/first")
    assert await read(watch, 1) == [2]
    await fill(store, *(f"/{i}" for i in range(21)))

    with pytest.raises(CompactedError):
        await anext(watch)
    with pytest.raises(CompactedError):
        await anext(watch)


async def test_a_waiting_watch_is_not_overtaken_by_what_does_not_concern_it(store: Store) -> None:
    waiting = asyncio.create_task(read(store.watch("/a", 1), 1))
    await asyncio.sleep(0)
    await fill(store, *(f"/b/{i}" for i in range(50)), "/a")
    assert await waiting == [52]


async def test_a_watch_that_is_polled_is_not_overtaken_either(store: Store) -> None:
    watch = store.watch("/a", 1)
    for _ in range(3):
        waiting = asyncio.create_task(read(watch, 1))
        await asyncio.sleep(0)
        await fill(store, *(f"/b/{i}" for i in range(25)))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await fill(store, "/a")
    assert await read(watch, 1) == [77]


# Close


async def test_close_ends_watches_after_what_they_have_not_read(store: Store) -> None:
    async def everything(watch: Watch) -> list[int]:
        return [change.revision async for change in watch]

    behind = store.watch("/", 1)
    waiting = asyncio.create_task(everything(store.watch("/", 1)))
    await fill(store, "/a", "/b")
    await asyncio.sleep(0)
    await store.close()

    async with asyncio.timeout(1):
        assert await waiting == await everything(behind) == [2, 3]


async def test_close_finishes_pending_writes_and_refuses_new_ones(store: Store) -> None:
    pending = [asyncio.create_task(store.write(f"/{i}", put(b"x"))) for i in range(5)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())

    assert all(isinstance(record, Record) for record in await asyncio.gather(*pending))
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.write("/late", put(b"x"))
