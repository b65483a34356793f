"""Every statement about alerts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, SubjectKind
from trace_server.detect.model import Alert, AlertState
from trace_server.detect.tables import alert, alert_evidence


def alert_key(detector: Detector, group_key: str) -> bytes:
    """16 bytes: one cause by one version of a rule is one alert."""
    return hashlib.sha256(f"{detector.id}\0{detector.version}\0{group_key}".encode()).digest()[:16]


def save_finding(conn: Connection, dialect: Dialect, detector: Detector, finding: Finding, now: datetime) -> None:
    """Open the alert of this cause or add to it. Saving a finding again changes nothing."""
    if not finding.evidence:
        raise ValueError(f"{detector.id}: a finding without evidence")
    key = alert_key(detector, finding.group_key)
    times = [one.event_time for one in finding.evidence]
    row = {
        "alert_key": key,
        "rule_id": detector.id,
        "rule_version": detector.version,
        "subject_kind": finding.subject_kind.value,
        "subject": finding.subject,
        "group_key": finding.group_key,
        "provisional_until": finding.provisional_until,
        "state": AlertState.OPEN.value,
        "evidence_count": 0,
        "first_seen": min(times),
        "last_seen": max(times),
        "opened_at": now,
        "cleared_why": "",
        "computed": dict(finding.values),
    }
    dialect.insert_ignore(conn, alert, [row])
    evidence = {
        one.event_key: {
            "alert_key": key,
            "event_key": one.event_key,
            "event_time": one.event_time,
            "value": one.value,
        }
        for one in finding.evidence
    }
    dialect.insert_ignore(conn, alert_evidence, list(evidence.values()))
    _recount(conn, key, finding)


def clear(conn: Connection, detector: Detector, cleared: Cleared) -> None:
    """Close the alert of this cause, if there is one; its evidence stays."""
    conn.execute(
        update(alert)
        .where(alert.c.alert_key == alert_key(detector, cleared.group_key), alert.c.state == AlertState.OPEN.value)
        .values(state=AlertState.CLEARED.value, cleared_why=cleared.why)
    )


def alerts(
    conn: Connection,
    dialect: Dialect,
    *,
    rule_id: str = "",
    state: AlertState | None = None,
    after: tuple[datetime, bytes] | None = None,
    limit: int = 500,
) -> list[Alert]:
    """Alerts in the order they were opened, with evidence; `after`: opening and key of the last one seen."""
    stmt = select(alert).order_by(alert.c.opened_at, alert.c.alert_key).limit(limit)
    if rule_id:
        stmt = stmt.where(alert.c.rule_id == rule_id)
    if state is not None:
        stmt = stmt.where(alert.c.state == state.value)
    if after is not None:
        moment, key = after
        same = (alert.c.opened_at == moment) & (alert.c.alert_key > key)
        stmt = stmt.where((alert.c.opened_at > moment) | same)
    rows = conn.execute(stmt).all()
    evidence = _evidence(conn, dialect, [row.alert_key for row in rows])
    return [_alert(row, evidence[row.alert_key]) for row in rows]


def _recount(conn: Connection, key: bytes, finding: Finding) -> None:
    table = alert_evidence
    found = conn.execute(
        select(func.count(), func.min(table.c.event_time), func.max(table.c.event_time)).where(table.c.alert_key == key)
    ).one()
    conn.execute(
        update(alert)
        .where(alert.c.alert_key == key)
        .values(
            evidence_count=found[0],
            first_seen=found[1],
            last_seen=found[2],
            provisional_until=finding.provisional_until,
            state=AlertState.OPEN.value,
            cleared_why="",
        )
    )


def _evidence(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> dict[bytes, list[Evidence]]:
    table = alert_evidence
    rows = dialect.select_any(conn, lambda part: select(table).where(dialect.in_values(table.c.alert_key, part)), keys)
    found: dict[bytes, list[Evidence]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.event_time, row.event_key)):
        found[row.alert_key].append(Evidence(row.event_key, row.event_time, row.value))
    return found


def _alert(row: Row[*tuple[Any, ...]], evidence: Sequence[Evidence]) -> Alert:
    return Alert(
        alert_key=row.alert_key,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        subject_kind=SubjectKind(row.subject_kind),
        subject=row.subject,
        group_key=row.group_key,
        provisional_until=row.provisional_until,
        state=AlertState(row.state),
        count=row.evidence_count,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        opened_at=row.opened_at,
        cleared_why=row.cleared_why,
        values=row.computed,
        evidence=tuple(evidence),
    )
