"""绿色通道: who may use it on a day, with every condition and what stands against it. A pure function."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from trace_server.credit.grading.model import (
    Commitment,
    Facts,
    GradeRecord,
    GreenChannel,
    Membership,
    Reason,
)
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.grading.scoring import breaks_run, counted_records, months_between, on_red_list

MONTHS_A_YEAR = 12


def green_channel(
    records: Collection[GradeRecord],
    memberships: Collection[Membership],
    commitments: Collection[Commitment],
    facts: Facts,
    policy: GradePolicy,
    as_of: date,
) -> GreenChannel:
    """Eligibility on `as_of` (domain rules §5, green_channel).

    Years are counted back from `as_of` to the day of the decision. A breach of a commitment stands against it while
    it is open and for as many years. Being on the red list replaces the length of registration, nothing else.
    """
    rules = policy.green
    run = rules.years_clean * MONTHS_A_YEAR
    broken = sorted(
        record.record_id
        for record in records
        if record.severity not in rules.ignore_classes
        and breaks_run(record, rules.breaks_run, as_of)
        and months_between(record.decided_on, as_of) < run
    )
    reasons = [Reason("years_clean", not broken, tuple(broken))]
    for kind in rules.not_on:
        refs = tuple(sorted(m.ref for m in memberships if m.kind is kind and m.holds(as_of)))
        reasons.append(Reason(f"not_on_{kind.value}", not refs, refs))
    if rules.no_commitment_breach:
        recent = (c for c in commitments if c.is_breach(as_of))
        breaches = sorted(
            c.ref for c in recent if c.is_open_breach(as_of) or months_between(c.determined_on, as_of) < run
        )
        reasons.append(Reason("no_commitment_breach", not breaches, tuple(breaches)))
    red = on_red_list(memberships, counted_records(records, policy, as_of), as_of) if rules.or_red_list else []
    months = None if facts.registered_on is None else months_between(facts.registered_on, as_of)
    long_enough = months is not None and months >= rules.registered_months_ge
    reasons.append(Reason("registered_months", long_enough or bool(red), tuple(red)))
    eligible = all(reason.met for reason in reasons)
    return GreenChannel(eligible, tuple(reasons), rules.benefits if eligible else ())
