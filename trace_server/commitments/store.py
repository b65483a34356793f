"""SQL of commitments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from trace_server.commitments.model import Commitment, CommitmentState, Finding, Performance, Promise, Publicity
from trace_server.commitments.tables import commitment, commitment_sealed, commitment_serial
from trace_server.db import Connection, Dialect

MAX_OF_SUBJECT = 500


def next_serial(conn: Connection, dialect: Dialect, region: str, day: date) -> int:
    """The next number of a region's day, from 1; others wait for this transaction's commit."""
    table = commitment_serial
    dialect.insert_ignore(conn, table, [{"region": region, "day": day, "serial": 0}])
    where = (table.c.region == region, table.c.day == day)
    conn.execute(update(table).where(*where).values(serial=table.c.serial + 1))
    found: int = conn.execute(select(table.c.serial).where(*where)).scalar_one()
    return found


def add(conn: Connection, row: Commitment, identity: Mapping[str, str]) -> None:
    """A new commitment; `identity`: what only the sealed table holds, empty for firms."""
    conn.execute(insert(commitment).values(**_values(row)))
    if identity:
        conn.execute(insert(commitment_sealed).values(code=row.code, identity=dict(identity)))


def save(conn: Connection, row: Commitment, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    query = update(commitment).where(commitment.c.code == row.code, commitment.c.version == was)
    return conn.execute(query.values(**_values(row))).rowcount == 1


def by_code(conn: Connection, code: str) -> Commitment | None:
    """One commitment."""
    row = conn.execute(select(commitment).where(commitment.c.code == code)).one_or_none()
    return _commitment(row) if row else None


def of_subject(conn: Connection, uscc: str) -> list[Commitment]:
    """All commitments of a subject, newest first, at most `MAX_OF_SUBJECT`."""
    query = select(commitment).where(commitment.c.uscc == uscc)
    query = query.order_by(commitment.c.signed_at.desc(), commitment.c.code.desc()).limit(MAX_OF_SUBJECT)
    return [_commitment(row) for row in conn.execute(query)]


def commitments(
    conn: Connection, uscc: str, state: CommitmentState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[Commitment]:
    """Commitments in the order they were signed; `uscc` "": of everybody."""
    table = commitment.c
    query = _of(select(commitment), uscc).order_by(table.signed_at, table.code).limit(limit)
    if state is not None:
        query = query.where(table.state == state.value)
    if after is not None:
        moment, code = after
        query = query.where((table.signed_at > moment) | ((table.signed_at == moment) & (table.code > code)))
    return [_commitment(row) for row in conn.execute(query)]


def counts(conn: Connection, uscc: str) -> dict[str, int]:
    """How many commitments stand in each state; `uscc` "": of everybody."""
    query = _of(select(commitment.c.state, func.count()), uscc).group_by(commitment.c.state)
    return {str(state): int(count) for state, count in conn.execute(query)}


def _of(query: Select[Any], uscc: str) -> Select[Any]:
    return query.where(commitment.c.uscc == uscc) if uscc else query


def _values(row: Commitment) -> dict[str, Any]:
    promise = asdict(row.promise)
    promise["made_on"] = row.promise.made_on.isoformat()
    promise["valid_until"] = row.promise.valid_until.isoformat() if row.promise.valid_until else None
    finding = asdict(row.finding)
    finding["determined_on"] = row.finding.determined_on.isoformat() if row.finding.determined_on else None
    whole = {name: getattr(row, name) for name in commitment.c.keys() if name in Commitment.__dataclass_fields__}  # noqa: SIM118
    return {
        **whole,
        "uscc": row.uscc,
        "state": row.state.value,
        "type": row.promise.type,
        "publicity": row.promise.publicity.value,
        "promise": promise,
        "finding": finding,
    }


def _commitment(row: Row[Any]) -> Commitment:
    promise, finding = dict(row.promise), dict(row.finding)
    promise["made_on"] = date.fromisoformat(promise["made_on"])
    promise["valid_until"] = date.fromisoformat(promise["valid_until"]) if promise["valid_until"] else None
    promise["publicity"] = Publicity(promise["publicity"])
    finding["determined_on"] = date.fromisoformat(finding["determined_on"]) if finding["determined_on"] else None
    finding["performance"] = Performance(finding["performance"])
    return Commitment(
        code=row.code,
        promise=Promise(**promise),
        state=CommitmentState(row.state),
        finding=Finding(**finding),
        record_id=row.record_id,
        remedied_on=row.remedied_on,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        determined_by=row.determined_by,
        reason=row.reason,
        document_no=row.document_no,
        objection=row.objection,
        version=row.version,
    )
