"""Removes a folder with all that is in it, whatever a pod has put there.

Folders may be nested deeper than one can recurse, hold more names than one wants in memory, and be
closed to their owner; links lead anywhere and are not followed. So what lies deep is moved up, one
level at a time, until nothing is left: three folders are open at most.
"""

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

AT_ONCE = 4096
"""Names that are read before they are removed."""
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW


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
    _open_up(name, below)
    with opened(name, below) as top:
        while entries := _some(top):
            for entry, folder in entries:
                if folder:
                    _flatten(entry, top)
                else:
                    os.unlink(entry, dir_fd=top)
    os.rmdir(name, dir_fd=below)


def _flatten(name: str, top: int) -> None:
    """Remove a folder in `top`; what it holds of folders lies in `top` then."""
    _open_up(name, top)
    with opened(name, top) as folder:
        while entries := _some(folder):
            for entry, inner in entries:
                if not inner:
                    os.unlink(entry, dir_fd=folder)
                    continue
                _open_up(entry, folder)
                os.rename(entry, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
    os.rmdir(name, dir_fd=top)


def _some(folder: int) -> list[tuple[str, bool]]:
    """Some of the names in an open folder, and whether they are folders."""
    with os.scandir(folder) as entries:
        return [(one.name, one.is_dir(follow_symlinks=False)) for one in islice(entries, AT_ONCE)]


def _open_up(name: str, below: int) -> None:
    """Let the owner into a folder."""
    place = os.open(name, os.O_PATH | _FOLDER, dir_fd=below)
    try:
        os.chmod(f"/proc/self/fd/{place}", stat.S_IRWXU)
    finally:
        os.close(place)
