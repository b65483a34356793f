"""SQL of cases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update

from trace_server.cases.model import Actor, Case, CaseState, Entry, Precision, Transfer, Triage, Verdict
from trace_server.cases.tables import alert_triage, case, case_entry, case_joint, case_transfer
from trace_server.db import Connection, Dialect


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; empty members do not narrow."""

    states: tuple[CaseState, ...] = ()
    handler: str = ""
    department: str = ""
    subject: str = ""
    category: str = ""


def add_case(conn: Connection, new: Case) -> None:
    """A new case."""
    conn.execute(insert(case).values(**asdict(new)))


def save_case(conn: Connection, changed: Case, *, was: int) -> bool:
    """Write a case over its version `was`; False when somebody else wrote first."""
    query = update(case).where(case.c.case_id == changed.case_id, case.c.version == was).values(**asdict(changed))
    return conn.execute(query).rowcount == 1


def case_by_id(conn: Connection, case_id: str) -> Case | None:
    """One case."""
    row = conn.execute(select(case).where(case.c.case_id == case_id)).one_or_none()
    return _case(row) if row else None


def cases(
    conn: Connection, actor: Actor, wanted: Wanted, *, after: tuple[datetime, str] | None, limit: int
) -> list[Case]:
    """Cases in the scope of `actor`, oldest first."""
    query = _scoped(select(case), actor, wanted).order_by(case.c.opened_at, case.c.case_id).limit(limit)
    if after is not None:
        moment, case_id = after
        same = (case.c.opened_at == moment) & (case.c.case_id > case_id)
        query = query.where((case.c.opened_at > moment) | same)
    return [_case(row) for row in conn.execute(query)]


def due_cases(conn: Connection, actor: Actor, wanted: Wanted, *, limit: int) -> list[Case]:
    """Cases in the scope of `actor` that something is due of, most urgent first."""
    query = _scoped(select(case), actor, wanted).where(case.c.due_at.isnot(None)).order_by(case.c.due_at).limit(limit)
    return [_case(row) for row in conn.execute(query)]


def count_by_state(conn: Connection, actor: Actor, wanted: Wanted) -> dict[CaseState, int]:
    """How many cases in the scope of `actor` stand where."""
    query = _scoped(select(case.c.state, func.count()), actor, wanted).group_by(case.c.state)
    return {CaseState(state): int(count) for state, count in conn.execute(query)}


def add_entry(conn: Connection, entry: Entry) -> None:
    """One more line of the dossier."""
    conn.execute(insert(case_entry).values(**asdict(entry)))


def entries(conn: Connection, case_id: str) -> list[Entry]:
    """The dossier, oldest first."""
    query = select(case_entry).where(case_entry.c.case_id == case_id).order_by(case_entry.c.number)
    return [Entry(**row._mapping) for row in conn.execute(query)]


def next_number(conn: Connection, case_id: str) -> int:
    """Number of the next line; the case's row is being written by the same transaction."""
    query = select(func.coalesce(func.max(case_entry.c.number), 0)).where(case_entry.c.case_id == case_id)
    return int(conn.execute(query).scalar_one()) + 1


def add_transfer(conn: Connection, transfer: Transfer) -> None:
    """A case is on its way."""
    conn.execute(insert(case_transfer).values(**asdict(transfer)))


def save_transfer(conn: Connection, transfer: Transfer) -> None:
    """The other side has answered."""
    table = case_transfer
    key = (table.c.case_id == transfer.case_id, table.c.number == transfer.number)
    conn.execute(update(table).where(*key).values(**asdict(transfer)))


def transfers(conn: Connection, case_id: str) -> list[Transfer]:
    """All transfers of a case, oldest first."""
    query = select(case_transfer).where(case_transfer.c.case_id == case_id).order_by(case_transfer.c.number)
    return [Transfer(**row._mapping) for row in conn.execute(query)]


def transfers_to(conn: Connection, department: str, *, limit: int) -> list[Transfer]:
    """Cases that wait for a receipt of `department`, oldest first."""
    table = case_transfer
    query = select(table).where(table.c.to_department == department, table.c.receipt == "")
    return [Transfer(**row._mapping) for row in conn.execute(query.order_by(table.c.due_at).limit(limit))]


def add_triage(conn: Connection, dialect: Dialect, rows: Sequence[Triage]) -> int:
    """Verdicts on alerts that have none; returns how many were new."""
    return dialect.insert_ignore(conn, alert_triage, [asdict(row) for row in rows])


def triage_of(conn: Connection, dialect: Dialect, keys: Collection[bytes]) -> dict[bytes, Triage]:
    """Alert → verdict, for those that have one."""
    table = alert_triage
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.alert_key, part)), sorted(keys)
    )
    return {bytes(row.alert_key): _triage(row) for row in rows}


def alerts_of(conn: Connection, case_id: str) -> list[bytes]:
    """Alerts that the case grew from."""
    query = select(alert_triage.c.alert_key).where(alert_triage.c.case_id == case_id)
    return sorted(bytes(key) for (key,) in conn.execute(query))


def root_of(conn: Connection, case_id: str) -> str:
    """The case that this one was opened beside, itself for one that was opened alone."""
    found = conn.execute(select(case_joint.c.root_id).where(case_joint.c.case_id == case_id)).scalar()
    return str(found) if found else case_id


def joint_cases(conn: Connection, root_id: str) -> list[Case]:
    """The case `root_id` and all that were opened beside it, oldest first."""
    linked = select(case_joint.c.case_id).where(case_joint.c.root_id == root_id)
    query = select(case).where(or_(case.c.case_id == root_id, case.c.case_id.in_(linked)))
    return [_case(row) for row in conn.execute(query.order_by(case.c.opened_at, case.c.case_id))]


def add_joint(conn: Connection, case_id: str, root_id: str) -> None:
    """Link a case to the one it was opened beside."""
    conn.execute(insert(case_joint).values(case_id=case_id, root_id=root_id))


def precision(conn: Connection) -> list[Precision]:
    """Verdicts by rule."""
    table = alert_triage
    query = select(table.c.rule_id, table.c.verdict, func.count()).group_by(table.c.rule_id, table.c.verdict)
    counts: dict[str, dict[str, int]] = {}
    for rule_id, verdict, count in conn.execute(query):
        counts.setdefault(rule_id, {})[verdict] = int(count)
    return [
        Precision(
            rule_id, *(found.get(verdict, 0) for verdict in (Verdict.SUSPECTED, Verdict.BENIGN, Verdict.FALSE_DATA))
        )
        for rule_id, found in sorted(counts.items())
    ]


def _scoped(query: Select[Any], actor: Actor, wanted: Wanted) -> Select[Any]:
    """Regions and categories are checked in the query itself (ASVS 8.2.2)."""
    if actor.regions:
        query = query.where(or_(*(case.c.region.startswith(one.rstrip("0")) for one in actor.regions)))
    if actor.categories:
        query = query.where(case.c.category.in_(actor.categories))
    if wanted.states:
        query = query.where(case.c.state.in_(wanted.states))
    for column, value in (
        (case.c.handler, wanted.handler),
        (case.c.department, wanted.department),
        (case.c.subject, wanted.subject),
        (case.c.category, wanted.category),
    ):
        if value:
            query = query.where(column == value)
    return query


def _case(row: Row[Any]) -> Case:
    return Case(**{**row._mapping, "state": CaseState(row.state)})


def _triage(row: Row[Any]) -> Triage:
    return Triage(bytes(row.alert_key), row.rule_id, Verdict(row.verdict), row.reason, row.actor, row.at, row.case_id)
