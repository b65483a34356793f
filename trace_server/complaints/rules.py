"""Tokens, drafts, clocks and who takes what. Values in, values out, but for the random source.

A token has 28 characters of Crockford's base 32, 140 random bits, in seven groups of four. Only its hash is stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import tomllib
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trace_core.errors import InputError
from trace_server.complaints.model import Clock, Draft, Kind, Region, State
from trace_server.workdays.model import Calendar, Deadline, Period, Unit
from trace_server.workdays.rules import LEGAL_TIME, deadline

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_CHARACTERS = 28
GROUP = 4
DRAFT_BYTES = 24
"""192 random bits name a form."""
DRAFT_LIFE = timedelta(hours=4)
"""A draft is forgotten this long after the hour of its last change."""
MIN_WHAT = 10
MAX_WHAT = 3_000
MAX_PLACE = 300
MAX_NAME = 60
MAX_CONTACT = 120
MAX_MESSAGE = 2_000
MAX_MESSAGES = 20
"""Messages of one reporter between two answers of ours; more are a flood."""
MAX_PHOTO_BYTES = 6 * 1024 * 1024
MAX_TEXT = 4_096
_LOOKALIKES = str.maketrans("OIL", "011")
_NO_TOKEN = re.compile(r"[\s\-·.]+")
_DRAFT = re.compile(r"[A-Za-z0-9_-]{32}\Z")


def new_token() -> str:
    """A token in groups, as it is shown once: `7K2M-…`."""
    raw = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_CHARACTERS))
    return "-".join(raw[start : start + GROUP] for start in range(0, TOKEN_CHARACTERS, GROUP))


def read_token(typed: str) -> str:
    """What somebody copied by hand, in its one spelling; "" when it cannot be a token."""
    text = _NO_TOKEN.sub("", typed[:200]).upper().translate(_LOOKALIKES)
    return text if len(text) == TOKEN_CHARACTERS and all(sign in ALPHABET for sign in text) else ""


def token_hash(token: str) -> bytes:
    """32 bytes that find a token's report; the token cannot be had from them."""
    return hashlib.sha256(b"suyuan/report\0" + read_token(token).encode()).digest()


def new_draft_token() -> str:
    """The name of a form that somebody fills in."""
    return secrets.token_urlsafe(DRAFT_BYTES)


def is_draft_token(text: str) -> bool:
    """Whether this can be one of ours."""
    return _DRAFT.match(text) is not None


def draft_key(token: str) -> bytes:
    """What a draft is stored under."""
    return hashlib.sha256(b"suyuan/draft\0" + token.encode()).digest()


def seal_draft(token: str, draft: Draft) -> bytes:
    """Readable with the token only, which we do not keep."""
    facts = asdict(draft) | {"photo": base64.b64encode(draft.photo).decode()}
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_draft_secret(token)).encrypt(nonce, json.dumps(facts, ensure_ascii=False).encode(), None)


def open_draft(token: str, sealed: bytes) -> Draft:
    """The draft again."""
    facts: dict[str, Any] = json.loads(AESGCM(_draft_secret(token)).decrypt(sealed[:12], sealed[12:], None))
    kind = Kind(facts["kind"]) if facts["kind"] else None
    return Draft(**{**facts, "kind": kind, "photo": base64.b64decode(facts["photo"])})


def hour(now: datetime) -> datetime:
    """The hour that `now` lies in: a finer time could tell who came."""
    return now.replace(minute=0, second=0, microsecond=0)


def require_what(text: str) -> str:
    """Raises `InputError` for nothing and for too much."""
    return _between(text, MIN_WHAT, MAX_WHAT, "what")


def require_text(text: str, where: str, most: int = MAX_TEXT) -> str:
    """Raises `InputError` for nothing and for too much."""
    return _between(text, 1, most, where)


def require_region(code: str) -> str:
    """A region of `routes.toml`, or "" for "I do not know". Raises `InputError`."""
    if code and code not in {region.code for region in regions()}:
        raise InputError("choose one of the places in the list", where="region")
    return code


def require_complete(draft: Draft) -> Kind:
    """What has to be there before it is sent. Raises `InputError` at the first that is missing."""
    if draft.kind is None:
        raise InputError("choose what it is", where="kind")
    require_what(draft.what)
    if draft.kind is Kind.COMPLAINT and not draft.is_named:
        raise InputError("a complaint needs a name and a way to reach you", where="name")
    if draft.is_named:
        require_text(draft.name, "name", MAX_NAME)
        require_text(draft.contact, "contact", MAX_CONTACT)
    return draft.kind


@lru_cache(maxsize=1)
def clocks() -> tuple[Clock, ...]:
    """The dated periods of `clocks.toml`, newest first."""
    rows = [
        Clock(
            kind=Kind(row["kind"]),
            starts=State(row["starts"]),
            runs=frozenset(State(state) for state in row["runs"]),
            working_days=row["working_days"],
            extension=row["extension"],
            what=row["what"],
            what_zh=row["what_zh"],
            legal_basis=row["legal_basis"],
            effective_from=row["effective_from"],
            is_confirmed=row["confirmed"],
        )
        for row in _document("clocks.toml")["clock"]
    ]
    return tuple(sorted(rows, key=lambda row: row.effective_from, reverse=True))


def clock_of(kind: Kind, state: State, day: date) -> Clock | None:
    """The clock that runs in `state`, by the rule in force on `day`; None when nothing is due."""
    for row in clocks():
        if row.kind is kind and row.effective_from <= day and (row.starts is state or state in row.runs):
            return row
    return None


def due(calendar: Calendar, kind: Kind, state: State, now: datetime) -> tuple[datetime, bool] | None:
    """When the period that starts with `state` ends, and whether law and calendar are confirmed; None: none starts."""
    clock = clock_of(kind, state, law_day(now))
    if clock is None or clock.starts is not state:
        return None
    found = deadline(calendar, now, Period(clock.working_days, Unit.WORKING_DAYS))
    return found.at, found.is_confirmed and clock.is_confirmed


def extended(calendar: Calendar, kind: Kind, state: State, due_at: datetime, now: datetime) -> Deadline:
    """`due_at` with the extension. Raises `InputError` when the rule knows none."""
    clock = clock_of(kind, state, law_day(now))
    if clock is None or not clock.extension:
        raise InputError("this period cannot be extended", where="event")
    # `due_at` is the midnight after the last day, so that the last day itself is a moment before it.
    return deadline(calendar, due_at - timedelta(seconds=1), Period(clock.extension, Unit.WORKING_DAYS))


@lru_cache(maxsize=1)
def regions() -> tuple[Region, ...]:
    """The places to choose from."""
    return tuple(Region(row["code"], row["zh"], row["en"], row["department"]) for row in _routes()["region"])


def department_of(kind: Kind, region: str) -> str:
    """Who takes it."""
    if kind is Kind.RETALIATION:
        return str(_routes()["report_office"])
    return next((row.department for row in regions() if row.code == region), str(_routes()["everywhere"]))


def law_day(now: datetime) -> date:
    """The day of `now` where the law counts its days."""
    return now.astimezone(LEGAL_TIME).date()


def last_day(due_at: datetime) -> date:
    """The last day of a period that ends at midnight."""
    return law_day(due_at - timedelta(seconds=1))


@lru_cache(maxsize=1)
def _routes() -> dict[str, Any]:
    return _document("routes.toml")


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _between(text: str, least: int, most: int, where: str) -> str:
    found = text.replace("\r\n", "\n").strip()
    if len(found) < least:
        raise InputError("write a little more" if found else "this is needed", where=where)
    if len(found) > most:
        raise InputError("this is too long", where=where)
    return found


def _draft_secret(token: str) -> bytes:
    return hmac.digest(token.encode(), b"suyuan/draft/key", "sha256")
