"""Trains the digits classifier, data-parallel, on as many ranks as Kubeflow Trainer starts.

Run it as a module, `python -m digits.train`, with the folder above on PYTHONPATH: the files beside
it are its parts (`data`, `network`, `rendezvous`, `group`, `checkpoints`, `export`, `files`).

The batch of a step depends on nothing but seed and step, gradients are added in the order of
ranks, and a checkpoint holds the optimizer too; so a run that was killed and resumed ends with
exactly the weights of one that never was. Rank 0 alone reads and writes checkpoints and hands its
state to the others at the start. A rank that loses another exits with 1: restarting the gang is
the cluster's work.

stdout is one JSON object a line: `start` from each rank; `step`, `checkpoint` and `done` from
rank 0. stderr is for people.
"""

import argparse
import json
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

# One thread each: ranks share the machine, and a BLAS of several threads may add in another order.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np

from .checkpoints import Checkpoints, pack, unpack
from .data import Digits, load_split
from .files import write_whole
from .group import Group, PeerLost
from .network import (
    Adam,
    State,
    accuracy,
    fingerprint,
    initial_state,
    loss_and_gradient,
    step_on,
)
from .rendezvous import BadEnvironment, NoRendezvous, Rendezvous

BATCH = 128


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    steps: int
    seed: int
    checkpoints: Path | None
    checkpoint_every: int
    report_every: int
    step_seconds: float
    output: Path | None

    def run(self) -> str:
        """What ranks must agree on to be of one run."""
        return f"steps {self.steps}, seed {self.seed}"


class DivergedError(Exception):
    """The ranks ended with different weights."""


def train(options: Options, group: Group) -> None:
    """Train to the end, from the newest checkpoint if there is one."""
    folder = options.checkpoints
    checkpoints = Checkpoints(folder, options.seed) if folder else None
    first = group.rank == 0
    state = _agree(group, _starting_state(options, checkpoints) if first else None)
    _emit("start", rank=group.rank, world=group.world, step=state.step, time=time.time())
    split = load_split()
    while state.step < options.steps:
        began = time.monotonic()
        state, loss = _advance(options.seed, group, split.training, state)
        last = state.step == options.steps
        if first and (last or state.step % options.report_every == 0):
            _emit("step", step=state.step, loss=loss, time=time.time())
        if first and checkpoints and (last or state.step % options.checkpoint_every == 0):
            checkpoints.write(state)
            _emit("checkpoint", step=state.step)
        if not last:
            group.pause(began + options.step_seconds - time.monotonic())
    _finish(options, group, state, split.held_out)


def _starting_state(options: Options, checkpoints: Checkpoints | None) -> State:
    newest = checkpoints and checkpoints.newest(options.steps)
    return newest or initial_state(options.seed)


def _agree(group: Group, state: State | None) -> State:
    """Rank 0's state in every rank."""
    return unpack(group.from_first(pack(state) if state else b""))


def _advance(seed: int, group: Group, digits: Digits, state: State) -> tuple[State, float]:
    """One step of all ranks together: each takes its share of the batch."""
    rng = np.random.default_rng((seed, state.step))
    batch = rng.choice(len(digits), BATCH, replace=False)
    mine = batch[group.rank :: group.world]
    loss, gradient = loss_and_gradient(
        state.weights, Digits(digits.images[mine], digits.labels[mine])
    )
    mean = group.sum(np.append(gradient, loss)) / BATCH
    return step_on(state, mean[:-1], Adam()), float(mean[-1])


def _finish(options: Options, group: Group, state: State, held_out: Digits) -> None:
    weights = fingerprint(state.weights)
    if group.from_first(weights.encode()) != weights.encode():
        raise DivergedError(f"weights are {weights}, rank 0's are others")
    if group.rank == 0:
        if options.output:
            _export(state, options.output)
        _emit(
            "done",
            step=state.step,
            accuracy=accuracy(state.weights, held_out),
            weights=weights,
            model=options.output and str(options.output),
        )
    # The others succeed only when rank 0 has: a run that lost its model must be run again.
    group.from_first(b"done")


def _export(state: State, output: Path) -> None:
    # Here and not above: onnx takes 0.3 s to import, which the start of a pod needn't pay.
    from .export import to_onnx

    write_whole(output, to_onnx(state.weights))


def _emit(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="digits.train", description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=_count, default=300)
    parser.add_argument("--seed", type=_count, default=0)
    parser.add_argument("--checkpoints", type=Path, metavar="DIR")
    parser.add_argument("--checkpoint-every", type=_count, default=20, metavar="STEPS")
    parser.add_argument("--report-every", type=_count, default=5, metavar="STEPS")
    parser.add_argument(
        "--step-seconds",
        type=_seconds,
        default=0.0,
        help="take at least this long for a step: pacing, so that people can watch",
    )
    parser.add_argument("--output", type=Path, metavar="FILE.onnx")
    found = parser.parse_args(arguments)
    if not found.checkpoint_every or not found.report_every:
        parser.error("--checkpoint-every and --report-every must be at least 1")
    return Options(**vars(found))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of at least 0")
    return seconds


def _on_sigterm(signum: int, _frame: object) -> NoReturn:
    sys.exit(128 + signum)


def main(arguments: Sequence[str]) -> int:
    """Run one rank; the result is its exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    options = _options(arguments)
    rank = os.environ.get("PET_NODE_RANK", "0")
    try:
        with Rendezvous.from_environment(os.environ, run=options.run()).meet() as group:
            train(options, group)
    except (BadEnvironment, NoRendezvous, PeerLost, DivergedError, OSError) as error:
        print(f"rank {rank}: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
