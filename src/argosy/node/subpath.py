"""Opening a path beneath a folder without ever leaving it.

The folder may belong to running pods, which can swap its parts for links at any moment. So the path
is walked part by part with links refused, and what is handed on is the open descriptor, never a
path to be looked up again (CVE-2017-1002101 was such a second look).
"""

import os
import stat
from pathlib import Path, PurePosixPath

_PLAIN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def open_pinned(path: Path) -> int:
    """A descriptor (O_PATH) of `path`, which was without links when it was looked at, and is still.

    Raises ValueError where it leads elsewhere by now, OSError where it can't be opened.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)  # links are followed, and tell on themselves
    if os.readlink(f"/proc/self/fd/{found}") != str(path):
        os.close(found)
        raise ValueError(f"{path} has become a way to somewhere else")
    return found


def open_beneath(folder: Path | int, relative: str) -> int:
    """A descriptor (O_PATH) of `relative` beneath `folder`; missing folders are made.

    The folder is a path, or an open descriptor, which stays open.

    Raises ValueError for a path that leads elsewhere, OSError where it can't be opened.
    """
    parts = PurePosixPath(relative).parts
    if not parts or ".." in parts or relative.startswith("/"):
        raise ValueError(f"{relative!r} is not a path below its volume")
    flags = _PLAIN | os.O_DIRECTORY
    if isinstance(folder, Path):
        here = os.open(folder, flags)
    else:
        here = os.open(".", flags, dir_fd=folder)
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
