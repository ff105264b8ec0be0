"""Checkpoints are complete or absent, and a broken one never stands in the way of a good one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from examples.digits.checkpoints import KEPT, Checkpoints, pack, unpack
from examples.digits.network import State, initial_state

LIMIT = 1000


def _state(step: int) -> State:
    start = initial_state(step)
    return State(step, start.weights, start.weights * 2, start.weights**2)


def _equal(one: State, other: State) -> bool:
    return one.step == other.step and all(
        np.array_equal(a, b)
        for a, b in (
            (one.weights, other.weights),
            (one.mean, other.mean),
            (one.square, other.square),
        )
    )


def test_a_state_survives_packing() -> None:
    assert _equal(unpack(pack(_state(3))), _state(3))


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: b"",
        lambda packed: packed[:-1],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:-1] + bytes([packed[-1] ^ 1]),
        lambda packed: b"other/99" + packed[8:],
        lambda packed: packed[:15] + bytes([packed[15] ^ 1]) + packed[16:],
    ],
    ids=["empty", "a byte short", "half", "a flipped bit", "another format", "another step"],
)
def test_a_broken_file_is_skipped_with_a_line(
    tmp_path: Path, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Checkpoints(tmp_path, seed=1)
    for step in (10, 20):
        checkpoints.write(_state(step))
    newest = tmp_path / "seed-1-step-00000020.ckpt"
    newest.write_bytes(damage(newest.read_bytes()))
    found = checkpoints.newest(LIMIT)
    assert found is not None
    assert _equal(found, _state(10))
    told = capsys.readouterr().err
    assert told.startswith("checkpoint seed-1-step-00000020.ckpt skipped: ")
    assert told.count("\n") == 1


def test_only_this_run_and_only_up_to_the_limit_counts(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, seed=1)
    assert checkpoints.newest(LIMIT) is None
    for step in (10, 20):
        checkpoints.write(_state(step))
    Checkpoints(tmp_path, seed=2).write(_state(30))
    (tmp_path / ".seed-1-step-00000040.ckpt.partial").write_bytes(b"half")
    steps = [found.step if (found := checkpoints.newest(limit)) else None for limit in (5, 15, 99)]
    assert steps == [None, 10, 20]


def test_the_newest_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, seed=1)
    broken = tmp_path / "seed-1-step-00000099.ckpt"
    broken.write_bytes(b"broken")
    (tmp_path / ".seed-1-step-00000001.ckpt.partial").write_bytes(b"half")
    for step in range(1, 6):
        checkpoints.write(_state(step))
    kept = [f"seed-1-step-{step:08d}.ckpt" for step in range(6 - KEPT, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*kept, broken.name]
