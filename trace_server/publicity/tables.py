"""Files of open data as they were made; one row a file and format, replaced when it is made anew."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, String, Table

from trace_server.db import UtcDateTime, metadata

open_data_file = Table(
    "open_data_file",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("format", String(8), primary_key=True),
    # The day that the data shows.
    Column("day", Date, nullable=False),
    # Head of the change log when it was made: what stopped since must not be in it.
    Column("seq", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
