"""scikit-learn's handwritten digits: 1,797 pictures of 8 by 8 grey levels from 0 to 16.

Read from the table inside the installed package, without importing it: scikit-learn takes more
than a second to import, this takes a few milliseconds. The split is fixed, so whoever asks, in a
rank or in the demo that scores the served model, gets the same held-out pictures.
"""

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PIXELS = 64
CLASSES = 10
GREYEST = 16
HELD_OUT_EVERY = 5


@dataclass(frozen=True, slots=True)
class Digits:
    """Pictures, float64 [N, 64] with values 0 to 16, and what they show, int64 [N]."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Split:
    """What a model learns from, and what it is scored on and never sees."""

    training: Digits
    held_out: Digits


def load_split() -> Split:
    """All digits; every fifth is held out."""
    table = _read_table()
    digits = Digits(table[:, :PIXELS], table[:, PIXELS].astype(np.int64))
    held_out = np.arange(len(digits)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return Split(_part(digits, ~held_out), _part(digits, held_out))


def _part(digits: Digits, mask: NDArray[np.bool_]) -> Digits:
    return Digits(digits.images[mask], digits.labels[mask])


def _read_table() -> NDArray[np.float64]:
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("scikit-learn, whose digits this example uses, isn't installed")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    return np.array([line.split(",") for line in text.split()], dtype=np.float64)
