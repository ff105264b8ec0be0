"""The times of a schedule, also where clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.controllers.schedules import Fields, Schedule, parse

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
BEIRUT, ASUNCION = ZoneInfo("Asia/Beirut"), ZoneInfo("America/Asuncion")


def times(schedule: Schedule, after: str, count: int, zone: ZoneInfo) -> list[str]:
    """The next times, as a clock of the zone shows them."""

    def row() -> Iterator[str]:
        moment = datetime.fromisoformat(after).replace(tzinfo=zone)
        for _ in range(count):
            found = schedule.next(moment)
            assert found is not None
            yield found.astimezone(zone).strftime("%m-%d %H:%M%z")
            moment = found

    return list(row())


@pytest.mark.parametrize(
    ("text", "after", "found"),
    [
        ("* * * * *", "2026-01-01T00:00:30", ["01-01 00:01", "01-01 00:02"]),
        ("*/15 * * * *", "2026-01-01T00:00", ["01-01 00:15", "01-01 00:30"]),
        ("5/20 * * * *", "2026-01-01T00:00", ["01-01 00:05", "01-01 00:25", "01-01 00:45"]),
        ("0 9-17/4 * * MON-FRI", "2026-01-02T12:00", ["01-02 13:00", "01-02 17:00", "01-05 09:00"]),
        ("0 0 13 * 5", "2026-01-01T00:00", ["01-02 00:00", "01-09 00:00", "01-13 00:00"]),
        ("0 0 */10 * 5", "2026-01-02T00:00", ["01-09 00:00", "01-11 00:00", "01-16 00:00"]),
        ("0 0 1,15 feb,Mar ?", "2026-01-01T00:00", ["02-01 00:00", "02-15 00:00", "03-01 00:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00", ["02-29 00:00"]),
        ("@hourly", "2026-12-31T22:30", ["12-31 23:00", "01-01 00:00"]),
        ("@weekly", "2026-01-01T00:00", ["01-04 00:00", "01-11 00:00"]),
        ("@yearly", "2026-01-01T00:00", ["01-01 00:00"]),
        ("@every 1h30m", "2026-01-01T00:00:10", ["01-01 01:30", "01-01 03:00"]),
        ("@every 1ms", "2026-01-01T00:00:59", ["01-01 00:01", "01-01 00:01"]),
    ],
)
def test_times(text: str, after: str, found: list[str]) -> None:
    zone = ZoneInfo("UTC")
    shown = times(parse(text, zone), after, len(found), zone)
    assert shown == [f"{item}+0000" for item in found]


@pytest.mark.parametrize(
    ("text", "zone", "after", "found"),
    [
        # Clocks go forward: 02:30 is left out.
        ("30 2 * * *", BERLIN, "2026-03-28T03:00", ["03-30 02:30+0200"]),
        ("30 * * * *", BERLIN, "2026-03-29T01:00", ["03-29 01:30+0100", "03-29 03:30+0200"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07T03:00", ["03-09 02:30-0400"]),
        # Clocks go back: an hour comes twice.
        ("0 * * * *", BERLIN, "2026-10-25T01:30", ["10-25 02:00+0200", "10-25 02:00+0100"]),
        ("30 2 * * *", BERLIN, "2026-10-24T03:00", ["10-25 02:30+0200", "10-25 02:30+0100"]),
        ("0 3 * * *", BERLIN, "2026-10-24T03:00", ["10-25 03:00+0100", "10-26 03:00+0100"]),
        ("0 12 * * *", NEW_YORK, "2026-10-31T13:00", ["11-01 12:00-0500"]),
        # The day begins at one o'clock.
        ("0 0 * * *", BEIRUT, "2026-03-28T01:00", ["03-30 00:00+0300"]),
        ("0 5 29 3 *", BEIRUT, "2026-01-01T00:00", ["03-29 05:00+0300"]),
        ("0 5 * 10 *", ASUNCION, "2023-09-15T00:00", ["10-01 05:00-0300"]),
    ],
)
def test_when_clocks_change(text: str, zone: ZoneInfo, after: str, found: list[str]) -> None:
    assert times(parse(text, zone), after, len(found), zone) == found


def test_a_zone_in_the_schedule_counts() -> None:
    schedule = parse("CRON_TZ=America/New_York 0 9 * * *", BERLIN)
    assert times(schedule, "2026-01-01T00:00", 1, NEW_YORK) == ["01-01 09:00-0500"]
    with pytest.raises(KeyError):
        parse("TZ=No/Where 0 9 * * *", BERLIN)


def test_a_day_that_never_comes() -> None:
    for text in ("59 23 31 2 *", ", * * * *", "* , * * *"):
        assert parse(text, BERLIN).next(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * *", "@never", "@every soon", "a * * * *"]
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text, BERLIN)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Beirut", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("text", ["*/7 * * * *", "0 */5 * * *", "15 1 * * *"])
def test_times_only_grow_and_fit(name: str, text: str) -> None:
    zone = ZoneInfo(name)
    schedule, moment = parse(text, zone), datetime(2026, 3, 20, tzinfo=UTC)
    minutes = set(range(0, 60, 7)) if text[:3] == "*/7" else {0, 15}
    while moment < datetime(2026, 4, 10, tzinfo=UTC):
        found = schedule.next(moment)
        assert found is not None and moment < found <= moment + timedelta(hours=50)
        assert found.astimezone(zone).minute in minutes
        moment = found


MINUTES = st.sampled_from(["0", "*/20", "5,45", "30"])
HOURS = st.sampled_from(["*", "1-3", "2", "0", "*/6"])
DAYS = st.sampled_from(["*", "28", "*/2"])
WEEKDAYS = st.sampled_from(["*", "0", "sat,mon"])
CHANGES = {BERLIN: ("2026-03-28", "2026-10-24"), NEW_YORK: ("2026-03-07", "2026-10-31")}


@settings(max_examples=40, deadline=None)
@given(MINUTES, HOURS, DAYS, WEEKDAYS, st.sampled_from(list(CHANGES)), st.integers(0, 1))
def test_like_a_watch_that_is_looked_at_each_minute(
    minutes: str, hours: str, days: str, weekdays: str, zone: ZoneInfo, change: int
) -> None:
    schedule = parse(f"{minutes} {hours} {days} * {weekdays}", zone)
    assert isinstance(schedule, Fields)
    start = datetime.fromisoformat(CHANGES[zone][change]).replace(tzinfo=UTC)
    looks = [start + timedelta(minutes=i) for i in range(1, 60 * 60)]
    wanted = [moment for moment in looks if shows(schedule, moment.astimezone(zone))]
    found, moment = [], schedule.next(start)
    while moment is not None and moment <= looks[-1]:
        found.append(moment)
        moment = schedule.next(moment)
    assert found == wanted


def shows(schedule: Fields, local: datetime) -> bool:
    of_month, of_week = local.day in schedule.days, local.isoweekday() % 7 in schedule.weekdays
    day = of_month or of_week if schedule.either else of_month and of_week
    return day and local.hour in schedule.hours and local.minute in schedule.minutes
