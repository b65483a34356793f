"""When a scheduled query runs. UTC throughout.

Fields are numbers, ranges in brackets and lists of both: `5`, `[1-5]`, `0,[20-25]`. A time is due when it matches all
fields that are given. Fields finer than the finest one given are 0: `{"hour": "1", "minute": "5"}` is 01:05:00 each
day, as the standard's own example says, not each second of that minute. Source: EPCIS 2.0 section 8.2.5.3; its
patterns for numbers (`[0-59]`) are mistaken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from trace_server.subscriptions.model import SubscriptionInvalid

FIELDS: Final[Mapping[str, range]] = {
    "second": range(60),
    "minute": range(60),
    "hour": range(24),
    "dayOfMonth": range(1, 32),
    "month": range(1, 13),
    "dayOfWeek": range(1, 8),
}
"""Finest first; Monday is 1."""
MAX_DAYS: Final = 366 * 41
"""29 February on a given day of the week comes back within 40 years."""
_CLOCK: Final = ("second", "minute", "hour")
_ELEMENT: Final = re.compile(r"(\d{1,2})\Z|\[(\d{1,2})-(\d{1,2})\]\Z", re.ASCII)
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Schedule:
    """Each field as the sorted values that match."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """The first due time later than `moment`. `parse_schedule` has seen that there is one."""
        found = self._first(moment.astimezone(UTC))
        if found is None:
            raise SubscriptionInvalid("the schedule never comes", where="schedule")
        return found

    def _first(self, moment: datetime) -> datetime | None:
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        day, floor = start.date(), start.time()
        for _ in range(MAX_DAYS):
            if self._is_due_on(day):
                found = self._first_time(floor)
                if found is not None:
                    return datetime.combine(day, found, UTC)
            if day == date.max:
                return None
            day, floor = day + timedelta(days=1), time.min
        return None

    def _is_due_on(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() in self.weekdays

    def _first_time(self, floor: time) -> time | None:
        for hour in self.hours:
            if hour < floor.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (floor.hour, floor.minute):
                    continue
                for second in self.seconds:
                    found = time(hour, minute, second)
                    if found >= floor:
                        return found
        return None


def parse_schedule(fields: Mapping[str, object]) -> Schedule:
    """Raises `SubscriptionInvalid` for unknown fields, values out of range and schedules that never come."""
    if not fields:
        raise SubscriptionInvalid("the schedule is empty", where="schedule", remedy=f"give one of {', '.join(FIELDS)}")
    for name in fields:
        if name not in FIELDS:
            raise SubscriptionInvalid(f"{name!r:.80} is no field of a schedule", where="schedule",
                                      remedy=f"use {', '.join(FIELDS)}")  # fmt: skip
    values = {name: _values(name, fields[name]) for name in FIELDS if name in fields}
    finest = next(place for place, name in enumerate(FIELDS) if name in values)
    for place, name in enumerate(FIELDS):
        if name not in values:
            values[name] = frozenset({0}) if place < finest and name in _CLOCK else frozenset(FIELDS[name])
    found = Schedule(
        tuple(sorted(values["second"])),
        tuple(sorted(values["minute"])),
        tuple(sorted(values["hour"])),
        values["dayOfMonth"],
        values["month"],
        values["dayOfWeek"],
    )
    found.next_after(datetime(2026, 1, 1, tzinfo=UTC))
    return found


def _values(name: str, text: object) -> frozenset[int]:
    allowed = FIELDS[name]
    where = f"schedule.{name}"
    remedy = "numbers, [from-to] and lists of them, such as 0,[20-25]"
    # The OpenAPI document types them as strings and shows numbers as examples.
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise SubscriptionInvalid("the value is no text", where=where, remedy=remedy)
    found = set[int]()
    for element in text.split(","):
        read = _ELEMENT.match(element.strip())
        if read is None:
            raise SubscriptionInvalid(f"{element!r:.40} is no number or range", where=where, remedy=remedy)
        low, high = (int(read[1]),) * 2 if read[1] else (int(read[2]), int(read[3]))
        if low not in allowed or high not in allowed or low > high:
            raise SubscriptionInvalid(
                f"{element!r:.40} is out of range", where=where, remedy=f"{allowed[0]} to {allowed[-1]}"
            )
        found |= set(range(low, high + 1))
    return frozenset(found)
