"""Every SQL statement of the credit archive.

The change log is numbered from one head row that is updated last before the commit. Its lock is held until the
commit, so numbers are contiguous and a lower number is never seen after a higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, insert, select, update

from trace_server.credit.coding import from_codes, open_codes
from trace_server.credit.model import (
    STOPPED,
    Change,
    FieldChange,
    Op,
    Procedure,
    Review,
    Severity,
    State,
    ViolationRecord,
)
from trace_server.credit.tables import (
    credit_change,
    credit_head,
    credit_review,
    credit_sealed,
    violation_record,
    violation_version,
)
from trace_server.db import Connection, Dialect
from trace_server.workdays.rules import LEGAL_TIME

HEAD_ID = 1
KIND_PENALTY = "penalty"
MAX_ARCHIVE = 500
"""Most records one archive page reads."""

_STOPPED = [state.value for state in STOPPED]


@dataclass(frozen=True, slots=True)
class Written:
    """A record version to store with its log entry."""

    record: ViolationRecord
    op: Op
    diff: tuple[FieldChange, ...]
    digest: str


def insert_record(conn: Connection, dialect: Dialect, record: ViolationRecord, basis: str) -> bool:
    """Add the head row of a new record; False when a decision with this number is there already.

    On PostgreSQL a concurrent recording of the same decision waits here for the first one's commit.
    """
    return dialect.insert_ignore(conn, violation_record, [{**_head_row(record), "window_basis": basis}]) == 1


def lock_record(conn: Connection, record_id: str) -> ViolationRecord | None:
    """The current version, locked against other writers until the transaction ends."""
    lock = select(violation_record.c.version).where(violation_record.c.record_id == _key(record_id)).with_for_update()
    if conn.execute(lock).first() is None:
        return None
    return current(conn, record_id)


def current(conn: Connection, record_id: str) -> ViolationRecord | None:
    row = conn.execute(_current().where(violation_record.c.record_id == _key(record_id))).first()
    return None if row is None else _record(row)


def version(conn: Connection, record_id: str, number: int) -> ViolationRecord | None:
    """One version of a record, current or superseded."""
    where = (violation_version.c.record_id == _key(record_id), violation_version.c.version == number)
    row = conn.execute(select(violation_version).where(*where)).first()
    return None if row is None else _record(row)


def state_before(conn: Connection, record: ViolationRecord, state: State) -> State | None:
    """State of the newest version that was not in `state`."""
    query = (
        select(violation_version.c.state)
        .where(violation_version.c.record_id == _key(record.record_id), violation_version.c.state != state)
        .order_by(violation_version.c.version.desc())
        .limit(1)
    )
    found = conn.execute(query).scalar()
    return None if found is None else State(found)


def digests(conn: Connection, record_id: str) -> set[str]:
    """Content digests of all versions."""
    query = select(violation_version.c.digest).where(violation_version.c.record_id == _key(record_id))
    return set(conn.execute(query).scalars())


def digest_of(conn: Connection, record: ViolationRecord) -> str:
    """Content digest of one version."""
    where = (violation_version.c.record_id == _key(record.record_id), violation_version.c.version == record.version)
    found: str = conn.execute(select(violation_version.c.digest).where(*where)).scalar_one()
    return found


def sealed_identity(conn: Connection, record_id: str) -> dict[str, str]:
    """Identity documents of a record. Only for comparing a repeated decision; nothing shows them."""
    query = select(credit_sealed.c.identity).where(credit_sealed.c.record_id == _key(record_id))
    found: dict[str, str] = conn.execute(query).scalar() or {}
    return found


def replace_sealed(conn: Connection, dialect: Dialect, record_id: str, identity: dict[str, str]) -> None:
    row = {"record_id": _key(record_id), "identity": identity}
    dialect.upsert(conn, credit_sealed, [row], key=["record_id"], update=["identity"])


def update_record(conn: Connection, record: ViolationRecord) -> None:
    """Point the head row at a new version; the caller holds its lock."""
    values = _head_row(record)
    if record.state is State.PUBLISHED:
        first = record.effective_at.astimezone(LEGAL_TIME).date()
        values["published_on"] = func.coalesce(violation_record.c.published_on, first)
    conn.execute(update(violation_record).where(violation_record.c.record_id == _key(record.record_id)).values(values))


def append(conn: Connection, dialect: Dialect, written: Sequence[Written]) -> list[int]:
    """Store versions and number their log entries; the last statements of a transaction, nothing may follow.

    Returns the numbers in the order of `written`. Later writers wait at the head row for this commit.
    """
    conn.execute(insert(violation_version), [_version_row(entry) for entry in written])
    first = take_numbers(conn, dialect, len(written))
    conn.execute(insert(credit_change), [_change_row(seq, entry) for seq, entry in enumerate(written, first)])
    return list(range(first, first + len(written)))


def take_numbers(conn: Connection, dialect: Dialect, count: int) -> int:
    """The first of `count` numbers of the log. Later writers wait at the head row for this commit."""
    dialect.insert_ignore(conn, credit_head, [{"id": HEAD_ID, "seq": 0}])
    conn.execute(update(credit_head).where(credit_head.c.id == HEAD_ID).values(seq=credit_head.c.seq + count))
    last: int = conn.execute(select(credit_head.c.seq).where(credit_head.c.id == HEAD_ID)).scalar_one()
    return last - count + 1


def head_seq(conn: Connection) -> int:
    """Highest number of the change log; 0 when it is empty."""
    return conn.execute(select(credit_head.c.seq).where(credit_head.c.id == HEAD_ID)).scalar() or 0


def of_subject(conn: Connection, uscc: str, states: Sequence[State] = ()) -> list[ViolationRecord]:
    """Current versions of a subject's records, newest decision first, at most `MAX_ARCHIVE`."""
    query = _current().where(violation_record.c.uscc == uscc)
    if states:
        query = query.where(violation_record.c.state.in_([state.value for state in states]))
    query = query.order_by(violation_record.c.decided_on.desc(), violation_record.c.record_id).limit(MAX_ARCHIVE)
    return [_record(row) for row in conn.execute(query)]


def ever_published(conn: Connection, record_ids: Sequence[str]) -> set[str]:
    """Those of the records that had a published version; at most `MAX_ARCHIVE` ids."""
    query = (
        select(violation_version.c.record_id)
        .where(
            violation_version.c.record_id.in_([_key(record_id) for record_id in record_ids]),
            violation_version.c.state == State.PUBLISHED,
        )
        .distinct()
    )
    return {str(UUID(bytes=key)) for key in conn.execute(query).scalars()}


def due_to_expire(conn: Connection, today: date, limit: int) -> list[str]:
    """Ids of records whose longest window ended before `today` and that have not stopped, in key order."""
    query = (
        select(violation_record.c.record_id)
        .where(violation_record.c.window_max_end < today, violation_record.c.state.not_in(_STOPPED))
        .order_by(violation_record.c.record_id)
        .limit(limit)
    )
    return [str(UUID(bytes=key)) for key in conn.execute(query).scalars()]


def stale_windows(conn: Connection, basis: str, limit: int) -> list[str]:
    """Ids of records that have not stopped and whose window was last looked at under other rules, in key order."""
    query = (
        select(violation_record.c.record_id)
        .where(violation_record.c.window_basis != basis, violation_record.c.state.not_in(_STOPPED))
        .order_by(violation_record.c.record_id)
        .limit(limit)
    )
    return [str(UUID(bytes=key)) for key in conn.execute(query).scalars()]


def mark_checked(conn: Connection, record_ids: Sequence[str], basis: str) -> None:
    """Note under which rules the windows of these records were looked at."""
    keys = [_key(record_id) for record_id in record_ids]
    conn.execute(update(violation_record).where(violation_record.c.record_id.in_(keys)).values(window_basis=basis))


def shown_names(conn: Connection, part: str, today: date, limit: int) -> list[tuple[str, str]]:
    """(code, name) of subjects with a record in its window whose name holds `part`, by code, at most `limit`."""
    table = violation_record.c
    query = (
        select(table.uscc, func.max(table.subject_name))
        .where(
            table.uscc.is_not(None),
            table.state == State.PUBLISHED.value,
            table.window_max_end >= today,
            table.subject_name.contains(part, autoescape=True),
        )
        .group_by(table.uscc)
        .order_by(table.uscc)
        .limit(limit)
    )
    return [(code, name) for code, name in conn.execute(query)]


def _current() -> Select[Any]:
    return select(violation_version).join(
        violation_record,
        (violation_record.c.record_id == violation_version.c.record_id)
        & (violation_record.c.version == violation_version.c.version),
    )


def _key(record_id: str) -> bytes:
    return UUID(record_id).bytes


def _head_row(record: ViolationRecord) -> dict[str, Any]:
    return {
        "record_id": _key(record.record_id),
        "version": record.version,
        "state": record.state.value,
        "uscc": record.decision.subject_key(),
        "subject_name": record.decision.subject_name,
        "decided_on": record.decision.decided_on,
        "window_max_end": record.window_max_end,
        "category": record.category,
        "region": record.region(),
        "decision_no": record.decision.decision_no,
        "authority_code": record.decision.authority_code,
        "is_public": int(record.public),
    }


def _version_row(entry: Written) -> dict[str, Any]:
    record = entry.record
    return {
        "record_id": _key(record.record_id),
        "version": record.version,
        "state": record.state.value,
        "category": record.category,
        "procedure": record.procedure.value,
        "severity": record.severity.value,
        "regime": record.regime,
        "policy_version": record.policy_version,
        "public": int(record.public),
        "window_min_end": record.window_min_end,
        "window_max_end": record.window_max_end,
        "batches": list(record.batches),
        "evidence_ref": record.evidence_ref,
        "recorded_by": record.recorded_by,
        "reason": record.reason,
        "document": record.document,
        "diff": [[change.code, change.before, change.after] for change in entry.diff],
        "digest": entry.digest,
        "effective_at": record.effective_at,
        "body": open_codes(record.decision),
        "objection": record.objection,
    }


def _change_row(seq: int, entry: Written) -> dict[str, Any]:
    record = entry.record
    return {
        "seq": seq,
        "op": entry.op.value,
        "record_id": _key(record.record_id),
        "version": record.version,
        "kind": KIND_PENALTY,
        "region": record.region(),
        "category": record.category,
        "department": record.decision.authority_code,
    }


def _record(row: Row[Any]) -> ViolationRecord:
    return ViolationRecord(
        record_id=str(UUID(bytes=row.record_id)),
        version=row.version,
        state=State(row.state),
        decision=from_codes(row.body),
        category=row.category,
        procedure=Procedure(row.procedure),
        severity=Severity(row.severity),
        regime=row.regime,
        policy_version=row.policy_version,
        public=bool(row.public),
        window_min_end=row.window_min_end,
        window_max_end=row.window_max_end,
        batches=tuple(row.batches),
        evidence_ref=row.evidence_ref,
        recorded_by=row.recorded_by,
        effective_at=row.effective_at,
        reason=row.reason,
        document=row.document,
        objection=row.objection,
    )


def _change(row: Row[Any]) -> Change:
    return Change(
        seq=row.seq,
        op=Op(row.op),
        record=_record(row),
        supersedes=row.version - 1 if row.version > 1 else None,
        diff=tuple(FieldChange(code, before, after) for code, before, after in row.diff),
        stopped=State(row.now_state) in STOPPED,
    )


def awaiting_publication(conn: Connection, limit: int) -> list[ViolationRecord]:
    """Confirmed records that nobody has shown or withheld yet, oldest decision first."""
    query = _current().where(violation_record.c.state == State.CONFIRMED.value)
    query = query.order_by(violation_record.c.decided_on, violation_record.c.record_id).limit(limit)
    return [_record(row) for row in conn.execute(query)]


def newest_stops(conn: Connection, limit: int) -> list[Change]:
    """The newest entries that ended a penalty's sharing, newest first."""
    log = credit_change.c
    query = (
        select(violation_version, log.seq, log.op, violation_record.c.state.label("now_state"))
        .select_from(credit_change)
        .join(
            violation_version,
            (violation_version.c.record_id == log.record_id) & (violation_version.c.version == log.version),
        )
        .join(violation_record, violation_record.c.record_id == log.record_id)
        .where(log.op.in_([op.value for op in (Op.REPAIR, Op.EXPIRE, Op.WITHDRAW)]))
        .order_by(log.seq.desc())
        .limit(limit)
    )
    return [_change(row) for row in conn.execute(query)]


def first_seq(conn: Connection, record_id: str) -> int | None:
    """Number of the first entry about a record."""
    log = credit_change.c
    found: int | None = conn.execute(select(func.min(log.seq)).where(log.record_id == _key(record_id))).scalar()
    return found


def count_changes(conn: Connection) -> int:
    """How many entries the log has: as many as its highest number says, or something is missing."""
    return int(conn.execute(select(func.count()).select_from(credit_change)).scalar_one())


def review_of(conn: Connection, record_id: str, number: int) -> Review | None:
    """Who checked this version for secrets."""
    table = credit_review.c
    where = (table.record_id == _key(record_id), table.version == number)
    row = conn.execute(select(table.reviewed_by, table.reviewed_at, table.note).where(*where)).first()
    return None if row is None else Review(row.reviewed_by, row.reviewed_at, row.note)


def save_review(conn: Connection, dialect: Dialect, record_id: str, number: int, review: Review) -> None:
    """Note a check; a later one of the same version takes its place."""
    row = {"record_id": _key(record_id), "version": number, "reviewed_by": review.reviewed_by,
           "reviewed_at": review.reviewed_at, "note": review.note}  # fmt: skip
    key = ["record_id", "version"]
    dialect.upsert(conn, credit_review, [row], key=key, update=[name for name in row if name not in key])
