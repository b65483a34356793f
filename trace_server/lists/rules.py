"""Lists and measures as data, periods, guards, and the restriction check. Values in, values out."""

from __future__ import annotations

import calendar
import hmac
import tomllib
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_core.errors import InputError, NotAllowed
from trace_server.lists.model import Effect, ListEvent, ListKind, ListState, Measure, Membership, Restriction

MAX_TEXT = 4096
PAGE_LIFE = timedelta(hours=8)
"""How long the page of a check opens: a working day of the desk that asked."""
_ORDER = (Effect.ALLOW, Effect.RESTRICT, Effect.FORBID)


@lru_cache(maxsize=1)
def kinds() -> dict[str, ListKind]:
    """The lists of `lists.toml` by id."""
    return {row["id"]: ListKind(**row) for row in _rows("lists.toml", "list")}


@lru_cache(maxsize=1)
def measures() -> tuple[Measure, ...]:
    """The catalogue of `measures.toml`. Raises `ValueError` for a measure on a list that does not exist."""
    found = tuple(
        Measure(**{**row, "effect": Effect(row["effect"]), "acts": tuple(row.get("acts", ()))})
        for row in _rows("measures.toml", "measure")
    )
    for measure in found:
        if measure.list not in kinds():
            raise ValueError(f"measure {measure.id} stands on an unknown list {measure.list!r}")
    return found


def kind(list_id: str) -> ListKind:
    """Raises `InputError` for a list that does not exist."""
    if list_id not in kinds():
        raise InputError("there is no such list", where="list", remedy=", ".join(kinds()))
    return kinds()[list_id]


def require_text(text: str, where: str) -> str:
    """A sentence or number that stands behind a step. Raises `InputError`."""
    if not 1 <= len(text.strip()) <= MAX_TEXT:
        raise InputError("say why, in up to 4,096 characters", where=where)
    return text.strip()


def add_months(day: date, months: int) -> date:
    """Calendar months later; the last day of the month when there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def early_from(row: Membership) -> date | None:
    """First day on which early removal is possible; None when the list has none or the subject is not on it."""
    months = kind(row.list_id).early_months
    return add_months(row.listed_on, months) if months and row.listed_on is not None else None


def require_step(row: Membership, event: ListEvent, actor: str, today: date, *, objections_over: bool) -> None:
    """Guards of a step beside the table. Raises `NotAllowed` or `InputError`."""
    listed = kind(row.list_id)
    if event is ListEvent.LIST:
        if actor == row.proposed_by:
            raise NotAllowed("a second person decides on a listing", where="actor", remedy="ask a colleague")
        if listed.needs_notice and row.state is not ListState.NOTICED:
            raise NotAllowed("the subject has to be notified first", where="state", remedy="notice")
        if listed.needs_notice and not objections_over:
            raise NotAllowed("the period for objections is not over", where="state", remedy="wait for its end")
    if event is ListEvent.REMOVE_EARLY:
        if not listed.early_months:
            raise InputError("this list has no early removal", where="event")
        first = early_from(row)
        if first is not None and today < first:
            raise InputError(f"early removal is possible from {first}", where="event", remedy="apply then")
    if event is ListEvent.CURE and listed.end_months:
        raise InputError("only a list without a period is left by cure", where="event", remedy="remove_early")
    if event is ListEvent.EXPIRE and (row.until is None or today <= row.until):
        raise InputError("its period is not over", where="event")


def restriction(uscc: str, field: str, day: date, members: Iterable[Membership]) -> Restriction:
    """What `uscc` may do in `field` ("" for all fields) on `day`, by every list it is on."""
    found = tuple(
        (measure, row)
        for row in members
        if row.uscc == uscc and row.holds(day)
        for measure in measures()
        if measure.list == row.list_id and measure.effective_from <= day and field in ("", measure.field)
    )
    effect = max((measure.effect for measure, _ in found), key=_ORDER.index, default=Effect.ALLOW)
    ends = [row.until for _, row in found]
    until = None if not ends or None in ends else max(end for end in ends if end is not None)
    return Restriction(uscc, field, effect, found, until)


def page_signature(key: bytes, uscc: str, field: str, until: int) -> str:
    """Stands for: somebody who may check asked for this page, with a purpose that is on record."""
    text = f"{uscc}\n{until}\n{field}".encode()
    return hmac.digest(key, text, "sha256")[:16].hex()


def _rows(file: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))[name]
    return rows
