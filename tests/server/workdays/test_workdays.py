"""Which days count, when a period ends, and how a new year comes in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from trace_core.errors import InputError
from trace_server.cli import cli
from trace_server.db import Database
from trace_server.workdays import operations, rules
from trace_server.workdays.model import Calendar, Period, Unit

SHIPPED = Calendar(operations.shipped())
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
NEXT_YEAR = """[2027]
source = "test announcement"
holidays = [["2027-01-01", "2027-01-03"]]
make_up = ["2027-01-09"]
"""


def test_the_national_week_and_its_make_up_days_count_as_announced() -> None:
    assert rules.is_working_day(SHIPPED, date(2026, 9, 20))  # a Sunday that is worked
    assert not rules.is_working_day(SHIPPED, date(2026, 10, 7))
    assert rules.add_working_days(SHIPPED, date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert rules.add_working_days(SHIPPED, date(2026, 10, 1), 0) == date(2026, 10, 8)
    assert rules.working_days_between(SHIPPED, date(2026, 9, 30), date(2026, 10, 10)) == 3


def test_every_announced_year_works_as_many_days_as_the_notices_add_up_to() -> None:
    for year, days in ((2025, 248), (2026, 248)):
        assert rules.working_days_between(SHIPPED, date(year - 1, 12, 31), date(year, 12, 31)) == days


@given(st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.integers(1, 300))
def test_counting_forward_and_back_agree(start: date, n: int) -> None:
    end = rules.add_working_days(SHIPPED, start, n)
    assert rules.is_working_day(SHIPPED, end)
    assert rules.working_days_between(SHIPPED, start, end) == n
    assert rules.working_days_between(SHIPPED, end, start) == -n


def test_hours_run_over_holidays_and_days_do_not_end_on_one() -> None:
    start = datetime(2026, 9, 30, 16, 30, tzinfo=UTC)  # 0:30 of 1 October in Shanghai
    assert rules.deadline(SHIPPED, start, Period(24, Unit.HOURS)).at == start + timedelta(hours=24)
    assert rules.deadline(SHIPPED, start, Period(3, Unit.DAYS)).at == datetime(2026, 10, 8, 16, tzinfo=UTC)
    assert rules.deadline(SHIPPED, start, Period(1, Unit.WORKING_DAYS)).at == datetime(2026, 10, 8, 16, tzinfo=UTC)


def test_a_period_into_a_year_that_nobody_announced_is_unconfirmed() -> None:
    start = datetime(2026, 12, 30, 1, tzinfo=UTC)
    assert rules.deadline(SHIPPED, start, Period(1, Unit.WORKING_DAYS)).is_confirmed
    assert not rules.deadline(SHIPPED, start, Period(10, Unit.WORKING_DAYS)).is_confirmed


def test_an_imported_year_counts_at_once_and_is_audited(database: Database) -> None:
    operations.import_years(database, NEXT_YEAR, actor="office", now=NOW)
    operations.import_years(database, NEXT_YEAR.replace("01-03", "01-04"), actor="office", now=NOW)
    with database.read() as conn:
        calendar = operations.calendar(conn)
    assert rules.add_working_days(calendar, date(2026, 12, 31), 1) == date(2027, 1, 5)
    assert rules.is_working_day(calendar, date(2027, 1, 9))
    assert rules.deadline(calendar, datetime(2026, 12, 30, tzinfo=UTC), Period(9, Unit.WORKING_DAYS)).is_confirmed


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ""),
        ("[[", ""),
        ("[next]", "next"),
        ("[2027]\nsource = 'x'", "2027"),
        ("[2027]\nsource = ' '\nholidays = []\nmake_up = []", "2027/source"),
        ("[2027]\nsource = 'x'\nholidays = [['2027-01-03', '2027-01-01']]\nmake_up = []", "2027/holidays/0"),
        ("[2027]\nsource = 'x'\nholidays = [['2026-12-31', '2027-01-01']]\nmake_up = []", "2027/holidays/0"),
        ("[2027]\nsource = 'x'\nholidays = ['2027-01-01']\nmake_up = []", "2027/holidays/0"),
        ("[2027]\nsource = 'x'\nholidays = 7\nmake_up = []", "2027/holidays/0"),
        ("[2027]\nsource = 'x'\nholidays = []\nmake_up = ['2027-01-04']", "2027/make_up/0"),
    ],
)
def test_a_wrong_file_is_refused_by_the_place_that_is_wrong(text: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        rules.read_years(text)
    assert (caught.value.where or "") == where


def test_the_command_imports_and_lists(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUYUAN_DATABASE_URL", migrated_url)
    (tmp_path / "2027.toml").write_text(NEXT_YEAR, encoding="utf-8")
    taken = CliRunner().invoke(cli, ["calendar", "import", str(tmp_path / "2027.toml")], catch_exceptions=False)
    assert taken.output == "2027\t3 days off\t1 made up\ttest announcement\n"
    listed = CliRunner().invoke(cli, ["calendar", "list", "--json"], catch_exceptions=False)
    assert [row["year"] for row in json.loads(listed.output)["years"]] == [2025, 2026, 2027]
