"""An acknowledged write survives kill -9. `bench/store_kill.py` is the same with many rounds."""

import random
from pathlib import Path

from bench.store_kill import Killing


def test_no_acknowledged_write_is_lost_by_a_kill(tmp_path: Path) -> None:
    killing = Killing(tmp_path, random.Random(7))
    for _ in range(4):
        killing.round()
    assert killing.writes > 400
