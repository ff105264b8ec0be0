"""Removes a folder with all that is in it, whatever a pod has put there.

Folders may be nested deeper than one can recurse, and closed to their owner; links lead anywhere
and are not followed. So the way down is walked step by step, with two folders open at most. On the
way up each folder must be the one that was left on the way down: a process that is still there
might have moved what it is in, and nothing beside it may be touched. What is mounted in the folder
is somebody else's.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW
Identity = tuple[int, int]


@contextmanager
def opened(path: str | Path, below: int | None = None) -> Iterator[int]:
    """The folder itself, and none that a link leads to; relative to the open folder `below`."""
    folder = os.open(path, os.O_RDONLY | _FOLDER, dir_fd=below)
    try:
        yield folder
    finally:
        os.close(folder)


def remove(name: str, below: int) -> None:
    """Remove the folder `name` in the open folder `below`. Raises OSError."""
    way: list[tuple[str, Identity]] = []
    here = _down(name, below)
    try:
        while (inner := _clear(here)) is not None or way:
            if inner is not None:
                way.append((inner, _identity(here)))
                here = _moved(here, _down(inner, here))
                continue
            emptied, parent = way.pop()
            here = _moved(here, os.open("..", os.O_RDONLY | _FOLDER, dir_fd=here))
            if _identity(here) != parent:
                raise OSError(f"the folder {emptied} was moved while it was being removed")
            os.rmdir(emptied, dir_fd=here)
    finally:
        os.close(here)
    os.rmdir(name, dir_fd=below)


def _clear(folder: int) -> str | None:
    """Remove what is no folder; the name of a folder in it, if it finds one before the end."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                return entry.name
            os.unlink(entry.name, dir_fd=folder)
    return None


def _down(name: str, below: int) -> int:
    """Open a folder, of which its owner may do with it what is to be done."""
    place = os.open(name, os.O_PATH | _FOLDER, dir_fd=below)
    try:
        if _identity(place)[0] != _identity(below)[0]:
            raise OSError(f"the folder {name} is mounted from elsewhere")
        os.chmod(f"/proc/self/fd/{place}", stat.S_IRWXU)
    finally:
        os.close(place)
    return os.open(name, os.O_RDONLY | _FOLDER, dir_fd=below)


def _moved(before: int, after: int) -> int:
    os.close(before)
    return after


def _identity(folder: int) -> Identity:
    told = os.fstat(folder)
    return (told.st_dev, told.st_ino)
