"""Tests of what the operating system says of the process."""

from pathlib import Path

from argosy.apiserver.process import families


def test_the_process_has_memory_files_and_a_beginning() -> None:
    figures = {family.name: family.samples for family in families()}
    assert figures["process_resident_memory_bytes"][()] > 10_000_000
    assert figures["process_virtual_memory_bytes"][()] > 10_000_000
    assert figures["process_open_fds"][()] >= 3
    assert 1_000_000_000 < figures["process_start_time_seconds"][()]
    assert figures["process_cpu_seconds_total"][()] > 0


def test_elsewhere_there_is_less(tmp_path: Path) -> None:
    figures = {family.name: family.samples for family in families(tmp_path)}
    assert figures["process_open_fds"] == {}
    assert figures["process_max_fds"][()] > 0
