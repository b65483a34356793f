"""What of a decision the public may read, and whether it came there in time. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache

from trace_server.credit.coding import from_codes, masked_name, shared_codes
from trace_server.credit.fields import PERSON
from trace_server.credit.model import Shown, State, Tally, ViolationRecord
from trace_server.credit.publication import clock_on
from trace_server.publicity.model import Decision, Timeliness, Timing, Withdrawal
from trace_server.workdays.model import Calendar, Period, Unit
from trace_server.workdays.rules import LEGAL_TIME, deadline

_IDENTITY_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
"""GB 11643: region, date of birth, serial and check character. No code of a legal person has a date there by design."""
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![0-9A-Za-z])")
MASK = "***"
_NEVER_SHOWN = frozenset({State.DRAFTED, State.NOTICED, State.DISMISSED, State.UNPUBLISHED, State.SUSPENDED,
                          State.WITHDRAWN})  # fmt: skip
"""Not published yet, and nobody is late with it: its class is not shown, or somebody ordered it stopped."""


def without_numbers(text: str) -> str:
    """Text without numbers of identity cards and mobile telephones: a second net below the check for secrets."""
    return _MOBILE.sub(MASK, _IDENTITY_CARD.sub(MASK, text))


def for_public(record: ViolationRecord) -> ViolationRecord:
    """The record as anybody may see it: a person's name masked everywhere, no representative, no such numbers."""
    codes = shared_codes(record.decision)
    kept = {code: without_numbers(text) if code in _FREE else text for code, text in codes.items()}
    kept["CF_CFLB"] = ";".join(record.decision.penalty_kinds)
    for code in _DROPPED:
        kept.pop(code, None)
    return replace(record, decision=from_codes(kept), reason=_reason(record), evidence_ref=None, recorded_by="")


_FREE = frozenset({"CF_XDR_MC", "CF_WFXW", "CF_SY", "CF_YJ", "CF_NR", "CF_NR_ZKDX"})
_DROPPED = frozenset({"CF_FRDB", "BZ"})
"""A representative is a person; remarks are written for colleagues."""


def _reason(record: ViolationRecord) -> str | None:
    if record.reason is None:
        return None
    text = record.reason
    if record.decision.subject_kind == PERSON:
        text = text.replace(record.decision.subject_name, masked_name(record.decision.subject_name))
    return without_numbers(text)


@lru_cache(maxsize=4096)
def due_on(calendar: Calendar, decided_on: date) -> date:
    """Last day on which publication is in time."""
    period = Period(clock_on(decided_on).working_days, Unit.WORKING_DAYS)
    over = deadline(calendar, datetime.combine(decided_on, time(), LEGAL_TIME), period).at
    return date.fromordinal(over.astimezone(LEGAL_TIME).date().toordinal() - 1)


def decision(calendar: Calendar, shown: Shown) -> Decision:
    """A published decision with the state of its clock."""
    last = due_on(calendar, shown.record.decision.decided_on)
    first = shown.published_on or shown.record.effective_at.astimezone(LEGAL_TIME).date()
    timing = Timing.ON_TIME if first <= last else Timing.LATE
    return Decision(for_public(shown.record), shown.published_on, last, timing)


def withdrawal(record: ViolationRecord) -> Withdrawal:
    """The notice that takes the place of a withdrawn decision."""
    return Withdrawal(
        record_id=record.record_id,
        decision_no=record.decision.decision_no,
        authority_name=record.decision.authority_name,
        source_name=record.decision.source_name,
        withdrawn_at=record.effective_at,
        reason=_reason(record) or "",
        document=record.document or "",
    )


def timeliness(
    calendar: Calendar, tallies: Sequence[Tally], today: date, names: Mapping[str, str]
) -> tuple[list[Timeliness], Timeliness]:
    """Each authority, the worst share first, and all together. Decisions that need not be published do not count."""
    dues = {day: due_on(calendar, day) for day in {row.decided_on for row in tallies}}
    found: dict[str, list[int]] = {}
    for row in tallies:
        last = dues[row.decided_on]
        if row.published_on is not None:
            place = 0 if row.published_on <= last else 1
        elif row.state in _NEVER_SHOWN:
            continue
        else:
            place = 2 if today > last else 3
        found.setdefault(row.authority_code, [0, 0, 0, 0])[place] += row.count
    rows = [Timeliness(code, names.get(code, ""), *counts) for code, counts in found.items()]
    whole = Timeliness("", "", *(sum(counts[place] for counts in found.values()) for place in range(4)))
    return sorted(rows, key=_worst_first), whole


def _worst_first(row: Timeliness) -> tuple[float, str]:
    return (row.on_time / row.due if row.due else 1.0, row.authority_code)
