"""The files of the audit log: when a new one is begun, and which old ones stay."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from argosy.apiserver.audit.files import MEBIBYTE, Keep, Printed, Rotated
from argosy.testing.clock import FakeClock
from tests.store.builders import Jumping, largest_file

LINE = b"x" * (MEBIBYTE // 2 - 1) + b"\n"


def keep(size: int = 1, backups: int = 0, days: int = 0) -> Keep:
    return Keep(size=size, backups=backups, days=days)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_full_file_is_put_aside_whole(tmp_path: Path) -> None:
    log = Rotated(tmp_path / "logs" / "audit.log", keep(), FakeClock())
    for _ in range(5):
        log.write(LINE)
    log.close()
    found = [file for file in (tmp_path / "logs").iterdir()]
    assert len(found) == 3 and sum(file.stat().st_size for file in found) == 5 * len(LINE)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in found)
    assert all(file.read_bytes().endswith(b"\n") for file in found)
    stamp = FakeClock().now().strftime("%Y-%m-%dT%H-%M-%S")
    assert f"audit-{stamp}.000.log" in names(tmp_path / "logs")


def test_a_file_goes_on_where_the_last_process_ended(tmp_path: Path) -> None:
    for _ in range(2):
        log = Rotated(tmp_path / "audit.log", keep(), FakeClock())
        log.write(b"a\n")
        log.close()
    assert (tmp_path / "audit.log").read_bytes() == b"a\na\n"


def test_old_files_go_by_number_and_by_age(tmp_path: Path) -> None:
    clock = Jumping()
    other = tmp_path / "audit-of-mine.log"
    other.write_bytes(b"")
    log = Rotated(tmp_path / "audit.log", keep(backups=2), clock)
    for _ in range(9):
        log.write(LINE)
        clock.offset += timedelta(hours=1)
    log.close()
    assert len(names(tmp_path)) == 4  # two, the newest, and one of somebody else
    clock.offset += timedelta(days=2)
    Rotated(tmp_path / "audit.log", keep(days=1), clock).close()
    assert names(tmp_path) == ["audit-of-mine.log", "audit.log"]


def test_without_a_limit_one_file_grows(tmp_path: Path) -> None:
    log = Rotated(tmp_path / "audit.log", keep(size=0), FakeClock())
    for _ in range(4):
        log.write(LINE)
    log.close()
    assert names(tmp_path) == ["audit.log"]


def test_after_a_disk_that_was_full_lines_are_whole_again(tmp_path: Path) -> None:
    log = Rotated(tmp_path / "audit.log", keep(), FakeClock())
    with largest_file(6), pytest.raises(OSError):
        log.write(b"first\nsecond\n")
    log.write(b"third\n")
    log.close()
    assert (tmp_path / "audit.log").read_bytes() == b"first\n\nthird\n"


def test_lines_may_go_to_a_stream_of_the_process(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        printed = Printed(file.fileno())
        printed.write(b"a\n")
        printed.close()
        assert os.fstat(file.fileno()).st_size == 2
