"""SQL of tag ranges."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from trace_server.db import Connection, Dialect
from trace_server.registers.model import Queried, RangeState, Span, TagRange
from trace_server.registers.tables import code_query
from trace_server.registers.tables import tag_range as table

_SPAN = ("first", "last", "prefix", "low", "high", "width")
_DECIDED = (RangeState.GRANTED, RangeState.REVOKED)


def add(conn: Connection, row: TagRange) -> None:
    """A new range."""
    conn.execute(insert(table).values(**_values(row)))


def save(conn: Connection, row: TagRange) -> None:
    """A range as it is now; the caller holds it locked."""
    conn.execute(update(table).where(table.c.range_id == row.range_id).values(**_values(row)))


def locked(conn: Connection, range_id: str) -> TagRange | None:
    """One range, which nobody else changes until this transaction ends."""
    row = conn.execute(select(table).where(table.c.range_id == range_id).with_for_update()).one_or_none()
    return _range(row) if row else None


def locked_of(conn: Connection, dialect: Dialect, gtins: Collection[str]) -> list[TagRange]:
    """The granted ranges of these products, locked in one order, so that two issues never wait for each other."""
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(table)
            .where(dialect.in_values(table.c.gtin, part), table.c.state == RangeState.GRANTED)
            .order_by(table.c.range_id)
            .with_for_update()
        ),
        sorted(gtins),
    )
    return [_range(row) for row in rows]


def take(conn: Connection, range_id: str, codes: int) -> None:
    """Count codes as issued of a range that is locked."""
    conn.execute(update(table).where(table.c.range_id == range_id).values(issued=table.c.issued + codes))


def overlapping(conn: Connection, gtin: str, span: Span, states: Collection[RangeState]) -> list[TagRange]:
    """Ranges of the product in these states that share a number with `span`."""
    query = select(table).where(
        table.c.gtin == gtin,
        table.c.prefix == span.prefix,
        table.c.low <= span.high,
        table.c.high >= span.low,
        table.c.state.in_(sorted(states)),
    )
    return [_range(row) for row in conn.execute(query.order_by(table.c.range_id))]


def ever_granted(conn: Connection, dialect: Dialect, gtins: Collection[str]) -> dict[str, list[TagRange]]:
    """GTIN → its ranges that were granted, also those revoked since; only products that have any."""
    rows = dialect.select_any(
        conn,
        lambda part: select(table).where(dialect.in_values(table.c.gtin, part), table.c.state.in_(sorted(_DECIDED))),
        sorted(gtins),
    )
    found: dict[str, list[TagRange]] = {}
    for row in sorted(rows, key=lambda row: row.range_id):
        found.setdefault(row.gtin, []).append(_range(row))
    return found


def has_granted(conn: Connection) -> bool:
    """Whether any range was ever granted."""
    row = conn.execute(select(table.c.range_id).where(table.c.state.in_(sorted(_DECIDED))).limit(1)).first()
    return row is not None


def ranges(
    conn: Connection, uscc: str, state: RangeState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[TagRange]:
    """Ranges in the order they were asked for; `uscc` "": of everybody."""
    query: Select[*tuple[Any, ...]] = select(table).order_by(table.c.requested_at, table.c.range_id).limit(limit)
    if uscc:
        query = query.where(table.c.uscc == uscc)
    if state is not None:
        query = query.where(table.c.state == state)
    if after is not None:
        moment, range_id = after
        same = (table.c.requested_at == moment) & (table.c.range_id > range_id)
        query = query.where((table.c.requested_at > moment) | same)
    return [_range(row) for row in conn.execute(query)]


def queried_often(conn: Connection, since: date, more_than: int) -> list[Queried]:
    """Codes that more callers than this asked for on one day, on `since` or later; reads every code's counter."""
    query = code_query.c
    often = (query.today > more_than) | (query.yesterday > more_than)
    rows = conn.execute(select(code_query).where(query.last_day >= _number(since), often).order_by(query.object_key))
    found = []
    for row in rows:
        last = date(row.last_day // 10_000, row.last_day // 100 % 100, row.last_day % 100)
        if row.today > more_than:
            found.append(Queried(row.object_key, last, row.today))
        elif last > since:
            found.append(Queried(row.object_key, last - timedelta(days=1), row.yesterday))
    return found


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _values(row: TagRange) -> dict[str, Any]:
    values = asdict(row)
    return {**values.pop("span"), **values}


def _range(row: Row[Any]) -> TagRange:
    values = dict(row._mapping)
    span = Span(**{name: values.pop(name) for name in _SPAN})
    return TagRange(**{**values, "span": span, "state": RangeState(row.state)})
