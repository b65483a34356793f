"""Which grading policy counts on a day: one that the office approved, else the shipped default (docs/adr/0010)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

from trace_server.credit.grading.policy import SCHEME, GradePolicy, Status, choose_policy
from trace_server.credit.grading.reading import parse_policy, shipped_policies
from trace_server.credit.store import policies
from trace_server.credit.store.policies import Adopted
from trace_server.db import Connection

KEPT = 16
"""Policies kept parsed; a few follow each other in a year."""


def policy_in_force(conn: Connection, day: date, scheme: str = SCHEME) -> GradePolicy | None:
    """The policy of a scheme that counts on a day, None if none does."""
    adopted = policies.newest(conn, scheme, day)
    own = () if adopted is None else (_approved(adopted),)
    return choose_policy((*shipped_policies(), *own), day, scheme)


@lru_cache(maxsize=KEPT)
def _approved(adopted: Adopted) -> GradePolicy:
    """The text was written as a draft: number, first day and standing come from its adoption."""
    return numbered(
        parse_policy(f"{adopted.policy_id}-{adopted.number}", adopted.text.encode()),
        adopted.number,
        Status.APPROVED,
        adopted.effective_from,
    )


def numbered(policy: GradePolicy, number: int, status: Status, effective_from: date) -> GradePolicy:
    """A policy as it counts under its number in the register; the digest of its text stays in its version."""
    digest = policy.version.partition("-")[2]
    return replace(policy, version=f"{number}-{digest}", status=status, effective_from=effective_from)
