"""SQL of accounts and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from trace_server.accounts.model import Role
from trace_server.db import Connection, Dialect
from trace_server.users.model import Scope, Session, Stage, User, UserState
from trace_server.users.tables import login_failure, user_account, user_invitation, user_session


def add_user(conn: Connection, user: User) -> None:
    """A new account."""
    conn.execute(insert(user_account).values(user_id=user.user_id, created_at=user.created_at, **_values(user)))


def save_user(conn: Connection, user: User) -> None:
    """An account as it is now."""
    conn.execute(update(user_account).where(user_account.c.user_id == user.user_id).values(**_values(user)))


def user_by_name(conn: Connection, name: str) -> User | None:
    """By what is typed at log-in."""
    row = conn.execute(select(user_account).where(user_account.c.name == name)).one_or_none()
    return _user(row) if row else None


def user_by_id(conn: Connection, user_id: str) -> User | None:
    """By its id."""
    row = conn.execute(select(user_account).where(user_account.c.user_id == user_id)).one_or_none()
    return _user(row) if row else None


def locked_user(conn: Connection, user_id: str) -> User | None:
    """By its id; nobody changes it until this transaction ends."""
    row = conn.execute(select(user_account).where(user_account.c.user_id == user_id).with_for_update()).one_or_none()
    return _user(row) if row else None


def users(conn: Connection) -> list[User]:
    """All accounts, by name."""
    return [_user(row) for row in conn.execute(select(user_account).order_by(user_account.c.name))]


def replace_invitation(conn: Connection, user_id: str, code_hash: bytes, expires_at: datetime) -> None:
    """A new code; earlier ones of the same account are void."""
    conn.execute(delete(user_invitation).where(user_invitation.c.user_id == user_id))
    conn.execute(insert(user_invitation).values(code_hash=code_hash, user_id=user_id, expires_at=expires_at))


def take_invitation(conn: Connection, code_hash: bytes, now: datetime) -> str:
    """The account that the code belongs to, "" when there is none; the code is used up."""
    table = user_invitation
    row = conn.execute(select(table).where(table.c.code_hash == code_hash).with_for_update()).one_or_none()
    if row is None or row.expires_at <= now:
        return ""
    conn.execute(delete(table).where(table.c.code_hash == code_hash))
    return str(row.user_id)


def add_session(conn: Connection, token_hash: bytes, session: Session) -> None:
    """A new log-in."""
    conn.execute(
        insert(user_session).values(
            token_hash=token_hash,
            session_id=session.session_id,
            user_id=session.user_id,
            stage=session.stage,
            created_at=session.created_at,
            seen_at=session.seen_at,
            confirmed_at=session.confirmed_at,
            agent=session.agent,
        )
    )


def session(conn: Connection, token_hash: bytes) -> Session | None:
    """The log-in of a token."""
    row = conn.execute(select(user_session).where(user_session.c.token_hash == token_hash)).one_or_none()
    return _session(row) if row else None


def sessions_of(conn: Connection, user_id: str) -> list[Session]:
    """All log-ins of an account, newest use first."""
    query = select(user_session).where(user_session.c.user_id == user_id).order_by(user_session.c.seen_at.desc())
    return [_session(row) for row in conn.execute(query)]


def touch_session(conn: Connection, token_hash: bytes, *, seen_at: datetime) -> None:
    """The session was used."""
    conn.execute(update(user_session).where(user_session.c.token_hash == token_hash).values(seen_at=seen_at))


def confirm_session(conn: Connection, token_hash: bytes, now: datetime) -> None:
    """The password was typed again."""
    conn.execute(update(user_session).where(user_session.c.token_hash == token_hash).values(confirmed_at=now))


def end_session(conn: Connection, user_id: str, *, session_id: str = "", token_hash: bytes = b"") -> int:
    """End one session of an account by id or token, or all of them; returns how many."""
    query = delete(user_session).where(user_session.c.user_id == user_id)
    if session_id:
        query = query.where(user_session.c.session_id == session_id)
    if token_hash:
        query = query.where(user_session.c.token_hash == token_hash)
    return conn.execute(query).rowcount


def forget_old(conn: Connection, before: datetime) -> int:
    """Sessions not used since `before`, and failures of windows before it."""
    gone = conn.execute(delete(user_session).where(user_session.c.seen_at < before)).rowcount
    conn.execute(delete(login_failure).where(login_failure.c.window_start < before))
    conn.execute(delete(user_invitation).where(user_invitation.c.expires_at < before))
    return gone


def failures(conn: Connection, counted: bytes, window_start: datetime) -> int:
    """Wrong tries so far."""
    table = login_failure
    query = select(table.c.failures).where(table.c.counted == counted, table.c.window_start == window_start)
    return int(conn.execute(query).scalar_one_or_none() or 0)


def add_failure(conn: Connection, dialect: Dialect, counted: bytes, window_start: datetime) -> None:
    """One more wrong try."""
    table = login_failure
    dialect.insert_ignore(conn, table, [{"counted": counted, "window_start": window_start, "failures": 0}])
    conn.execute(
        update(table)
        .where(table.c.counted == counted, table.c.window_start == window_start)
        .values(failures=table.c.failures + 1)
    )


def _values(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "display_name": user.display_name,
        "role": user.role,
        "department": user.department,
        "regions": list(user.scope.regions),
        "categories": list(user.scope.categories),
        "subject": user.scope.subject,
        "state": user.state,
        "password_hash": user.password_hash,
        "sealed_totp": user.sealed_totp,
        "totp_step": user.totp_step,
    }


def _user(row: Row[Any]) -> User:
    return User(
        user_id=row.user_id,
        name=row.name,
        display_name=row.display_name,
        role=Role(row.role),
        department=row.department,
        scope=Scope(tuple(row.regions), tuple(row.categories), row.subject),
        state=UserState(row.state),
        password_hash=row.password_hash,
        sealed_totp=row.sealed_totp,
        totp_step=row.totp_step,
        created_at=row.created_at,
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        row.session_id, row.user_id, Stage(row.stage), row.created_at, row.seen_at, row.confirmed_at, row.agent
    )
