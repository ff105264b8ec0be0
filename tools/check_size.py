"""Refuses Python files of more than 800 lines; names those of more than 400.

A file around 150 lines is read in one sitting. Past 800 it holds more than one concern, and the
rule of the house is to split it.
"""

import sys
from pathlib import Path

from tools.files import project_files

LIMIT = 800
WANTED = 400


def main(root: Path) -> int:
    """Prints what is too long in `root`; 1 where a file is over the limit."""
    too_long = False
    for path in project_files(root, ".py"):
        lines = len((root / path).read_bytes().splitlines())
        if lines > LIMIT:
            too_long = True
            print(f"{path}: {lines} lines\nhint: split it, {LIMIT} is the limit")
        elif lines > WANTED:
            print(f"note: {path} has {lines} lines, wanted are under {WANTED}")
    return int(too_long)


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
