"""Clocks and guards of objections; values in, values out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_core.errors import InputError, NotAllowed
from trace_server.credit.fields import FIELDS
from trace_server.objections.model import Objection, ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.workdays.model import Period, Unit

MAX_TEXT = 4096
MAX_PAPERS = 50
MAX_PAPER = 200
MAX_NAME = 200
MAX_DOCUMENT = 128
CORRECTABLE = frozenset(field.code for field in FIELDS if not field.sealed)
"""Official codes that an objection may mend: an identity document is never written into an objection."""


@lru_cache(maxsize=1)
def clocks() -> tuple[dict[str, Any], ...]:
    """The rows of `clocks.toml`, newest first."""
    rows = tomllib.loads((Path(__file__).parent / "clocks.toml").read_text(encoding="utf-8"))["clock"]
    return tuple(sorted(rows, key=lambda row: row["effective_from"], reverse=True))


def period(state: ObjectionState, day: date) -> Period | None:
    """How long the authority may take in `state` by the rule in force on `day`; None when it is not its turn."""
    for row in clocks():
        if row["state"] == state and row["effective_from"] <= day:
            return Period(row["working_days"], Unit.WORKING_DAYS)
    return None


def require_text(text: str, where: str, most: int = MAX_TEXT) -> str:
    """Raises `InputError` for nothing and for too much."""
    if not 1 <= len(text.strip()) <= most:
        raise InputError(f"1 to {most:,} characters are needed", where=where)
    return text.strip()


def require_papers(papers: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers of papers; there may be none. Raises `InputError`."""
    found = tuple(paper.strip() for paper in papers if paper.strip())
    if len(found) > MAX_PAPERS or any(len(paper) > MAX_PAPER for paper in found):
        raise InputError(f"at most {MAX_PAPERS} papers of {MAX_PAPER} characters", where="papers")
    return found


def require_second(row: Objection, event: ObjectionEvent, actor: str) -> None:
    """Raises `NotAllowed` when the one who proposed also decides, or who raised it finds himself right."""
    if event is ObjectionEvent.UPHOLD and actor == row.proposed_by:
        raise NotAllowed("a second person decides", where="actor", remedy="ask a colleague")
    if event in (ObjectionEvent.PROPOSE, ObjectionEvent.UPHOLD) and actor == row.raised_by:
        raise NotAllowed("who raised an objection does not decide on it", where="actor", remedy="ask a colleague")


def require_remedy(kind: TargetKind, remedy: Remedy, changes: Mapping[str, str]) -> None:
    """Raises `InputError` for a remedy that does not fit what the objection is about."""
    if remedy is Remedy.NONE:
        raise InputError("say whether to correct or to withdraw", where="remedy")
    if kind is TargetKind.LIST and remedy is Remedy.CORRECT:
        raise InputError("a list entry is withdrawn, not corrected", where="remedy")
    corrects_record = kind is TargetKind.RECORD and remedy is Remedy.CORRECT
    if corrects_record != bool(changes):
        remedy_text = "name each field by its official code" if corrects_record else "leave the fields out"
        raise InputError("only a corrected record has corrected fields", where="changes", remedy=remedy_text)
    for code, text in changes.items():
        if code not in CORRECTABLE:
            raise InputError(f"there is no field {code} to correct", where="changes", remedy="credit fields")
        if len(text) > MAX_TEXT:
            raise InputError(f"at most {MAX_TEXT:,} characters", where="changes")


def read_changes(text: str) -> dict[str, str]:
    """`CF_NR_FK = 1`, one field a line, as people type it. Raises `InputError`."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        code, equals, value = line.partition("=")
        if not equals:
            raise InputError("one field a line, like CF_NR_FK=1", where="changes")
        found[code.strip()] = value.strip()
    return found
