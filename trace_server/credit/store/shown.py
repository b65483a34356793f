"""What stands before the public, newest decision first; and how soon it came there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from trace_server.credit.coding import from_codes
from trace_server.credit.model import Asked, Shown, State, Tally
from trace_server.credit.store import _key, _record
from trace_server.credit.tables import violation_record, violation_version
from trace_server.db import Connection

Place = tuple[date, str]
"""Day of the decision and record id of the last row seen."""
_BATCH = 1000


def decisions(conn: Connection, asked: Asked, today: date, *, after: Place | None, limit: int) -> list[Shown]:
    """Published decisions within their window on `today`."""
    head = violation_record.c
    where = [head.state == State.PUBLISHED.value, head.is_public == 1, head.window_max_end >= today]
    if asked.text:
        where.append(_named(asked.text))
    if asked.region:
        where.append(head.region.startswith(asked.region, autoescape=True))
    if asked.category:
        where.append(head.category == asked.category)
    if asked.since is not None:
        where.append(head.decided_on >= asked.since)
    if asked.until is not None:
        where.append(head.decided_on <= asked.until)
    return [Shown(_record(row), row.published_on) for row in conn.execute(_newest(after, limit, *where))]


def withdrawn(conn: Connection, today: date, *, after: Place | None, limit: int) -> list[Shown]:
    """Decisions that were public and then changed, revoked or void, until their window would have ended."""
    head = violation_record.c
    where = (
        head.state == State.WITHDRAWN.value,
        head.is_public == 1,
        head.window_max_end >= today,
        head.published_on.is_not(None),
    )
    return [Shown(_record(row), row.published_on) for row in conn.execute(_newest(after, limit, *where))]


def decision(conn: Connection, record_id: str) -> Shown | None:
    """One record with the day it was first public; whether it may be shown is for the caller to ask."""
    row = conn.execute(_joined().where(violation_record.c.record_id == _key(record_id))).first()
    return None if row is None else Shown(_record(row), row.published_on)


def every_decision(conn: Connection, today: date) -> Iterator[Shown]:
    """All that `decisions` would give, page by page."""
    after: Place | None = None
    while page := decisions(conn, Asked(), today, after=after, limit=_BATCH):
        yield from page
        after = (page[-1].record.decision.decided_on, page[-1].record.record_id)


def tallies(conn: Connection, since: date, until: date) -> list[Tally]:
    """Decisions of a class that is public, made in this time, counted by authority, day, state and publication."""
    head = violation_record.c
    facts = (head.authority_code, head.decided_on, head.state, head.published_on)
    query = (
        select(*facts, func.count())
        .where(head.is_public == 1, head.decided_on >= since, head.decided_on <= until)
        .group_by(*facts)
        .order_by(head.authority_code, head.decided_on)
    )
    return [Tally(code, day, State(state), shown, count) for code, day, state, shown, count in conn.execute(query)]


def authority_name(conn: Connection, code: str) -> str:
    """As its newest decision in the archive calls it; "" when it has none."""
    newest = (
        select(violation_version.c.body)
        .join(violation_record, _same())
        .where(violation_record.c.authority_code == code)
        .order_by(violation_record.c.decided_on.desc())
        .limit(1)
    )
    body = conn.execute(newest).scalar()
    return from_codes(body).authority_name if body else ""


def _named(text: str) -> ColumnElement[bool]:
    head = violation_record.c
    if "〔" in text or text.isdigit():
        return head.decision_no.contains(text, autoescape=True)
    # A person's name is masked on every page: finding it here would confirm it. A company has a code.
    return or_(head.uscc == text, head.uscc.is_not(None) & head.subject_name.contains(text, autoescape=True))


def _same() -> Any:  # noqa: ANN401 – an SQL condition
    return (violation_record.c.record_id == violation_version.c.record_id) & (
        violation_record.c.version == violation_version.c.version
    )


def _joined() -> Select[Any]:
    return select(violation_version, violation_record.c.published_on).join(violation_record, _same())


def _newest(after: Place | None, limit: int, *where: Any) -> Select[Any]:  # noqa: ANN401 – SQL conditions
    """The rows are chosen in the index alone; only those of the page are read whole."""
    head = violation_record.c
    chosen = select(head.record_id).where(*where).order_by(head.decided_on.desc(), head.record_id.desc()).limit(limit)
    if after is not None:
        day, record_id = after
        key = UUID(record_id).bytes
        chosen = chosen.where((head.decided_on < day) | ((head.decided_on == day) & (head.record_id < key)))
    order = (head.decided_on.desc(), head.record_id.desc())
    return _joined().where(head.record_id.in_(chosen.scalar_subquery())).order_by(*order)
