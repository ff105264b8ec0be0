"""Finds code that nobody uses: Vulture, with what it can't see taken out by rule.

Vulture looks for names that are defined and never mentioned. Names that frameworks call are listed
in `pyproject.toml` (`[tool.vulture]`), each group with its reason. One rule needs more than names:
fields of a class that inherits (views and other msgspec structs, named tuples) are the shape of
data from outside and may stand unread. Fields of dataclasses, which are ours alone, may not.
"""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

from vulture.core import Item, Vulture

from tools.files import project_files


def main(root: Path) -> int:
    """Prints the dead code of `root`; 1 where there is any."""
    settings: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())
    found = unused(root, **settings["tool"]["vulture"])
    for item in found:
        print(f"{item.filename.relative_to(root)}:{item.first_lineno}: {item.message}")
    if found:
        print("hint: delete it; a name that a framework calls belongs to [tool.vulture]")
    return int(bool(found))


def unused(
    root: Path,
    *,
    min_confidence: int,
    ignore_names: list[str],
    ignore_decorators: list[str],
) -> list[Item]:
    """What Vulture finds in all of the project, without the fields of inheriting classes."""
    vulture = Vulture(ignore_names=ignore_names, ignore_decorators=ignore_decorators)
    vulture.scavenge([root / path for path in project_files(root, ".py")])
    found: list[Item] = vulture.get_unused_code(min_confidence)
    fields = {path: shape_fields(path) for path in {item.filename for item in found}}
    return [item for item in found if item.first_lineno not in fields[item.filename]]


def shape_fields(path: Path) -> set[int]:
    """The lines that declare a field in a class with a base."""
    return {
        field.lineno
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef) and node.bases
        for field in node.body
        if isinstance(field, ast.AnnAssign)
    }


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
