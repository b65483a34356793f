"""The affected set as a table for a file: one row a thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trace_server.exports.model import Sheet
from trace_server.recall.model import Affected, Recall

COLUMNS: Final = (
    "uri",
    "relation",
    "depth",
    "via",
    "event_key",
    "gtin",
    "lot",
    "counts",
    "quantity",
    "uom",
    "status",
    "place",
    "holder",
)
"""Facts of `Affected`, in this order."""


def affected_sheet(recall: Recall, rows: Iterable[Affected]) -> Sheet:
    """`rows` is read once."""
    filters = (
        ("recall", recall.recall_id),
        ("notice", recall.notice.notice_no),
        ("state", recall.state.value),
        ("version of the affected set", str(recall.version)),
    )
    return Sheet("affected", COLUMNS, (tuple(_text(getattr(row, name)) for name in COLUMNS) for row in rows), filters)


def _text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
