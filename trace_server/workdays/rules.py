"""Counting working days, and reading the announcements. Pure; all days are days in Asia/Shanghai."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trace_core.errors import InputError
from trace_server.workdays.model import Calendar, Deadline, Period, Unit, Year

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
MAX_DAYS = 3660
"""Longest period that is counted day by day: ten years, the longest retention anywhere."""
_SATURDAY = 5
_YEARS = range(2000, 2100)
_DAY = timedelta(days=1)
_FIELDS = ("source", "holidays", "make_up")


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether offices work that day; of a year nobody announced: whether it is no weekend."""
    known = calendar.year(day.year)
    if known is not None and day in known.make_up:
        return True
    if known is not None and day in known.holidays:
        return False
    return day.weekday() < _SATURDAY


def add_working_days(calendar: Calendar, start: date, n: int) -> date:
    """The `n`-th working day after `start`, which does not count itself (民法典 art. 201).

    0 gives `start`, or the next working day when it is none. Raises `ValueError` below 0 and above `MAX_DAYS`.
    """
    if not 0 <= n <= MAX_DAYS:
        raise ValueError(f"{n} working days cannot be counted")
    day = start
    while n > 0:
        day += _DAY
        n -= is_working_day(calendar, day)
    while not is_working_day(calendar, day):
        day += _DAY
    return day


def working_days_between(calendar: Calendar, start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; negative when `end` is before `start`.

    `working_days_between(c, s, add_working_days(c, s, n)) == n` for n ≥ 1. Raises `ValueError` for a span of
    more than `2 * MAX_DAYS` days.
    """
    if end < start:
        return -working_days_between(calendar, end, start)
    days = (end - start).days
    if days > 2 * MAX_DAYS:
        raise ValueError(f"{days} days cannot be counted")
    return sum(is_working_day(calendar, start + timedelta(days=n)) for n in range(1, days + 1))


def deadline(calendar: Calendar, start: datetime, period: Period) -> Deadline:
    """When a period that begins at `start` (aware) is over.

    Hours run from moment to moment (民法典 art. 201). Days begin with the day after `start` and end with the last
    day, at midnight in Shanghai; a last day that is off moves to the next working day (art. 203).
    """
    if period.amount < 0:
        raise ValueError(f"a period of {period.amount} {period.unit}")
    if period.unit is Unit.HOURS:
        return Deadline(start.astimezone(UTC) + timedelta(hours=period.amount), is_confirmed=True)
    first = start.astimezone(LEGAL_TIME).date()
    if period.unit is Unit.WORKING_DAYS:
        last = add_working_days(calendar, first, period.amount)
    else:
        last = add_working_days(calendar, first + timedelta(days=period.amount), 0)
    known = all(calendar.year(number) is not None for number in range(first.year, last.year + 1))
    return Deadline(end_of_day(last), is_confirmed=known)


def end_of_day(day: date) -> datetime:
    """The moment in UTC at which `day` is over in Shanghai."""
    return datetime.combine(day + _DAY, time(), LEGAL_TIME).astimezone(UTC)


def read_years(text: str) -> tuple[Year, ...]:
    """The years of a TOML text as in `calendar.toml`. Raises `InputError` that names the year and field."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}") from error
    if not document:
        raise InputError("no year is given", remedy="a table for each year, such as [2027]")
    return tuple(_year(name, table) for name, table in sorted(document.items()))


def _year(name: str, table: object) -> Year:
    if not (name.isascii() and name.isdigit() and int(name) in _YEARS):
        raise InputError(f"{name!r:.20} is no year", where=name, remedy="such as [2027]")
    if not isinstance(table, Mapping) or set(table) != set(_FIELDS):
        raise InputError(f"a year has {', '.join(_FIELDS)}", where=name)
    number, source = int(name), table["source"]
    if not isinstance(source, str) or not source.strip():
        raise InputError("the announcement must be named", where=f"{name}/source")
    spans = table["holidays"] if isinstance(table["holidays"], list) else [None]
    days = [day for row, span in enumerate(spans) for day in _span(span, number, f"{name}/holidays/{row}")]
    worked = table["make_up"] if isinstance(table["make_up"], list) else [None]
    make_up = [_date(value, number, f"{name}/make_up/{row}") for row, value in enumerate(worked)]
    for row, day in enumerate(make_up):
        if day.weekday() < _SATURDAY or day in days:
            raise InputError(f"{day} is no weekend day to be worked", where=f"{name}/make_up/{row}")
    return Year(number, frozenset(days), frozenset(make_up), source.strip())


def _span(value: object, year: int, where: str) -> list[date]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError("first and last day are needed", where=where, remedy='such as ["2027-01-01", "2027-01-03"]')
    first, last = (_date(day, year, where) for day in value)
    if last < first:
        raise InputError(f"{last} is before {first}", where=where)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _date(value: object, year: int, where: str) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise InputError(f"{value!r:.40} is no date", where=where) from error
    if day is None or day.year != year:
        raise InputError(f"{value!r:.40} is no day of {year}", where=where, remedy='a text such as "2027-01-01"')
    return day
