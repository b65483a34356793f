"""The 双公示 file of administrative penalties: headings and order of the 2018 template, every cell text.

Natural persons stand in a file of their own, their names masked; identity documents stand in neither.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

from trace_server.credit.coding import file_codes
from trace_server.credit.fields import FIELDS, PERSON
from trace_server.credit.model import SharedVersion, State
from trace_server.credit.store import head_seq, moments
from trace_server.db import Database
from trace_server.exports.model import Export, Sheet

HEADINGS = tuple(field.chinese for field in FIELDS if not field.sealed)
CODES = tuple(field.code for field in FIELDS if not field.sealed)
SHOWN = frozenset({State.PUBLISHED})
"""Only what the public may see leaves in a file."""
PAGE = 500


def write(db: Database, export: Export, now: datetime, signer: str, *, persons: bool) -> bytes:
    """The file as of now."""
    out = io.BytesIO()
    with db.read() as conn:
        seq = head_seq(conn)
    title = "行政处罚（自然人）" if persons else "行政处罚"
    told = (("template", "双公示 2018"), ("change", str(seq)), ("made at", now.isoformat()), ("made by", signer))
    export.write(Sheet(title, HEADINGS, _rows(db, seq, now, persons=persons), told), out)
    return out.getvalue()


def _rows(db: Database, seq: int, now: datetime, *, persons: bool) -> Iterator[tuple[str, ...]]:
    after, today = "", now.date()
    while True:
        with db.read() as conn:
            found = moments.entries_at(conn, seq, after, PAGE)
        for record, has_stopped in found:
            if isinstance(record, SharedVersion):
                continue
            is_person = record.decision.subject_kind == PERSON
            if record.state in SHOWN and record.is_shown(today) and not has_stopped and is_person == persons:
                codes = file_codes(record.decision, is_contested=bool(record.objection))
                yield tuple(codes.get(code, "") for code in CODES)
        if len(found) < PAGE:
            return
        after = found[-1][0].record_id
