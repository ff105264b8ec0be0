"""kill -9 under write load through the API. `bench/api_kill.py` is the same with many rounds."""

import asyncio
import random
from pathlib import Path

from bench.api_kill import WATCHERS, Killing, served

ROUNDS = 4


def test_no_acknowledged_write_is_lost_and_watchers_go_on(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    killing = Killing(tmp_path, random.Random(seed), most=120)

    async def rounds() -> None:
        for _ in range(ROUNDS):
            await killing.round()
        async with served(tmp_path) as (_, client):
            await killing.check(client)

    asyncio.run(rounds())
    assert killing.writes >= ROUNDS
    assert sum(watcher.events for watcher in killing.watchers) >= killing.writes * WATCHERS
