"""XLSX in flat memory: the rows on as many sheets as they need, filters and row count on the last one."""

from __future__ import annotations

from typing import IO, Final

import xlsxwriter

from trace_server.exports.model import Export, Sheet

MAX_ROWS: Final = 1_048_575
"""Rows of a sheet below its heading (Excel specifications and limits)."""
MAX_CELL: Final = 32_767
"""Characters of a cell; longer text is cut there."""


def write(sheet: Sheet, out: IO[bytes]) -> int:
    """Every cell is text: nothing becomes a formula, a number or a link."""
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_urls": False})
    page, line, count = None, 0, 0
    for row in sheet.rows:
        if page is None or line > MAX_ROWS:
            page, line = _page(book, sheet, count // MAX_ROWS), 1
        for column, value in enumerate(row):
            page.write_string(line, column, value[:MAX_CELL])
        line += 1
        count += 1
    if page is None:
        _page(book, sheet, 0)
    last = book.add_worksheet("filters")
    for line, (name, value) in enumerate((*sheet.filters, ("rows", str(count)))):
        last.write_string(line, 0, name)
        last.write_string(line, 1, value[:MAX_CELL])
    book.close()
    return count


def _page(book: xlsxwriter.Workbook, sheet: Sheet, number: int) -> xlsxwriter.worksheet.Worksheet:
    page = book.add_worksheet(sheet.title[:28] + (f" {number + 1}" if number else ""))
    page.freeze_panes(1, 0)
    for column, name in enumerate(sheet.columns):
        page.write_string(0, column, name)
    return page


EXPORT = Export("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", write)
