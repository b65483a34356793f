"""Guards and deadlines of cases; values in, values out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from trace_core.errors import InputError, NotAllowed
from trace_core.ids import uscc
from trace_server.cases.model import Actor, Case, CaseEvent, CaseState
from trace_server.cases.states import SECOND_PERSON, WITH_DOCUMENT
from trace_server.workdays.model import Calendar, Period, Unit
from trace_server.workdays.rules import LEGAL_TIME, deadline

CATEGORIES = ("food", "drug", "special_equipment", "agricultural", "consumer", "gi")
MAX_TITLE = 200
MAX_TEXT = 4096
MAX_ALERTS = 500
"""Alerts of one case; more are another case."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A period that the law gives a state, with its basis; `is_confirmed`: the office has checked it."""

    state: CaseState
    period: Period
    what: str
    what_zh: str
    legal_basis: str
    effective_from: date
    is_confirmed: bool


@lru_cache(maxsize=1)
def deadlines() -> tuple[Rule, ...]:
    """The dated periods of `deadlines.toml`, newest first."""
    document = tomllib.loads((Path(__file__).parent / "deadlines.toml").read_text(encoding="utf-8"))
    rules = [
        Rule(
            state=CaseState(row["state"]),
            period=Period(row["amount"], Unit(row["unit"])),
            what=row["what"],
            what_zh=row["what_zh"],
            legal_basis=row["legal_basis"],
            effective_from=row["effective_from"],
            is_confirmed=row["confirmed"],
        )
        for row in document["deadline"]
    ]
    return tuple(sorted(rules, key=lambda rule: rule.effective_from, reverse=True))


def rule_of(state: CaseState, day: date) -> Rule | None:
    """The period in force for `state` on `day`."""
    return next((rule for rule in deadlines() if rule.state is state and rule.effective_from <= day), None)


def due(calendar: Calendar, case: Case, state: CaseState, now: datetime) -> tuple[datetime | None, bool]:
    """When what `state` waits for is due, and whether the calendar is confirmed for it.

    The 90 days of a filed case run on through investigation and proposal.
    """
    if state in (CaseState.INVESTIGATING, CaseState.PROPOSED):
        return case.due_at, case.due_confirmed
    rule = rule_of(state, now.astimezone(LEGAL_TIME).date())
    if rule is None:
        return None, True
    found = deadline(calendar, now, rule.period)
    return found.at, found.is_confirmed and rule.is_confirmed


def new_case_fields(title: str, subject: str, category: str, region: str) -> tuple[str, str]:
    """Title and subject as stored. Raises `InputError` or `IdentifierError`."""
    title = title.strip()
    if not title or len(title) > MAX_TITLE:
        raise InputError(f"a title has 1 to {MAX_TITLE} characters", where="title")
    if category not in CATEGORIES:
        raise InputError("there is no such category", where="category", remedy=", ".join(CATEGORIES))
    if not (len(region) == 6 and region.isascii() and region.isdigit()):
        raise InputError("a region has six digits (GB/T 2260)", where="region", remedy="320900 is the city")
    return title, uscc.parse(subject).code if subject else ""


def require_text(text: str, where: str) -> str:
    """A sentence that says why. Raises `InputError`."""
    if not text.strip():
        raise InputError("say why", where=where, remedy="a sentence that somebody else understands")
    if len(text) > MAX_TEXT:
        raise InputError(f"at most {MAX_TEXT} characters", where=where)
    return text.strip()


def require_step(case: Case, event: CaseEvent, actor: Actor, document_no: str) -> None:
    """Guards of a step beside the table. Raises `NotAllowed` or `InputError`."""
    if event in SECOND_PERSON and actor.name == case.proposed_by:
        raise NotAllowed("a second person decides on a proposal", where="actor", remedy="ask a colleague")
    if event is not CaseEvent.RECEIVE and event is not CaseEvent.REFUSE and actor.department != case.department:
        raise NotAllowed(
            "the case is another department's", where="department", remedy=f"it lies with {case.department}"
        )
    if event in WITH_DOCUMENT and not document_no.strip():
        raise InputError("this step rests on a numbered paper", where="document_no", remedy="give its 文号")


def require_scope(case: Case, actor: Actor) -> None:
    """Raises `NotAllowed` for a case outside the regions and categories of `actor`."""
    if not in_scope(case.region, case.category, actor):
        raise NotAllowed("the case is outside your regions or categories", where="case_id")


def in_scope(region: str, category: str, actor: Actor) -> bool:
    """A region of the scope covers its counties: 320900 covers 3209xx."""
    by_region = not actor.regions or any(region.startswith(one.rstrip("0")) for one in actor.regions)
    return by_region and (not actor.categories or category in actor.categories)
