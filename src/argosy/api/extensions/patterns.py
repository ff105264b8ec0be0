"""Regular expressions of schemas: as Go reads them, in time that grows with the text alone.

A pattern is whoever's who may define a kind. Python's own engine would try for years what a few
characters can ask of it; this one (RE2) cannot be asked to, and has the syntax of Kubernetes'.
"""

from functools import lru_cache

import re2

TEXTS, SHORT = 64, 64
"""So many texts, of at most so many characters, are remembered of each: asking costs 6 µs."""
OPTIONS = {"log_errors": False, "never_capture": True, "max_mem": 2 << 20}
REMEMBERED = 1024
"""Compiled patterns: they are shared by all schemas that have them."""


class Pattern:
    """One compiled pattern."""

    __slots__ = ("_known", "_search")

    def __init__(self, text: str) -> None:
        self._known: dict[str, bool] = {}
        options = re2.Options()
        for name, value in OPTIONS.items():
            setattr(options, name, value)
        try:
            self._search = re2.compile(text, options).search
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
            raise ValueError(f"error parsing regexp: {told}") from None

    def found(self, text: str) -> bool:
        """Whether the pattern is somewhere in `text`."""
        known = self._known.get(text)
        if known is not None:
            return known
        try:
            found = self._search(text) is not None
        except UnicodeEncodeError:  # half a character
            return False
        if len(text) <= SHORT:
            if len(self._known) >= TEXTS:
                self._known.clear()
            self._known[text] = found
        return found


@lru_cache(maxsize=REMEMBERED)
def pattern(text: str) -> Pattern:
    """The compiled pattern. Raises ValueError for one that is none, or would take too much."""
    try:
        return Pattern(text)
    except UnicodeEncodeError:
        raise ValueError("error parsing regexp: invalid UTF-8") from None
