"""What a draft, a review and each step need; and the arithmetic of a simulation. Values in, values out."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trace_core.errors import ConfigError, Conflict, InputError, NotAllowed
from trace_server.credit.grading.model import Grade
from trace_server.credit.grading.policy import GradePolicy, Status
from trace_server.credit.grading.reading import parse_policy, shipped_policies
from trace_server.policies.model import (
    Change,
    LevelShare,
    Load,
    Move,
    PolicyEvent,
    PolicyVersion,
    RegionEffect,
    Risk,
    Simulation,
)
from trace_server.policies.states import TRANSITIONS

MAX_TEXT = 100_000
MAX_WORDS = 4000
MAX_RISKS = 50
MAX_CHECKS = 12
MAX_CHECK_DAYS = 1096
MAX_CHANGES = 2000
APPROVERS = 2
NORMAL_95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution, for Wilson's interval."""
_SEED = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One subject under the policy in force and under the draft."""

    uscc: str
    region: str
    before: Grade
    after: Grade
    inputs_hash: str


def parsed(text: str, number: int) -> GradePolicy:
    """The policy of a draft. Raises `InputError` with the place in the text for one that is not right."""
    if len(text) > MAX_TEXT:
        raise InputError("the text is too long", where="text", remedy=f"at most {MAX_TEXT:,} characters")
    try:
        policy = parse_policy("policy", text.encode())
    except ConfigError as error:
        # Whoever wrote the text can mend it: no fault of the server's own files.
        raise InputError(f"{error.where}: {error.what}", where="text", remedy=error.remedy) from error
    shipped = shipped_policies()[0]
    if policy.status is not Status.DRAFT:
        raise InputError("its status is draft until two persons have approved it", where="text")
    if (policy.id, policy.scheme) != (shipped.id, shipped.scheme):
        raise InputError("it is not the grading policy", where="text", remedy=f'id = "{shipped.id}"')
    if policy.version.partition("-")[0] != str(number):
        raise InputError("its version is not its number here", where="text", remedy=f"version = {number}")
    return policy


def draft_text(text: str, number: int, policy: GradePolicy, today: date) -> str:
    """`text` of a policy as the beginning of a draft: number and status changed, rules without a basis named."""
    changed = re.sub(r"(?m)^version\s*=.*$", f"version = {number}", text, count=1)
    changed = re.sub(r"(?m)^status\s*=.*$", 'status = "draft"', changed, count=1)
    missing = policy.without_basis(today)
    if not missing:
        return changed
    names = ", ".join(f'"{rule}"' for rule in missing)
    return (
        changed.rstrip("\n")
        + "\n\n# Without a legal basis these rules cannot come into force. Fill in, and take the marks away;\n"
        + "# one table a law. valid_to = … when it ends.\n"
        + f"# [[legal_basis]]\n# rules = [{names}]\n"
        + '# law = ""\n# article = ""\n# valid_from = 2026-04-01\n'
    )


def require_words(text: str, where: str) -> str:
    """Raises `InputError` for nothing and for too much."""
    if not 1 <= len(text.strip()) <= MAX_WORDS:
        raise InputError(f"1 to {MAX_WORDS:,} characters are needed", where=where)
    return text.strip()


def require_seed(seed: str) -> str:
    """Raises `InputError` unless it can be typed again."""
    if not _SEED.fullmatch(seed):
        raise InputError("a seed is 1 to 64 letters, digits or signs", where="seed")
    return seed


def checked_risks(risks: Sequence[Risk]) -> tuple[Risk, ...]:
    """Every risk with its response. Raises `InputError`."""
    if not 1 <= len(risks) <= MAX_RISKS:
        raise InputError("a review lists its risks", where="risks", remedy=f"1 to {MAX_RISKS}")
    return tuple(Risk(require_words(one.risk, "risks"), require_words(one.response, "risks")) for one in risks)


def checked_days(days: Sequence[int]) -> tuple[int, ...]:
    """On which days after the first the prediction is compared. Raises `InputError`."""
    if not 1 <= len(days) <= MAX_CHECKS or not all(1 <= day <= MAX_CHECK_DAYS for day in days):
        raise InputError("set 1 to 12 days on which it is compared", where="check_after_days", remedy="30, 90, 180")
    return tuple(sorted(set(days)))


def require_approver(row: PolicyVersion, actor: str) -> None:
    """Two persons approve, neither of them the author. Raises `NotAllowed`."""
    if actor == row.created_by:
        raise NotAllowed("the author does not approve", where="actor", remedy="ask a colleague")
    if any(approval.actor == actor for approval in row.approvals):
        raise NotAllowed("a second person approves", where="actor", remedy="ask a colleague")


def require_start(row: PolicyVersion, from_day: date, today: date) -> None:
    """It begins today or later, with a law behind every rule on that day. Raises `InputError`, `Conflict`."""
    if from_day < today:
        raise InputError("a policy does not begin in the past", where="from_day")
    policy = parsed(row.text, row.number)
    missing = policy.without_basis(from_day)
    if missing:
        raise Conflict(
            f"these rules have no legal basis on {from_day}: {', '.join(missing)}",
            where="from_day",
            remedy="return it to draft and name law and article",
        )


def possible(row: PolicyVersion, today: date) -> list[PolicyEvent]:
    """Steps that a person may take from here; the second approval is not one of its own."""
    steps = [event for event in TRANSITIONS[row.state] if event not in (PolicyEvent.SUPERSEDE, PolicyEvent.COMPLETE)]
    begun = row.effective_from is not None and row.effective_from <= today
    return [event for event in steps if not (event is PolicyEvent.WITHDRAW and begun)]


def drawn(codes: Sequence[str], seed: str, count: int) -> list[str]:
    """`count` of the codes, the lowest by SHA-256 of seed and code; in order of the code."""
    ranked = sorted(codes, key=lambda code: hashlib.sha256(f"{seed}\n{code}".encode()).digest())
    return sorted(ranked[:count])


def simulated(  # noqa: PLR0913 – the frame of one run
    outcomes: Sequence[Outcome], current: GradePolicy, draft: GradePolicy, *, run: int, as_of: date, seed: str,
    population: int, made_by: str, made_at: datetime,
) -> Simulation:  # fmt: skip
    """Put one run together; equal outcomes give an equal digest, whoever ran it and when."""
    moves = Counter((one.before.level, one.after.level) for one in outcomes)
    order = {level: rank for rank, level in enumerate(_levels(current, draft))}
    changes = [_change(one) for one in outcomes if one.before.level != one.after.level]
    low, high = interval(len(changes), len(outcomes), is_all=len(outcomes) == population)
    return Simulation(
        run=run,
        as_of=as_of,
        seed=seed,
        population=population,
        simulated=len(outcomes),
        current_version=current.version,
        draft_version=draft.version,
        moves=tuple(
            Move(before, after, count)
            for (before, after), count in sorted(moves.items(), key=lambda m: (order[m[0][0]], order[m[0][1]]))
        ),
        regions=_by_region(outcomes, order),
        load_before=_load(one.before for one in outcomes),
        load_after=_load(one.after for one in outcomes),
        changed=len(changes),
        changed_low=low,
        changed_high=high,
        changes=tuple(changes[:MAX_CHANGES]),
        digest=_digest(outcomes, as_of, seed, population, current, draft),
        made_by=made_by,
        made_at=made_at,
    )


def interval(hits: int, of: int, *, is_all: bool) -> tuple[float, float]:
    """Wilson's 95 % interval of a share in a sample; the share itself when everybody was asked. 0 of 0: (0, 0)."""
    if not of:
        return 0.0, 0.0
    share = hits / of
    if is_all:
        return share, share
    square = NORMAL_95 * NORMAL_95
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def shares(simulation: Simulation, policy: GradePolicy, observed: Mapping[str, int]) -> tuple[LevelShare, ...]:
    """Predicted and observed share of each level."""
    predicted: Counter[str] = Counter()
    for move in simulation.moves:
        predicted[move.after] += move.count
    total, seen = max(simulation.simulated, 1), max(sum(observed.values()), 1)
    return tuple(
        LevelShare(level, predicted[level] / total, observed.get(level, 0) / seen) for level in _levels(policy)
    )


def load_of(policy: GradePolicy, counts: Mapping[str, float]) -> Load:
    """Inspections a year for so many subjects of each level; levels without a task ask for none."""
    tasks = [(policy.supervision[level], count) for level, count in counts.items() if level in policy.supervision]
    return Load(
        round(sum(task.inspections_min * count for task, count in tasks)),
        round(sum(task.inspections_max * count for task, count in tasks)),
    )


def due_day(row: PolicyVersion, after_days: int) -> date | None:
    """When a comparison is due; None before the version has a first day."""
    return None if row.effective_from is None else row.effective_from + timedelta(days=after_days)


def _levels(*policies: GradePolicy) -> list[str]:
    """Best first, those that are not rated last."""
    found: dict[str, None] = {}
    for policy in policies:
        found.update({level.id: None for level in policy.levels})
    for policy in policies:
        found.pop(policy.not_rated.label, None)
        found[policy.not_rated.label] = None
    return list(found)


def _by_region(outcomes: Sequence[Outcome], order: Mapping[str, int]) -> tuple[RegionEffect, ...]:
    counted: dict[str, Counter[int]] = {}
    for one in outcomes:
        step = order[one.after.level] - order[one.before.level]
        counted.setdefault(one.region, Counter())[(step > 0) - (step < 0)] += 1
    return tuple(
        RegionEffect(region, better=found[-1], worse=found[1], same=found[0])
        for region, found in sorted(counted.items())
    )


def _load(grades: Iterable[Grade]) -> Load:
    tasks = [grade.supervision for grade in grades if grade.supervision is not None]
    return Load(sum(task.inspections_min for task in tasks), sum(task.inspections_max for task in tasks))


def _change(one: Outcome) -> Change:
    scores = ["" if grade.score is None else f"{grade.score:f}" for grade in (one.before, one.after)]
    return Change(one.uscc, one.region, one.before.level, one.after.level, *scores)


def _digest(
    outcomes: Sequence[Outcome], as_of: date, seed: str, population: int, current: GradePolicy, draft: GradePolicy
) -> str:
    digest = hashlib.sha256()
    digest.update(f"{as_of.isoformat()}\n{seed}\n{population}\n{current.version}\n{draft.version}\n".encode())
    for one in outcomes:
        digest.update(f"{one.uscc} {one.inputs_hash} {one.before.level} {one.after.level}\n".encode())
    return digest.hexdigest()
