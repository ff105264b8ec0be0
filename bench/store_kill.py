"""Does an acknowledged write survive SIGKILL? `python -m bench.store_kill --rounds 1000`.

In each round a child process writes to the store as fast as it can and prints every write that was
acknowledged; it is killed at a random moment; then the store is opened and compared with what was
printed. The rounds share one folder, so damage would add up. `tests/store/test_kill.py` runs a few.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from rich.progress import track

from argosy.store.interface import DELETE, Change, Record
from argosy.store.log import Limits
from argosy.store.sqlite import SqliteStore
from argosy.store.state import FIRST_REVISION

WRITERS = 12
KEYS = 20
LIMITS = Limits(changes=300)  # so that rows are trimmed all the time


def value_of(key: str, revision: int) -> bytes:
    """The one value that `key` may have at `revision`: 20 bytes to 20 kB, and its end shows."""
    return f"{key}@{revision};".encode() * (1 + revision * 7919 % 1000)


def _mutate(key: str, delete: bool, now: Record | None, revision: int) -> bytes | object | None:
    return DELETE if delete and now else value_of(key, revision)


async def _write_on(store: SqliteStore, writer: int) -> None:
    for i in count():
        key = f"/{writer}/{i % KEYS}"
        delete = i % 7 == 0
        there = store.get(key) is not None
        record = await store.write(key, partial(_mutate, key, delete))
        gone = delete and there
        # One small write to a pipe is whole or absent.
        os.write(1, f"{record.revision if record else 0} {key} {int(gone)}\n".encode())


async def _tidy_on(store: SqliteStore) -> None:
    while True:
        store.compact(store.revision - LIMITS.changes // 2)
        await store.tidy()
        await asyncio.sleep(0.002)


async def _child(folder: Path) -> None:
    store = SqliteStore.open(folder, limits=LIMITS)
    await asyncio.gather(_tidy_on(store), *(_write_on(store, i) for i in range(WRITERS)))


@dataclass
class Killing:
    """The folder, and the newest acknowledged write of each key: its revision, and if a delete."""

    folder: Path
    chance: random.Random
    most: int = 1500  # acknowledgements before the kill
    acknowledged: dict[str, tuple[int, bool]] = field(default_factory=dict)
    writes: int = 0

    def round(self) -> None:
        """Write, kill, look. Raises AssertionError where a promise is broken."""
        for line in self._killed():
            revision, key, gone = line.split()
            self.acknowledged[key] = (int(revision), gone == "1")
            self.writes += 1
        asyncio.run(self._check())

    def _killed(self) -> list[str]:
        """The acknowledgements of a child that is killed after a random number of them."""
        command = [sys.executable, __file__, "--child", str(self.folder)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as child:
            assert child.stdout is not None
            wanted = self.chance.randrange(1, self.most)
            lines = [child.stdout.readline() for _ in range(wanted)]
            child.kill()
            return [*lines, *child.stdout]

    async def _check(self) -> None:
        store = SqliteStore.open(self.folder, limits=LIMITS)
        recent = store.watch("", max(FIRST_REVISION, store.revision - LIMITS.changes // 2))
        await store.close()  # so that the watch ends
        unheard = {change.key: change async for change in recent}
        for record in store.list(""):
            assert record.value == value_of(record.key, record.revision), "torn value"
        for key, (revision, gone) in self.acknowledged.items():
            _check_key(store, key, revision, gone, unheard.get(key))
        # What was written but not acknowledged may not vanish later either.
        self.acknowledged = {record.key: (record.revision, False) for record in store.list("")}


def _check_key(
    store: SqliteStore, key: str, revision: int, gone: bool, last: Change | None
) -> None:
    """The write is there, or a later one whose acknowledgement the kill cut off."""
    assert store.revision >= revision, "the store went back"
    record = store.get(key)
    if record is None:
        deleted = last is not None and last.value is None and last.revision > revision
        assert gone or deleted, f"{key} is lost"
    elif gone:
        assert record.revision > revision, f"{key} is back"
    else:
        assert record.revision >= revision, f"{key} is older than acknowledged"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        asyncio.run(_child(options.child))
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder), random.Random(options.seed))
        for _ in track(range(options.rounds), "killing"):
            killing.round()
    print(f"{options.rounds} kills, {killing.writes:,} acknowledged writes, none lost")


if __name__ == "__main__":
    main()
