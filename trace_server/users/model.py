"""Accounts and sessions as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trace_server.accounts.model import PERMISSIONS, Permission, Role


class UserState(StrEnum):
    """Only an active account logs in."""

    INVITED = "invited"
    """Has a code; no password yet."""
    ACTIVE = "active"
    DISABLED = "disabled"


class UserEvent(StrEnum):
    """What moves an account from state to state (`states.py`)."""

    JOIN = "join"
    INVITE = "invite"
    DISABLE = "disable"


class Stage(StrEnum):
    """How far a log-in has come; only `FULL` opens anything."""

    PASSWORD = "password"  # noqa: S105 – a stage, no secret
    """Password was right, the second factor is due."""
    ENROL = "enrol"
    """Password was set, the second factor has to be set up."""
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of the city somebody works on; empty tuples: all of it. `subject`: USCC of a producer's people."""

    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """An account. `name` is what is typed at log-in."""

    user_id: str
    name: str
    display_name: str
    role: Role
    department: str
    scope: Scope
    state: UserState
    password_hash: str
    sealed_totp: str
    """Shared secret of the second factor, encrypted; "" before it is set up."""
    totp_step: int
    """Time step of the last code that was used: no code works twice."""
    created_at: datetime

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]

    @property
    def actor(self) -> str:
        """Name in the audit log."""
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in in a browser. `session_id` may be shown, the token is known to the browser alone."""

    session_id: str
    user_id: str
    stage: Stage
    created_at: datetime
    seen_at: datetime
    confirmed_at: datetime
    """When the password was last typed; dangerous actions want it recent."""
    agent: str
