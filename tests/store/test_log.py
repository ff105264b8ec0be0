"""The watch log and its readers, beyond what the conformance suite asks of a store."""

import asyncio
import gc

import pytest

from argosy.store.log import Limits, Log, Sleeper, Watch
from argosy.store.memory import MemoryStore


async def test_a_read_that_is_given_up_leaves_nothing_behind() -> None:
    log = Log(1, Limits())
    watch = Watch(log, "/", 1)
    for _ in range(50):
        waiting = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    gc.collect()
    # The newest may live on in the traceback of its cancellation.
    assert len([found for found in gc.get_objects() if isinstance(found, Sleeper)]) < 10


async def test_a_watch_knows_how_far_it_has_read() -> None:
    """What a bookmark needs: a quiet watch moves on with the store."""
    store = MemoryStore()
    watch = store.watch("/a", 1)
    for key in ("/a", "/b", "/c"):
        await store.write(key, lambda _now, _revision: b"x")
    await anext(watch)
    assert watch.revision == 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(watch)
    assert watch.revision == 4
