"""Checkpoints: the whole state of a run in one file, complete or absent, and checked on reading.

A file is a header (magic, step, SHA-256 of the rest) and three vectors. The names carry the seed:
another run's checkpoints in the same folder are another run's.
"""

import hashlib
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import write_whole
from .network import SIZE, State

KEPT = 3
_HEADER = struct.Struct("!8sQ32s")
_MAGIC = b"digits/1"


def pack(state: State) -> bytes:
    """`state` as bytes, for a file or for another rank."""
    vectors = np.concatenate((state.weights, state.mean, state.square))
    content = vectors.astype("<f8").tobytes()
    return _HEADER.pack(_MAGIC, state.step, _checksum(state.step, content)) + content


def unpack(packed: bytes) -> State:
    """The state that `pack` wrote. Raises ValueError for anything else, with the reason."""
    if len(packed) != _HEADER.size + 3 * SIZE * 8:
        raise ValueError(f"{len(packed)} bytes instead of {_HEADER.size + 3 * SIZE * 8}")
    magic, step, checksum = _HEADER.unpack_from(packed)
    content = packed[_HEADER.size :]
    if magic != _MAGIC or checksum != _checksum(step, content):
        raise ValueError("the checksum doesn't match the content")
    weights, mean, square = np.frombuffer(content, "<f8").astype(np.float64).reshape(3, SIZE)
    return State(step, weights, mean, square)


def _checksum(step: int, content: bytes) -> bytes:
    return hashlib.sha256(struct.pack("!Q", step) + content).digest()


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of the run with `seed` in `folder`. Only rank 0 uses one."""

    folder: Path
    seed: int

    def newest(self, limit: int) -> State | None:
        """The newest complete state of at most `limit` steps; each broken file costs a line."""
        for step, path in reversed(self._files()):
            try:
                state = unpack(path.read_bytes())
            except (ValueError, OSError) as error:
                print(f"checkpoint {path.name} skipped: {error}", file=sys.stderr, flush=True)
                continue
            if state.step == step <= limit:
                return state
        return None

    def write(self, state: State) -> None:
        """Keep `state`, of the earlier ones only the newest, and nothing half-written."""
        write_whole(self.folder / f"{self._prefix()}{state.step:08d}.ckpt", pack(state))
        # A file of a later step is one that `newest` refused: it must not push out a good one.
        earlier = [path for step, path in self._files() if step <= state.step]
        halves = self.folder.glob(f".{self._prefix()}*.partial")
        for path in (*earlier[:-KEPT], *halves):
            path.unlink(missing_ok=True)

    def _prefix(self) -> str:
        return f"seed-{self.seed}-step-"

    def _files(self) -> list[tuple[int, Path]]:
        prefix = self._prefix()
        found = []
        for path in self.folder.glob(f"{prefix}*.ckpt"):
            step = path.stem.removeprefix(prefix)
            if step.isdecimal():
                found.append((int(step), path))
        return sorted(found)
