"""An acknowledged write survives kill -9. `bench/store_kill.py` is the same with many rounds."""

import random
from pathlib import Path

import pytest

from bench.store_kill import Killing


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_no_acknowledged_write_is_lost_by_a_kill(tmp_path: Path, seed: int) -> None:
    killing = Killing(tmp_path, random.Random(seed), most=400)
    for _ in range(2):
        killing.round()
    assert killing.writes > 100
