"""Schedules: the next due time matches every field, and none is left out before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_server.subscriptions.model import SubscriptionInvalid
from trace_server.subscriptions.schedule import FIELDS, parse_schedule

TUESDAY = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MOMENTS = st.integers(1_577_836_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def fields(*names: str) -> st.SearchStrategy[dict[str, str]]:
    def some(name: str) -> st.SearchStrategy[str]:
        number = st.sampled_from(FIELDS[name])
        pairs = st.tuples(number, number).map(sorted)
        element = number.map(str) | pairs.map(lambda pair: f"[{pair[0]}-{pair[1]}]")
        return st.lists(element, min_size=1, max_size=3).map(",".join)

    return st.fixed_dictionaries({}, optional={name: some(name) for name in names}).filter(bool)


@pytest.mark.parametrize(
    ("given_fields", "due"),
    [
        ({"hour": "1", "minute": "5"}, "2026-11-25T01:05:00"),
        ({"minute": "0"}, "2026-11-24T09:00:00"),
        ({"second": "[0-59]"}, "2026-11-24T08:00:01"),
        ({"second": "30", "minute": "0,[20-25]"}, "2026-11-24T08:00:30"),
        ({"dayOfWeek": "1"}, "2026-11-30T00:00:00"),
        ({"dayOfWeek": "7", "hour": "12"}, "2026-11-29T12:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, "2028-02-29T00:00:00"),
        ({"dayOfMonth": "29", "month": "2", "dayOfWeek": "7"}, "2032-02-29T00:00:00"),
        ({"month": 12}, "2026-12-01T00:00:00"),
    ],
)
def test_examples(given_fields: dict[str, Any], due: str) -> None:
    assert parse_schedule(given_fields).next_after(TUESDAY) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_times_are_utc_whatever_the_clock_says() -> None:
    local = TUESDAY.astimezone(timezone(timedelta(hours=8)))
    assert parse_schedule({"hour": "9"}).next_after(local) == datetime(2026, 11, 24, 9, tzinfo=UTC)


@given(fields("second", "minute", "hour"), MOMENTS)
def test_no_due_time_is_left_out(chosen: dict[str, str], moment: datetime) -> None:
    schedule = parse_schedule(chosen)
    due = schedule.next_after(moment)
    assert moment < due <= moment + timedelta(days=1)
    assert (due.second in schedule.seconds, due.minute in schedule.minutes, due.hour in schedule.hours) == (True,) * 3
    assert schedule.next_after(due - timedelta(microseconds=1)) == due
    assert schedule.next_after(moment + (due - moment) / 2) == due


@given(fields("dayOfWeek", "month"), MOMENTS)
def test_days_follow_the_calendar(chosen: dict[str, str], moment: datetime) -> None:
    schedule = parse_schedule(chosen)
    day = moment.date() + timedelta(days=1)
    while not (day.month in schedule.months and day.isoweekday() in schedule.weekdays):
        day += timedelta(days=1)
    assert schedule.next_after(moment).date() == day


@given(st.dictionaries(st.sampled_from([*FIELDS, "year"]), st.text("0123456789,-[] ", max_size=12), min_size=1))
def test_any_text_is_a_schedule_or_refused(chosen: dict[str, str]) -> None:
    try:
        schedule = parse_schedule(chosen)
    except SubscriptionInvalid as refused:
        assert refused.where.startswith("schedule")
    else:
        assert schedule.next_after(TUESDAY) > TUESDAY
