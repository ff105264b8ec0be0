"""Opening a path beneath a folder without ever leaving it.

The folder may belong to running pods, which can swap its parts for links at any moment. So the path
is walked part by part with links refused, and what is handed on is the open descriptor, never a
path to be looked up again (CVE-2017-1002101 was such a second look).
"""

import os
import stat
from pathlib import Path, PurePosixPath

_PLAIN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def open_beneath(folder: Path, relative: str) -> int:
    """A descriptor (O_PATH) of `relative` beneath `folder`; missing folders are made.

    Raises ValueError for a path that leads elsewhere, OSError where it can't be opened.
    """
    parts = PurePosixPath(relative).parts
    if not parts or ".." in parts or relative.startswith("/"):
        raise ValueError(f"{relative!r} is not a path below its volume")
    here = os.open(folder, _PLAIN | os.O_DIRECTORY)
    for part in parts:
        try:
            deeper = _step(here, part)
        finally:
            os.close(here)
        here = deeper
    return here


def _step(here: int, part: str) -> int:
    try:
        found = os.open(part, _PLAIN, dir_fd=here)
    except FileNotFoundError:
        os.mkdir(part, 0o755, dir_fd=here)
        found = os.open(part, _PLAIN, dir_fd=here)
    if stat.S_ISLNK(os.fstat(found).st_mode):
        os.close(found)
        raise ValueError(f"{part!r} is a symbolic link, which a subPath may not hold")
    return found
