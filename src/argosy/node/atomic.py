"""Files of a volume that change all at once under whoever reads them, as the kubelet does it.

The content is a folder with a name of its own, `..data` is a link to it, and what the volume shows
are links that lead through `..data`. New content is a new folder and one rename, so that a reader
sees all of the old or all of the new. A mount sticks to the volume's own folder, which stays. The
folder before is kept until `tidy`: a sandbox that is just being made may be mounting a file of it.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Final

DATA: Final = "..data"
LONGEST_PATH: Final = 4096
LONGEST_NAME: Final = 255
_NEXT: Final = "..data_tmp"


@dataclass(frozen=True, slots=True)
class File:
    """One file; its content is in no log."""

    data: bytes = field(repr=False)
    mode: int


Files = Mapping[str, File]
"""By their paths below the volume."""


def digest(files: Files) -> bytes:
    """What differs when the files do."""
    told = blake2b(digest_size=16)
    for path, file in sorted(files.items()):
        told.update(f"{len(path)} {path} {file.mode} {len(file.data)} ".encode())
        told.update(file.data)
    return told.digest()


def publish(folder: Path, files: Files) -> None:
    """Make them the content of `folder`, which exists. Raises ValueError and OSError."""
    for path in files:
        _check(path)
    tidy(folder)
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    try:
        _write(fresh, files)
        _link(folder / _NEXT, fresh.name)
        (folder / _NEXT).replace(folder / DATA)
    except BaseException:
        shutil.rmtree(fresh)
        raise
    shown = {PurePosixPath(path).parts[0] for path in files}
    for name in shown:
        if not (folder / name).is_symlink():
            _link(folder / name, f"{DATA}/{name}")
    for link in folder.iterdir():
        if link.is_symlink() and link.name not in shown | {DATA}:
            link.unlink()


def tidy(folder: Path) -> None:
    """Remove content that is no longer shown, and what a crash has left. Raises OSError."""
    data = folder / DATA
    shown = os.readlink(data) if data.is_symlink() else ""
    for path in folder.iterdir():
        if path.name != shown and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


def _check(path: str) -> None:
    """The API server looks at it too; here it becomes a path of this machine."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or not PurePosixPath(path).parts:
        raise ValueError(f"{path!r} must be a path below the volume")
    if parts[0].startswith(".."):
        raise ValueError(f"{path!r} must not start with '..'")
    if len(path) > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        raise ValueError(f"the path {path[:64]!r}… is too long")


def _write(folder: Path, files: Files) -> None:
    folder.chmod(0o755)
    for path, file in files.items():
        place = folder / path
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(place, flags, 0o600), "wb") as target:
            target.write(file.data)
            os.fchmod(target.fileno(), file.mode & 0o777)


def _link(place: Path, target: str) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)
