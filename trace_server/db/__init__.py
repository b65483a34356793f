"""The database layer: everything SQL that is not a table or a statement of one module.

`trace_server.*.tables` and `trace_server.*.store` are the only other places that import SQLAlchemy; everybody
else takes the names below.
"""

from sqlalchemy import Connection

from trace_server.db.dialects import Dialect
from trace_server.db.engine import ROW_REFUSED, Database, DatabaseAway, open_database
from trace_server.db.metadata import load_tables, metadata
from trace_server.db.types import Json, Key, UtcDateTime

__all__ = [
    "ROW_REFUSED",
    "Connection",
    "Database",
    "DatabaseAway",
    "Dialect",
    "Json",
    "Key",
    "UtcDateTime",
    "load_tables",
    "metadata",
    "open_database",
]
