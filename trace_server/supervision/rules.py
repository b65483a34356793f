"""How many visits a grade asks for, and the draw `suyuan-draw-1`: pure, so that anybody can repeat it.

The draw (docs/how-to/inspection-plan.md says the same for people):

1. seed = SHA-256 of the lines "suyuan-draw-1", plan id, secret, word; written as 64 hexadecimal digits. SHA-256 of
   the secret was published before; the word was added by another person at the draw.
2. Rank of a subject: SHA-256 of the lines seed, "subject", code. Of an inspector for a visit: of the lines seed,
   "inspector", number of the visit, name of the inspector.
3. Each level is a stratum. Its visits: subjects × visits a year × days of the period ÷ 365, rounded up. Every subject
   gets visits ÷ subjects, rounded down; of the rest the lowest ranks get one more. A subject whose frequency was set
   by hand is a stratum of its own.
4. Of `n` drawn subjects in order of rank, visit `v` (from 0) of the `p`-th (from 1), who gets `c`, is due on day
   (v × n + p) × days ÷ (c × n), rounded up: spread evenly for each and for all. Visits are numbered by day, then rank.
5. Each visit gets two inspectors: those with the fewest visits so far, of equal ones the lowest rank.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from trace_core.errors import InputError, NotAllowed
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.store.grades import GradedSubject
from trace_server.supervision.model import Candidate, Finding, Inspector, Intensity, PlanFields, Result, Visit

ALGORITHM = "suyuan-draw-1"
PAIR = 2
"""Inspectors a visit: 行政处罚法(2021) article 42 wants at least two."""
DAYS_A_YEAR = 365
MAX_DAYS = 366
MAX_YEARLY = 52
MAX_TITLE = 200
MAX_WORDS = 2000
_REGION = re.compile(r"\d{6}")
_SECRET = re.compile(r"[0-9a-f]{64}")


def checked(fields: PlanFields) -> PlanFields:
    """Raises `InputError` naming the field."""
    checked_fields = replace(
        fields,
        title=require_words(fields.title, "title", MAX_TITLE),
        content=require_words(fields.content, "content"),
        method=require_words(fields.method, "method"),
        legal_basis=require_words(fields.legal_basis, "legal_basis"),
    )
    if not _REGION.fullmatch(fields.region):
        raise InputError("a region is six digits", where="region", remedy="GB/T 2260, like 320902")
    days = period_days(fields)
    if not 1 <= days <= MAX_DAYS:
        raise InputError("a period is 1 to 366 days", where="period_to")
    return checked_fields


def period_days(fields: PlanFields) -> int:
    """Days of the period, both ends counted."""
    return (fields.period_to - fields.period_from).days + 1


def require_words(text: str, where: str, most: int = MAX_WORDS) -> str:
    """Raises `InputError` for nothing and for too much."""
    if not 1 <= len(text.strip()) <= most:
        raise InputError(f"1 to {most:,} characters are needed", where=where)
    return text.strip()


def require_region(region: str, regions: Collection[str]) -> None:
    """Raises `NotAllowed` for a region outside somebody's own; no own regions: the whole city."""
    if regions and region not in regions:
        raise NotAllowed("this is outside your regions", where="region")


def is_below(region: str, wanted: str) -> bool:
    """`region` is `wanted`, or below it when that ends in zeros (320900: the whole city)."""
    if wanted.endswith("0000"):
        return region.startswith(wanted[:2])
    return region.startswith(wanted[:4]) if wanted.endswith("00") else region == wanted


def candidates(subjects: Sequence[GradedSubject], policy: GradePolicy, fields: PlanFields) -> list[Candidate]:
    """Every graded subject of the region with the frequency of its level; a level without a task: none."""
    found = []
    for one in subjects:
        if not is_below(one.region, fields.region):
            continue
        task = policy.supervision.get(one.level)
        least, most = (0, 0) if task is None else (task.inspections_min, task.inspections_max)
        yearly = least if fields.intensity is Intensity.LEAST else most
        sampling = "0" if task is None else f"{task.sampling:f}"
        found.append(Candidate(one.uscc, one.name, one.region, one.level, yearly, sampling))
    return found


def changed(candidate: Candidate, yearly: int, reason: str, actor: str) -> Candidate:
    """Another frequency for one subject, with its reason (四(三): override needs a reason). Raises `InputError`."""
    if not 0 <= yearly <= MAX_YEARLY:
        raise InputError("0 to 52 inspections a year", where="yearly")
    return replace(candidate, yearly=yearly, reason=require_words(reason, "reason"), changed_by=actor)


def subjects_digest(found: Sequence[Candidate]) -> str:
    """SHA-256 of the list as `subject_lines` writes it."""
    return _sha(subject_lines(found))


def subject_lines(found: Sequence[Candidate]) -> list[str]:
    """One line a subject, by code: code, level, visits a year, 1 when set by hand."""
    rows = sorted(found, key=lambda one: one.uscc)
    return [f"{one.uscc} {one.level} {one.yearly} {int(one.is_fixed)}" for one in rows]


def inspectors_digest(names: Collection[str]) -> str:
    """SHA-256 of the names, one a line, sorted."""
    return _sha(sorted(names))


def commitment_of(secret: str) -> str:
    """What is published of the secret before the draw."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seed_of(plan_id: str, secret: str, word: str) -> str:
    """The seed. Raises `InputError` for a secret of another form or an empty word."""
    if not _SECRET.fullmatch(secret):
        raise InputError("a secret is 64 hexadecimal digits", where="secret")
    word = require_words(word, "word", MAX_TITLE)
    if "\n" in word:
        raise InputError("the word is one line", where="word")
    return _sha([ALGORITHM, plan_id, secret, word])


def draw(found: Sequence[Candidate], inspectors: Sequence[str], fields: PlanFields, seed: str) -> list[Visit]:
    """The visits of a plan. The same arguments give the same visits, in whatever order the lists come."""
    days = period_days(fields)
    given = _visits(found, days, seed)
    visits: list[tuple[date, str, str]] = []
    for place, (rank, uscc) in enumerate(sorted((_rank(seed, "subject", uscc), uscc) for uscc in given), start=1):
        parts = given[uscc] * len(given)
        ends = [-(-(number * len(given) + place) * days // parts) for number in range(given[uscc])]
        visits += [(fields.period_from + timedelta(days=end - 1), rank, uscc) for end in ends]
    load: Counter[str] = Counter()
    drawn = []
    for number, (due_on, _, uscc) in enumerate(sorted(visits), start=1):
        pair = _pair(sorted(inspectors), load, seed, number)
        load.update(pair)
        drawn.append(Visit(number, uscc, due_on, pair))
    return drawn


def expected(found: Sequence[Candidate], fields: PlanFields) -> dict[str, tuple[int, int]]:
    """Level → (subjects, visits): what a draw will give, known before it. Set by hand: under the key ""."""
    days = period_days(fields)
    told = {level: (len(rows), _ceil(len(rows) * rows[0].yearly, days)) for level, rows in _strata(found).items()}
    fixed = [one for one in found if one.is_fixed]
    return told | ({"": (len(fixed), sum(_ceil(one.yearly, days) for one in fixed))} if fixed else {})


def checked_result(result: Result, *, today: date, drawn_on: date) -> Result:
    """Raises `InputError` naming the field."""
    if not drawn_on <= result.done_on <= today:
        raise InputError("it was done between the draw and today", where="done_on")
    if result.finding is not Finding.NONE:
        require_words(result.note, "note")
    if (result.finding is Finding.CASE_OPENED) != bool(result.case_id):
        raise InputError("a case belongs to this finding and to no other", where="case_id")
    return replace(result, note=result.note.strip()[:MAX_WORDS])


def proof(
    plan_id: str, fields: PlanFields, secret: str, word: str, found: Sequence[Candidate], inspectors: Sequence[str],
    visits: Sequence[Visit],
) -> dict[str, object]:  # fmt: skip
    """All that repeating a draw takes, and what it gave: the public document, checked by `repeat`."""
    return {
        "algorithm": ALGORITHM,
        "plan_id": plan_id,
        "period_from": fields.period_from.isoformat(),
        "period_to": fields.period_to.isoformat(),
        "commitment": commitment_of(secret),
        "secret": secret,
        "word": word,
        "seed": seed_of(plan_id, secret, word),
        "subjects": subject_lines(found),
        "subjects_digest": subjects_digest(found),
        "inspectors": sorted(inspectors),
        "inspectors_digest": inspectors_digest(inspectors),
        "visits": [[one.number, one.uscc, one.due_on.isoformat(), *one.inspectors] for one in visits],
    }


def repeat(document: Mapping[str, object]) -> list[str]:
    """Draw again from a proof; returns the names of the members that do not come out as it says: [] for a true one.

    Raises `InputError` for a document that is no proof.
    """
    try:
        found = [_candidate(str(line)) for line in _listed(document, "subjects")]
        inspectors = [str(name) for name in _listed(document, "inspectors")]
        period = [date.fromisoformat(str(document[name])) for name in ("period_from", "period_to")]
        plan_id, secret, word = (str(document[name]) for name in ("plan_id", "secret", "word"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("this is no proof of a draw", where=str(error)) from error
    fields = PlanFields("", "", "", "", "", period[0], period[1], Intensity.LEAST)
    visits = draw(found, inspectors, fields, seed_of(plan_id, secret, word))
    made = proof(plan_id, fields, secret, word, found, inspectors, visits)
    return [name for name in made if json.dumps(made[name]) != json.dumps(document.get(name))]


def _visits(found: Sequence[Candidate], days: int, seed: str) -> dict[str, int]:
    """Code → number of visits, above zero."""
    given: dict[str, int] = {}
    for rows in _strata(found).values():
        total = _ceil(len(rows) * rows[0].yearly, days)
        each, rest = divmod(total, len(rows))
        ranked = sorted(rows, key=lambda one: _rank(seed, "subject", one.uscc))
        given.update({one.uscc: each + (place < rest) for place, one in enumerate(ranked)})
    given.update({one.uscc: _ceil(one.yearly, days) for one in found if one.is_fixed})
    return {uscc: count for uscc, count in sorted(given.items()) if count}


def _strata(found: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    strata: dict[str, list[Candidate]] = {}
    for one in sorted(found, key=lambda row: (row.level, row.uscc)):
        if not one.is_fixed:
            strata.setdefault(one.level, []).append(one)
    return strata


def _ceil(yearly: int, days: int) -> int:
    """Visits of a period, rounded up; a leap year is one year."""
    return -(-yearly * min(days, DAYS_A_YEAR) // DAYS_A_YEAR)


def _pair(inspectors: Sequence[str], load: Mapping[str, int], seed: str, number: int) -> tuple[str, ...]:
    ranked = sorted(inspectors, key=lambda name: (load.get(name, 0), _rank(seed, "inspector", str(number), name)))
    return tuple(sorted(ranked[:PAIR]))


def _rank(*words: str) -> str:
    return _sha(words)


def _sha(lines: Collection[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _candidate(line: str) -> Candidate:
    uscc, level, yearly, fixed = line.split(" ")
    return Candidate(uscc, "", "", level, int(yearly), "", "by hand" if fixed == "1" else "")


def _listed(document: Mapping[str, object], name: str) -> list[object]:
    found = document[name]
    if not isinstance(found, list):
        raise TypeError(name)
    return found


def names_of(inspectors: Sequence[Inspector]) -> list[str]:
    """Names in the audit log, as the digest takes them."""
    return [one.actor for one in inspectors]
