"""SQL of the public site: names, list entries, recalls, licences, and the files of open data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from trace_server.catalog.model import Licence, LicenceState
from trace_server.catalog.tables import licence, subject
from trace_server.credit.model import Op
from trace_server.credit.tables import credit_change
from trace_server.db import Connection, Dialect
from trace_server.lists.model import ListState, Membership
from trace_server.lists.tables import list_membership
from trace_server.publicity.model import DataFile
from trace_server.publicity.tables import open_data_file

_ENDS = [op.value for op in (Op.CORRECT, Op.REPAIR, Op.EXPIRE, Op.WITHDRAW, Op.SUSPEND)]
_BATCH = 1000


def names(conn: Connection, part: str, limit: int) -> list[tuple[str, str]]:
    """(code, name) of registered subjects whose Chinese or English name holds `part`, by code, at most `limit`."""
    matches = subject.c.name.contains(part, autoescape=True) | subject.c.name_en.icontains(part, autoescape=True)
    query = select(subject.c.uscc, subject.c.name).where(matches).order_by(subject.c.uscc).limit(limit)
    return [(code, name) for code, name in conn.execute(query)]


def entries(
    conn: Connection, list_id: str, today: date, *, after: tuple[date, str] | None, limit: int
) -> list[tuple[Membership, str]]:
    """Who is on a list on `today`, newest first, each with its name in the register."""
    table = list_membership.c
    query = (
        _named()
        .where(table.list_id == list_id, table.state == ListState.LISTED.value)
        .where(table.until.is_(None) | (table.until >= today))
        .order_by(table.listed_on.desc(), table.membership_id.desc())
        .limit(limit)
    )
    if after is not None:
        day, membership_id = after
        query = query.where(
            (table.listed_on < day) | ((table.listed_on == day) & (table.membership_id < membership_id))
        )
    return [_entry(row) for row in conn.execute(query)]


def entry(conn: Connection, membership_id: str) -> tuple[Membership, str] | None:
    """One membership in any state, with the subject's name."""
    row = conn.execute(_named().where(list_membership.c.membership_id == membership_id)).first()
    return None if row is None else _entry(row)


def listed_counts(conn: Connection, today: date) -> dict[str, int]:
    """How many subjects are on each list."""
    table = list_membership.c
    query = (
        select(table.list_id, func.count())
        .where(table.state == ListState.LISTED.value, table.until.is_(None) | (table.until >= today))
        .group_by(table.list_id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def licences(conn: Connection) -> Iterator[tuple[Licence, str]]:
    """Every licence in the register with its holder's name, by holder and number."""
    after = ("", "")
    columns = licence.c
    while True:
        uscc, number = after
        query = (
            select(licence, subject.c.name.label("holder"))
            .join(subject, subject.c.uscc == columns.uscc)
            .where((columns.uscc > uscc) | ((columns.uscc == uscc) & (columns.number > number)))
            .order_by(columns.uscc, columns.number)
            .limit(_BATCH)
        )
        rows = conn.execute(query).all()
        for row in rows:
            values = dict(row._mapping)
            holder = values.pop("holder")
            yield Licence(**{**values, "state": LicenceState(values["state"])}), holder
        if len(rows) < _BATCH:
            return
        after = (rows[-1].uscc, rows[-1].number)


def has_ended_since(conn: Connection, seq: int) -> bool:
    """Whether anything ended, was suspended or corrected behind `seq` of the change log."""
    log = credit_change.c
    return conn.execute(select(log.seq).where(log.seq > seq, log.op.in_(_ENDS)).limit(1)).first() is not None


def files(conn: Connection) -> list[DataFile]:
    """All files that are made, without their content."""
    return [
        _file(row) for row in conn.execute(select(*_FACTS).order_by(open_data_file.c.name, open_data_file.c.format))
    ]


def file(conn: Connection, name: str, form: str) -> tuple[DataFile, bytes] | None:
    """One file with its content."""
    table = open_data_file
    row = conn.execute(select(*_FACTS, table.c.data).where(table.c.name == name, table.c.format == form)).first()
    return None if row is None else (_file(row), bytes(row.data))


def save_file(conn: Connection, dialect: Dialect, made: DataFile, data: bytes) -> None:
    """In place of the one before."""
    row = {**asdict(made), "data": data}
    key = ["name", "format"]
    dialect.upsert(conn, open_data_file, [row], key=key, update=[name for name in row if name not in key])


_FACTS = [column for column in open_data_file.c if column.name != "data"]


def _named() -> Any:  # noqa: ANN401 – a select of two tables
    return select(list_membership, subject.c.name.label("holder")).outerjoin(
        subject, subject.c.uscc == list_membership.c.uscc
    )


def _entry(row: Row[Any]) -> tuple[Membership, str]:
    values = dict(row._mapping)
    holder = values.pop("holder") or ""
    return Membership(**{**values, "state": ListState(values["state"])}), holder


def _file(row: Any) -> DataFile:  # noqa: ANN401 – a row of some columns
    return DataFile(**{name: getattr(row, name) for name in DataFile.__slots__})
