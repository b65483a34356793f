"""The rows of the fault table, one file a family; `tests.fault.table` prints them."""

from __future__ import annotations

from tests.fault.rows import kill
from tests.fault.rows._base import Row

ROWS: tuple[Row, ...] = (*kill.ROWS,)
