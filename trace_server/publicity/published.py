"""Use cases of the public lists: decisions, who is on which list, and the authorities' own punctuality."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass
from datetime import date
from threading import Lock

from trace_core.errors import InputError
from trace_server.credit.model import CATEGORIES, Asked, State
from trace_server.credit.steps import law_day
from trace_server.credit.store import shown as store_shown
from trace_server.lists import rules as list_rules
from trace_server.lists.model import ListKind
from trace_server.publicity import rules, store
from trace_server.publicity.model import Decision, Entry, Timeliness, Withdrawal
from trace_server.services import Services
from trace_server.workdays.operations import calendar

PAGE = 20
"""Rows of a page: twenty decisions with their facts stay below 30 KB."""
MAX_TEXT = 100
MAX_AUTHORITIES = 200
FIGURES_S = 300.0
"""How long the counted figures are kept: they sum up a year."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """One page. `last`: place of its last row when there are more."""

    rows: tuple[Decision, ...]
    as_of: date
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Withdrawals:
    rows: tuple[Withdrawal, ...]
    as_of: date
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Entries:
    kind: ListKind
    rows: tuple[Entry, ...]
    as_of: date
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Punctuality of publication for decisions from `since` to `as_of`."""

    since: date
    as_of: date
    whole: Timeliness
    authorities: tuple[Timeliness, ...]


def asked(values: dict[str, str]) -> Asked:
    """A filter from what was typed. Raises `InputError` that names the field."""
    text = unicodedata.normalize("NFKC", values.get("q", "")[:MAX_TEXT]).strip()
    # A decision number is written with 〔〕, which few keyboards have; a code in capitals.
    text = text.replace("[", "〔").replace("]", "〕")
    if len(text) == 18 and text.isascii():
        text = text.upper()
    if len(text) == 1:
        raise InputError("one character would list half the register", where="q")
    region, category = values.get("region", "").strip(), values.get("category", "")
    if region and not (region.isascii() and region.isdigit() and len(region) in (2, 4, 6)):
        raise InputError("a region has 2, 4 or 6 digits", where="region")
    if category and category not in CATEGORIES:
        raise InputError("there is no such category", where="category")
    since, until = _day(values, "from"), _day(values, "to")
    if since and until and until < since:
        raise InputError("the last day is before the first", where="to")
    return Asked(text, region, category, since, until)


def decisions(services: Services, wanted: Asked, after: tuple[str, ...] | None) -> Decisions:
    """Published decisions, newest first. Raises `InputError` for a place that is none."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        days = calendar(conn)
        found = store_shown.decisions(conn, wanted, today, after=_place(after), limit=PAGE + 1)
    rows = tuple(rules.decision(days, one) for one in found[:PAGE])
    record = rows[-1].record if len(found) > PAGE else None
    return Decisions(rows, today, (record.decision.decided_on.isoformat(), record.record_id) if record else None)


def withdrawals(services: Services, after: tuple[str, ...] | None) -> Withdrawals:
    """Notices of decisions that were public and are withdrawn, newest decision first."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        found = store_shown.withdrawn(conn, today, after=_place(after), limit=PAGE + 1)
    rows = tuple(rules.withdrawal(one.record) for one in found[:PAGE])
    last = found[PAGE - 1].record if len(found) > PAGE else None
    return Withdrawals(rows, today, (last.decision.decided_on.isoformat(), last.record_id) if last else None)


def decision(services: Services, record_id: str) -> Decision | Withdrawal | None:
    """One decision; the notice when it was withdrawn; None when the public sees neither (any more)."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        found = store_shown.decision(conn, record_id)
        days = calendar(conn)
    if found is None:
        return None
    if found.record.is_shown(today):
        return rules.decision(days, found)
    was_public = found.record.state is State.WITHDRAWN and found.record.public and found.published_on is not None
    return rules.withdrawal(found.record) if was_public and today <= found.record.window_max_end else None


class _Kept:
    """The newest figures of each database in this process, so that a year is counted once in five minutes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[int, tuple[float, Figures]] = {}

    def get(self, services: Services) -> Figures:
        key, now, today = id(services.db), time.monotonic(), law_day(services.clock())
        with self._lock:
            kept = self._found.get(key)
            if kept is None or now - kept[0] > FIGURES_S or kept[1].as_of != today:
                kept = self._found[key] = (now, count(services))
            return kept[1]


_kept = _Kept()
figures = _kept.get


def count(services: Services) -> Figures:
    """Punctuality in the running year; in January of the year before too, which is not judged yet."""
    today = law_day(services.clock())
    since = date(today.year - (today.month == 1), 1, 1)
    with services.db.read() as conn:
        days = calendar(conn)
        tallies = store_shown.tallies(conn, since, today)
        codes = sorted({row.authority_code for row in tallies})[:MAX_AUTHORITIES]
        names = {code: store_shown.authority_name(conn, code) for code in codes}
    rows, whole = rules.timeliness(days, tallies, today, names)
    return Figures(since, today, whole, tuple(rows))


def lists(services: Services) -> tuple[list[tuple[ListKind, int]], list[tuple[ListKind, int]], date]:
    """Official lists, lists of others, each with how many are on it; and the day."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        counts = store.listed_counts(conn, today)
    rows = [(kind, counts.get(kind.id, 0)) for kind in list_rules.kinds().values()]
    return [row for row in rows if row[0].is_official], [row for row in rows if not row[0].is_official], today


def on_list(services: Services, list_id: str, after: tuple[str, ...] | None) -> Entries | None:
    """Who is on a list, newest first; None when there is no such list."""
    kind = list_rules.kinds().get(list_id)
    if kind is None:
        return None
    today = law_day(services.clock())
    with services.db.read() as conn:
        found = store.entries(conn, list_id, today, after=_place(after), limit=PAGE + 1)
    rows = tuple(Entry(kind, row, name) for row, name in found[:PAGE])
    last = found[PAGE - 1][0] if len(found) > PAGE else None
    place = (last.listed_on.isoformat(), last.membership_id) if last and last.listed_on else None
    return Entries(kind, rows, today, place)


def entry(services: Services, membership_id: str) -> Entry | None:
    """One entry that holds today; None for any other."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        found = store.entry(conn, membership_id)
    if found is None or not found[0].holds(today):
        return None
    return Entry(list_rules.kind(found[0].list_id), *found)


def _place(after: tuple[str, ...] | None) -> tuple[date, str] | None:
    return None if after is None else (date.fromisoformat(after[0]), after[1])


def _day(values: dict[str, str], name: str) -> date | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("a day such as 2026-06-01 is needed", where=name) from error
