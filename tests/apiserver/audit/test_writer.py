"""The thread that writes: it holds up nobody, loses nothing silently, and goes on."""

import logging
import threading

import pytest

from argosy.apiserver.audit.writer import BATCH, Writer


class Slow:
    """An output that waits at a gate, and fails while it is told to."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.tried = threading.Semaphore(0)
        self.failing = False
        self.text = b""
        self.closed = False

    def write(self, lines: bytes) -> None:
        assert self.gate.acquire(timeout=5)
        self.tried.release()
        if self.failing:
            raise OSError(28, "No space left on device")
        self.text += lines

    def close(self) -> None:
        self.closed = True


def settle(writer: Writer, output: Slow) -> None:
    """Wait until a write has been tried, and what came of it was noted."""
    assert output.tried.acquire(timeout=5)
    for _ in range(5000):
        if writer._taken == writer._done:
            return
        threading.Event().wait(0.001)
    raise AssertionError("the writer is stuck")


def open_for(writes: int, output: Slow) -> None:
    for _ in range(writes):
        output.gate.release()


def test_lines_arrive_in_order_and_all_before_the_end() -> None:
    output = Slow()
    open_for(1000, output)
    writer = Writer(output)
    lines = [b"%d\n" % number for number in range(3 * BATCH)]
    for line in lines:
        writer.put(line)
    writer.close()
    assert output.text == b"".join(lines) and output.closed and writer.lost == 0


def test_what_finds_no_room_is_dropped_counted_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    output = Slow()
    writer = Writer(output, most=10)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            writer.put(b"1234\n")
    assert writer.lost == 3
    assert [record.message for record in caplog.records] == [
        "audit events are dropped: too many wait to be written"
    ]
    open_for(10, output)
    writer.close()
    assert output.text == b"1234\n1234\n"


def test_a_full_disk_is_counted_told_once_and_got_over(caplog: pytest.LogCaptureFixture) -> None:
    output = Slow()
    output.failing = True
    writer = Writer(output)
    with caplog.at_level(logging.ERROR):
        for line in (b"1\n", b"2\n"):
            writer.put(line)
            open_for(1, output)
            settle(writer, output)
        output.failing = False
        writer.put(b"3\n")
        open_for(1, output)
        writer.close()
    assert writer.lost == 2 and output.text == b"3\n"
    assert [record.message for record in caplog.records] == ["audit events are lost"]
