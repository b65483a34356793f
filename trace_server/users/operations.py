"""Use cases around accounts: invite, join, log in with two factors, end sessions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids import uscc
from trace_server import audit
from trace_server.accounts.model import FOR_COMPANY, Role
from trace_server.accounts.rules import code_hash, new_code
from trace_server.audit.lifecycle import advance, next_state
from trace_server.db import Connection, Database
from trace_server.problems import NotAuthenticated, TooManyRequests
from trace_server.users import rules, store
from trace_server.users.model import Scope, Session, Stage, User, UserEvent, UserState
from trace_server.users.states import TRANSITIONS

WRONG = "the name or the password is wrong"
"""One sentence for every reason: a guesser learns nothing."""
WRONG_CODE = "the code is wrong, used or expired"
OWN_ACCOUNT = "another administrator changes your own account"
FACTOR_PURPOSE = b"second factor"
"""Purpose of `Settings.derived_key` under which shared secrets are sealed."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a log-in comes from."""

    address: str
    agent: str


def add_user(
    db: Database,
    now: datetime,
    actor: str,
    *,
    name: str,
    display_name: str,
    role: Role,
    department: str,
    scope: Scope,
) -> tuple[User, str]:
    """Invite somebody; returns the account and its one-time code, which is shown now and never again.

    Raises `InputError`, `IdentifierError`, `Conflict` when the name is taken.
    """
    _check_scope(role, scope)
    if not display_name.strip():
        raise InputError("a name to show is needed", where="display_name")
    user = User(
        user_id=f"u-{secrets.token_hex(8)}",
        name=rules.user_name(name),
        display_name=display_name.strip()[:64],
        role=role,
        department=department.strip()[:200],
        scope=scope,
        state=UserState.INVITED,
        password_hash="",
        sealed_totp="",
        totp_step=0,
        created_at=now,
    )
    code = new_code()
    with db.begin() as conn:
        if store.user_by_name(conn, user.name):
            raise Conflict(f"the name {user.name} is taken", where="name", remedy="choose another")
        store.add_user(conn, user)
        store.replace_invitation(conn, user.user_id, code_hash(code), now + rules.INVITATION_LIFE)
        detail = {"role": role, "department": user.department, "subject": scope.subject}
        audit.record(conn, now, actor, "user.add", user.user_id, detail)
    return user, code


def invite_again(db: Database, now: datetime, actor: str, name: str, *, lost_factor: bool) -> str:
    """A new code for somebody who lost the password; all sessions end.

    The second factor stays in force unless `lost_factor`: whoever finds a code must not get in with it alone.
    """
    code = new_code()
    with db.begin() as conn:
        user = _require(conn, name)
        state = next_state(TRANSITIONS, user.state, UserEvent.INVITE)
        totp = "" if lost_factor else user.sealed_totp
        store.save_user(conn, replace(user, state=state, password_hash="", sealed_totp=totp))
        store.replace_invitation(conn, user.user_id, code_hash(code), now + rules.INVITATION_LIFE)
        store.end_session(conn, user.user_id)
        audit.record(conn, now, actor, "user.invite", user.user_id, {"lost_factor": lost_factor})
    return code


def disable_user(db: Database, now: datetime, actor: str, name: str) -> User:
    """Shut an account; its sessions end with this transaction."""
    with db.begin() as conn:
        user = _require(conn, name)
        if user.actor == actor:
            raise NotAllowed(OWN_ACCOUNT, where="role")
        state = advance(
            conn, now, table=TRANSITIONS, state=user.state, event=UserEvent.DISABLE, actor=actor, object=user.user_id,
            action="user.disable",
        )  # fmt: skip
        disabled = replace(user, state=state, password_hash="")
        store.save_user(conn, disabled)
        store.end_session(conn, user.user_id)
    return disabled


def list_users(db: Database) -> list[User]:
    """All accounts, by name."""
    with db.read() as conn:
        return store.users(conn)


def join(db: Database, now: datetime, code: str, password: str, caller: Caller) -> str:
    """Use a one-time code and set a password; returns the token of a session that still lacks the second factor.

    Raises `InputError` for a weak password (the code stays good), `NotAuthenticated` for a wrong code,
    `TooManyRequests`.
    """
    counted = rules.counted("address", caller.address)
    _throttle(db, now, counted, rules.MAX_BY_ADDRESS)
    hashed = code_hash(code)
    with db.begin() as conn:
        user_id = store.take_invitation(conn, hashed, now)
        user = store.user_by_id(conn, user_id) if user_id else None
        if user is not None and user.state is UserState.INVITED:
            rules.check_password(password, (user.name, user.display_name, user.department))
            state = next_state(TRANSITIONS, user.state, UserEvent.JOIN)
            joined = replace(user, state=state, password_hash=rules.hash_password(password))
            store.save_user(conn, joined)
            stage = Stage.PASSWORD if user.sealed_totp else Stage.ENROL
            token = _open_session(conn, now, joined, stage, caller)
            audit.record(conn, now, user.actor, "user.join", user.user_id)
            return token
    _count(db, now, counted)
    raise NotAuthenticated(WRONG_CODE, where="code", remedy="ask your administrator for a new one")


def log_in(db: Database, now: datetime, name: str, password: str, caller: Caller) -> str:
    """Check name and password; returns the token of a session that still lacks the second factor.

    Raises `NotAuthenticated` with one sentence for every reason, `TooManyRequests`.
    """
    by_account = rules.counted("account", name.strip().lower(), caller.address)
    by_address = rules.counted("address", caller.address)
    _throttle(db, now, by_account, rules.MAX_BY_ACCOUNT)
    _throttle(db, now, by_address, rules.MAX_BY_ADDRESS)
    with db.read() as conn:
        user = store.user_by_name(conn, name.strip().lower())
    is_right = rules.is_password(user.password_hash if user else "", password)
    if user is None or not is_right or user.state is not UserState.ACTIVE:
        _count(db, now, by_account, by_address)
        raise NotAuthenticated(WRONG, where="password")
    with db.begin() as conn:
        stage = Stage.PASSWORD if user.sealed_totp else Stage.ENROL
        return _open_session(conn, now, user, stage, caller)


def new_factor(db: Database, now: datetime, token: str) -> User:
    """The account of a session that may set up its second factor now. Raises `NotAuthenticated`."""
    session, user = _require_session(db, now, token)
    if session.stage is not Stage.ENROL:
        raise NotAuthenticated("the second factor is set up already", remedy="log in")
    return user


def set_factor(db: Database, now: datetime, key: bytes, token: str, secret: str, code: str, caller: Caller) -> str:
    """Set up the second factor with a first code of it; returns the token of a full session.

    `key`: 32 bytes to seal the shared secret with. Raises `InputError` for a wrong code.
    """
    user = new_factor(db, now, token)
    step = rules.matching_step(secret, code, now, 0)
    if not step:
        raise InputError("the code does not fit", where="code", remedy="check the clock of the phone and try the next")
    with db.begin() as conn:
        user = _locked(conn, user)
        store.save_user(conn, replace(user, sealed_totp=rules.seal(secret, key), totp_step=step))
        audit.record(conn, now, user.actor, "user.factor", user.user_id)
        return _replace_session(conn, now, user, token, caller)


def check_factor(db: Database, now: datetime, key: bytes, token: str, code: str, caller: Caller) -> str:
    """Second step of a log-in; returns the token of a full session, the first one ends.

    Raises `InputError` for a wrong or used code, `NotAuthenticated`, `TooManyRequests`.
    """
    session, user = _require_session(db, now, token)
    if session.stage is not Stage.PASSWORD:
        raise NotAuthenticated("the password comes first", remedy="log in")
    counted = rules.counted("factor", user.user_id)
    _throttle(db, now, counted, rules.MAX_BY_ACCOUNT)
    with db.begin() as conn:
        user = _locked(conn, user)
        step = rules.matching_step(rules.unseal(user.sealed_totp, key), code, now, user.totp_step)
        if step:
            store.save_user(conn, replace(user, totp_step=step))
            audit.record(conn, now, user.actor, "user.log_in", user.user_id)
            return _replace_session(conn, now, user, token, caller)
    _count(db, now, counted)
    raise InputError("the code does not fit", where="code", remedy="wait for the next one; each works once")


def open_session(db: Database, now: datetime, token: str) -> tuple[Session, User] | None:
    """Session and account of a token, whatever the stage; None for what is unknown or over."""
    if not token:
        return None
    hashed = rules.token_hash(token)
    with db.read() as conn:
        session = store.session(conn, hashed)
        user = store.user_by_id(conn, session.user_id) if session else None
    if session is None or user is None or user.state is not UserState.ACTIVE or not rules.is_alive(session, now):
        return None
    if session.stage is Stage.FULL and now - session.seen_at >= rules.SEEN_EVERY:
        with db.begin() as conn:
            store.touch_session(conn, hashed, seen_at=now)
    return session, user


def confirm(db: Database, now: datetime, token: str, password: str) -> None:
    """Type the password again before something dangerous. Raises `InputError`, `TooManyRequests`."""
    _, user = _require_session(db, now, token)
    counted = rules.counted("confirm", user.user_id)
    _throttle(db, now, counted, rules.MAX_BY_ACCOUNT)
    if not rules.is_password(user.password_hash, password):
        _count(db, now, counted)
        raise InputError("the password is wrong", where="password")
    with db.begin() as conn:
        store.confirm_session(conn, rules.token_hash(token), now)


def _locked(conn: Connection, user: User) -> User:
    """The account as it is now: what was read before may have been shut out or changed since, and must stay so."""
    current = store.locked_user(conn, user.user_id)
    if current is None or current.state is not UserState.ACTIVE:
        raise NotAuthenticated("the account is not open", remedy="ask the administrator")
    return current


def change_password(db: Database, now: datetime, token: str, old: str, new: str) -> None:
    """All other sessions of the account end. Raises `InputError`, `TooManyRequests`."""
    confirm(db, now, token, old)
    session, user = _require_session(db, now, token)
    rules.check_password(new, (user.name, user.display_name, user.department))
    hashed = rules.hash_password(new)
    with db.begin() as conn:
        user = _locked(conn, user)
        store.save_user(conn, replace(user, password_hash=hashed))
        for other in store.sessions_of(conn, user.user_id):
            if other.session_id != session.session_id:
                store.end_session(conn, user.user_id, session_id=other.session_id)
        audit.record(conn, now, user.actor, "user.password", user.user_id)


def sessions_of(db: Database, now: datetime, user: User) -> list[Session]:
    """Log-ins of an account that still count."""
    with db.read() as conn:
        return [one for one in store.sessions_of(conn, user.user_id) if rules.is_alive(one, now)]


def end_session(db: Database, now: datetime, user: User, *, session_id: str = "", token: str = "") -> None:
    """End one own session, by the id that is shown or by its token."""
    if not session_id and not token:
        raise ValueError("which session?")
    with db.begin() as conn:
        hashed = rules.token_hash(token) if token else b""
        if store.end_session(conn, user.user_id, session_id=session_id, token_hash=hashed):
            audit.record(conn, now, user.actor, "user.log_out", user.user_id)


def account(db: Database, now: datetime, name: str) -> tuple[User, list[Session]]:
    """Somebody's account and the log-ins that still count, for an administrator. Raises `NotFound`."""
    with db.read() as conn:
        user = _require(conn, name)
        return user, [one for one in store.sessions_of(conn, user.user_id) if rules.is_alive(one, now)]


def change_user(
    db: Database, now: datetime, actor: str, name: str, *, role: Role, department: str, scope: Scope
) -> User:
    """Another role, department or part of the city; all sessions end, so that nothing old goes on.

    Raises `NotFound`, `NotAllowed` for the own account, `InputError` or `IdentifierError` as `add_user`.
    """
    _check_scope(role, scope)
    with db.begin() as conn:
        user = _require(conn, name)
        if user.actor == actor:
            raise NotAllowed(OWN_ACCOUNT, where="role")
        changed = replace(user, role=role, department=department.strip()[:200], scope=scope)
        store.save_user(conn, changed)
        store.end_session(conn, user.user_id)
        detail = {
            "from": user.role, "to": role, "department": changed.department, "subject": scope.subject,
            "regions": list(scope.regions), "categories": list(scope.categories),
        }  # fmt: skip
        audit.record(conn, now, actor, "user.change", user.user_id, detail)
    return changed


def end_session_of(db: Database, now: datetime, actor: str, name: str, session_id: str) -> None:
    """An administrator ends somebody's session. Raises `NotFound`."""
    with db.begin() as conn:
        user = _require(conn, name)
        if not session_id or not store.end_session(conn, user.user_id, session_id=session_id):
            raise NotFound("there is no such session", where="session_id")
        audit.record(conn, now, actor, "user.end_session", user.user_id, {"session": session_id})


def require_confirmed(session: Session, now: datetime) -> None:
    """Raises `NotAllowed` unless the password was typed in the last minutes."""
    if not rules.is_confirmed(session, now):
        raise NotAllowed("this wants your password once more", where="password", remedy="/console/confirm")


def _check_scope(role: Role, scope: Scope) -> None:
    if role in FOR_COMPANY:
        uscc.parse(scope.subject)
    elif scope.subject:
        raise InputError("only a producer's people act for a company", where="subject", remedy="leave it out")


def _open_session(conn: Connection, now: datetime, user: User, stage: Stage, caller: Caller) -> str:
    token = rules.new_token()
    session = Session(secrets.token_hex(8), user.user_id, stage, now, now, now, caller.agent[:200])
    store.add_session(conn, rules.token_hash(token), session)
    store.forget_old(conn, now - rules.ABSOLUTE_LIFE)
    return token


def _replace_session(conn: Connection, now: datetime, user: User, token: str, caller: Caller) -> str:
    store.end_session(conn, user.user_id, token_hash=rules.token_hash(token))
    return _open_session(conn, now, user, Stage.FULL, caller)


def _require_session(db: Database, now: datetime, token: str) -> tuple[Session, User]:
    found = open_session(db, now, token)
    if found is None:
        raise NotAuthenticated("the log-in is over", remedy="log in again")
    return found


def _require(conn: Connection, name: str) -> User:
    user = store.user_by_name(conn, name.strip().lower())
    if user is None:
        raise NotFound(f"there is no user {name!r}", where="name", remedy="trace-server user list")
    return user


def _throttle(db: Database, now: datetime, counted: bytes, most: int) -> None:
    start = rules.window_start(now)
    with db.read() as conn:
        if store.failures(conn, counted, start) < most:
            return
    wait = (start + rules.FAILURE_WINDOW - now).total_seconds()
    raise TooManyRequests("too many wrong tries", retry_after_s=max(1, int(wait)), remedy="wait and try again")


def _count(db: Database, now: datetime, *counted: bytes) -> None:
    with db.begin() as conn:
        for key in counted:
            store.add_failure(conn, db.dialect, key, rules.window_start(now))
