"""API clients that a company's people keep themselves: every look-up and change names the company."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotFound
from trace_server import audit
from trace_server.accounts import rules, store
from trace_server.accounts.model import Client, Role
from trace_server.db import Connection, Database

MAX_NAME = 64


def list_own(db: Database, subject: str) -> list[Client]:
    """Clients that act for `subject` (USCC), those in force first."""
    with db.read() as conn:
        found = store.clients_of(conn, subject)
    return sorted(found, key=lambda one: (one.is_revoked, one.name))


def add(db: Database, now: datetime, actor: str, subject: str, name: str) -> tuple[Client, str]:
    """A producer's client for `subject` and its bearer token, which is shown now and never again.

    Names are the company's own: two companies may call a client the same. Raises `InputError`, `Conflict`.
    """
    wanted = name.strip()
    if not 1 <= len(wanted) <= MAX_NAME or not wanted.isprintable():
        raise InputError("a client needs a name", where="name", remedy=f"1 to {MAX_NAME} characters")
    token = rules.new_token()
    made = Client(rules.new_client_id(), f"{subject}:{wanted}", Role.PRODUCER, subject, now, is_revoked=False)
    with db.begin() as conn:
        if store.client_by_name(conn, made.name):
            raise Conflict("the name is taken", where="name", remedy="choose another")
        store.add_client(conn, made, rules.token_hash(token))
        detail = {"name": made.name, "role": made.role.value, "subject": subject}
        audit.record(conn, now, actor, "client.add", made.client_id, detail)
    return made, token


def rotate(db: Database, now: datetime, actor: str, subject: str, client_id: str) -> tuple[Client, str]:
    """A new token in the place of the old one, which ends with this transaction. Raises `NotFound`, `Conflict`."""
    token = rules.new_token()
    with db.begin() as conn:
        known = _require(conn, subject, client_id)
        store.set_token(conn, known.client_id, rules.token_hash(token))
        audit.record(conn, now, actor, "client.rotate", known.client_id, {"name": known.name})
    return known, token


def revoke(db: Database, now: datetime, actor: str, subject: str, client_id: str) -> Client:
    """End a client at once. Raises `NotFound`, `Conflict`."""
    with db.begin() as conn:
        known = _require(conn, subject, client_id)
        store.revoke_client(conn, known.client_id, now)
        audit.record(conn, now, actor, "client.revoke", known.client_id, {"name": known.name})
    return dataclasses.replace(known, is_revoked=True)


def label(client: Client) -> str:
    """The name as the company gave it."""
    return client.name.removeprefix(f"{client.subject}:")


def _require(conn: Connection, subject: str, client_id: str) -> Client:
    known = store.own_client(conn, subject, client_id)
    if known is None:
        raise NotFound("there is no such client", where="name")
    if known.is_revoked:
        raise Conflict("the client is revoked", where="name")
    return known
