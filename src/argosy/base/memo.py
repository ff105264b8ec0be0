"""Results of pure functions of JSON values, remembered by what the values say.

Pods come by the hundred with one and the same spec. To encode a value and look it up takes 2 µs,
to judge such a spec anew fifty; a value that was not seen before costs the 2 µs on top.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MOST = 1024
LONGEST = 8192
"""Bytes of a value, encoded, up to which it is remembered."""
IN_ALL = 2 * 1024 * 1024
"""Bytes of all that one function remembers."""


def remembered(
    function: Callable[[Any], T], *, most: int = MOST, longest: int = LONGEST
) -> Callable[[Any], T]:
    """`function`, which depends on nothing but its JSON value and whose results nobody changes.

    The oldest of more than `most` results, or of too many bytes, are forgotten. An exception is not
    remembered.
    """
    results: dict[bytes, T] = {}
    held = 0

    def known(value: Any) -> T:
        nonlocal held
        try:
            key = msgspec.json.encode(value)
        except (RecursionError, ValueError, OverflowError):  # whatever becomes of such a value
            return function(value)
        if key in results:
            return results[key]
        result = function(value)
        if len(key) <= longest:
            results[key] = result
            held += len(key)
            while len(results) > most or held > IN_ALL:
                oldest = next(iter(results))
                held -= len(oldest)
                del results[oldest]
        return result

    return known
