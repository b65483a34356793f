"""Read grading policies: TOML documents, checked whole, with the place in the file that is at fault."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from trace_core.errors import ConfigError
from trace_server.credit.grading.model import ListKind, Supervision
from trace_server.credit.grading.policy import (
    Bonus,
    BonusWhen,
    Cap,
    CapWhen,
    GradePolicy,
    GreenRules,
    LegalBasis,
    Level,
    NotRated,
    Repeat,
    Status,
    TimeWeight,
)
from trace_server.credit.model import CATEGORIES, Severity, State
from trace_server.credit.policy_table import PolicyTable, parse_toml
from trace_server.credit.regimes import GRADE_PREFIX

MAX_MONTHS = 1200
NEVER_INPUT = (
    "alerts",
    "unconfirmed_cases",
    "complaints",
    "public_query_counts",
    "device_faults",
    "data_rejections",
)
"""A policy repeats these, so that its reader sees them; the calculation has no parameter that could take one."""
_ROOT = (
    "id",
    "version",
    "status",
    "title",
    "title_en",
    "basis",
    "scheme",
    "effective_from",
    "effective_to",
    "base",
    "floor",
    "cap",
    "never_input",
    "deduction",
    "category_factor",
    "repeat",
    "time_weight",
    "zero_weight_states",
    "commitment",
    "bonus",
    "level",
    "level_cap",
    "not_rated",
    "supervision",
    "green_channel",
    "legal_basis",
)


@lru_cache(maxsize=1)
def shipped_policies() -> tuple[GradePolicy, ...]:
    """The grading policies in the package. Raises `ConfigError` naming file and member when one does not fit."""
    return load_policies(files("trace_server.credit") / "policy")


def shipped_text() -> str:
    """The document of the shipped default."""
    return (files("trace_server.credit") / "policy" / "grade-default.toml").read_text(encoding="utf-8")


def load_policies(folder: Traversable) -> tuple[GradePolicy, ...]:
    """Read every `grade-*.toml` of a folder, by name. Raises `ConfigError`."""
    entries = sorted((e for e in folder.iterdir() if e.name.startswith(GRADE_PREFIX)), key=lambda e: e.name)
    found = tuple(parse_policy(e.name, e.read_bytes()) for e in entries if e.name.endswith(".toml"))
    names = [(policy.id, policy.version.partition("-")[0]) for policy in found]
    if len(set(names)) < len(names):
        raise ConfigError("two grading policies have the same id and version", where=f"{GRADE_PREFIX}*.toml")
    return found


def parse_policy(name: str, text: bytes) -> GradePolicy:
    """One policy document. `name` says in errors where it stands. Raises `ConfigError`."""
    root = parse_toml(name, text)
    root.only(*_ROOT)
    root.names("never_input", NEVER_INPUT)
    if set(root.texts("never_input")) != set(NEVER_INPUT):
        raise ConfigError(f"never_input must name {NEVER_INPUT}", where=name, remedy="a scan never lowers a grade")
    commitment, bonus = root.table("commitment"), root.table("bonus")
    commitment.only("partly", "unfulfilled")
    bonus.only("max", "item")
    levels = _levels(root)
    not_rated = _not_rated(root.table("not_rated"))
    policy = GradePolicy(
        id=root.text("id"),
        version=f"{root.whole('version')}-{hashlib.sha256(text).hexdigest()[:12]}",
        status=Status(_one(root, "status", tuple(Status))),
        title=root.text("title"),
        title_en=root.text("title_en"),
        basis=root.text("basis"),
        scheme=root.text("scheme"),
        effective_from=root.day("effective_from"),
        effective_to=root.day_or_none("effective_to"),
        base=root.number("base"),
        floor=root.number("floor"),
        cap=root.number("cap"),
        deduction={Severity(key): value for key, value in root.numbers("deduction", tuple(Severity)).items()},
        category_factor=root.numbers("category_factor", CATEGORIES),
        repeat=_repeat(root.table("repeat")),
        time_weights=_time_weights(root),
        zero_weight_states=_states(root, "zero_weight_states"),
        commitment_partly=commitment.number("partly"),
        commitment_unfulfilled=commitment.number("unfulfilled"),
        bonus_max=bonus.number("max"),
        bonuses=tuple(_bonus(table) for table in bonus.tables("item")),
        levels=levels,
        caps=tuple(_cap(table, levels) for table in root.tables("level_cap")),
        not_rated=not_rated,
        supervision=_supervision(root.table("supervision"), (*(level.id for level in levels), not_rated.label)),
        green=_green(root.table("green_channel")),
        bases=tuple(_basis(table) for table in root.tables("legal_basis")),
    )
    _check(policy, name)
    return policy


def _check(policy: GradePolicy, name: str) -> None:
    """What holds between members. Each sentence is a promise that the calculation rests on."""
    faults = {
        "floor ≤ base ≤ cap": policy.floor <= policy.base <= policy.cap,
        "the last level begins at the floor": policy.levels[-1].from_score <= policy.floor,
        "no counted state has weight zero": not policy.repeat.count_states & policy.zero_weight_states,
        "effective_from ≤ effective_to": policy.effective_to is None or policy.effective_from <= policy.effective_to,
        "the label of subjects not rated is no level": all(
            level.id != policy.not_rated.label for level in policy.levels
        ),
        # A further, worse or repeated record must never help.
        "a repeat weighs at least as much": policy.repeat.factor >= 1,
        "minor ≤ general ≤ serious": policy.deduction[Severity.MINOR]
        <= policy.deduction[Severity.GENERAL]
        <= policy.deduction[Severity.SERIOUS],
    }
    for sentence, holds in faults.items():
        if not holds:
            raise ConfigError(f"this does not hold: {sentence}", where=name, remedy="mend the policy file")
    unknown = sorted({rule for basis in policy.bases for rule in basis.rules} - set(policy.rules))
    if unknown:
        raise ConfigError(f"legal_basis names rules that are not here: {unknown}", where=name, remedy="mend the names")


def _one(table: PolicyTable, name: str, allowed: tuple[str, ...]) -> str:
    text = table.text(name)
    if text not in allowed:
        raise ConfigError(f"{name} does not know {text!r}", where=table.where, remedy=f"one of {allowed}")
    return text


def _months(table: PolicyTable, name: str) -> int:
    months = table.whole(name)
    if not 0 <= months <= MAX_MONTHS:
        raise ConfigError(f"{name} is between 0 and {MAX_MONTHS} months", where=table.where)
    return months


def _states(table: PolicyTable, name: str) -> frozenset[State]:
    return frozenset(State(text) for text in table.names(name, tuple(State)))


def _repeat(table: PolicyTable) -> Repeat:
    table.only("window_months", "same_type_factor", "count_states")
    states = _states(table, "count_states")
    if not states <= {State.CONFIRMED, State.PUBLISHED}:
        raise ConfigError("only confirmed and published records can count", where=table.where)
    return Repeat(_months(table, "window_months"), table.number("same_type_factor"), states)


def _time_weights(root: PolicyTable) -> tuple[TimeWeight, ...]:
    found = []
    for table in root.tables("time_weight"):
        table.only("lt_months", "weight")
        found.append(TimeWeight(_months(table, "lt_months"), table.number("weight")))
    months = [row.lt_months for row in found]
    weights = [row.weight for row in found]
    if not found or months != sorted(set(months)) or weights != sorted(weights, reverse=True):
        raise ConfigError("time_weight goes from young and heavy to old and light", where=root.where)
    return tuple(found)


def _bonus(table: PolicyTable) -> Bonus:
    table.only("when", "points", "at_least_percent")
    when = BonusWhen(_one(table, "when", tuple(BonusWhen)))
    measured = when is BonusWhen.COMPLETENESS
    return Bonus(when, table.number("points"), table.number("at_least_percent") if measured else None)


def _levels(root: PolicyTable) -> tuple[Level, ...]:
    found = []
    for table in root.tables("level"):
        table.only("id", "name", "name_en", "from_score")
        found.append(Level(table.text("id"), table.text("name"), table.text("name_en"), table.number("from_score")))
    scores = [level.from_score for level in found]
    if not found or scores != sorted(set(scores), reverse=True) or len({level.id for level in found}) < len(found):
        raise ConfigError("levels go from the best down, each with its own id and score", where=root.where)
    return tuple(found)


def _cap(table: PolicyTable, levels: tuple[Level, ...]) -> Cap:
    table.only("when", "level")
    return Cap(CapWhen(_one(table, "when", tuple(CapWhen))), _one(table, "level", tuple(level.id for level in levels)))


def _not_rated(table: PolicyTable) -> NotRated:
    table.only("if_registered_months_lt", "label", "name", "name_en")
    return NotRated(
        _months(table, "if_registered_months_lt"), table.text("label"), table.text("name"), table.text("name_en")
    )


def _supervision(table: PolicyTable, levels: tuple[str, ...]) -> Mapping[str, Supervision]:
    table.only(*levels)
    found = {}
    for level in table.members:
        row = table.table(level)
        row.only("inspections_min", "inspections_max", "sampling", "checkpoint")
        task = Supervision(
            row.whole("inspections_min"),
            row.whole("inspections_max"),
            row.number("sampling"),
            _one(row, "checkpoint", ("sample", "full_read")),
        )
        if not 0 <= task.inspections_min <= task.inspections_max:
            raise ConfigError("0 ≤ inspections_min ≤ inspections_max does not hold", where=row.where)
        found[level] = task
    missing = [level for level in levels[:-1] if level not in found]
    if missing:
        raise ConfigError(f"supervision has no row for {missing}", where=table.where)
    return found


def _green(table: PolicyTable) -> GreenRules:
    table.only(
        "years_clean",
        "breaks_run",
        "ignore_classes",
        "not_on",
        "no_commitment_breach",
        "registered_months_ge",
        "or_red_list",
        "benefits",
    )
    years = table.whole("years_clean")
    if not 0 <= years <= MAX_MONTHS // 12:
        raise ConfigError("years_clean is out of range", where=table.where)
    return GreenRules(
        years_clean=years,
        breaks_run=_states(table, "breaks_run"),
        ignore_classes=frozenset(Severity(text) for text in table.names("ignore_classes", tuple(Severity))),
        not_on=tuple(ListKind(text) for text in table.names("not_on", tuple(ListKind))),
        no_commitment_breach=table.flag("no_commitment_breach"),
        registered_months_ge=_months(table, "registered_months_ge"),
        or_red_list=table.flag("or_red_list"),
        benefits=table.texts("benefits"),
    )


def _basis(table: PolicyTable) -> LegalBasis:
    table.only("rules", "law", "article", "valid_from", "valid_to")
    found = LegalBasis(
        rules=table.texts("rules"),
        law=table.text("law").strip(),
        article=table.text("article").strip(),
        valid_from=table.day("valid_from"),
        valid_to=table.day_or_none("valid_to"),
    )
    if not (found.rules and found.law and found.article):
        raise ConfigError("a legal basis names its rules, the law and the article", where=table.where)
    return found
