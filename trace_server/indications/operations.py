"""Use cases of the register: take a document, read it. One transaction each, audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trace_core.errors import NotFound
from trace_server import audit
from trace_server.db import Database
from trace_server.indications import rules, store
from trace_server.indications.model import AuthorisedUser, Indication, Register


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows of a document that were taken."""

    indications: int
    users: int


def import_register(db: Database, now: datetime, actor: str, document: object) -> Taken:
    """Take the rows of a document, all or none; what is known already is replaced.

    Raises `InputError` with the JSON pointer, `NotFound` for a user of an indication that nobody registered.
    """
    indications, users = rules.read_register(document)
    with db.begin() as conn:
        if indications:
            store.put_indications(conn, db.dialect, indications)
        known = store.known_ids(conn)
        for number, user in enumerate(users):
            if user.gi_id not in known:
                raise NotFound(
                    f"there is no indication {user.gi_id}", where=f"/users/{number}/gi_id", remedy="register it first"
                )
        if users:
            store.put_users(conn, db.dialect, users)
        for one in indications:
            audit.record(conn, now, actor, "indication.put", one.gi_id, {"name": one.name, "source": one.source})
        for user in users:
            detail = {
                "uscc": user.uscc,
                "valid_from": user.valid_from.isoformat(),
                "valid_to": user.valid_to.isoformat() if user.valid_to else None,
            }
            audit.record(conn, now, actor, "indication.user", user.gi_id, detail)
    return Taken(len(indications), len(users))


def read_register(db: Database) -> Register:
    """Everything, by id."""
    with db.read() as conn:
        return store.register(conn)


def read_indication(db: Database, gi_id: str) -> tuple[Indication, tuple[AuthorisedUser, ...]]:
    """One indication and its users. Raises `NotFound`."""
    register = read_register(db)
    found = next((one for one in register.indications if one.gi_id == gi_id), None)
    if found is None:
        raise NotFound("there is no such indication", where="gi_id")
    return found, register.users_of(gi_id)
