"""Facts that authorities state of a subject beside penalties: registration, lists, commitments, recall duties.

One paper, one fact. Lists, commitments and the business register hand theirs in through `grade_facts.state_fact`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from trace_core.errors import InputError
from trace_server.credit.grading.model import (
    Commitment,
    Completeness,
    Facts,
    ListKind,
    Membership,
    Performance,
    RecallFault,
    RecallFinding,
)

MAX_REF = 128
MAX_SOURCE = 200
_PERCENT = re.compile(r"100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?")


class FactKind(StrEnum):
    """What a fact says; stored."""

    REGISTERED = "registered"
    LIST_SERIOUS = "list_serious"
    LIST_ABNORMAL = "list_abnormal"
    LIST_INDUSTRY_BLACK = "list_industry_black"
    LIST_RED = "list_red"
    COMMITMENT_PARTLY = "commitment_partly"
    COMMITMENT_UNFULFILLED = "commitment_unfulfilled"
    RECALL_REFUSED = "recall_refused"
    RECALL_CLASS1_LATE = "recall_class1_late"
    CHAIN_COMPLETENESS = "chain_completeness"


_LISTS = {
    FactKind.LIST_SERIOUS: ListKind.SERIOUS,
    FactKind.LIST_ABNORMAL: ListKind.ABNORMAL,
    FactKind.LIST_INDUSTRY_BLACK: ListKind.INDUSTRY_BLACK,
    FactKind.LIST_RED: ListKind.RED,
}
_COMMITMENTS = {
    FactKind.COMMITMENT_PARTLY: Performance.PARTLY,
    FactKind.COMMITMENT_UNFULFILLED: Performance.UNFULFILLED,
}
_RECALLS = {FactKind.RECALL_REFUSED: RecallFault.REFUSED, FactKind.RECALL_CLASS1_LATE: RecallFault.CLASS1_LATE}


@dataclass(frozen=True, slots=True)
class StatedFact:
    """One fact with its paper. `until_day` is its last day; for a commitment the day it was made good."""

    uscc: str
    kind: FactKind
    ref: str
    from_day: date
    until_day: date | None
    percent: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All facts of a subject in the form that grading takes them."""

    memberships: tuple[Membership, ...]
    commitments: tuple[Commitment, ...]
    facts: Facts


def check_fact(fact: StatedFact) -> None:
    """Raises `InputError` naming the member that does not fit."""
    faults = (
        ("ref", not 1 <= len(fact.ref.strip()) <= MAX_REF, "a paper with a number stands behind every fact"),
        ("source", not 1 <= len(fact.source.strip()) <= MAX_SOURCE, "somebody has stated it"),
        ("until_day", fact.until_day is not None and fact.until_day < fact.from_day, "it ends before it begins"),
    )
    for where, is_wrong, what in faults:
        if is_wrong:
            raise InputError(what, where=where)
    if fact.kind is FactKind.CHAIN_COMPLETENESS:
        if fact.percent is None or not _PERCENT.fullmatch(fact.percent):
            raise InputError("a completeness is a percentage like 98.5", where="percent")
        if fact.until_day is None:
            raise InputError("a certificate of completeness ends", where="until_day")
    elif fact.percent is not None:
        raise InputError("only a completeness has a percentage", where="percent")


def standing(stated: Iterable[StatedFact]) -> Standing:
    """Sort facts by what they are; of several registrations the earliest counts."""
    found = list(stated)
    registrations = [fact.from_day for fact in found if fact.kind is FactKind.REGISTERED]
    return Standing(
        memberships=tuple(
            Membership(_LISTS[f.kind], f.ref, f.from_day, f.until_day) for f in found if f.kind in _LISTS
        ),
        commitments=tuple(
            Commitment(f.ref, _COMMITMENTS[f.kind], f.from_day, f.until_day) for f in found if f.kind in _COMMITMENTS
        ),
        facts=Facts(
            registered_on=min(registrations, default=None),
            recalls=tuple(
                RecallFinding(_RECALLS[f.kind], f.ref, f.from_day, f.until_day) for f in found if f.kind in _RECALLS
            ),
            completeness=tuple(
                Completeness(f.ref, Decimal(f.percent), f.from_day, f.until_day)
                for f in found
                if f.kind is FactKind.CHAIN_COMPLETENESS and f.percent is not None and f.until_day is not None
            ),
        ),
    )
