"""The way to publication: the clock, the second person's check for secrets, and the step itself.

Two persons: whoever checked a version does not publish it (五(一)b).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_core.errors import Conflict, InputError, NotFound
from trace_server.audit.operations import record as audit_record
from trace_server.credit import operations, store
from trace_server.credit.model import Review, State, ViolationRecord
from trace_server.credit.steps import LAW_ZONE, Paper, locked
from trace_server.services import Services
from trace_server.workdays.model import Period, Unit
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import deadline

MAX_NOTE = 4096


@dataclass(frozen=True, slots=True)
class Clock:
    """How long publication may take, by the rule in force on a day."""

    working_days: int
    legal_basis: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A confirmed record, until when it has to be public, and who has checked it."""

    record: ViolationRecord
    due_at: datetime
    review: Review | None


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, Any], ...]:
    rows = tomllib.loads((Path(__file__).parent / "publication.toml").read_text(encoding="utf-8"))["clock"]
    return tuple(sorted(rows, key=lambda row: row["effective_from"], reverse=True))


def clock_on(day: date) -> Clock:
    """The rule for a decision of `day`; the oldest one for days before it."""
    row = next((one for one in _rows() if one["effective_from"] <= day), _rows()[-1])
    return Clock(row["working_days"], row["legal_basis"], row["confirmed"])


def queue(services: Services, limit: int) -> list[Waiting]:
    """What waits to be published, oldest decision first."""
    with services.db.read() as conn:
        days = calendar(conn)
        found = []
        for record in store.awaiting_publication(conn, limit):
            decided = datetime.combine(record.decision.decided_on, time(), LAW_ZONE)
            period = Period(clock_on(record.decision.decided_on).working_days, Unit.WORKING_DAYS)
            due = deadline(days, decided, period).at
            found.append(Waiting(record, due, store.review_of(conn, record.record_id, record.version)))
    return found


def read(services: Services, record_id: str) -> tuple[ViolationRecord, Review | None]:
    """The current version, and who has checked it. Raises `NotFound`."""
    with services.db.read() as conn:
        record = store.current(conn, record_id)
        if record is None:
            raise NotFound("there is no such violation record", where="record_id")
        return record, store.review_of(conn, record_id, record.version)


def review(services: Services, record_id: str, actor: str, note: str, *, version: int) -> Review:
    """Say that a version holds no secret, no trade secret and no person's data beyond what is to be shown."""
    if not 1 <= len(note.strip()) <= MAX_NOTE:
        raise InputError("say what was checked, in up to 4,096 characters", where="note")
    now = services.clock()
    with services.db.begin() as conn:
        record = locked(conn, record_id)
        if record.version != version:
            raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
        if record.state is not State.CONFIRMED:
            raise Conflict(f"a record in state {record.state} is not waiting for publication", where="record_id")
        made = Review(actor, now, note.strip())
        store.save_review(conn, services.db.dialect, record_id, version, made)
        audit_record(conn, now, actor, "credit.review", record_id, {"version": version, "note": made.note})
    return made


def publish_reviewed(services: Services, record_id: str, paper: Paper, *, version: int) -> ViolationRecord:
    """Publish a version that a second person has checked. Raises `NotAllowed` without that check."""
    record, _ = read(services, record_id)
    if record.version != version:
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    return operations.publish(services, record_id, paper)
