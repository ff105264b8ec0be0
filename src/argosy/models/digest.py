"""The digest of a model: one name for its content, whether it is a file or a folder.

A file's digest is the SHA-256 of its bytes, as `sha256sum` prints it. A folder's is the SHA-256 of
one record for each file in it, in the order of the paths' bytes: `<hex digest of the file> <path
relative to the folder, with slashes>` and a NUL, which no path can contain. Names and contents
count; times, owners, modes and empty folders don't.

A link to a file inside of the folder counts as that file. A link out of it, a link to a folder, or
anything that is neither file nor folder is refused: the digest would promise what a copy of the
folder doesn't hold.

`python -m argosy.models.digest PATH` runs in the pod that registers a model version, and reports by
the termination log; so this module imports nothing but the standard library.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class DigestError(Exception):
    """The path is nothing that a digest can stand for."""


@dataclass(frozen=True, slots=True)
class Content:
    """What lies at a path: its digest, `sha256:<hex>`, and its size in bytes."""

    digest: str
    size: int


def digest_file(path: Path) -> str:
    """The digest, `sha256:<hex>`, of the file or folder at `path`."""
    return content_of(path).digest


def content_of(path: Path) -> Content:
    """Digest and size of the file or folder at `path`. Raises DigestError or OSError."""
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if not path.is_file():
        raise DigestError(f"{path} is neither a file nor a folder")
    return _file(path)


def _file(path: Path) -> Content:
    with path.open("rb") as file:
        hashed = hashlib.file_digest(file, "sha256")
        return Content(f"sha256:{hashed.hexdigest()}", file.tell())


def _folder(folder: Path) -> Content:
    records = hashlib.sha256()
    size = 0
    for name, path in sorted((_name(folder, path), path) for path in _walk(folder)):
        content = _file(path)
        records.update(content.digest.removeprefix("sha256:").encode() + b" " + name + b"\0")
        size += content.size
    return Content(f"sha256:{records.hexdigest()}", size)


def _name(folder: Path, path: Path) -> bytes:
    return os.fsencode(path.relative_to(folder).as_posix())


def _walk(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in folders:
            if (Path(parent) / name).is_symlink():
                raise DigestError(f"{Path(parent) / name} is a link to a folder")
        for name in files:
            path = Path(parent) / name
            _check(path, root)
            yield path


def _check(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise DigestError(f"{path} is a link that leaves the folder")
    if not path.is_file():
        raise DigestError(f"{path} is neither a file nor a folder")


def _raise(error: OSError) -> None:
    # os.walk skips what it can't list; a digest of the rest would be a lie.
    raise error


def main(arguments: Sequence[str]) -> int:
    """Print the digest of a path as JSON; the result is the exit code."""
    parser = argparse.ArgumentParser(
        prog="argosy.models.digest", description="Print digest and size of a model as JSON."
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--termination-log", type=Path, metavar="FILE", help="write it here too")
    options = parser.parse_args(arguments)
    try:
        text = json.dumps(asdict(content_of(options.path)))
        print(text, flush=True)
        code = 0
    except (DigestError, OSError) as error:
        text = f"computing the digest of {options.path}: {error}"
        print(text, file=sys.stderr, flush=True)
        code = 1
    if options.termination_log:
        options.termination_log.write_text(text)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
