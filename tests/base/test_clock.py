"""Time in Kubernetes' words."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.clock import SystemClock, micro_timestamp, parse_timestamp, timestamp, wait
from argosy.testing.clock import FakeClock, settle

moments = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)


@given(moments)
def test_seconds_are_written_and_read(moment: datetime) -> None:
    text = timestamp(moment)

    assert len(text) == len("2026-01-01T00:00:00Z")
    assert parse_timestamp(text) == moment.replace(microsecond=0)


@given(moments)
def test_microseconds_are_written_and_read(moment: datetime) -> None:
    assert parse_timestamp(micro_timestamp(moment)) == moment


def test_times_are_written_in_utc() -> None:
    moment = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-11-20T23:30:00Z"
    assert micro_timestamp(moment) == "2026-11-20T23:30:00.000000Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+01:00", datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
    ],
)
def test_times_that_are_read(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    "text", ["", "today", "2026-01-02", "2026-01-02T03:04:05", "2026-13-01T00:00:00Z"]
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


async def test_the_machines_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    before, at = clock.monotonic(), clock.now()
    await clock.sleep(0)

    assert at.tzinfo is UTC
    assert clock.monotonic() >= before


async def test_the_event_ends_the_wait() -> None:
    event, clock = asyncio.Event(), FakeClock()
    waiting = asyncio.create_task(wait(event, clock, 5))
    await settle()
    assert not waiting.done()
    event.set()
    await settle()
    assert waiting.done()


async def test_time_ends_the_wait() -> None:
    clock = FakeClock()
    waiting = asyncio.create_task(wait(asyncio.Event(), clock, 5))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.2)
    assert waiting.done()


async def test_without_a_bound_only_the_event_does() -> None:
    event, clock = asyncio.Event(), FakeClock()
    waiting = asyncio.create_task(wait(event, clock, None))
    await clock.advance(1e6)
    assert not waiting.done()
    event.set()
    await waiting
