"""What goes into the change log beside penalties: list memberships, licences, commitments, recalls.

Their own modules keep them; what is told of them is kept here as versions, so that the feed, the snapshot and the
digest treat every kind alike. `share_within` numbers its entries under the head row and must be the last statement
of a transaction (ADR 0004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from trace_server.credit.model import Op, SharedVersion
from trace_server.credit.store import shared as store
from trace_server.db import Connection, Dialect

NAMESPACE = UUID("5f0d2c6e-8a53-5d0b-9c11-6a3f0a9be2d4")
"""Record ids of what is not a penalty are made of kind and key in here."""
_STOPS = frozenset({Op.REPAIR, Op.EXPIRE, Op.WITHDRAW})


@dataclass(frozen=True, slots=True)
class Told:
    """News of one thing: `key` names it within its kind, `op` what happened, `state` how it stands now."""

    kind: str
    key: str
    op: Op
    state: str
    region: str
    category: str
    department: str
    record: Mapping[str, str]
    """By field name; of a thing that has stopped only `key_fields` leave the server."""
    key_fields: tuple[str, ...]
    reason: str = ""
    document: str = ""


def record_id_of(kind: str, key: str) -> str:
    """Id in the change log of the thing that `kind` calls `key`."""
    return str(uuid5(NAMESPACE, f"{kind}\n{key}"))


def share_within(conn: Connection, dialect: Dialect, now: datetime, told: Sequence[Told]) -> list[int]:
    """Tell every puller of `told`; the numbers of the entries. The last statement of a transaction."""
    if not told:
        return []
    last = store.newest_versions(conn, [record_id_of(one.kind, one.key) for one in told])
    entries = []
    for one in told:
        record_id = record_id_of(one.kind, one.key)
        last[record_id] = last.get(record_id, 0) + 1
        entries.append(
            SharedVersion(
                record_id=record_id,
                version=last[record_id],
                kind=one.kind,
                op=one.op,
                state=one.state,
                has_stopped=one.op in _STOPS,
                region=one.region,
                category=one.category,
                department=one.department,
                record=dict(one.record),
                key_fields=one.key_fields,
                reason=one.reason,
                document=one.document,
                effective_at=now,
            )
        )
    return store.append(conn, dialect, entries)
