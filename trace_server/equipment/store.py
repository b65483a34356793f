"""Every statement about the register of equipment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update

from trace_server.db import Connection, Dialect
from trace_server.equipment.kinds import due_soon_days
from trace_server.equipment.model import Asset, Inspection, State
from trace_server.equipment.tables import equipment, equipment_inspection

FACTS = ("tid", "medium", "owner", "inspection_due", "scrap_on", "source", "as_of")
"""What a bulk import of gateways' facts replaces; the rest of a row is the register's own."""


def put_assets(dialect: Dialect, conn: Connection, assets: Sequence[Asset]) -> None:
    """Insert these, or replace the facts of those that are known; URIs must differ."""
    dialect.upsert(conn, equipment, [asdict(asset) for asset in assets], key=["uri"], update=FACTS)


def add(conn: Connection, asset: Asset) -> None:
    conn.execute(insert(equipment).values(asdict(asset)))


def save(conn: Connection, asset: Asset, *, known: int) -> bool:
    """Overwrite revision `known`; False: somebody else was quicker."""
    statement = update(equipment).where(equipment.c.uri == asset.uri, equipment.c.revision == known)
    return conn.execute(statement.values(asdict(asset))).rowcount == 1


def assets(conn: Connection) -> list[Asset]:
    """All assets by URI."""
    return [_asset(row) for row in conn.execute(select(equipment).order_by(equipment.c.uri))]


def has_assets(conn: Connection) -> bool:
    return conn.execute(select(equipment.c.uri).limit(1)).first() is not None


def asset(conn: Connection, uri: str) -> Asset | None:
    row = conn.execute(select(equipment).where(equipment.c.uri == uri)).first()
    return _asset(row) if row is not None else None


def by_device_code(conn: Connection, code: str) -> Asset | None:
    row = conn.execute(select(equipment).where(equipment.c.device_code == code).order_by(equipment.c.uri)).first()
    return _asset(row) if row is not None else None


def assets_of(conn: Connection, dialect: Dialect, uris: Collection[str]) -> dict[str, Asset]:
    """URI → asset, for those that are known."""
    rows = dialect.select_any(
        conn, lambda part: select(equipment).where(dialect.in_values(equipment.c.uri, part)), sorted(uris)
    )
    return {row.uri: _asset(row) for row in rows}


def page(
    conn: Connection,
    *,
    after: str,
    limit: int,
    today: date,
    owner: str = "",
    kind: str = "",
    state: State | None = None,
) -> list[Asset]:
    """Rows behind URI `after`, by URI; `state` as it is `today`."""
    wanted = [equipment.c.uri > after]
    wanted += [equipment.c.owner == owner] if owner else []
    wanted += [equipment.c.kind == kind] if kind else []
    wanted += [_is_in(state, today)] if state is not None else []
    return [
        _asset(row) for row in conn.execute(select(equipment).where(*wanted).order_by(equipment.c.uri).limit(limit))
    ]


def unregistered(conn: Connection, in_use_before: date) -> list[Asset]:
    """Things in use since before a day that nobody has registered (no 使用登记证)."""
    c = equipment.c
    working = c.state.not_in((State.OUT_OF_SERVICE, State.SCRAPPED))
    rows = conn.execute(
        select(equipment).where(c.registration_no == "", c.in_use_on < in_use_before, working).order_by(c.uri)
    )
    return [_asset(row) for row in rows]


def in_use(conn: Connection, kinds: Collection[str], *, after: str, limit: int) -> list[Asset]:
    """Things of these kinds that are in use, behind URI `after`."""
    c = equipment.c
    wanted = (c.kind.in_(sorted(kinds)), c.state.in_((State.IN_USE, State.INSPECTED)), c.uri > after)
    return [_asset(row) for row in conn.execute(select(equipment).where(*wanted).order_by(c.uri).limit(limit))]


def add_inspection(conn: Connection, row: Inspection) -> None:
    conn.execute(insert(equipment_inspection).values(asdict(row)))


def inspections(conn: Connection, dialect: Dialect, uris: Collection[str]) -> dict[str, list[Inspection]]:
    """URI → its inspections, newest first."""
    table = equipment_inspection
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uri, part)), sorted(uris)
    )
    found: dict[str, list[Inspection]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one.inspected_on, reverse=True):
        found[row.uri].append(Inspection(**row._mapping))
    return found


def fingerprint(conn: Connection) -> tuple[object, ...]:
    """Differs when a row was added or changed; cheap."""
    c = equipment.c
    return tuple(
        conn.execute(select(func.count(), func.max(c.as_of), func.sum(c.revision)).select_from(equipment)).one()
    )


def _is_in(state: State, today: date) -> ColumnElement[bool]:
    c = equipment.c
    scrapped = or_(c.state == State.SCRAPPED, and_(c.scrap_on.is_not(None), c.scrap_on <= today))
    dated = c.state.in_((State.REGISTERED, State.IN_USE, State.INSPECTED))
    over = and_(c.inspection_due.is_not(None), c.inspection_due < today, dated)
    near = and_(
        c.inspection_due.is_not(None),
        c.inspection_due >= today,
        c.inspection_due <= today + timedelta(days=due_soon_days()),
        c.state == State.IN_USE,
    )
    if state is State.SCRAPPED:
        return scrapped
    if state is State.OVERDUE:
        return and_(over, ~scrapped)
    if state is State.DUE_SOON:
        return and_(near, ~scrapped)
    return and_(c.state == state, ~func.coalesce(over, False), ~func.coalesce(near, False), ~scrapped)


def _asset(row: Row[Any]) -> Asset:
    values = dict(row._mapping)
    return Asset(**values | {"state": State(values["state"])})
