"""How much a report is worth: a pure function over the dated policy of `rewards.toml`.

Source: 市场监管领域重大违法行为举报奖励暂行办法 (2021-12-01), domain rules §2.8.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path

from trace_core.errors import InputError
from trace_server.complaints.model import Assessment, Deed, RewardClass, RewardPolicy

MAX_YUAN = 10**12
INSIDER_MAY = frozenset({"offender"})
"""Exclusions that do not hold for insiders."""


@lru_cache(maxsize=1)
def policies() -> tuple[RewardPolicy, ...]:
    """The policies, newest first."""
    document = tomllib.loads((Path(__file__).parent / "rewards.toml").read_text(encoding="utf-8"))
    rows = [
        RewardPolicy(
            classes={int(number): RewardClass(**share) for number, share in row["classes"].items()},
            cap_yuan=row["cap_yuan"],
            finance_from_yuan=row["finance_from_yuan"],
            categories=frozenset(row["categories"]),
            exclusions=frozenset(row["exclusions"]),
            claim_working_days=row["claim_working_days"],
            legal_basis=row["legal_basis"],
            effective_from=row["effective_from"],
            is_confirmed=row["confirmed"],
        )
        for row in document["policy"]
    ]
    return tuple(sorted(rows, key=lambda row: row.effective_from, reverse=True))


def policy_on(day: date) -> RewardPolicy:
    """The policy in force. Raises `InputError` before the first."""
    for row in policies():
        if row.effective_from <= day:
            return row
    raise InputError("no reward rule was in force on that day", where="day")


def assess(policy: RewardPolicy, deed: Deed) -> Assessment:
    """The amount, rounded up to whole yuan, with each step in words.

    The share of fine and confiscation by class, at least the class' least amount; an insider's may be raised; at
    most the cap. Raises `InputError` for what is excluded and for amounts that cannot be.
    """
    if deed.reward_class not in policy.classes:
        raise InputError("choose a class", where="reward_class")
    if deed.category not in policy.categories:
        raise InputError("no reward is given in this field", where="category")
    if deed.exclusion and deed.exclusion not in policy.exclusions:
        raise InputError("this exclusion is not in the rule", where="exclusion")
    if deed.exclusion and not (deed.is_insider and deed.exclusion in INSIDER_MAY):
        raise InputError("the rule excludes this reporter", where="exclusion")
    if not 0 <= deed.fine_yuan <= MAX_YUAN or not 0 <= deed.confiscated_yuan <= MAX_YUAN:
        raise InputError("the amount is not between 0 and 10^12 yuan", where="fine_yuan")
    if deed.raised_to_yuan and not deed.is_insider:
        raise InputError("only an insider's reward may be raised", where="raised_to_yuan")
    share = policy.classes[deed.reward_class]
    base = deed.fine_yuan + deed.confiscated_yuan
    amount = -(-base * share.per_mille // 1000)
    steps = [f"{base} × {share.per_mille}‰ = {amount}"]
    if amount < share.least_yuan:
        amount = share.least_yuan
        steps.append(f"≥ {share.least_yuan}")
    if deed.raised_to_yuan > amount:
        amount = deed.raised_to_yuan
        steps.append(f"↑ {amount}")
    if amount > policy.cap_yuan:
        amount = policy.cap_yuan
        steps.append(f"≤ {policy.cap_yuan}")
    return Assessment(amount, amount >= policy.finance_from_yuan, tuple(steps))
