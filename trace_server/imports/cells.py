"""Reads the cells of one row and collects everything that is wrong with them, as the data standard names it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from trace_core.ids import uscc
from trace_server.credit.coding import day_of
from trace_server.credit.fields import CODE_UNKNOWN
from trace_server.imports.model import Fault, RowRefused


class Cells:
    """One row. Each method gives an empty value for a cell that is wrong; `end` raises what was found."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells
        self.faults: list[Fault] = []

    def fault(self, column: str, code: str, **params: str) -> None:
        """Something is wrong with a cell."""
        self.faults.append(Fault(column, code, params))

    def text(self, column: str, most: int, *, required: bool = True) -> str:
        """A text without control characters."""
        value = self._cells.get(column, "").strip()
        if not value and required:
            self.fault(column, "missing")
        if len(value) > most:
            self.fault(column, "too-long", length=str(most))
            return ""
        if any(unicodedata.category(char) == "Cc" and char not in "\n\r\t" for char in value):
            self.fault(column, "control-character")
            return ""
        return value

    def line(self, column: str, most: int, *, required: bool = True) -> str:
        """A text of one line."""
        return " ".join(self.text(column, most, required=required).split())

    def day(self, column: str, *, required: bool = True) -> date | None:
        """A day as `YYYY/MM/DD`."""
        value = self._cells.get(column, "").strip()
        if not value:
            if required:
                self.fault(column, "missing")
            return None
        found = day_of(value)
        if found is None:
            self.fault(column, "bad-date")
        return found

    def past(self, column: str, today: date) -> date:
        """A day that is not in the future; `today` when it is wrong."""
        found = self.day(column)
        if found is not None and found > today:
            self.fault(column, "in-the-future")
        return found or today

    def company(self, column: str) -> str:
        """A unified social credit code, as GB 32100 writes it; "" when it is wrong."""
        value = unicodedata.normalize("NFKC", self._cells.get(column, "")).strip().upper()
        if not value:
            self.fault(column, "missing")
        elif value == CODE_UNKNOWN:
            self.fault(column, "code-unknown")
        elif not uscc.is_valid(value):
            self.fault(column, "bad-code")
        else:
            return value
        return ""

    def choice(self, column: str, choices: Sequence[str], *, required: bool = True) -> str:
        """One of the words of the standard."""
        value = self._cells.get(column, "").strip()
        if not value and not required:
            return ""
        if value not in choices:
            self.fault(column, "not-a-choice" if value else "missing", choices="、".join(choices))
            return ""
        return value

    def end(self) -> None:
        """Raises `RowRefused` when anything was wrong."""
        if self.faults:
            raise RowRefused(tuple(self.faults))
