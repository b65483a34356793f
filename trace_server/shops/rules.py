"""What a mark is worth, what a report may say, and which deadlines hold. Values in, values out."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from trace_core.errors import ConfigError, InputError, TraceError
from trace_core.ids import gs1, uscc
from trace_server.catalog.model import Licence, LicenceState, Subject, SubjectStatus
from trace_server.shops.model import Keeping, MarkState, Shop, Standing, Term

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What people cannot mix up when they read a mark aloud."""
MARK_CHARS = 10
MAX_URL = 500
EXPIRED = "expired"
RECALL = "recall"
_STATES = {
    MarkState.PENDING: Standing.PENDING,
    MarkState.SUSPENDED: Standing.SUSPENDED,
    MarkState.REVOKED: Standing.REVOKED,
}
_ENDED = frozenset({SubjectStatus.REVOKED, SubjectStatus.CLOSED})


def new_mark() -> str:
    """A code that nobody can guess the next one of."""
    return "".join(secrets.choice(ALPHABET) for _ in range(MARK_CHARS))


def read_mark(text: str) -> str:
    """A mark as it is stored; "" for what cannot be one. Blanks, hyphens and small letters do not matter."""
    mark = text[:64].replace(" ", "").replace("-", "").upper()
    return mark if len(mark) == MARK_CHARS and set(mark) <= set(ALPHABET) else ""


def standing(shop: Shop, subject: Subject | None, licences: Iterable[Licence], today: date) -> Standing:
    """What the mark is worth on `today`. A licence that no register knows is not held against it."""
    if shop.state is not MarkState.ACTIVE:
        return _STATES[shop.state]
    if subject is not None and subject.status in _ENDED:
        return Standing.NO_BUSINESS
    own = [one for one in licences if one.number == shop.licence_no]
    if own and not any(one.state is LicenceState.VALID and one.valid_from <= today <= one.valid_to for one in own):
        return Standing.NO_LICENCE
    return Standing.VALID


def code(text: str, where: str) -> str:
    """A USCC. Raises `InputError`."""
    try:
        return uscc.parse(text).code
    except TraceError as error:
        raise InputError(error.what, where=where, remedy="18 characters, GB 32100") from error


def goods(gtin: str, lot: str, where: str) -> tuple[str, str]:
    """GTIN of 14 digits and lot. Raises `InputError`."""
    if not 1 <= len(lot) <= 20 or not lot.isprintable():
        raise InputError("a lot has 1 to 20 characters", where=f"{where}/lot")
    try:
        return gs1.gtin(gtin), lot
    except TraceError as error:
        raise InputError(error.what, where=f"{where}/gtin") from error


def shop_url(text: str, where: str) -> str:
    """An address of the web: http or https with a host. Raises `InputError`."""
    remedy = "write https://shop.example.cn/…"
    if not 1 <= len(text) <= MAX_URL or not text.isprintable() or " " in text or "\\" in text:
        raise InputError("this is no address", where=where, remedy=remedy)
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError as error:
        raise InputError("this is no address", where=where, remedy=remedy) from error
    if not is_web or parts.username is not None or parts.password is not None:
        raise InputError("only http and https addresses without a password are taken", where=where, remedy=remedy)
    return text


def quantity(text: str, where: str) -> str:
    """A decimal above 0 as text. Raises `InputError`."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise InputError(f"{text!r:.40} is no number", where=where) from error
    if len(text) > 32 or not number.is_finite() or number <= 0:
        raise InputError("a number above 0 is needed", where=where)
    return text


def text(value: str, where: str, limit: int = 200) -> str:
    """A sentence. Raises `InputError`."""
    if not 1 <= len(value.strip()) <= limit or "\0" in value:
        raise InputError(f"a text of 1 to {limit} characters is needed", where=where)
    return value.strip()


def notice_id(platform: str, listing_no: str, cause: str) -> str:
    """One cause is one notice of a listing, however often it is looked for."""
    return "takedown-" + hashlib.sha256(f"{platform}\0{listing_no}\0{cause}".encode()).hexdigest()[:20]


def due_at(cause: str, issued_at: datetime) -> tuple[datetime, str]:
    """Deadline and basis of a notice; `cause`: number of a recall notice, or `EXPIRED`."""
    kind = EXPIRED if cause == EXPIRED else RECALL
    known = [term for term in policy()[0] if term.cause == kind and term.starts <= issued_at.date()]
    term = max(known, key=lambda one: one.starts)
    return issued_at + timedelta(hours=term.hours), term.basis


def keep_until(moment: datetime) -> date:
    """The last day on which a report of `moment` must still be kept."""
    keeping = max((one for one in policy()[1] if one.starts <= moment.date()), key=lambda one: one.starts)
    try:
        return moment.date().replace(year=moment.year + keeping.years)
    except ValueError:  # 29 February
        return moment.date().replace(year=moment.year + keeping.years, day=28) + timedelta(days=1)


@cache
def policy() -> tuple[tuple[Term, ...], tuple[Keeping, ...]]:
    """Deadlines and retention as they came with the program. Raises `ConfigError`."""
    data = tomllib.loads(files(__package__).joinpath("policy.toml").read_text(encoding="utf-8"))
    try:
        terms = tuple(
            Term(one["cause"], int(one["hours"]), one["basis"], one["from"], bool(one["confirmed"]))
            for one in data["takedown"]
        )
        keepings = tuple(Keeping(int(one["years"]), one["basis"], one["from"]) for one in data["retention"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the policy is incomplete: {error}", where="shops/policy.toml") from error
    if {term.cause for term in terms} != {RECALL, EXPIRED} or not keepings:
        raise ConfigError("a deadline is missing", where="shops/policy.toml")
    return terms, keepings
