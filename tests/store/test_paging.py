"""Named property: the pages of a list, under any writes in between, are its snapshot."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.store.interface import Page, Record
from argosy.store.memory import MemoryStore
from tests.store.builders import delete, put

NAMES = st.sampled_from([f"/{folder}/{name}" for folder in "ab" for name in "cdefgh"])
WRITES = st.lists(st.tuples(NAMES, st.booleans()), min_size=2, max_size=6)


async def write(store: MemoryStore, writes: list[tuple[str, bool]]) -> None:
    for key, gone in writes:
        await store.write(key, delete if gone else put(b"%d" % store.revision))


Steps = list[tuple[int, list[tuple[str, bool]]]]


async def paged(store: MemoryStore, prefix: str, steps: Steps) -> list[Record]:
    """All pages of a list, with writes after each; the last one has all that remain."""
    page = Page([], store.revision, 1, "")
    records: list[Record] = []
    for limit, writes in (*steps, (0, [])):
        page = store.page(prefix, start_after=page.next, limit=limit, revision=page.revision)
        records += page.records
        assert len(page.records) == limit or page.remaining == 0
        if not page.remaining:
            break
        await write(store, writes)
    return records


@settings(max_examples=120)
@given(
    before=st.lists(NAMES, min_size=4, max_size=10, unique=True),
    prefix=st.sampled_from(["", "/a/", "/b/"]),
    steps=st.lists(st.tuples(st.integers(1, 2), WRITES), min_size=3, max_size=6),
)
def test_the_pages_of_a_list_are_its_snapshot(before: list[str], prefix: str, steps: Steps) -> None:
    async def run() -> None:
        store = MemoryStore()
        await write(store, [(key, False) for key in before])
        snapshot = store.list(prefix)
        assert await paged(store, prefix, steps) == snapshot

    asyncio.run(run())


async def test_a_page_counts_what_remains_as_it_was() -> None:
    store = MemoryStore()
    await write(store, [(f"/{i}", False) for i in range(6)])
    first = store.page("/", limit=2)
    await write(store, [("/5", True), ("/7", False), ("/8", False), ("/0", True)])
    second = store.page("/", start_after=first.next, limit=2, revision=first.revision)
    assert (first.remaining, second.remaining) == (4, 2)
    assert store.page("/", limit=2).remaining == 4
