"""Regular expressions as Go has them: RE2's, in time that grows with the text alone."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from argosy.api.cel.values import CelError

_REMEMBERED: Final = 1024
"""Compiled patterns: rules bring few, objects may bring any."""


@lru_cache(maxsize=_REMEMBERED)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _pattern(pattern: str) -> Any:
    try:
        return _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise CelError(f"error parsing regexp: {told}") from None
    except UnicodeEncodeError:  # half a character
        raise CelError("error parsing regexp: invalid UTF-8") from None


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
