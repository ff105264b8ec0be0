"""Every store against a model of a few lines: a dict of records and a list of changes.

Named properties: a read sees exactly the acknowledged writes; revisions only grow; a watch from
any revision has every later change once and in order, or is told that history is gone; the pages of
a list are those of its first one's revision, or history is gone; a restart changes nothing of that.
"""

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from argosy.store.interface import DELETE, Change, CompactedError, Mutation, Page, Record, Store
from argosy.store.log import Limits
from argosy.store.memory import MemoryStore
from argosy.store.sqlite import SqliteStore

LIMITS = Limits(changes=8)
KEYS = ("/a", "/a/1", "/a/2", "/b/1", "/b")
PREFIXES = ("", "/", "/a", "/a/", "/b/1", "/c")

Outcome = bytes | object | None
T = TypeVar("T")


def returning(outcome: Outcome) -> Mutation:
    return lambda _now, _revision: outcome


@dataclass
class Paging:
    """A list under way: what is still to come, and the piece that came last."""

    prefix: str
    left: list[Record]
    last: Page


class Model(RuleBasedStateMachine):
    """Drives a store and the model side by side. The memory store is never reopened."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.records: dict[str, Record] = {}
        self.changes: list[Change] = []
        self.revision = 1
        self.floor = 1
        self.pagings: list[Paging] = []

    @initialize()
    def start(self) -> None:
        self.open()

    def open(self) -> None:
        self.store = MemoryStore(limits=LIMITS)

    def run(self, work: Awaitable[T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(2):
                return await work

        return self.runner.run(bounded())

    def expect(self, key: str, outcome: Outcome) -> Record | None:
        """What the model makes of a write."""
        now = self.records.get(key)
        if outcome is None or (outcome is DELETE and now is None):
            return now
        self.revision += 1
        value = outcome if isinstance(outcome, bytes) else None
        previous = now.value if now else None
        self.changes.append(Change(key, self.revision, value, previous))
        self.floor = max(self.floor, self.revision - LIMITS.changes)
        if value is None:
            del self.records[key]
            return Record(key, previous or b"", self.revision)
        self.records[key] = Record(key, value, self.revision)
        return self.records[key]

    @rule(
        writes=st.lists(
            st.tuples(
                st.sampled_from(KEYS),
                st.one_of(st.just(DELETE), st.none(), st.binary(max_size=8)),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def write_at_once(self, writes: list[tuple[str, Outcome]]) -> None:
        async def write() -> list[Record | None]:
            started = (self.store.write(key, returning(outcome)) for key, outcome in writes)
            return await asyncio.gather(*started)

        expected = [self.expect(key, outcome) for key, outcome in writes]
        assert self.run(write()) == expected

    @rule(key=st.sampled_from(KEYS))
    def fail(self, key: str) -> None:
        def refuse(now: Record | None, revision: int) -> bytes:
            assert (now, revision) == (self.records.get(key), self.revision + 1)
            raise LookupError

        with pytest.raises(LookupError):
            self.run(self.store.write(key, refuse))

    @rule(back=st.integers(0, 10))
    def compact(self, back: int) -> None:
        self.floor = max(self.floor, self.revision - back)
        self.store.compact(self.revision - back)

    @rule(back=st.integers(0, 12), prefix=st.sampled_from(PREFIXES))
    def watch(self, back: int, prefix: str) -> None:
        after = self.revision - back
        watch = self.store.watch(prefix, after)

        async def read(number: int) -> list[Change]:
            return [await anext(watch) for _ in range(number)]

        if after < self.floor:
            with pytest.raises(CompactedError) as caught:
                self.run(read(1))
            assert caught.value.oldest == self.floor + 1
            return
        expected = [
            change
            for change in self.changes
            if change.revision > after and change.key.startswith(prefix)
        ]
        assert self.run(read(len(expected))) == expected

    @rule(prefix=st.sampled_from(PREFIXES), limit=st.integers(0, 3))
    def list_the_first_page(self, prefix: str, limit: int) -> None:
        left = [self.records[key] for key in sorted(self.records) if key.startswith(prefix)]
        page = self.store.page(prefix, limit=limit)
        self.check_page(Paging(prefix, left, page), limit)

    @rule(limit=st.integers(0, 3), which=st.integers(0, 5))
    def list_the_next_page(self, limit: int, which: int) -> None:
        if not self.pagings:
            return
        paging = self.pagings.pop(which % len(self.pagings))
        last = paging.last

        def look() -> Page:
            return self.store.page(
                paging.prefix, start_after=last.next, limit=limit, revision=last.revision
            )

        if last.revision < self.floor:
            with pytest.raises(CompactedError) as caught:
                look()
            assert caught.value.oldest == self.floor + 1
            return
        paging.last = look()
        assert paging.last.revision == last.revision
        self.check_page(paging, limit)

    def check_page(self, paging: Paging, limit: int) -> None:
        page, size = paging.last, limit or len(paging.left)
        expected, paging.left = paging.left[:size], paging.left[size:]
        assert (page.records, page.remaining) == (expected, len(paging.left))
        if paging.left:
            self.pagings.append(paging)
        else:
            assert page.next == ""

    @invariant()
    def reads_agree(self) -> None:
        assert self.store.revision == self.revision
        for key in KEYS:
            assert self.store.get(key) == self.records.get(key)
        for prefix in PREFIXES:
            expected = [self.records[key] for key in sorted(KEYS) if key in self.records]
            assert self.store.list(prefix) == [
                record for record in expected if record.key.startswith(prefix)
            ]

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()


class SqliteModel(Model):
    """The same with restarts in between."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()

    def open(self) -> None:
        self.store = SqliteStore.open(Path(self.folder.name), limits=LIMITS)

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.open()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


@pytest.mark.parametrize(("model", "examples"), [(Model, 50), (SqliteModel, 12)])
def test_a_store_does_what_the_model_does(model: type[Model], examples: int) -> None:
    run_state_machine_as_test(
        model, settings=settings(max_examples=examples, stateful_step_count=15, deadline=None)
    )
