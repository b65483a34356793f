"""Dated policy for severity classes and publication windows, read from the TOML files in `policy/`.

Law changes, so periods and classes are rows with a legal basis and dates, never constants in code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from trace_core.errors import ConfigError
from trace_server.credit.model import CATEGORIES, Procedure, Severity
from trace_server.credit.penalties import PenaltyKind
from trace_server.credit.policy_table import PolicyTable, parse_toml

GENERAL_FILE = "policy.toml"
GRADE_PREFIX = "grade-"
"""Files of this name are grading policies: `grading.policy` reads them, and they leave windows alone."""
MAX_MONTHS = 1200


@dataclass(frozen=True, slots=True)
class Match:
    """Which decisions a row is for; an empty member does not narrow."""

    procedures: frozenset[Procedure]
    only_kinds: frozenset[PenaltyKind]
    any_kind: frozenset[PenaltyKind]
    categories: frozenset[str]
    amount_from_yuan: Decimal | None
    amount_to_yuan: Decimal | None


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """Class of the decisions that `match`, for decisions made from `effective_from` to `effective_to`."""

    severity: Severity
    match: Match
    basis: str
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class WindowRow:
    """Months of display from the day of the decision, for one severity (or all) and the decisions that `match`."""

    severity: Severity | None
    match: Match
    public: bool
    min_months: int
    max_months: int
    until_valid: bool
    """The display lasts at least as long as the penalty itself."""


@dataclass(frozen=True, slots=True)
class Regime:
    """One legal text on publication, with the days it is in force."""

    id: str
    title: str
    title_en: str
    basis: str
    effective_from: date
    effective_to: date | None
    confidence: str
    authority_contains: tuple[str, ...]
    names: Mapping[Severity, str]
    windows: tuple[WindowRow, ...]

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def binds(self, authority_name: str) -> bool:
        return not self.authority_contains or any(part in authority_name for part in self.authority_contains)


@dataclass(frozen=True, slots=True)
class Policy:
    """All rows together; `version` changes with any byte of the files."""

    version: str
    recompute: bool
    severities: tuple[SeverityRow, ...]
    regimes: tuple[Regime, ...]

    def basis(self, day: date) -> str:
        """Names the rules for windows on a day; another text once a rule is edited or comes into force."""
        newest = max((r.effective_from for r in self.regimes if r.effective_from <= day), default=date.min)
        return f"{self.version}@{newest.isoformat()}"

    def regime(self, regime_id: str) -> Regime | None:
        return next((regime for regime in self.regimes if regime.id == regime_id), None)


@lru_cache(maxsize=1)
def shipped_policy() -> Policy:
    """The policy in the package. Raises `ConfigError` naming file and member when a row does not fit."""
    return load_policy(files("trace_server.credit") / "policy")


def load_policy(folder: Traversable) -> Policy:
    """Read `policy.toml` and one file per regime from a folder. Raises `ConfigError`."""
    texts = {
        entry.name: entry.read_bytes()
        for entry in folder.iterdir()
        if entry.name.endswith(".toml") and not entry.name.startswith(GRADE_PREFIX)
    }
    if GENERAL_FILE not in texts:
        raise ConfigError("the credit policy has no general part", where=GENERAL_FILE, remedy="add the file")
    tables = {name: parse_toml(name, text) for name, text in sorted(texts.items())}
    general = tables.pop(GENERAL_FILE)
    transition = general.text("regime_transition")
    if transition not in ("recompute", "keep"):
        raise ConfigError("regime_transition is recompute or keep", where=GENERAL_FILE)
    digest = hashlib.sha256(b"\n".join(name.encode() + b"\n" + texts[name] for name in sorted(texts))).hexdigest()
    return Policy(
        version=f"{general.whole('version')}-{digest[:12]}",
        recompute=transition == "recompute",
        severities=tuple(_severity_row(table) for table in general.tables("severity")),
        regimes=tuple(_regime(table) for table in tables.values()),
    )


def _match(table: PolicyTable) -> Match:
    kinds = tuple(PenaltyKind)
    return Match(
        procedures=frozenset(Procedure(name) for name in table.names("procedures", tuple(Procedure))),
        only_kinds=frozenset(PenaltyKind(name) for name in table.names("only_kinds", kinds)),
        any_kind=frozenset(PenaltyKind(name) for name in table.names("any_kind", kinds)),
        categories=frozenset(table.names("categories", CATEGORIES)),
        amount_from_yuan=table.yuan("amount_from_yuan"),
        amount_to_yuan=table.yuan("amount_to_yuan"),
    )


def _severity(table: PolicyTable, name: str) -> Severity:
    text = table.text(name)
    if text not in tuple(Severity):
        raise ConfigError(f"{name} does not know {text!r}", where=table.where, remedy=f"one of {tuple(Severity)}")
    return Severity(text)


def _severity_row(table: PolicyTable) -> SeverityRow:
    return SeverityRow(
        severity=_severity(table, "class"),
        match=_match(table),
        basis=table.text("basis"),
        effective_from=table.day("effective_from"),
        effective_to=table.day_or_none("effective_to"),
    )


def _window_row(table: PolicyTable) -> WindowRow:
    row = WindowRow(
        severity=_severity(table, "severity") if "severity" in table.members else None,
        match=_match(table),
        public=table.flag("public"),
        min_months=table.whole("min_months"),
        max_months=table.whole("max_months"),
        until_valid=table.flag("until_valid", default=False),
    )
    if not 0 <= row.min_months <= row.max_months <= MAX_MONTHS:
        raise ConfigError("0 ≤ min_months ≤ max_months does not hold", where=table.where)
    return row


def _regime(table: PolicyTable) -> Regime:
    names = table.members.get("names")
    if not isinstance(names, dict) or sorted(names) != sorted(Severity):
        raise ConfigError("names gives each severity its display name", where=table.where)
    return Regime(
        id=table.text("id"),
        title=table.text("title"),
        title_en=table.text("title_en"),
        basis=table.text("basis"),
        effective_from=table.day("effective_from"),
        effective_to=table.day_or_none("effective_to"),
        confidence=table.text("confidence"),
        authority_contains=table.texts("authority_contains"),
        names={severity: str(names[severity]) for severity in Severity},
        windows=tuple(_window_row(row) for row in table.tables("window")),
    )
