"""Statements on grades: stated facts, numbered results, and how far the nightly sweep has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, union, update

from trace_server.catalog.tables import subject
from trace_server.credit.grading.coding import assessment_from_json, assessment_json
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.grading.model import Assessment
from trace_server.credit.model import GradeLine
from trace_server.credit.tables import grade_fact, grade_head, grade_result, grade_sweep, violation_record
from trace_server.db import Connection, Dialect


@dataclass(frozen=True, slots=True)
class StoredGrade:
    """The current result of a subject; inputs and result have not changed since its day."""

    number: int
    digest: str
    inputs_hash: str
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class GradedSubject:
    """A registered subject and where it stands. `region`: six digits of GB/T 2260."""

    uscc: str
    name: str
    region: str
    level: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where the nightly sweep stands: all subjects up to `after` are done for a day and a policy version."""

    day: date
    policy_version: str
    after: str
    is_done: bool


def lock(conn: Connection, dialect: Dialect, uscc: str, scheme: str) -> int:
    """Number of the current result (0: none), locked until the transaction ends.

    Taken behind record rows and the head of the audit log, before the head of the change log.
    """
    query = select(grade_head.c.number).where(grade_head.c.uscc == uscc, grade_head.c.scheme == scheme)
    found: int | None = conn.execute(query.with_for_update()).scalar()
    if found is not None:
        return found
    dialect.insert_ignore(conn, grade_head, [{"uscc": uscc, "scheme": scheme, "number": 0}])
    number: int = conn.execute(query.with_for_update()).scalar_one()
    return number


def digest_of(conn: Connection, uscc: str, scheme: str, number: int) -> str | None:
    """Digest of one result without its day; None for number 0, which no result has."""
    result = grade_result.c
    query = select(result.digest).where(result.uscc == uscc, result.scheme == scheme, result.number == number)
    found: str | None = conn.execute(query).scalar()
    return found


def current(conn: Connection, uscc: str, scheme: str) -> StoredGrade | None:
    """The result that counts now."""
    result = grade_result.c
    query = (
        select(grade_result)
        .join(
            grade_head,
            (grade_head.c.uscc == result.uscc)
            & (grade_head.c.scheme == result.scheme)
            & (grade_head.c.number == result.number),
        )
        .where(result.uscc == uscc, result.scheme == scheme)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return StoredGrade(row.number, row.digest, row.inputs_hash, assessment_from_json(row.body))


def line(conn: Connection, uscc: str, scheme: str) -> GradeLine | None:
    """Level and day of the current result, without its explanation."""
    result = grade_result.c
    query = (
        select(result.level, result.score, result.as_of)
        .join(
            grade_head,
            (grade_head.c.uscc == result.uscc)
            & (grade_head.c.scheme == result.scheme)
            & (grade_head.c.number == result.number),
        )
        .where(result.uscc == uscc, result.scheme == scheme)
    )
    row = conn.execute(query).first()
    return None if row is None else GradeLine(scheme, row.level, row.score is not None, row.as_of)


def add(conn: Connection, now: datetime, uscc: str, number: int, made: Assessment, digest: str) -> None:
    """Make `made`, of this digest, the current result under this number; the caller holds the lock."""
    grade = made.grade
    row = {
        "uscc": uscc,
        "scheme": grade.scheme,
        "number": number,
        "policy_id": grade.policy_id,
        "policy_version": grade.policy_version,
        "as_of": grade.as_of,
        "level": grade.level,
        "score": None if grade.score is None else f"{grade.score:f}",
        "inputs_hash": made.inputs_hash,
        "digest": digest,
        "made_at": now,
        "body": assessment_json(made),
    }
    conn.execute(insert(grade_result), [row])
    mine = (grade_head.c.uscc == uscc, grade_head.c.scheme == grade.scheme)
    conn.execute(update(grade_head).where(*mine).values(number=number))


def levels(conn: Connection, scheme: str) -> list[GradedSubject]:
    """Code, name, region and current level of every graded subject that the register of subjects knows, by code."""
    result = grade_result.c
    mine = (
        (grade_head.c.uscc == result.uscc)
        & (grade_head.c.scheme == result.scheme)
        & (grade_head.c.number == result.number)
    )
    query = (
        select(result.uscc, subject.c.name, subject.c.region, result.level)
        .join(grade_head, mine)
        .join(subject, subject.c.uscc == result.uscc)
        .where(result.scheme == scheme)
        .order_by(result.uscc)
    )
    return [GradedSubject(row.uscc, row.name, row.region[:6], row.level) for row in conn.execute(query)]


def level_counts(conn: Connection, scheme: str) -> dict[tuple[str, str], int]:
    """How many subjects stand at each (policy version, level) now."""
    result = grade_result.c
    mine = (
        (grade_head.c.uscc == result.uscc)
        & (grade_head.c.scheme == result.scheme)
        & (grade_head.c.number == result.number)
    )
    query = select(result.policy_version, result.level, func.count()).join(grade_head, mine)
    query = query.where(result.scheme == scheme).group_by(result.policy_version, result.level)
    return {(str(version), str(level)): int(count) for version, level, count in conn.execute(query)}


def history(conn: Connection, uscc: str, scheme: str) -> list[tuple[int, date, str]]:
    """(number, day, level) of all results, oldest first."""
    result = grade_result.c
    query = select(result.number, result.as_of, result.level).where(result.uscc == uscc, result.scheme == scheme)
    return [(number, day, level) for number, day, level in conn.execute(query.order_by(result.number))]


def facts(conn: Connection, uscc: str) -> list[StatedFact]:
    """What was stated of a subject, in key order."""
    query = select(grade_fact).where(grade_fact.c.uscc == uscc).order_by(grade_fact.c.kind, grade_fact.c.ref)
    return [
        StatedFact(row.uscc, FactKind(row.kind), row.ref, row.from_day, row.until_day, row.percent, row.source)
        for row in conn.execute(query)
    ]


def save_fact(conn: Connection, dialect: Dialect, fact: StatedFact, *, actor: str, now: datetime) -> None:
    """Add a fact, or replace what the same paper said before."""
    row: dict[str, Any] = {
        "uscc": fact.uscc,
        "kind": fact.kind.value,
        "ref": fact.ref,
        "from_day": fact.from_day,
        "until_day": fact.until_day,
        "percent": fact.percent,
        "source": fact.source,
        "recorded_by": actor,
        "recorded_at": now,
    }
    key = ["uscc", "kind", "ref"]
    dialect.upsert(conn, grade_fact, [row], key=key, update=[name for name in row if name not in key])


def forget_fact(conn: Connection, fact: StatedFact) -> None:
    """Take back what a paper said that never held; the audit log keeps it."""
    table = grade_fact.c
    same = (table.uscc == fact.uscc, table.kind == fact.kind.value, table.ref == fact.ref)
    conn.execute(delete(grade_fact).where(*same))


def subjects_after(conn: Connection, after: str, limit: int) -> list[str]:
    """Codes behind `after` of registered subjects and of those with a record or a fact, in order, at most `limit`."""
    recorded = violation_record.c.uscc
    registered = select(subject.c.uscc).where(subject.c.uscc > after).order_by(subject.c.uscc).limit(limit)
    named = select(recorded).where(recorded > after).distinct().order_by(recorded).limit(limit)
    stated = select(grade_fact.c.uscc).where(grade_fact.c.uscc > after).distinct().order_by(grade_fact.c.uscc)
    stated = stated.limit(limit)
    both = union(select(registered.subquery()), select(named.subquery()), select(stated.subquery())).subquery()
    query = select(both.c.uscc).order_by(both.c.uscc).limit(limit)
    return list(conn.execute(query).scalars())


def sweep(conn: Connection, scheme: str) -> Sweep | None:
    row = conn.execute(select(grade_sweep).where(grade_sweep.c.scheme == scheme)).first()
    return None if row is None else Sweep(row.day, row.policy_version, row.after_uscc, bool(row.is_done))


def save_sweep(conn: Connection, dialect: Dialect, scheme: str, state: Sweep) -> None:
    row = {
        "scheme": scheme,
        "day": state.day,
        "policy_version": state.policy_version,
        "after_uscc": state.after,
        "is_done": int(state.is_done),
    }
    dialect.upsert(conn, grade_sweep, [row], key=["scheme"], update=["day", "policy_version", "after_uscc", "is_done"])
