"""Files for spreadsheets: every format keeps the text as it is, and nothing in it is ever run."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from trace_server.exports.model import Export, Sheet
from trace_server.exports.registry import registry

FORMATS = tuple(registry().values())


def cells(export: Export, data: bytes) -> list[list[str]]:
    if export.name == "csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(data))
    first = book.worksheets[0]
    assert not any(cell.data_type == "f" for row in first.iter_rows() for cell in row)
    return [["" if cell.value is None else str(cell.value) for cell in row] for row in first.iter_rows()]


def written(export: Export, *rows: tuple[str, ...]) -> bytes:
    out = io.BytesIO()
    assert export.write(Sheet("events", ("名称", "数量"), rows, (("uri", "=1+1"),)), out) == len(rows)
    return out.getvalue()


@pytest.mark.parametrize("export", FORMATS, ids=lambda export: export.name)
def test_an_empty_table_is_its_heading(export: Export) -> None:
    assert cells(export, written(export)) == [["名称", "数量"]]


@pytest.mark.parametrize("export", FORMATS, ids=lambda export: export.name)
def test_text_comes_back_as_it_was(export: Export) -> None:
    row = ('射阳大米, "一级"', "00123")
    assert cells(export, written(export, row))[1] == list(row)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_nothing_in_a_csv_file_begins_like_a_formula(start: str) -> None:
    export = registry()["csv"]
    assert cells(export, written(export, (f"{start}cmd|' /C calc'!A0", "1")))[1][0].startswith("'")


def test_a_formula_in_a_workbook_is_text() -> None:
    export = registry()["xlsx"]
    assert cells(export, written(export, ("=1+1", "1")))[1][0] == "=1+1"


def test_the_last_sheet_of_a_workbook_says_what_was_asked_and_how_many_rows_came() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(registry()["xlsx"], ("a", "b"))))
    assert [[cell.value for cell in row] for row in book.worksheets[-1].iter_rows()] == [["uri", "=1+1"], ["rows", "1"]]


@pytest.mark.parametrize("export", FORMATS, ids=lambda export: export.name)
def test_a_hundred_thousand_rows_take_flat_memory(export: Export, tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[str, ...]]:
        for number in range(100_000):
            yield (str(number), "鲜牛奶")

    tracemalloc.start()
    with (tmp_path / "out").open("wb") as out:
        assert export.write(Sheet("events", ("a", "b"), rows()), out) == 100_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
