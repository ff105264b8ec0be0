"""Real ranks: they train together, die loudly, resume exactly, and leave one model."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STEPS = 40
WORLD = 2
DEADLINE = 20.0
MOUNT = Path(__file__).parents[2] / "examples"
# An address of its own for each run, like a pod's: ports can't collide.
ADDRESSES = (f"127.0.77.{number}" for number in itertools.count(1))


class Gang:
    """The processes of one run, by rank."""

    def __init__(self, *options: str) -> None:
        host = next(ADDRESSES)
        port = _free_port(host)
        self.ranks = [self._start(rank, host, port, options) for rank in range(WORLD)]

    def _start(
        self, rank: int, host: str, port: int, options: tuple[str, ...]
    ) -> subprocess.Popen[str]:
        rendezvous = {
            "PET_NNODES": str(WORLD),
            "PET_NPROC_PER_NODE": "1",
            "PET_NODE_RANK": str(rank),
            "PET_MASTER_ADDR": host,
            "PET_MASTER_PORT": str(port),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "digits.train", "--seed", "7", *options],
            env={**os.environ, **rendezvous, "PYTHONPATH": str(MOUNT)},
            # Run it as a pod does: as a package of its own, from anywhere.
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, event: str) -> dict[str, Any]:
        """Rank 0's next `event`."""
        assert self.ranks[0].stdout
        for line in self.ranks[0].stdout:
            if json.loads(line)["event"] == event:
                return dict(json.loads(line))
        raise AssertionError(f"rank 0 ended without {event!r}")

    def finish(self) -> list[tuple[int, list[dict[str, Any]], str]]:
        """Each rank's exit code, remaining events and stderr."""
        outputs = [rank.communicate(timeout=DEADLINE) for rank in self.ranks]
        return [
            (rank.returncode, [json.loads(line) for line in out.splitlines()], err)
            for rank, (out, err) in zip(self.ranks, outputs, strict=True)
        ]


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The last event of a run that nobody disturbs, and its model."""
    model = tmp_path_factory.mktemp("undisturbed") / "model.onnx"
    (code, events, _), (other_code, other_events, _) = Gang(
        "--steps", str(STEPS), "--output", str(model)
    ).finish()
    assert (code, other_code) == (0, 0)
    assert [event["event"] for event in other_events] == ["start"]
    assert [event["rank"] for event in (events[0], other_events[0])] == [0, 1]
    assert {event["world"] for event in (events[0], other_events[0])} == {WORLD}
    yield {**events[-1], "events": events, "bytes": model.read_bytes()}


def test_a_run_reports_its_way(undisturbed: dict[str, Any]) -> None:
    losses = [event["loss"] for event in undisturbed["events"] if event["event"] == "step"]
    assert undisturbed["event"] == "done"
    assert undisturbed["step"] == STEPS
    assert losses[-1] < losses[0] / 2
    assert undisturbed["weights"].startswith("sha256:")


@pytest.mark.parametrize("victim", range(WORLD))
def test_a_killed_run_resumes_to_the_same_weights(
    undisturbed: dict[str, Any], tmp_path: Path, victim: int
) -> None:
    model = tmp_path / "out" / "model.onnx"
    options = ("--steps", str(STEPS), "--checkpoints", str(tmp_path), "--output", str(model))
    gang = Gang(*options, "--checkpoint-every", "10", "--step-seconds", "0.01")
    gang.wait_for("checkpoint")
    gang.ranks[victim].kill()
    ends = gang.finish()
    assert ends[victim][0] == -signal.SIGKILL
    code, _, told = ends[1 - victim]
    assert code == 1
    assert told.startswith(f"rank {1 - victim}: rank {victim} is gone")
    assert told.count("\n") == 1
    assert not model.exists()

    (code, events, _), (other_code, other_events, _) = Gang(*options).finish()
    assert (code, other_code) == (0, 0)
    assert events[0]["step"] == other_events[0]["step"] >= 10
    assert events[-1]["weights"] == undisturbed["weights"]
    assert model.read_bytes() == undisturbed["bytes"]


def test_sigterm_ends_a_rank_with_143() -> None:
    gang = Gang("--steps", "1000", "--step-seconds", "60")
    gang.wait_for("start")
    gang.ranks[0].terminate()
    (code, _, _), (other_code, _, told) = gang.finish()
    assert (code, other_code) == (143, 1)
    assert "rank 0 is gone" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "-1"], "no whole number"),
        (["--checkpoint-every", "0"], "must be at least 1"),
        (["--step-seconds", "nan"], "no time of at least 0"),
        (["--step-seconds", "soon"], "invalid _seconds value"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_a_wrong_option_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from examples.digits.train import main

    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err
