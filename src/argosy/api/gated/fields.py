"""Dropping fields: which ones a gate guards, and how they are found and taken away.

A path leads from the object to a field: `spec.containers[].lifecycle?.stopSignal`. `[]` is every
element of a list and `{}` every value of a map; a parent with `?` goes too when nothing is left in
it; `name=Value` and `name!=Value` mean the field only where it says so, or doesn't.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Json = dict[str, Any]
Drop = Callable[[Json, Json | None], None]
"""Takes from a new object what it may not have; what the old one has already may stay."""
Tree = tuple[tuple[str, bool, "Tree | None"], ...]
"""Names, whether many things stand there, and what to look for in each; None: for the name."""

_STEP = re.compile(r"(\w+)(\[\]|\{\}|)(\??)(?:(!?)=(\w+))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path."""

    name: str
    shape: str  # '[]', '{}', or '' where it is one thing
    fleeting: bool  # it goes when it is empty
    unlike: bool
    value: str  # '' is any

    def means(self, found: Any) -> bool:
        """Whether the path means what was found under the name."""
        if found is None or found == []:
            return False
        return not self.value or (found == self.value) is not self.unlike


Path = list[Step]


@dataclass(frozen=True)
class Fields:
    """Fields that are taken together or not at all.

    `gates`: `A,B` if all must be open, `A|B` if one of them must. The fields stay if the old object
    has something at `used`, and are looked at if the new one has something at `when`: both are the
    fields themselves where nothing else is said. `take` does what paths can't say.
    """

    gates: str
    paths: tuple[str, ...]
    used: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    take: Callable[[Json], None] | None = None

    def below(self, prefix: str) -> "Fields":
        """The same fields of something that stands at `prefix`."""
        paths, used, when = (
            tuple(f"{prefix}.{path}" for path in some)
            for some in (self.paths, self.used, self.when)
        )
        take, parent = self.take, _parsed(prefix)

        def taken(obj: Json) -> None:
            assert take is not None
            for owner, name in _places(obj, parent):
                take(owner[name])

        return Fields(self.gates, paths, used, when, taken if take is not None else None)

    def drop(self, new: Json, old: Json | None) -> None:
        """Take the fields from `new`, unless `old` uses them."""
        if not _finds(new, self.looked_at):
            return
        if old is not None and _finds(old, self._used):
            return
        if self.take is not None:
            self.take(new)
            return
        for path in self._paths:
            _strip(new, path)

    @cached_property
    def looked_at(self) -> list[Path]:
        """Where to look whether there is something to do."""
        return [_parsed(path) for path in self.when or self.paths]

    @cached_property
    def _used(self) -> list[Path]:
        return [_parsed(path) for path in self.used or self.paths]

    @cached_property
    def _paths(self) -> list[Path]:
        return [_parsed(path) for path in self.paths]


def compiled(rows: Iterable[Fields]) -> Drop:
    """One function for all `rows`, quick where none of their fields is there."""
    known = tuple(rows)
    tree = _tree([path for row in known for path in row.looked_at])

    def drop(new: Json, old: Json | None) -> None:
        if _reaches(new, tree):
            for row in known:
                row.drop(new, old)

    return drop


def _tree(paths: Iterable[Path]) -> Tree:
    """The paths laid over each other, so that each name is looked at once."""
    found: dict[tuple[str, bool], list[Path]] = {}
    for first, *rest in paths:
        found.setdefault((first.name, bool(first.shape)), []).append(rest)
    return tuple(
        (name, many, _tree(rests) if all(rests) else None) for (name, many), rests in found.items()
    )


def _reaches(obj: Json, tree: Tree) -> bool:
    """Whether there is anything of `tree`: asked of each object that is written, so in one go."""
    for name, many, below in tree:
        if name in obj:
            if below is None:
                return True
            value = obj[name]
            if not many:
                if type(value) is dict and _reaches(value, below):
                    return True
                continue
            for item in value.values() if type(value) is dict else value or ():
                if type(item) is dict and _reaches(item, below):
                    return True
    return False


def _items(value: Any, shape: str) -> Iterable[Any]:
    if shape == "[]":
        return value if type(value) is list else ()
    return value.values() if type(value) is dict else ()


def _places(obj: Any, path: Path) -> Iterator[tuple[Json, str]]:
    """Each place that the path means: the owner, and the name that it has there."""
    if not isinstance(obj, dict):
        return
    step, *rest = path
    found = obj.get(step.name)
    if not rest:
        if step.means(found):
            yield obj, step.name
        return
    for item in _items(found, step.shape) if step.shape else (found,):
        yield from _places(item, rest)


def _finds(obj: Json, paths: Iterable[Path]) -> bool:
    return any(True for path in paths for _ in _places(obj, path))


def _strip(obj: Any, path: Path) -> None:
    """Take away what the path means, and the parents that are fleeting and empty then."""
    for owner, name in list(_places(obj, path)):
        del owner[name]
    for length in range(len(path) - 1, 0, -1):
        if path[length - 1].fleeting:
            for owner, name in list(_places(obj, path[:length])):
                if owner[name] == {}:
                    del owner[name]


def _parsed(path: str) -> Path:
    return [_step(word) for word in path.split(".")]


def _step(word: str) -> Step:
    match = _STEP.fullmatch(word)
    assert match is not None, word
    name, shape, fleeting, unlike, value = match.groups()
    return Step(name, shape, bool(fleeting), bool(unlike), value or "")
