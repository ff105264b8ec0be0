"""The JSONPath of printer columns: Kubernetes' dialect, as far as a column can use it.

`.status.conditions[?(@.type=="Ready")].status`, `.spec.ports[*].port`, `.metadata.labels.a\\.b`,
`['key']`, indexes, slices, unions and `..` are read. A path gives all values that it finds.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

Step = Callable[[Any], Iterable[Any]]
"""From one value to those that the step leads to."""

SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
MOST, MOST_STEPS = 1000, 100
"""Values that are found, and steps: `..` again and again would find each value very often."""
LONGEST = 4096
DEEPEST = 100
_NAME = re.compile(r"\.((?:[^.\[\]\\\s*]|\\.)+)")
_BRACKET = re.compile(r"\[((?:[^\]'\"]|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")*)\]")
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(-?\d+))?")
_SIGN = re.compile("==|!=|<=|>=|<|>")


class ParseError(ValueError):
    """The text is no path."""


class Path:
    """A path that was read."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def find(self, obj: Any) -> list[Any]:
        """All that the path leads to, but no more than `MOST`; nothing where a part of it is not
        there.
        """
        found = [obj]
        for step in self._steps:
            found = list(islice((item for value in found for item in step(value)), MOST))
        return found


def parse(text: str) -> Path:
    """Read a path. Raises ParseError."""
    if len(text) > LONGEST:
        raise ParseError(f"the path is longer than {LONGEST} characters")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        step, at = _step(text, at)
        steps.append(step)
        if len(steps) > MOST_STEPS:
            raise ParseError(f"the path has more than {MOST_STEPS} steps")
    return Path(steps)


def _step(text: str, at: int) -> tuple[Step, int]:
    if text == ".":
        return (lambda value: [value]), 1
    if text.startswith("..", at):
        return _descend, at + 1 if not text.startswith("[", at + 2) else at + 2
    if text.startswith(".*", at):
        return _all, at + 2
    if text.startswith(".[", at):
        at += 1
    if (match := _NAME.match(text, at)) is not None:
        return _named(re.sub(r"\\(.)", r"\1", match[1])), match.end()
    if (match := _BRACKET.match(text, at)) is not None:
        return _bracket(match[1].strip()), match.end()
    raise ParseError(f"unrecognized column definition {text[at : at + 64]!r}")


def _bracket(inside: str) -> Step:
    if inside == "*":
        return _all
    if inside.startswith("?"):
        return _filter(inside[1:].strip())
    if (match := _SLICE.fullmatch(inside)) is not None:
        numbers = [None if part is None else int(part) for part in match.groups()]
        if numbers[2] == 0:
            raise ParseError("step must not be zero")
        return _sliced(slice(*numbers))
    steps = [_member(part.strip()) for part in inside.split(",")]
    return lambda value: [item for step in steps for item in step(value)]


def _member(text: str) -> Step:
    if re.fullmatch(r"-?\d{1,9}", text):
        return _indexed(int(text))
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return _named(re.sub(r"\\(.)", r"\1", text[1:-1]))
    raise ParseError(f"invalid array index {text[:64]}")


def _named(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _indexed(at: int) -> Step:
    return lambda value: (
        [value[at]] if isinstance(value, list) and -len(value) <= at < len(value) else []
    )


def _sliced(part: slice) -> Step:
    return lambda value: value[part] if isinstance(value, list) else []


def _all(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _descend(value: Any) -> Iterator[Any]:
    yield from _inside(value, DEEPEST)


def _inside(value: Any, depth: int) -> Iterator[Any]:
    yield value
    if depth:
        for item in _all(value):
            yield from _inside(item, depth - 1)


def _filter(text: str) -> Step:
    """`(@.path)`, or `(@.path == value)`."""
    inside = text.removeprefix("(").removesuffix(")").strip()
    if text[:1] != "(" or text[-1:] != ")" or inside[:1] != "@" or "?" in inside:
        raise ParseError(f"unrecognized filter {text[:64]!r}")
    found = _SIGN.search(inside)
    if found is None:
        inner = parse(inside[1:].strip())
        return lambda value: (item for item in _all(value) if inner.find(item))
    path, sign, wanted = (
        parse(inside[1 : found.start()].strip()),
        found[0],
        _literal(inside[found.end() :].strip()),
    )
    return lambda value: (item for item in _all(value) if _holds(path.find(item), sign, wanted))


def _literal(text: str) -> Any:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        raise ParseError(f"unrecognized value {text[:64]!r}") from None


def _holds(found: list[Any], sign: str, wanted: Any) -> bool:
    if not found:
        return False
    value = found[0]
    if isinstance(value, bool) is not isinstance(wanted, bool):
        return sign == "!="
    if sign in ("==", "!="):
        return (value == wanted) is (sign == "==")
    try:
        return bool(SIGNS[sign](value, wanted))
    except TypeError:
        return False
