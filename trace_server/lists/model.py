"""Lists, memberships, measures and answers as values (domain rules §2.6, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ListState(StrEnum):
    """Where a membership stands."""

    PROPOSED = "proposed"
    NOTICED = "noticed"
    LISTED = "listed"
    DROPPED = "dropped"
    """Never listed: the objection was right."""
    REMOVED_EARLY = "removed_early"
    REMOVED_EXPIRED = "removed_expired"
    CURED = "cured"
    REVOKED = "revoked"
    """It was an error: treated as never listed, and everybody who saw it is told."""


class ListEvent(StrEnum):
    """What moves a membership."""

    NOTICE = "notice"
    LIST = "list"
    DROP = "drop"
    REMOVE_EARLY = "remove_early"
    EXPIRE = "expire"
    CURE = "cure"
    REVOKE = "revoke"


class Effect(StrEnum):
    """What a measure does, weakest first."""

    ALLOW = "allow"
    RESTRICT = "restrict"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True)
class ListKind:
    """One list, as `lists.toml` has it."""

    id: str
    title: str
    title_en: str
    fact: str
    is_official: bool
    needs_notice: bool
    objection_working_days: int
    end_months: int
    early_months: int
    legal_basis: str
    effective_from: date
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """What follows from a list in one field, as `measures.toml` has it.

    `acts`: what of the goods' way it covers: making, dispatch, receipt, sale.
    """

    id: str
    list: str
    field: str
    effect: Effect
    title: str
    title_en: str
    department: str
    legal_basis: str
    effective_from: date
    confirmed: bool
    acts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """One subject on one list, from proposal to end."""

    membership_id: str
    list_id: str
    uscc: str
    reason: str
    legal_basis: str
    document_no: str
    issuer: str
    state: ListState
    proposed_by: str
    noticed_at: datetime | None
    objections_until: datetime | None
    listed_on: date | None
    until: date | None
    """Last day by the list's period; None for no fixed end."""
    ended_on: date | None
    end_reason: str
    version: int
    objection: str
    """Id of the objection under way, "" for none."""

    def holds(self, day: date) -> bool:
        """Whether the subject is on the list on `day`."""
        if self.listed_on is None or day < self.listed_on or self.state is ListState.REVOKED:
            return False
        if self.ended_on is not None and day >= self.ended_on:
            return False
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class Restriction:
    """The answer to a check: the heaviest effect, and every measure behind it."""

    uscc: str
    field: str
    effect: Effect
    measures: tuple[tuple[Measure, Membership], ...]
    until: date | None
    """Last day of the longest of them; None when there is none, or one without a fixed end."""


@dataclass(frozen=True, slots=True)
class PageLink:
    """What opens the live page of one check: `until` is a Unix time, `signature` ours."""

    uscc: str
    field: str
    until: int
    signature: str


@dataclass(frozen=True, slots=True)
class Application:
    """Feedback: a department applied a measure, and what came of it."""

    application_id: str
    uscc: str
    measure_id: str
    department: str
    result: str
    reported_by: str
    reported_at: datetime
