"""Bytes of a CSV, XLSX or JSON file → one table of text. Every length is checked before anything is unpacked.

A workbook is a ZIP file of XML: its table of contents says how large it will be, and neither DOCTYPE nor entities
are let in (quality: hostile input).
"""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from trace_core.errors import InputError, TooLarge
from trace_server.exports.csv import plain

MAX_ROWS: Final = 100_000
"""Rows of one file; a day of a province's penalties is under 20,000."""
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 32_767
"""Characters of a cell (Excel specifications and limits)."""
MAX_PARTS: Final = 500
"""Files in a workbook; one of ours has about 12."""
MAX_UNPACKED: Final = 256 * 1024 * 1024
"""Bytes of a workbook once unpacked."""
MAX_PART_RATIO: Final = 200
"""Unpacked bytes for a packed one; a sheet that repeats one cell stays under 120."""
CSV, XLSX, JSON = "csv", "xlsx", "json"
_HEAD: Final = 4096
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    LookupError,
    ValueError,
    OSError,
    SyntaxError,
    EOFError,
    RuntimeError,
    TypeError,
    AttributeError,
)
"""What zipfile and openpyxl raise over damaged files; openpyxl lets some of Python's own errors through."""
_REMEDY_XLSX: Final = "save it again as a workbook of Excel 2007 or later, or as CSV"


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are read once: (number as the sender sees it, cells as long as `headings`). Empty rows are left out."""

    headings: tuple[str, ...]
    rows: Iterator[tuple[int, tuple[str, ...]]]


def format_of(data: bytes, file_name: str = "") -> str:
    """By content first: a workbook is a ZIP file, JSON begins with a brace or bracket; else CSV."""
    if data[:4] == b"PK\x03\x04" or file_name.lower().endswith(".xlsx"):
        return XLSX
    return JSON if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else CSV


def read(data: bytes, form: str) -> Sheet:
    """The table in `data`. Raises `InputError` for what is no such file, `TooLarge`; some of it while rows are read."""
    return {CSV: _csv, XLSX: _xlsx, JSON: _json}[form](data)


def json_sheet(rows: Sequence[Mapping[str, object]]) -> Sheet:
    """Rows as JSON objects of text: their members are the headings, in the order of their first use."""
    if len(rows) > MAX_ROWS:
        raise TooLarge(f"{len(rows)} rows", remedy=f"at most {MAX_ROWS:,} in one file")
    names = list(dict.fromkeys(name for row in rows for name in row))
    headings = [heading(name) for name in names]
    _require_headings(headings)

    def cells() -> Iterator[tuple[int, tuple[str, ...]]]:
        for number, row in enumerate(rows, 1):
            texts = tuple(_cell_text(row.get(name), number) for name in names)
            if any(texts):
                yield number, texts

    return Sheet(tuple(headings), cells())


def _json(data: bytes) -> Sheet:
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError("this is no JSON in UTF-8", remedy="send a list of objects, one a row") from error
    rows = value.get("rows") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("a list of objects is expected, one a row", where="rows")
    return json_sheet(rows)


def _csv(data: bytes) -> Sheet:
    lines = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    return _sheet(_csv_lines(lines))


def _csv_lines(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            line = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"row {number} is no CSV: {error}", remedy="quote cells that hold commas") from error
        yield number, [plain(cell) for cell in line]


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the text is neither UTF-8 nor GB 18030", remedy="save it as CSV in UTF-8")


def _xlsx(data: bytes) -> Sheet:
    _require_harmless(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        page = book.worksheets[0]
    except _BROKEN as error:
        raise InputError("this is no workbook that can be read", remedy=_REMEDY_XLSX) from error
    lines = page.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1)
    return _sheet(_xlsx_lines(lines))


def _xlsx_lines(lines: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            line = next(lines)
        except StopIteration:
            return
        except _BROKEN as error:
            raise InputError(f"row {number} of the workbook cannot be read", remedy=_REMEDY_XLSX) from error
        yield number, [_cell_text(cell, number) for cell in line]


def _require_harmless(data: bytes) -> None:
    """Raises `TooLarge` for a bomb, `InputError` for XML that defines entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
            if len(parts) > MAX_PARTS:
                raise TooLarge(f"the workbook has {len(parts)} parts", remedy=f"at most {MAX_PARTS}")
            unpacked = sum(part.file_size for part in parts)
            ratio = max((part.file_size / max(part.compress_size, 1) for part in parts), default=0)
            if unpacked > MAX_UNPACKED or (ratio > MAX_PART_RATIO and unpacked > MAX_UNPACKED // 16):
                raise TooLarge("the workbook would be too large once unpacked", remedy="split it, or send CSV")
            for part in parts:
                with packed.open(part) as stream:
                    head = stream.read(_HEAD)
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                    raise InputError("the workbook defines entities", remedy=_REMEDY_XLSX)
    except _BROKEN as error:
        raise InputError("this is no workbook that can be read", remedy=_REMEDY_XLSX) from error


def _sheet(lines: Iterator[tuple[int, list[str]]]) -> Sheet:
    _, first = next(lines, (0, []))
    while first and not first[-1].strip():
        first.pop()
    headings = [heading(text) for text in first]
    _require_headings(headings)
    return Sheet(tuple(headings), _rows(lines, len(headings)))


def _rows(lines: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    count = 0
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise TooLarge(f"more than {MAX_ROWS:,} rows", remedy="split the file")
        if any(cell.strip() for cell in cells[width:]):
            raise InputError(f"row {number} has more cells than there are headings", remedy="quote or remove them")
        if any(len(cell) > MAX_CELL for cell in cells):
            raise TooLarge(f"a cell of row {number} is longer than {MAX_CELL:,} characters")
        yield number, (*cells[:width], *[""] * (width - len(cells)))


def heading(text: str) -> str:
    """A heading without blanks, widths made one: `处罚机关 ` is `处罚机关`, full-width brackets are plain ones."""
    return "".join(unicodedata.normalize("NFKC", text[:256]).split())


def _require_headings(headings: Sequence[str]) -> None:
    if not headings or not all(headings):
        raise InputError("the first row has to hold a heading for every column", remedy="use the official template")
    if len(headings) > MAX_COLUMNS:
        raise TooLarge(f"{len(headings)} columns", remedy=f"at most {MAX_COLUMNS}")
    twice = sorted({name for name in headings if headings.count(name) > 1})
    if twice:
        raise InputError("columns are there twice", where="headings", remedy="、".join(twice)[:200])


def _cell_text(value: object, number: int) -> str:
    """As the official files write it: days `YYYY/MM/DD`, whole numbers without a point."""
    match value:
        case None:
            return ""
        case str():
            if len(value) > MAX_CELL:
                raise TooLarge(f"a cell of row {number} is longer than {MAX_CELL:,} characters")
            return value
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case float():
            return f"{Decimal(repr(value)).normalize():f}" if math.isfinite(value) else str(value)
        case datetime():
            return value.strftime("%Y/%m/%d") if value.time() == time() else value.isoformat(sep=" ")
        case date():
            return value.strftime("%Y/%m/%d")
    raise InputError(f"a cell of row {number} is no text", remedy="write every cell as text")
