"""Log files: records, rotation, tails, following."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.node.logs import (
    FALLBACK_BYTES,
    FALLBACK_LINES,
    LONGEST_RECORD,
    LogFile,
    LogOptions,
    last_lines,
    read_log,
    rotated,
)
from argosy.testing.clock import EPOCH, FakeClock, settle


async def whole(path: Path, **options: Any) -> bytes:
    found = read_log(path, LogOptions(**options))
    return b"".join([piece async for piece in found])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "0.log"


def test_records_are_those_of_the_cri(path: Path) -> None:
    log = LogFile(path, FakeClock())
    log.write("stdout", b"one\ntw")
    log.write("stderr", b"err\n")
    log.write("stdout", b"o\nrest")
    log.close()
    stamp = "2026-01-01T00:00:00.000000Z"
    assert path.read_text().splitlines() == [
        f"{stamp} stdout F one",
        f"{stamp} stderr F err",
        f"{stamp} stdout F two",
        f"{stamp} stdout F rest",
    ]


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=8),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
async def test_no_line_is_lost_or_torn(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.log"
    data = b"".join(line + b"\n" for line in lines)
    log = LogFile(path, FakeClock())
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in zip(edges, edges[1:], strict=False):
        log.write("stdout", data[start:end])
    log.close()
    assert await whole(path) == data
    assert await whole(path, tail=2) == b"".join(line + b"\n" for line in lines[-2:])


async def test_long_lines_come_back_whole(path: Path) -> None:
    log = LogFile(path, FakeClock())
    line = b"x" * (2 * LONGEST_RECORD + 5)
    log.write("stdout", line[:20_000])
    log.write("stdout", line[20_000:] + b"\nnext\n")
    log.close()
    assert [record.split()[2] for record in path.read_bytes().splitlines()] == [
        b"P",
        b"P",
        b"F",
        b"F",
    ]
    assert await whole(path) == line + b"\nnext\n"


async def test_a_log_is_bounded_and_its_older_part_is_read_too(path: Path) -> None:
    log = LogFile(path, FakeClock(), limit=1000)
    for i in range(100):
        log.write("stdout", b"line %d\n" % i)
    log.close()
    assert rotated(path).stat().st_size + path.stat().st_size <= 2100
    found = (await whole(path)).splitlines()
    assert found[-1] == b"line 99"
    numbers = [int(line.split()[1]) for line in found]
    assert numbers == list(range(numbers[0], 100)) and len(numbers) > 20


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, b"a\nb\nc\n"),
        ({"tail": 1}, b"c\n"),
        ({"tail": 0}, b""),
        ({"tail": 9}, b"a\nb\nc\n"),
        ({"since": EPOCH + timedelta(seconds=10)}, b"b\nc\n"),
        ({"limit": 3}, b"a\nb"),
        ({"tail": 1, "timestamps": True}, b"2026-01-01T00:00:20.000000Z c\n"),
    ],
)
async def test_options(path: Path, options: dict[str, Any], text: bytes) -> None:
    clock = FakeClock()
    log = LogFile(path, clock)
    for line in (b"a\n", b"b\n", b"c\n"):
        log.write("stdout", line)
        await clock.advance(10)
    log.close()
    assert await whole(path, **options) == text


async def test_a_missing_log_is_empty(path: Path) -> None:
    assert await whole(path) == b""


async def test_following_sees_everything_across_rotations_until_the_end(path: Path) -> None:
    log = LogFile(path, FakeClock(), limit=400)
    log.write("stdout", b"0\n1\n")
    found: list[bytes] = []

    async def follow(stream: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                found.append(piece)

    reader = asyncio.create_task(follow(read_log(path, LogOptions(follow=True, tail=1), log)))
    await settle()
    assert found == [b"1\n"]
    for i in range(2, 100):
        log.write("stdout", b"%d\n" % i)
        if i % 5 == 0:
            await settle(5)
    assert not reader.done()
    log.write("stdout", b"last")
    log.close()
    await reader
    assert found == [b"%d\n" % i for i in range(1, 100)] + [b"last\n"]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["one", "two"], "one\ntwo\n"),
        ([f"{i}" for i in range(200)], "".join(f"{i}\n" for i in range(120, 200))),
        (["x" * 5000], "x" * (FALLBACK_BYTES - 1) + "\n"),
    ],
)
def test_the_end_of_a_log_stands_in_for_a_message(path: Path, lines: list[str], kept: str) -> None:
    log = LogFile(path, FakeClock())
    for line in lines:
        log.write("stderr", f"{line}\n".encode())
    log.close()
    found = last_lines(path)
    assert len(found) <= FALLBACK_BYTES and found.count("\n") <= FALLBACK_LINES
    assert found == kept


def test_a_log_that_is_not_there_has_no_end(path: Path) -> None:
    assert last_lines(path) == ""
