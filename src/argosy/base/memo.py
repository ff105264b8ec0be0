"""Results of pure functions of JSON values, remembered by what the values say.

Pods come by the hundred with one and the same spec. To encode a value and look it up takes 2 µs,
to judge such a spec anew fifty; a value that was not seen before costs the 2 µs on top.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MOST = 256
LONGEST = 8192
"""Bytes of a value, encoded, up to which it is remembered: 2 MiB in all for each function."""


def remembered(
    function: Callable[[Any], T], *, most: int = MOST, longest: int = LONGEST
) -> Callable[[Any], T]:
    """`function`, which depends on nothing but its JSON value and whose results nobody changes.

    The oldest of more than `most` results are forgotten. An exception is not remembered.
    """
    results: dict[bytes, T] = {}

    def known(value: Any) -> T:
        try:
            key = msgspec.json.encode(value)
        except (RecursionError, ValueError, OverflowError):  # whatever becomes of such a value
            return function(value)
        if key in results:
            return results[key]
        result = function(value)
        if len(key) <= longest:
            results[key] = result
            if len(results) > most:
                del results[next(iter(results))]
        return result

    return known
