"""The watch log and its readers, beyond what the conformance suite asks of a store."""

import asyncio
import gc

from argosy.store.interface import Change
from argosy.store.log import Entry, Limits, Log, Reader, Sleeper


async def test_a_read_that_is_given_up_leaves_nothing_behind() -> None:
    log = Log(1, Limits())
    watch = Reader(log, "/", 1)
    for _ in range(50):
        waiting = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    gc.collect()
    # The newest may live on in the traceback of its cancellation.
    assert len([found for found in gc.get_objects() if isinstance(found, Sleeper)]) < 10


def entry(revision: int, value: bytes | None, previous: bytes | None) -> Entry:
    replaced = None if previous is None else revision - 1
    return Entry(Change("/a", revision, value, previous), replaced)


def test_history_is_bounded_by_all_that_it_holds() -> None:
    """Also by what was deleted, which nothing else may hold any more."""
    log = Log(1, Limits(bytes=100))
    log.append(entry(2, b"x" * 90, None))
    assert log.trim() == []
    log.append(entry(3, None, b"x" * 90))
    assert log.trim() == []
    assert log.floor == 2
    log.append(entry(4, b"x" * 50, None))
    log.append(entry(5, b"", b"x" * 50))
    assert log.trim() == [2, 3]
    assert log.floor == 4
