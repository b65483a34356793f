"""Statements on what the change log tells beside penalties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select

from trace_server.credit.model import Op, SharedVersion
from trace_server.credit.store import take_numbers
from trace_server.credit.tables import credit_change, credit_shared
from trace_server.db import Connection, Dialect


def newest_versions(conn: Connection, record_ids: Sequence[str]) -> dict[str, int]:
    """Number of the newest version of each that was told before."""
    table = credit_shared.c
    keys = [UUID(record_id).bytes for record_id in record_ids]
    query = select(table.record_id, func.max(table.version)).where(table.record_id.in_(keys)).group_by(table.record_id)
    return {str(UUID(bytes=key)): int(version) for key, version in conn.execute(query)}


def append(conn: Connection, dialect: Dialect, entries: Sequence[SharedVersion]) -> list[int]:
    """Store versions and number their log entries; the last statements of a transaction."""
    conn.execute(insert(credit_shared), [_row(one) for one in entries])
    first = take_numbers(conn, dialect, len(entries))
    rows = [
        {
            "seq": seq,
            "op": one.op.value,
            "record_id": UUID(one.record_id).bytes,
            "version": one.version,
            "kind": one.kind,
            "region": one.region,
            "category": one.category,
            "department": one.department,
        }
        for seq, one in enumerate(entries, first)
    ]
    conn.execute(insert(credit_change), rows)
    return list(range(first, first + len(entries)))


def versions(conn: Connection, named: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[SharedVersion, bool]]:
    """The named versions, and whether each thing has stopped by now."""
    if not named:
        return {}
    keys = [UUID(record_id).bytes for record_id in {record_id for record_id, _ in named}]
    query = select(credit_shared).where(credit_shared.c.record_id.in_(keys)).order_by(credit_shared.c.version)
    found = [_version(row) for row in conn.execute(query)]
    stopped = {one.record_id: one.has_stopped for one in found}
    wanted = set(named)
    return {
        (one.record_id, one.version): (one, stopped[one.record_id])
        for one in found
        if (one.record_id, one.version) in wanted
    }


def _row(one: SharedVersion) -> dict[str, Any]:
    return {
        **asdict(one),
        "record_id": UUID(one.record_id).bytes,
        "op": one.op.value,
        "has_stopped": int(one.has_stopped),
        "key_fields": list(one.key_fields),
    }


def _version(row: Row[Any]) -> SharedVersion:
    return SharedVersion(
        **{
            **row._mapping,
            "record_id": str(UUID(bytes=row.record_id)),
            "op": Op(row.op),
            "has_stopped": bool(row.has_stopped),
            "key_fields": tuple(row.key_fields),
        }
    )
