"""How the command line talks: to stderr, with a `hint:` after an error."""

import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def fail(text: str, hint: str, *, code: int = 1) -> NoReturn:
    """An error, what would help, and the end."""
    say(f"error: {text}")
    say(f"hint: {hint}")
    raise SystemExit(code)


def printable(text: str) -> str:
    """`text` without what a terminal would obey: names and messages may be anybody's."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def show(told: Any, lines: Callable[[Any], Iterable[str]], *, as_json: bool) -> None:
    """Write what was found out, as JSON or as the lines that are made of it."""
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
        return
    for line in lines(told):
        sys.stdout.write(f"{printable(line)}\n")
