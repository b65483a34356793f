"""The rows of the fault table, one file a family; `tests.fault.table` prints them."""

from __future__ import annotations

from tests.fault.rows import clock, disk, kill, line, reader_line, server_database, server_kill
from tests.fault.rows._base import Row

ROWS: tuple[Row, ...] = (
    *kill.ROWS,
    *disk.ROWS,
    *clock.ROWS,
    *line.ROWS,
    *reader_line.ROWS,
    *server_kill.ROWS,
    *server_database.ROWS,
)
