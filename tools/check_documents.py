"""Checks that what the documents point at exists.

Relative links, paths in backticks that begin in one of the project's folders, and the targets of
`make` that are named. Addresses on the web aren't asked: the check works without a network.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.files import project_files

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
PATH = re.compile(r"`((?:src|tests|tools|docs|designs|examples|bench|requirements)/[\w./-]+)`")
MAKE = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)


def main(root: Path) -> int:
    """Prints what is missing; 1 where anything is."""
    problems = [
        f"{path}: {problem}"
        for path in project_files(root, ".md")
        for problem in missing(root, path)
    ]
    print(*problems, sep="\n", end="\n" if problems else "")
    return int(bool(problems))


def missing(root: Path, document: Path) -> Iterator[str]:
    """What one document mentions and `root` doesn't have."""
    text = (root / document).read_text()
    for link in LINK.findall(text):
        if not (root / document.parent / link).exists():
            yield f"the link {link} leads nowhere"
    for path in PATH.findall(text):
        if not (root / path).exists():
            yield f"{path} doesn't exist"
    targets = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE)
    for target in MAKE.findall(text):
        if target not in targets:
            yield f"the Makefile has no target {target}"


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
