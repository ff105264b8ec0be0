"""What is wrong with an expression, as cel-go says it.

The reference engine finds the same faults, but names `a.b` as a whole where `a` alone is unknown,
points at other places, tells of what only follows from an earlier fault, and has another order.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

MOST: Final = 100
"""Faults that are put into words; an expression with more of them is told of as it comes."""
_HEAD: Final = re.compile(r"^ERROR: <input>:(\d+):(\d+): ", re.MULTILINE)
_UNKNOWN: Final = re.compile(r"undeclared reference to '(\.?)([\w.]+)' \(in container ''\)")
_MESSAGE: Final = re.compile(r"[\s\w.]*(\{)")
_FOLLOWING: Final = "'*error*'"


@dataclass(frozen=True, slots=True)
class _Fault:
    line: int
    column: int  # from 1
    text: str
    moved: bool = False


def worded(text: str, expression: str) -> str:
    """The faults that the engine tells in `text`, put as cel-go puts them."""
    text = text.replace(r"'\u003F'", "'?'")
    heads = list(_HEAD.finditer(text))
    if not heads or heads[0].start() or len(heads) > MOST:
        return text
    lines, ends = expression.split("\n"), [head.start() for head in heads[1:]]
    faults = [
        _placed(_Fault(int(head[1]), int(head[2]), text[head.end() : end].rstrip("\n")), lines)
        for head, end in zip(heads, [*ends, len(text)], strict=True)
    ]
    first = [fault for fault in faults if _FOLLOWING not in fault.text] or faults
    ordered = dict.fromkeys(sorted(first, key=lambda fault: (fault.line, fault.column)))
    return "\n".join(_shown(fault, lines) for fault in ordered)


def _placed(fault: _Fault, lines: list[str]) -> _Fault:
    """Where the first unknown name of a path stands, or the brace of what would be constructed."""
    unknown = _UNKNOWN.match(fault.text)
    if unknown is None or not 0 < fault.line <= len(lines):
        return fault
    before = sum(len(line) + 1 for line in lines[: fault.line - 1])
    at, source = before + fault.column - 1, "\n".join(lines)
    if (message := _MESSAGE.match(source, at)) is not None:
        return _moved(fault, source, message.start(1), unknown[1] + unknown[2])
    root, *others = unknown[2].split(".")
    if not others:
        return fault
    path = r"[\s)]*\.\s*".join(map(re.escape, (root, *others[:-1]))) + r"[\s)]*\."
    reach = max(0, at - 2 * len(unknown[2]) - 64)
    found = re.search(rf"\b{path}$", source[reach : at + 1])
    place = reach + found.start() if found else source.find(root, at)
    return fault if place < 0 else _moved(fault, source, place, unknown[1] + root)


def _moved(fault: _Fault, source: str, place: int, name: str) -> _Fault:
    line = source.count("\n", 0, place) + 1
    column = place - (source.rfind("\n", 0, place) + 1) + 1
    text = f"undeclared reference to '{name}' (in container '')"
    return replace(fault, line=line, column=column, text=text, moved=True)


def _shown(fault: _Fault, lines: list[str]) -> str:
    head = f"ERROR: <input>:{fault.line}:{fault.column}: {fault.text}"
    if not fault.moved:
        return head
    line = lines[fault.line - 1].replace("\t", " ")
    dots = "".join("." if char.isascii() else "．" for char in line[: fault.column - 1])
    return f"{head}\n | {line}\n | {dots}^"
