"""A calendar of working days and periods of law as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Year:
    """What was announced for one year: days off besides weekends, and weekend days that are worked."""

    year: int
    holidays: frozenset[date]
    make_up: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Years by number. A year that is missing has plain weekends and makes every answer that needs it unconfirmed."""

    years: tuple[Year, ...]

    def year(self, number: int) -> Year | None:
        """What is known of this year."""
        return next((one for one in self.years if one.year == number), None)


class Unit(StrEnum):
    """What a period counts."""

    HOURS = "hours"
    """Running hours: nights, weekends and holidays count."""
    DAYS = "days"
    """Days of the calendar; one that ends on a day off ends on the next working day."""
    WORKING_DAYS = "working_days"


@dataclass(frozen=True, slots=True)
class Period:
    """`amount` of `unit`, such as 24 hours or 10 working days; at least 0."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at`: the first moment that is too late, aware. `is_confirmed`: every year it runs through was announced."""

    at: datetime
    is_confirmed: bool
