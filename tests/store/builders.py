"""What tests of stores have in common."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from argosy.store.interface import DELETE, Mutation, Record
from argosy.testing.clock import FakeClock


class Jumping(FakeClock):
    """A clock whose date can be set."""

    offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


def put(value: bytes) -> Mutation:
    """A write of `value`, whatever is there."""
    return lambda _now, _revision: value


def delete(_now: Record | None, _revision: int) -> object:
    """A delete."""
    return DELETE


def lose_a_row(file: Path) -> None:
    """Let one page of a store's file, with rows only, forget its last row."""
    content = bytearray(file.read_bytes())
    leaf = 0x0D
    pages = range(0, len(content), 4096)
    page = max(at for at in pages[1:] if content[at] == leaf and content[at + 4] > 1)
    content[page + 4] -= 1
    file.write_bytes(content)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let any file of this process grow beyond `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
