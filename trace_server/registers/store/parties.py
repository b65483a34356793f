"""SQL of the base registers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Row, Table, insert, select, update

from trace_server.db import Connection, Dialect
from trace_server.registers.parties import (
    CodeScheme,
    Judgment,
    JudgmentKind,
    OldCode,
    Paper,
    Person,
    Premises,
    SubjectName,
)
from trace_server.registers.tables import (
    court_judgment,
    natural_person,
    premises,
    register_document,
    subject_code,
    subject_name,
)
from trace_server.sealed.model import SealedId

MAX_OF_SUBJECT = 500


def person(conn: Connection, person_id: str) -> Person | None:
    """One person."""
    row = conn.execute(select(natural_person).where(natural_person.c.person_id == person_id)).first()
    return None if row is None else _person(row)


def person_by_lookup(conn: Connection, lookup: bytes) -> Person | None:
    """The person with this document."""
    row = conn.execute(select(natural_person).where(natural_person.c.lookup == lookup)).first()
    return None if row is None else _person(row)


def add_person(conn: Connection, dialect: Dialect, row: Person, lookup: bytes) -> bool:
    """A new person; False when somebody else added the document first."""
    return dialect.insert_ignore(conn, natural_person, [{**asdict(row), "lookup": lookup}]) == 1


def persons(conn: Connection, *, after: str, limit: int) -> list[Person]:
    """Persons by id."""
    table = natural_person
    query = select(table).where(table.c.person_id > after).order_by(table.c.person_id).limit(limit)
    return [_person(row) for row in conn.execute(query)]


def note_name(conn: Connection, dialect: Dialect, row: SubjectName) -> None:
    """A name as a register tells it on a day; the days of a known one are widened."""
    table = subject_name
    if dialect.insert_ignore(conn, table, [asdict(row)]) == 1:
        return
    mine = (table.c.uscc == row.uscc) & (table.c.name == row.name)
    conn.execute(update(table).where(mine, table.c.last_on < row.last_on).values(last_on=row.last_on))
    conn.execute(update(table).where(mine, table.c.first_on > row.first_on).values(first_on=row.first_on))


def names(conn: Connection, uscc: str) -> list[SubjectName]:
    """Names of a subject, the newest first."""
    table = subject_name
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.last_on.desc(), table.c.first_on.desc())
    return [SubjectName(**row._mapping) for row in conn.execute(query.limit(MAX_OF_SUBJECT))]


def add_code(conn: Connection, dialect: Dialect, row: OldCode) -> bool:
    """An old code; False when it is known."""
    return dialect.insert_ignore(conn, subject_code, [asdict(row)]) == 1


def move_code(conn: Connection, code: str, scheme: CodeScheme, uscc: str) -> None:
    """The old code was somebody else's."""
    table = subject_code
    conn.execute(update(table).where(table.c.code == code, table.c.scheme == scheme).values(uscc=uscc))


def codes(conn: Connection, code: str, *, lock: bool = False) -> list[OldCode]:
    """Whose an old code is, in each scheme that has it."""
    query = select(subject_code).where(subject_code.c.code == code).order_by(subject_code.c.scheme)
    rows = conn.execute(query.with_for_update() if lock else query)
    return [_code(row) for row in rows]


def codes_of(conn: Connection, uscc: str) -> list[OldCode]:
    """All old codes of a subject."""
    table = subject_code
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.scheme, table.c.code).limit(MAX_OF_SUBJECT)
    return [_code(row) for row in conn.execute(query)]


def save_premises(conn: Connection, dialect: Dialect, row: Premises) -> None:
    """Insert or overwrite."""
    _upsert(conn, dialect, premises, asdict(row))


def premises_of(conn: Connection, uscc: str) -> list[Premises]:
    """Where a subject works."""
    query = select(premises).where(premises.c.uscc == uscc).order_by(premises.c.premises_id).limit(MAX_OF_SUBJECT)
    return [Premises(**row._mapping) for row in conn.execute(query)]


def add_paper(conn: Connection, row: Paper) -> None:
    """A new document."""
    conn.execute(insert(register_document).values(**asdict(row)))


def save_paper(conn: Connection, row: Paper) -> None:
    """A document as it is now; the caller holds it locked."""
    table = register_document
    mine = (table.c.uscc == row.uscc) & (table.c.document_id == row.document_id)
    conn.execute(update(table).where(mine).values(**asdict(row)))


def paper(conn: Connection, uscc: str, document_id: str) -> Paper | None:
    """One document, locked until the transaction ends."""
    table = register_document
    query = select(table).where(table.c.uscc == uscc, table.c.document_id == document_id).with_for_update()
    row = conn.execute(query).first()
    return None if row is None else Paper(**row._mapping)


def papers_of(conn: Connection, uscc: str) -> list[Paper]:
    """Documents of a subject, the newest first."""
    table = register_document
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.issued_on.desc(), table.c.document_id)
    return [Paper(**row._mapping) for row in conn.execute(query.limit(MAX_OF_SUBJECT))]


def judgment(conn: Connection, judgment_id: str) -> Judgment | None:
    """One judgment."""
    row = conn.execute(select(court_judgment).where(court_judgment.c.judgment_id == judgment_id)).first()
    return None if row is None else _judgment(row)


def save_judgment(conn: Connection, dialect: Dialect, row: Judgment) -> None:
    """Insert or overwrite."""
    _upsert(conn, dialect, court_judgment, asdict(row))


def judgments_of(conn: Connection, uscc: str, since: date | None = None) -> list[Judgment]:
    """What courts told of a company, the newest first; `since`: published on that day or later."""
    table = court_judgment
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.published_on.desc(), table.c.judgment_id)
    if since is not None:
        query = query.where(table.c.published_on >= since)
    return [_judgment(row) for row in conn.execute(query.limit(MAX_OF_SUBJECT))]


def _upsert(conn: Connection, dialect: Dialect, table: Table, row: dict[str, Any]) -> None:
    key = [column.name for column in table.primary_key]
    dialect.upsert(conn, table, [row], key=key, update=[name for name in row if name not in key])


def _person(row: Row[Any]) -> Person:
    values = dict(row._mapping)
    del values["lookup"]
    return Person(**{**values, "sealed_id": SealedId(row.sealed_id)})


def _code(row: Row[Any]) -> OldCode:
    return OldCode(**{**row._mapping, "scheme": CodeScheme(row.scheme)})


def _judgment(row: Row[Any]) -> Judgment:
    return Judgment(**{**row._mapping, "kind": JudgmentKind(row.kind)})
