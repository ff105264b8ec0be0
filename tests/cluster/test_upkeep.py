"""The store of an embedded cluster is looked after while it is open."""

import asyncio
from pathlib import Path

import pytest

from argosy.base.clock import Clock
from argosy.cluster import embedded
from argosy.cluster.embedded import Embedded, Options
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock


async def test_upkeep_runs_as_long_as_the_cluster_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    running = asyncio.Event()

    class Recorder:
        def __init__(self, store: SqliteStore, folder: Path, clock: Clock) -> None:
            seen.extend((store, folder, clock))

        async def run(self) -> None:
            running.set()
            try:
                await asyncio.Event().wait()
            finally:
                running.clear()

    async def serve(
        _self: Embedded, store: SqliteStore, _folder: Path, _sealing: Sealing | None
    ) -> None:
        await running.wait()
        assert seen[0] is store

    monkeypatch.setattr(embedded, "Upkeep", Recorder)
    monkeypatch.setattr(Embedded, "_serve", serve)
    clock = FakeClock()
    async with asyncio.timeout(2):
        await Embedded(Options(data_dir=tmp_path, port=0), clock, seen.append).run()
        await asyncio.sleep(0)
    assert seen[1:] == [tmp_path / "store", clock]
    assert not running.is_set()
