"""How often each code was asked for. A day and an hour are the finest that is kept; no device, address or city.

Days are numbers such as 20261124 (Asia/Shanghai): the hot path speaks to the driver without type conversion.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, SmallInteger, Table

from trace_server.db import Key, metadata

code_query = Table(
    "code_query",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("first_day", Integer, nullable=False),
    Column("first_hour", SmallInteger, nullable=False),
    # The day before `last_day` on which it was asked for, as the newest query sees it.
    Column("previous_day", Integer),
    Column("last_day", Integer, nullable=False),
    Column("today", Integer, nullable=False),
    Column("yesterday", Integer, nullable=False),
)
