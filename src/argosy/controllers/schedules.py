"""When a CronJob is due: the grammar of robfig/cron, with its ways at changes of the clock.

Hours go by as they are lived: what a clock that is put forward leaves out is not made up for, and
what one that is put back shows twice is due twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from argosy.api.validation.cron import FIELDS, schedule_fault

NAMED: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
YEARS = 5
"""So far ahead a next time is looked for."""
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class Schedule(Protocol):
    """A row of moments."""

    def next(self, after: datetime) -> datetime | None:
        """The first moment after `after`; None where there is none for years."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """One moment each `pause`."""

    pause: timedelta

    def next(self, after: datetime) -> datetime | None:
        return after.replace(microsecond=0) + self.pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The moments at which the clock of `zone` shows what the fields say.

    `either`: the day of the month or that of the week is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        if not (self.minutes and self.hours and self.months):
            return None  # a comma by itself, say
        moment = _whole_minute(after)
        last = moment.astimezone(self.zone).year + YEARS
        while moment.astimezone(self.zone).year <= last:
            step = self._step(moment)
            if step is None:
                return moment
            moment = step
        return None

    def _step(self, moment: datetime) -> datetime | None:
        """A later moment before which there is none; None where this is one."""
        local = moment.astimezone(self.zone)
        if local.month not in self.months:
            year, month = divmod(local.month, 12)
            return _begin(datetime(local.year + year, month + 1, 1), self.zone)
        if not self._day(local):
            today = datetime(local.year, local.month, local.day)
            return _begin(today + timedelta(days=1), self.zone)
        if local.hour not in self.hours:
            # The hours go by as they are lived, so that one may be missing, or come twice.
            return moment - timedelta(minutes=local.minute) + HOUR
        return None if local.minute in self.minutes else moment + MINUTE

    def _day(self, local: datetime) -> bool:
        of_month = local.day in self.days
        of_week = local.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either else of_month and of_week


def parse(text: str, zone: ZoneInfo) -> Schedule:
    """Read a schedule; a zone that it names itself counts. Raises ValueError, and KeyError for a
    zone that nobody knows (`zoneinfo.ZoneInfoNotFoundError`).
    """
    if fault := schedule_fault(text):
        raise ValueError(fault)
    if text.startswith(("TZ=", "CRON_TZ=")):
        given, _, text = text.partition(" ")
        zone, text = ZoneInfo(given.partition("=")[2]), text.strip()
    if text.startswith("@every "):
        return Every(_duration(text.removeprefix("@every ")))
    parts = NAMED.get(text, text).split()
    sets = [_set(part, *field) for part, field in zip(parts, FIELDS, strict=True)]
    return Fields(
        minutes=sets[0],
        hours=sets[1],
        days=sets[2],
        months=sets[3],
        weekdays=sets[4],
        either=not (_open(parts[2]) or _open(parts[4])),
        zone=zone,
    )


def _set(text: str, low: int, high: int, known: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for term in filter(None, text.split(",")):
        span, slash, step = term.partition("/")
        first, dash, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, known)
            end = _number(last, known) if dash else high if slash else start
        found |= set(range(start, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, known: Mapping[str, int]) -> int:
    return known[text.lower()] if text.lower() in known else int(text)


def _open(text: str) -> bool:
    """Whether a field says nothing: `*`, also among others, but not `*/2`."""
    terms = (term.partition("/") for term in text.split(","))
    return any(span.split("-")[0] in ("*", "?") and int(step or 1) == 1 for span, _, step in terms)


def _duration(text: str) -> timedelta:
    """At least a second, and whole ones."""
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    negative = text.startswith("-")
    return SECOND * (1 if negative else max(1, int(seconds)))


def _whole_minute(after: datetime) -> datetime:
    """The first whole minute after a moment."""
    return after.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE


def _begin(midnight: datetime, zone: ZoneInfo) -> datetime:
    """When a day begins in `zone`: later than at midnight where the clock leaves that out."""
    moment = midnight.replace(tzinfo=UTC)
    begin = moment - _offset(moment - _offset(moment, zone), zone)
    hour = begin.astimezone(zone).hour
    return begin + HOUR * (24 - hour) if hour > 12 else begin


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
