"""Waits, limits and names of the exchange; values in, values out."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from trace_core.errors import InputError
from trace_server.credit.model import Change, Filter, Op, SharedChange
from trace_server.exchange.model import Hook

KINDS: Final = ("penalty", "licence", "commitment", "list", "recall")
STOPS: Final = frozenset({Op.REPAIR, Op.EXPIRE, Op.WITHDRAW})
"""After these a receiver no longer shares its copy: what it says to them is the proof."""
BACK_OFF: Final = timedelta(seconds=2)
MAX_BACK_OFF: Final = timedelta(hours=24)
MAX_FAILURES: Final = 24
"""Of one change: about a week. Then a person must look."""
PATIENCE: Final = 3
"""Failures in a row, of whatever changes, after which the whole receiver is left alone for a while."""
LEASE: Final = timedelta(seconds=90)
OVERLAP: Final = timedelta(hours=24)
"""How long an old secret still signs beside the new one."""
MAX_HOOKS: Final = 20
MAX_TEXT: Final = 2000


def wait(failures: int, chance: float) -> timedelta:
    """How long after failure number `failures`: doubled up to 24 hours, half to all of it by `chance` (0 to 1)."""
    longest: timedelta = min(BACK_OFF * 2 ** min(failures - 1, 20), MAX_BACK_OFF)
    return longest * (0.5 + chance / 2)


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds in a list with commas, sorted. Raises `InputError`."""
    names = tuple(sorted({name for part in text.split(",") if (name := part.strip())}))
    if any(name not in KINDS for name in names):
        raise InputError("there is no such kind of record", where="kind", remedy=f"use {', '.join(KINDS)}")
    return names


def filter_id(wanted: Filter) -> str:
    """A short name for a filter."""
    text = "\x00".join((wanted.region, wanted.category, wanted.department, ",".join(wanted.kinds)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def about(change: Change | SharedChange) -> tuple[str, int, Op]:
    """(record id, version, operation) of either sort of change."""
    if isinstance(change, SharedChange):
        return change.item.record_id, change.item.version, change.item.op
    return change.record.record_id, change.record.version, change.op


def is_wanted(hook: Hook, op: Op) -> bool:
    """Whether the hook asked for this operation."""
    return not hook.ops or op.value in hook.ops


def words(text: str) -> str:
    """A text that both databases keep: no NUL, not too long."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_TEXT]
