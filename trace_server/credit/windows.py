"""How severe a decision is and how long the public sees it: pure functions of the decision, policy and a day.

The rule in force on the day of the decision applies, a later one when it is milder (行政处罚法 2021 art. 37).
Where two rules are in force together, the later text wins.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal

from trace_core.errors import ConfigError
from trace_server.credit.model import Circumstances, PenaltyDecision, Severity, Window
from trace_server.credit.regimes import Match, Policy, Regime, WindowRow

YUAN_PER_WAN = 10_000


def severity_of(decision: PenaltyDecision, around: Circumstances, policy: Policy) -> Severity:
    """The class the line department gave, else that of the first policy row that fits on the day of the decision."""
    if around.severity is not None:
        return around.severity
    for row in policy.severities:
        in_force = row.effective_from <= decision.decided_on and (
            row.effective_to is None or decision.decided_on <= row.effective_to
        )
        if in_force and _fits(row.match, decision, around):
            return row.severity
    raise ConfigError("no severity row fits", where=f"policy {policy.version}", remedy="add a row without conditions")


def window_of(
    decision: PenaltyDecision, around: Circumstances, severity: Severity, policy: Policy, today: date
) -> Window:
    """The publication window as policy stands on `today`.

    With `regime_transition = recompute` the mildest (earliest longest display) of the regime in force on the
    day of the decision and of those that came into force since; with `keep` the former alone. A shorter end
    that the decision itself names (CF_GSJZQ) is kept. Raises `ConfigError` when no regime covers the decision.
    """
    regimes = [regime for regime in policy.regimes if regime.windows and regime.binds(decision.authority_name)]
    at_the_time = sorted((r for r in regimes if r.in_force(decision.decided_on)), key=lambda r: r.effective_from)
    later = [r for r in regimes if decision.decided_on < r.effective_from <= today]
    candidates = at_the_time[-1:]
    if policy.recompute or not candidates:
        candidates = [*candidates, *later]
    found = [w for r in candidates if (w := _window(r, decision, around, severity)) is not None]
    if not found:
        raise ConfigError(
            "no publication regime covers this decision",
            where=f"policy {policy.version}, {decision.decided_on}",
            remedy="add the regime that was in force to credit/policy",
        )
    return min(found, key=lambda window: (window.max_end, window.min_end, window.public))


def months_after(day: date, months: int) -> date:
    """The same day of the month so many whole calendar months later; the last day where there is none such."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _window(regime: Regime, decision: PenaltyDecision, around: Circumstances, severity: Severity) -> Window | None:
    for row in regime.windows:
        if row.severity in (None, severity) and _fits(row.match, decision, around):
            min_end, max_end = _ends(row, decision)
            return Window(regime.id, row.public, min_end, max_end)
    return None


def _ends(row: WindowRow, decision: PenaltyDecision) -> tuple[date, date]:
    max_end = months_after(decision.decided_on, row.max_months)
    if row.until_valid:
        max_end = max(max_end, decision.valid_until)
    if decision.public_until is not None:
        max_end = min(max_end, decision.public_until)
    return min(months_after(decision.decided_on, row.min_months), max_end), max_end


def _fits(match: Match, decision: PenaltyDecision, around: Circumstances) -> bool:
    kinds = decision.kinds()
    amount = (decision.fine_wan or Decimal(0)) * YUAN_PER_WAN
    return (
        (not match.procedures or around.procedure in match.procedures)
        and (not match.only_kinds or kinds <= match.only_kinds)
        and (not match.any_kind or bool(kinds & match.any_kind))
        and (not match.categories or around.category in match.categories)
        and (match.amount_from_yuan is None or amount >= match.amount_from_yuan)
        and (match.amount_to_yuan is None or amount < match.amount_to_yuan)
    )
