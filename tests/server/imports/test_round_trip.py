"""What we give out as a 双公示 file comes back in as the same records; what is no table is refused in words."""

from __future__ import annotations

import io
import os
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.credit.make import checked_and_published
from tests.server.imports import make
from tests.server.imports.make import SUBJECT
from trace_core.errors import TraceError
from trace_server.credit import store as archive
from trace_server.db import Database, open_database
from trace_server.exchange import files
from trace_server.exports.csv import plain
from trace_server.exports.csv import write as write_csv
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry as formats
from trace_server.imports import operations, reading
from trace_server.imports.model import RunState
from trace_server.imports.operations import File
from trace_server.services import Services

SOAK = os.environ.get("SUYUAN_SOAK") == "1"
TEXT = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), blacklist_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
)
FORMULA = st.sampled_from(["", "=", "+", "-", "@", "'", "''=", "＝", "'＠"])
DECISION = st.fixed_dictionaries(
    {
        "CF_XDR_LB": st.just("法人及非法人组织"),
        "CF_SY": st.builds(str.__add__, FORMULA, TEXT),
        "CF_YJ": st.builds(str.__add__, FORMULA, TEXT),
        "BZ": st.one_of(st.none(), TEXT),
        "CF_NR_FK": st.decimals("0.000001", "99999", places=6).map(lambda one: f"{one.normalize():f}"),
        "CF_YXQ": st.sampled_from(["2099/12/31", "2029/01/31"]),
        "CF_CFLB": st.sampled_from(["罚款", "罚款;警告", "罚款;通报批评", "罚款;其他-约谈"]),
    }
)


@pytest.mark.parametrize("form", sorted(formats()))
def test_an_exported_table_comes_back_as_the_same_records(migrated_sqlite: Path, tmp_path: Path, form: str) -> None:
    @settings(max_examples=100 if SOAK else 6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(DECISION, min_size=1, max_size=4))
    def check(decisions: list[dict[str, str | None]]) -> None:
        left, right = (_fresh(migrated_sqlite, tmp_path) for _ in range(2))
        rows = [make.penalty(**one, CF_WSH=f"示〔2026〕{n}号") for n, one in enumerate(_texts(decisions))]
        assert make.submit(left, "penalties", rows).refused == 0, rows
        _publish(left)
        table = files.write(left.db, formats()[form], left.clock(), "tester", persons=False)
        run = operations.submit(right, make.ACTOR, make.order("penalties"), File(table))
        assert (run.taken, run.refused) == (len(rows), 0), make.faults(right, run)
        again = operations.submit(left, make.ACTOR, make.order("penalties"), File(table))
        assert (again.unchanged, again.refused) == (len(rows), 0), make.faults(left, again)
        _publish(right)
        back = files.write(right.db, formats()[form], right.clock(), "tester", persons=False)
        assert _cells(back, form) == _cells(table, form)
        left.db.dispose()
        right.db.dispose()

    check()


def test_the_file_of_natural_persons_is_no_news_where_it_came_from(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "penalties", [make.person_penalty()])
    with database.read() as conn:
        ids = [record.record_id for record in archive.awaiting_publication(conn, 9)]
    for record_id in ids:
        checked_and_published(outside, record_id)
    table = files.write(database, formats()["csv"], outside.clock(), "tester", persons=True)
    run = operations.submit(outside, make.ACTOR, make.order("penalties"), File(table))
    assert (run.unchanged, run.refused) == (1, 0), make.faults(outside, run)


@given(st.builds(str.__add__, FORMULA, st.text(max_size=20)))
def test_an_escaped_cell_reads_as_it_was_written(text: str) -> None:
    out = io.BytesIO()
    write_csv(Sheet("x", ("列",), iter([(text,)])), out)
    written = out.getvalue().decode("utf-8-sig").split("\n", 1)[1]
    if not any(char in text for char in '\r\n",'):
        assert plain(written.removesuffix("\r\n").strip('"') if '"' in written else written[:-2]) == text


@settings(max_examples=5000 if SOAK else 60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([reading.CSV, reading.XLSX, reading.JSON]))
def test_bytes_that_are_no_table_are_refused_in_words(data: bytes, form: str) -> None:
    try:
        list(reading.read(data, form).rows)
    except TraceError as error:
        assert error.what


@settings(max_examples=2000 if SOAK else 40, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_damaged_workbook_is_refused_in_words(place: int, damage: bytes) -> None:
    whole = make.xlsx_of([make.listed()])
    data = whole[:place] + damage + whole[place + len(damage) :]
    try:
        list(reading.read(data, reading.XLSX).rows)
    except TraceError as error:
        assert error.what


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("xl/worksheets/sheet1.xml", b"0" * (64 * 1024 * 1024)),
        ("xl/worksheets/sheet1.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
    ],
    ids=["bomb", "entities"],
)
def test_a_hostile_workbook_is_refused_before_it_is_unpacked(name: str, content: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    with pytest.raises(TraceError):
        reading.read(out.getvalue(), reading.XLSX)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_is_read_in_the_encodings_that_offices_use(encoding: str) -> None:
    data = make.csv_of([make.listed()], encoding)
    sheet = reading.read(data, reading.format_of(data))
    assert dict(zip(sheet.headings, next(sheet.rows)[1], strict=True)) == make.listed()


def test_dates_and_numbers_of_a_workbook_read_as_the_template_writes_them() -> None:
    from datetime import date, datetime

    data = make.xlsx_of([{"日": date(2026, 4, 1), "时": datetime(2026, 4, 1), "数": 0.2, "整": 3.0, "号": 17}])  # noqa: DTZ001 – a cell has no zone
    (_, cells) = next(reading.read(data, reading.XLSX).rows)
    assert cells == ("2026/04/01", "2026/04/01", "0.2", "3", "17")


def test_hostile_rows_are_taken_apart_and_none_is_lost(migrated_sqlite: Path, tmp_path: Path) -> None:
    """100,000 of them under SUYUAN_SOAK."""
    outside, count = _fresh(migrated_sqlite, tmp_path), 100_000 if SOAK else 200
    bad = ("=cmd|' /C calc'!A0", "\u202e\u0000", "x" * 9000, "2026-13-45", "'; DROP TABLE subject; --", "<script>", "")
    rows = [
        make.listed(文书文号=f"示异〔2026〕{n}号") | {list(make.listed())[n % 6]: bad[n % len(bad)]}
        for n in range(count)
    ]
    run = make.submit(outside, "lists", rows)
    run = operations.work_off(outside, run.import_id)
    assert run.state is RunState.DONE
    assert run.taken + run.unchanged + run.refused == run.total == count
    assert run.refused > count // 2
    outside.db.dispose()


def _texts(decisions: list[dict[str, str | None]]) -> list[dict[str, str]]:
    return [{name: text for name, text in one.items() if text is not None} for one in decisions]


def _fresh(template: Path, folder: Path) -> Services:
    path = folder / f"{time.monotonic_ns()}.sqlite"
    path.write_bytes(template.read_bytes())
    return make.services_on(open_database(f"sqlite:///{path}"))


def _publish(outside: Services) -> None:
    with outside.db.read() as conn:
        records = archive.of_subject(conn, SUBJECT)
    for record in records:
        if record.public:
            checked_and_published(outside, record.record_id)


def _cells(table: bytes, form: str) -> list[tuple[str, ...]]:
    sheet = reading.read(table, form)
    return [sheet.headings, *(cells for _, cells in sheet.rows)]
