"""Every statement about alerts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, or_, select, true, tuple_, update

from trace_server.catalog.tables import batch, issued_code, subject
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, Outcome, SubjectKind, Withdrawn
from trace_server.detect.model import Alert, AlertState
from trace_server.detect.regions import region_of
from trace_server.detect.tables import alert, alert_evidence, licence_judged
from trace_server.ingest.tables import link

_LOTS = 500
"""Lots in one look-up."""


def alert_key(detector: Detector, group_key: str) -> bytes:
    """16 bytes: one cause by one version of a rule is one alert."""
    return hashlib.sha256(f"{detector.id}\0{detector.version}\0{group_key}".encode()).digest()[:16]


def standing(
    conn: Connection, dialect: Dialect, told: Iterable[tuple[Detector, Iterable[Outcome]]]
) -> Mapping[bytes, AlertState]:
    """The alerts that exist of those that these outcomes are about: nearly all outcomes say that nothing is suspected,
    of alerts that do not exist.
    """
    keys = {alert_key(detector, outcome.group_key) for detector, outcomes in told for outcome in outcomes}
    return _states(conn, dialect, sorted(keys))


def apply(
    conn: Connection,
    dialect: Dialect,
    detector: Detector,
    said: Sequence[Outcome],
    now: datetime,
    standing: Mapping[bytes, AlertState],
) -> None:
    """Open, add to, or close the alerts that outcomes are about. Doing it again changes nothing."""
    for outcome in said:
        key = alert_key(detector, outcome.group_key)
        if isinstance(outcome, Finding):
            if standing.get(key) is AlertState.CLEARED:  # opened anew: what was explained is no evidence
                conn.execute(delete(alert_evidence).where(alert_evidence.c.alert_key == key))
            _save(conn, dialect, detector, outcome, now)
        elif isinstance(outcome, Cleared) and standing.get(key, AlertState.CLEARED) is not AlertState.CLEARED:
            _close(conn, key, outcome.why)
        elif isinstance(outcome, Withdrawn) and key in standing:
            _withdraw(conn, dialect, key, outcome)


def changed_holders(conn: Connection, limit: int) -> list[tuple[str, int]]:
    """(code, revision) of subjects whose goods were not judged by their licences at this revision."""
    judged = licence_judged.c
    query = (
        select(subject.c.uscc, subject.c.revision)
        .outerjoin(licence_judged, judged.uscc == subject.c.uscc)
        .where(or_(judged.revision.is_(None), judged.revision != subject.c.revision))
        .order_by(subject.c.uscc)
        .limit(limit)
    )
    return [(row.uscc, int(row.revision)) for row in conn.execute(query)]


def note_holders(conn: Connection, dialect: Dialect, judged: Sequence[tuple[str, int]]) -> None:
    """The goods of these subjects were judged at these revisions."""
    rows = [{"uscc": uscc, "revision": revision} for uscc, revision in judged]
    dialect.upsert(conn, licence_judged, rows, key=["uscc"], update=["revision"])


def lots_of(conn: Connection, usccs: Sequence[str], since: date) -> list[tuple[str, str]]:
    """(GTIN, lot) of what these subjects made on `since` or later."""
    table = batch.c
    query = select(table.gtin, table.lot).where(table.producer_uscc.in_(usccs), table.production_date >= since)
    return [(row.gtin, row.lot) for row in conn.execute(query.order_by(table.gtin, table.lot))]


def printed_of(conn: Connection, lots: Sequence[tuple[str, str]]) -> list[bytes]:
    """Items of these lots by the codes printed for them, and by the EPCs of their tags."""
    table, found = issued_code.c, list[bytes]()
    for start in range(0, len(lots), _LOTS):
        some = tuple_(table.gtin, table.lot).in_(lots[start : start + _LOTS])
        for row in conn.execute(select(table.object_key, table.epc_key).where(some)):
            found += [key for key in (row.object_key, row.epc_key) if key is not None]
    return sorted(found)


def events_of(conn: Connection, dialect: Dialect, keys: Sequence[bytes], since: datetime) -> list[bytes]:
    """Keys of events since then that name one of these things, or something as a part of one of these lots."""
    found: set[bytes] = set()
    for column in (link.c.object_key, link.c.peer_key):
        found |= set(_events_by(conn, dialect, column, keys, since))
    return sorted(found)


def _events_by(
    conn: Connection, dialect: Dialect, column: ColumnElement[Any], keys: Sequence[bytes], since: datetime
) -> list[bytes]:
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(link.c.event_key).distinct().where(dialect.in_values(column, part), link.c.event_time >= since)
        ),
        keys,
    )
    return [row.event_key for row in rows]


def open_due(conn: Connection, now: datetime) -> int:
    """Open the alerts whose time to be explained is over; returns how many."""
    due = (alert.c.state == AlertState.WAITING.value) & (alert.c.provisional_until <= now)
    return conn.execute(update(alert).where(due).values(state=AlertState.OPEN.value, opened_at=now)).rowcount


def _states(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> dict[bytes, AlertState]:
    rows = dialect.select_any(
        conn,
        lambda part: select(alert.c.alert_key, alert.c.state).where(dialect.in_values(alert.c.alert_key, part)),
        keys,
    )
    return {row.alert_key: AlertState(row.state) for row in rows}


def _save(conn: Connection, dialect: Dialect, detector: Detector, finding: Finding, now: datetime) -> None:
    times = [one.event_time for one in finding.evidence] or ([finding.began_at] if finding.began_at else [])
    if not times:
        raise ValueError(f"{detector.id}: a finding without evidence")
    key = alert_key(detector, finding.group_key)
    row = {
        "alert_key": key,
        "rule_id": detector.id,
        "rule_version": detector.version,
        "subject_kind": finding.subject_kind.value,
        "subject": finding.subject,
        "group_key": finding.group_key,
        "provisional_until": finding.provisional_until,
        "state": _state(finding, now).value,
        "evidence_count": 0,
        "first_seen": min(times),
        "last_seen": max(times),
        "opened_at": now,
        "cleared_why": "",
        "computed": dict(finding.values),
        "region": region_of(conn, dialect, finding),
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
    if evidence:
        rows = list(evidence.values())
        dialect.upsert(conn, alert_evidence, rows, key=["alert_key", "event_key"], update=["event_time", "value"])
    if finding.is_whole:
        known = conn.execute(select(alert_evidence.c.event_key).where(alert_evidence.c.alert_key == key)).scalars()
        _drop(conn, dialect, key, sorted(set(known) - evidence.keys()))
    _recount(conn, key, finding, _state(finding, now), row["region"])


def _state(finding: Finding, now: datetime) -> AlertState:
    until = finding.provisional_until
    waits = not finding.is_due and until is not None and now < until
    return AlertState.WAITING if waits else AlertState.OPEN


def _close(conn: Connection, key: bytes, why: str) -> None:
    """The evidence stays. What waited was never suspected: nothing of it is kept."""
    closed = {"state": AlertState.CLEARED.value, "cleared_why": why}
    is_open = alert.c.state == AlertState.OPEN.value
    if conn.execute(update(alert).where(alert.c.alert_key == key, is_open).values(**closed)).rowcount == 0:
        waits = select(alert.c.alert_key).where(alert.c.alert_key == key, alert.c.state == AlertState.WAITING.value)
        conn.execute(delete(alert_evidence).where(alert_evidence.c.alert_key.in_(waits)))
        conn.execute(delete(alert).where(alert.c.alert_key.in_(waits)))


def _withdraw(conn: Connection, dialect: Dialect, key: bytes, withdrawn: Withdrawn) -> None:
    """The last evidence stays, under a closed alert."""
    table = alert_evidence.c
    rows = conn.execute(select(table.event_key, table.event_time).where(table.alert_key == key)).all()
    left = {row.event_key: row.event_time for row in rows if row.event_key not in withdrawn.event_keys}
    if len(left) == len(rows):
        return
    if not left:
        _close(conn, key, withdrawn.why)
        return
    _drop(conn, dialect, key, sorted(withdrawn.event_keys))
    counted = {"evidence_count": len(left), "first_seen": min(left.values()), "last_seen": max(left.values())}
    conn.execute(update(alert).where(alert.c.alert_key == key).values(**counted))


def _drop(conn: Connection, dialect: Dialect, key: bytes, event_keys: Sequence[bytes]) -> None:
    if event_keys:
        table = alert_evidence
        conn.execute(
            delete(table).where(table.c.alert_key == key, dialect.in_values(table.c.event_key, list(event_keys)))
        )


def alerts(  # noqa: PLR0913 – the columns that people narrow the list by
    conn: Connection,
    dialect: Dialect,
    *,
    rule_id: str = "",
    state: AlertState | None = None,
    kind: str = "",
    region: str = "",
    regions: Collection[str] = (),
    after: tuple[datetime, bytes] | None = None,
    limit: int = 500,
) -> list[Alert]:
    """Alerts in the order they were opened, with evidence; `after`: opening and key of the last one seen.

    `region`: of this one alone; `regions`: see `within`. Without `state` all but the waiting ones, which suspect
    nothing yet.
    """
    stmt = select(alert).where(within(regions)).order_by(alert.c.opened_at, alert.c.alert_key).limit(limit)
    if rule_id:
        stmt = stmt.where(alert.c.rule_id == rule_id)
    wanted = alert.c.state != AlertState.WAITING.value if state is None else alert.c.state == state.value
    stmt = stmt.where(wanted)
    if kind:
        stmt = stmt.where(alert.c.subject_kind == kind)
    if region:
        stmt = stmt.where(alert.c.region == region)
    if after is not None:
        moment, key = after
        same = (alert.c.opened_at == moment) & (alert.c.alert_key > key)
        stmt = stmt.where((alert.c.opened_at > moment) | same)
    rows = conn.execute(stmt).all()
    evidence = _evidence(conn, dialect, [row.alert_key for row in rows])
    return [_alert(row, evidence[row.alert_key]) for row in rows]


def within(regions: Collection[str]) -> ColumnElement[bool]:
    """Alerts of these regions and their counties, and those whose region nobody knows; none: of the whole city."""
    if not regions:
        return true()
    return or_(alert.c.region == "", *(alert.c.region.startswith(one.rstrip("0")) for one in regions))


def counts(conn: Connection, regions: Collection[str] = ()) -> dict[tuple[str, str, str, str], int]:
    """(rule, state, subject kind, region) → how many of these regions, all but the waiting ones."""
    columns = (alert.c.rule_id, alert.c.state, alert.c.subject_kind, alert.c.region)
    shown = (alert.c.state != AlertState.WAITING.value, within(regions))
    stmt = select(*columns, func.count()).where(*shown).group_by(*columns)
    return {(rule, state, kind, region): int(count) for rule, state, kind, region, count in conn.execute(stmt)}


def alerts_by_key(
    conn: Connection, dialect: Dialect, keys: Collection[bytes], regions: Collection[str] = ()
) -> dict[bytes, Alert]:
    """Alert key → alert with its evidence, for those that exist in these regions."""
    rows = dialect.select_any(
        conn,
        lambda part: select(alert).where(dialect.in_values(alert.c.alert_key, part), within(regions)),
        sorted(keys),
    )
    evidence = _evidence(conn, dialect, [row.alert_key for row in rows])
    return {row.alert_key: _alert(row, evidence[row.alert_key]) for row in rows}


def _recount(conn: Connection, key: bytes, finding: Finding, state: AlertState, region: object) -> None:
    table = alert_evidence
    found = conn.execute(
        select(func.count(), func.min(table.c.event_time), func.max(table.c.event_time)).where(table.c.alert_key == key)
    ).one()
    began_at = finding.began_at
    conn.execute(
        update(alert)
        .where(alert.c.alert_key == key)
        .values(
            subject_kind=finding.subject_kind.value,
            evidence_count=found[0] or 1,  # what no event shows happened once
            first_seen=found[1] or began_at,
            last_seen=found[2] or began_at,
            provisional_until=finding.provisional_until,
            state=state.value,
            subject=finding.subject,
            computed=dict(finding.values),
            region=region,
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
        region=row.region,
    )
