"""SQL of the policy lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from trace_server.catalog.tables import subject
from trace_server.db import Connection, Dialect
from trace_server.policies.model import Comparison, PolicyState, PolicyVersion, Simulation
from trace_server.policies.tables import policy_comparison, policy_simulation, policy_version
from trace_server.policies.wire import (
    approval_json,
    approval_of,
    comparison_json,
    comparison_of,
    review_json,
    review_of,
    simulation_json,
    simulation_of,
)

MAX_LISTED = 200


def next_number(conn: Connection, policy_id: str) -> int:
    """Of the register; the shipped default is number 1."""
    table = policy_version.c
    found: int | None = conn.execute(select(func.max(table.number)).where(table.policy_id == policy_id)).scalar()
    return max(found or 1, 1) + 1


def add(conn: Connection, dialect: Dialect, row: PolicyVersion) -> bool:
    """False when somebody else has taken the number."""
    return dialect.insert_ignore(conn, policy_version, [_values(row)]) == 1


def save(conn: Connection, row: PolicyVersion, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = policy_version.c
    mine = (table.policy_id == row.policy_id, table.number == row.number, table.version == was)
    return conn.execute(update(policy_version).where(*mine).values(**_values(row))).rowcount == 1


def find(conn: Connection, policy_id: str, number: int) -> PolicyVersion | None:
    """One version."""
    table = policy_version.c
    query = select(policy_version).where(table.policy_id == policy_id, table.number == number)
    row = conn.execute(query).one_or_none()
    return None if row is None else _version(row)


def versions(conn: Connection, state: PolicyState | None = None) -> list[PolicyVersion]:
    """The newest first, at most `MAX_LISTED`."""
    table = policy_version.c
    query = select(policy_version).order_by(table.number.desc(), table.policy_id).limit(MAX_LISTED)
    if state is not None:
        query = query.where(table.state == state.value)
    return [_version(row) for row in conn.execute(query)]


def add_simulation(conn: Connection, row: PolicyVersion, made: Simulation) -> None:
    """Keep one run; earlier ones stay."""
    values = {
        "policy_id": row.policy_id,
        "number": row.number,
        "run": made.run,
        "digest": made.digest,
        "made_by": made.made_by,
        "made_at": made.made_at,
        "outcome": simulation_json(made),
    }
    conn.execute(insert(policy_simulation).values(**values))


def simulation(conn: Connection, policy_id: str, number: int, run: int) -> Simulation | None:
    """One run."""
    table = policy_simulation.c
    mine = (table.policy_id == policy_id, table.number == number, table.run == run)
    found = conn.execute(select(table.outcome).where(*mine)).scalar()
    return None if found is None else simulation_of(found)


def next_run(conn: Connection, policy_id: str, number: int) -> int:
    """Number of the next simulation of a version."""
    table = policy_simulation.c
    mine = (table.policy_id == policy_id, table.number == number)
    found: int | None = conn.execute(select(func.max(table.run)).where(*mine)).scalar()
    return (found or 0) + 1


def add_comparison(conn: Connection, dialect: Dialect, row: PolicyVersion, made: Comparison) -> bool:
    """False when that day has its comparison already."""
    values = {
        "policy_id": row.policy_id,
        "number": row.number,
        "after_days": made.after_days,
        "due_on": made.due_on,
        "made_at": made.made_at,
        "outcome": comparison_json(made),
    }
    return dialect.insert_ignore(conn, policy_comparison, [values]) == 1


def comparisons(conn: Connection, policy_id: str, number: int) -> list[Comparison]:
    """The earliest first."""
    table = policy_comparison.c
    query = select(table.outcome).where(table.policy_id == policy_id, table.number == number)
    return [comparison_of(found) for found in conn.execute(query.order_by(table.after_days)).scalars()]


def regions(conn: Connection, usccs: Sequence[str]) -> dict[str, str]:
    """USCC → six digits of its region, of those that the register of subjects knows. At most some hundred codes."""
    query = select(subject.c.uscc, subject.c.region).where(subject.c.uscc.in_(usccs))
    return {uscc: region[:6] for uscc, region in conn.execute(query)}


def _values(row: PolicyVersion) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in policy_version.c.keys()}  # noqa: SIM118 – keys of columns
    return {
        **plain,
        "state": row.state.value,
        "review": {} if row.review is None else review_json(row.review),
        "approvals": [approval_json(approval) for approval in row.approvals],
    }


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(
        policy_id=row.policy_id,
        number=row.number,
        state=PolicyState(row.state),
        text=row.text,
        rollback_of=row.rollback_of,
        created_by=row.created_by,
        created_at=row.created_at,
        run=row.run,
        review=review_of(row.review) if row.review else None,
        approvals=tuple(approval_of(found) for found in row.approvals),
        effective_from=row.effective_from,
        reason=row.reason,
        version=row.version,
    )
