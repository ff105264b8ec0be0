"""Label values as whole numbers, for rules that compare them: each text is read once.

Values are known by the ids that `Columns.domains` gives, in the order in which they came.
"""

import re
from collections.abc import Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

_DIGITS = re.compile(r"[+-]?[0-9]+", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63 - 1


def number(text: str) -> int | None:
    """The number that a text is; None where it is none of 64 bits."""
    if not _DIGITS.fullmatch(text):
        return None
    value = int(text) if len(text) <= 64 else _MOST + 1
    return value if _LEAST <= value <= _MOST else None


class Numbers:
    """By id: the number, and whether there is one."""

    def __init__(self) -> None:
        self._values: list[int] = [0]
        self._there: list[bool] = [False]
        self._arrays: tuple[NDArray[np.int64], NDArray[np.bool_]] | None = None

    def by_id(self, ids: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """For all `ids` so far, which count from 1; don't change them."""
        if self._arrays is None or len(self._values) <= len(ids):
            for text in islice(ids, len(self._values) - 1, None):
                value = number(text)
                self._values.append(value or 0)
                self._there.append(value is not None)
            self._arrays = (np.array(self._values, np.int64), np.array(self._there, np.bool_))
        return self._arrays
