"""What became of goods, whether sums close, which periods run. Pure."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from trace_core.errors import InputError
from trace_server.recall.model import (
    Affected,
    ClassPolicy,
    GoodsStatus,
    HolderNotice,
    Line,
    Milestone,
    Recall,
    Reconciliation,
)
from trace_server.trace.model import EventRow
from trace_server.trace.rules import step_name
from trace_server.workdays.model import Calendar, Period, Unit
from trace_server.workdays.rules import LEGAL_TIME, deadline

MAX_SHORTFALL_PERCENT = 2.0
"""domain.md D42: more than this is not made up for."""
PIECES = frozenset({"", "EA", "H87"})
"""Units that are counted one by one (UN/ECE rec. 20)."""
_SOLD = frozenset({"retail_selling", "dispensing", "retail_sold", "dispensed"})
_DESTROYED = frozenset({"destroying", "destroyed", "disposed"})
_SHIPPED_FILE = "policy.toml"


def status_of(newest: EventRow | None, place: str, *, is_used: bool) -> GoodsStatus:
    """By the newest event about the thing or what it is in; `is_used`: a transformation took it."""
    if is_used:
        return GoodsStatus.USED
    if newest is None:
        return GoodsStatus.UNKNOWN
    said = {step_name(newest.biz_step), step_name(newest.disposition)}
    for words, status in (
        (_DESTROYED, GoodsStatus.DESTROYED),
        (_SOLD, GoodsStatus.SOLD),
        (frozenset({"returned"}), GoodsStatus.RETURNED),
    ):
        if said & words:
            return status
    return GoodsStatus.IN_STOCK if place else GoodsStatus.UNKNOWN


def pieces(row: Affected) -> int:
    """How many pieces this row stands for; 0 for boxes, and for bulk goods that are weighed or measured."""
    return pieces_of(row.quantity, row.uom, counts=row.counts)


def pieces_of(quantity: str, uom: str, *, counts: bool) -> int:
    """The same of the facts of a row."""
    return round(float(quantity or 0)) if counts and uom in PIECES else 0


def reconcile(rows: Sequence[Affected], notices: Iterable[HolderNotice]) -> Reconciliation:
    """Sums by holder and status. An answer counts before what events say of its holder."""
    by_holder: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        by_holder[row.holder][row.status.value] += pieces(row)
    return reconcile_sums(by_holder, notices)


def reconcile_sums(by_holder: Mapping[str, Counter[str]], notices: Iterable[HolderNotice]) -> Reconciliation:
    """The same of pieces by holder and status; holder "": nobody is known to have them."""
    told = {notice.holder: notice for notice in notices}
    lines = tuple(
        _line(holder, by_holder.get(holder, Counter()), told.get(holder))
        for holder in sorted({*by_holder, *told})
        if holder
    )
    total = Counter[str]()
    for counted in by_holder.values():
        total.update(counted)
    affected = sum(total.values())
    settled = _used(total) + sum(_settled(line) for line in lines) + _settled_by_events(by_holder.get("", Counter()))
    unaccounted = sum(
        max(0, line.things - line.by_status.get("used", 0) - line.answer.total)
        if line.answer is not None
        else line.by_status.get("unknown", 0)
        for line in lines
    ) + by_holder.get("", Counter()).get("unknown", 0)
    unanswered = tuple(sorted(holder for holder, notice in told.items() if notice.answer is None))
    over = any(line.difference or (line.things and line.answer is None) for line in lines)
    return Reconciliation(
        affected=affected,
        by_status={status.value: total.get(status.value, 0) for status in GoodsStatus},
        lines=lines,
        unanswered=unanswered,
        unaccounted=unaccounted,
        shortfall_percent=round(100 * max(0, affected - settled) / affected, 2) if affected else 0.0,
        closes=not (unanswered or unaccounted or over),
    )


def _line(holder: str, counted: Counter[str], notice: HolderNotice | None) -> Line:
    things = sum(counted.values())
    answer = notice.answer if notice is not None else None
    by_status = {status.value: counted.get(status.value, 0) for status in GoodsStatus}
    difference = None if answer is None else answer.total - (things - by_status["used"])
    return Line(holder, by_status, things, answer, difference)


def _settled(line: Line) -> int:
    """Recovered, destroyed, or proven sold: what still stands in a shop is not."""
    if line.answer is None:
        return _settled_by_events(Counter(line.by_status))
    claimed = line.answer.returned + line.answer.destroyed + line.answer.sold
    return min(claimed, line.things - line.by_status.get("used", 0))


def _settled_by_events(counted: Counter[str]) -> int:
    return counted["returned"] + counted["destroyed"] + counted["sold"]


def _used(counted: Counter[str]) -> int:
    return counted["used"]


def milestones(recall: Recall, calendar: Calendar, now: datetime) -> tuple[Milestone, ...]:
    """The periods of the recall's class: to be announced and the holders told, and to be done."""
    rule = policy_of(recall.category, recall.level, recall.created_at.astimezone(LEGAL_TIME).date())
    found = [_milestone("start", recall.created_at, rule.start, recall.notified_at, rule, calendar, now)]
    if rule.finish is not None and recall.announced_at is not None:
        done = recall.reconciled_at
        found.append(_milestone("finish", recall.announced_at, rule.finish, done, rule, calendar, now))
    return tuple(found)


def _milestone(
    name: str,
    begins: datetime,
    period: Period,
    done_at: datetime | None,
    rule: ClassPolicy,
    calendar: Calendar,
    now: datetime,
) -> Milestone:
    due = deadline(calendar, begins, period)
    return Milestone(name, due.at, due.is_confirmed, done_at, (done_at or now) >= due.at, rule.basis)


@cache
def policies() -> tuple[tuple[date, ClassPolicy], ...]:
    """The periods that came with the program, with the day from which each holds."""
    text = files(__package__).joinpath(_SHIPPED_FILE).read_text(encoding="utf-8")
    found = []
    for row in tomllib.loads(text)["policy"]:
        for place, start in enumerate(row["start"]):
            finish = _period(row["finish"][place]) if row["finish"] else None
            rule = ClassPolicy(row["category"], place + 1, _period(start), finish, row["basis"])
            found.append((date.fromisoformat(row["valid_from"]), rule))
    return tuple(found)


def policy_of(category: str, level: int, day: date) -> ClassPolicy:
    """The rule in force on `day`. Raises `InputError` for a category or class that has none."""
    found = [
        (since, rule)
        for since, rule in policies()
        if rule.category == category and rule.level == level and since <= day
    ]
    if not found:
        known = sorted({rule.category for _, rule in policies()})
        raise InputError(
            f"there is no rule for class {level} of {category!r:.40}",
            where="level",
            remedy=f"class 1 to 3 of {', '.join(known)}",
        )
    return max(found, key=lambda one: one[0])[1]


def _period(text: str) -> Period:
    amount, unit = text.split()
    return Period(int(amount), Unit(unit))
