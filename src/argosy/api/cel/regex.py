"""Regular expressions as Go has them: RE2's, in time that grows with the text alone."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from argosy.api.cel.values import CelError

_REMEMBERED: Final = 1024
"""Compiled patterns: rules bring few, objects may bring any."""
_LARGEST: Final = 1 << 19
"""Bytes of a compiled pattern. With sixteen times that, RE2's own bound, eleven characters hold the
server for a tenth of a second, and all that is remembered would be gigabytes."""
_LONGEST: Final = 10_000


@lru_cache(maxsize=_REMEMBERED)
def _compiled(pattern: str) -> Any:
    """The compiled pattern, or what is wrong with it: finding that out takes as long."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _LARGEST
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return CelError(f"error parsing regexp: {told}")
    except UnicodeEncodeError:  # half a character
        return CelError("error parsing regexp: invalid UTF-8")


def _pattern(pattern: str) -> Any:
    if len(pattern) > _LONGEST:
        raise CelError("error parsing regexp: pattern too large")
    found = _compiled(pattern)
    if isinstance(found, CelError):
        raise CelError(str(found))
    return found


def new(pattern: str) -> bool:
    """Compile it; whether that had to be done, which takes up to some milliseconds."""
    if len(pattern) > _LONGEST:
        return False
    before = _compiled.cache_info().misses
    _compiled(pattern)
    return _compiled.cache_info().misses > before


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    try:
        return _pattern(pattern).search(text) is not None
    except UnicodeEncodeError:
        return False


def find_all(text: str, pattern: str) -> Iterator[str]:
    """What the pattern finds, one by one, from left to right and without overlaps."""
    try:
        for found in _pattern(pattern).finditer(text):
            yield found.group()
    except UnicodeEncodeError:
        return
