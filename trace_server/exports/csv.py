"""CSV (RFC 4180) in UTF-8 with a byte order mark, which spreadsheets need to read Chinese.

A CSV file is one plain table: filters and row count are told by XLSX only.
"""

from __future__ import annotations

import csv
import io
from typing import IO, Final

from trace_server.exports.model import Export, Sheet

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for a formula at the start of a cell (ASVS 5.0 1.2.10), full-width signs too."""


def write(sheet: Sheet, out: IO[bytes]) -> int:
    """Cells that look like formulas get an apostrophe in front."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    rows = csv.writer(text)
    rows.writerow(map(_safe, sheet.columns))
    count = 0
    for row in sheet.rows:
        rows.writerow(map(_safe, row))
        count += 1
    text.flush()
    text.detach()
    return count


def _safe(value: str) -> str:
    # A text that looks like an escaped one is escaped too: so `plain` gives back every text as it was.
    return f"'{value}" if value.lstrip("'").startswith(_FORMULA) else value


def plain(value: str) -> str:
    """A cell without the apostrophe that `write` has put in front: the reverse of it for every text."""
    return value[1:] if value.startswith("'") and value.lstrip("'").startswith(_FORMULA) else value


EXPORT = Export("csv", "text/csv; charset=utf-8", ".csv", write)
