"""SQL of sealed values and of the requests to open them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from trace_server.db import Connection
from trace_server.sealed.model import Opening, OpeningState, Purpose, SealedId
from trace_server.sealed.tables import sealed_opening, sealed_value


def add(conn: Connection, sealed_id: SealedId, purpose: Purpose, *, key_id: str, sealed: bytes, hour: datetime) -> None:
    """A new value."""
    conn.execute(
        insert(sealed_value).values(
            sealed_id=sealed_id, purpose=purpose, key_id=key_id, sealed=sealed, sealed_hour=hour
        )
    )


def replace_value(conn: Connection, sealed_id: SealedId, *, key_id: str, sealed: bytes | None) -> None:
    """The same value under another key; None erases it."""
    table = sealed_value
    conn.execute(update(table).where(table.c.sealed_id == sealed_id).values(key_id=key_id, sealed=sealed))


def value(conn: Connection, sealed_id: SealedId, purpose: Purpose) -> bytes | None:
    """The sealed bytes; None for an unknown one, another purpose's, and an erased one."""
    table = sealed_value
    query = select(table.c.sealed).where(table.c.sealed_id == sealed_id, table.c.purpose == purpose)
    found = conn.execute(query).scalar_one_or_none()
    return bytes(found) if found is not None else None


def under_other_keys(conn: Connection, key_id: str, limit: int) -> list[tuple[SealedId, Purpose, bytes]]:
    """Values that `key_id` did not seal, in no order that matters."""
    table = sealed_value
    query = select(table).where(table.c.key_id != key_id, table.c.sealed.is_not(None)).limit(limit).with_for_update()
    return [(SealedId(row.sealed_id), Purpose(row.purpose), bytes(row.sealed)) for row in conn.execute(query)]


def count_by_key(conn: Connection) -> dict[str, int]:
    """Values under each key, without the erased."""
    table = sealed_value
    query = select(table.c.key_id, func.count()).where(table.c.sealed.is_not(None)).group_by(table.c.key_id)
    return {key_id: int(count) for key_id, count in conn.execute(query)}


def add_opening(conn: Connection, row: Opening) -> None:
    """A new request."""
    conn.execute(insert(sealed_opening).values(**asdict(row)))


def save_opening(conn: Connection, row: Opening) -> None:
    """Write a request that this transaction has locked."""
    conn.execute(update(sealed_opening).where(sealed_opening.c.opening_id == row.opening_id).values(**asdict(row)))


def locked_opening(conn: Connection, opening_id: str, purpose: Purpose) -> Opening | None:
    """One request, held until the transaction ends; None for another purpose's."""
    table = sealed_opening
    query = select(table).where(table.c.opening_id == opening_id, table.c.purpose == purpose).with_for_update()
    row = conn.execute(query).one_or_none()
    return _opening(row) if row else None


def openings_of(conn: Connection, sealed_id: SealedId) -> list[Opening]:
    """All requests about a value, oldest first."""
    table = sealed_opening
    query = select(table).where(table.c.sealed_id == sealed_id).order_by(table.c.requested_at, table.c.opening_id)
    return [_opening(row) for row in conn.execute(query)]


def _opening(row: Row[Any]) -> Opening:
    facts = {**row._mapping, "state": OpeningState(row.state), "purpose": Purpose(row.purpose)}
    return Opening(**facts)
