"""Snapshot and daily digest: how a puller starts, and how both sides see every day that they hold the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trace_core.errors import InputError
from trace_server.credit.model import SharedVersion, ViolationRecord
from trace_server.credit.steps import law_day
from trace_server.credit.store import head_seq, moments
from trace_server.db import Connection, Database
from trace_server.workdays.rules import end_of_day

MARK = "{}:{}:{}\n"
"""`record_id:version:state`, one line a record, by record id: what the digest is taken over."""


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Records as of change `seq`; `after` goes on, "" at the end."""

    seq: int
    records: tuple[tuple[ViolationRecord | SharedVersion, bool], ...]
    after: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What one day did, and what stood at its end."""

    day: date
    seq: int
    ops: dict[str, int]
    classes: dict[str, int]
    states: dict[str, int]
    sha256: str


def snapshot(db: Database, *, as_of: datetime | None, seq: int | None, after: str, limit: int) -> SnapshotPage:
    """One page of the state at `as_of`, None for now; `seq` of the first page holds the others to the same state."""
    with db.read() as conn:
        place = seq if seq is not None else _place(conn, as_of)
        found = moments.entries_at(conn, place, after, limit + 1)
    page = found[:limit]
    return SnapshotPage(place, tuple(page), page[-1][0].record_id if len(found) > limit else "")


def _place(conn: Connection, as_of: datetime | None) -> int:
    return head_seq(conn) if as_of is None else moments.seq_at(conn, as_of + timedelta(microseconds=1))


def digest(db: Database, day: date, now: datetime) -> Digest:
    """The digest of a day of law that is over. Raises `InputError` for today and later."""
    if day >= law_day(now):
        raise InputError("the day is not over", where="day", remedy="ask for an earlier one")
    with db.read() as conn:
        last = moments.seq_at(conn, end_of_day(day))
        first = moments.seq_at(conn, end_of_day(day - timedelta(days=1)))
        ops = moments.ops_between(conn, first, last)
        classes: Counter[str] = Counter()
        states: Counter[str] = Counter()
        whole = hashlib.sha256()
        for record_id, version, state, severity in moments.marks_at(conn, last):
            whole.update(MARK.format(record_id, version, state).encode())
            states[state] += 1
            classes[severity] += 1
    return Digest(day, last, dict(sorted(ops.items())), dict(sorted(classes.items())), dict(sorted(states.items())),
                  whole.hexdigest())  # fmt: skip


def digest_of(marks: Iterable[tuple[str, int, str]]) -> str:
    """The same digest over what a puller holds: (record id, version, state)."""
    whole = hashlib.sha256()
    for mark in sorted(marks):
        whole.update(MARK.format(*mark).encode())
    return whole.hexdigest()
