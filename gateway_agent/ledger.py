"""What the box remembers of single things between their events: pre-checks passed or failed, and answers of refusal.

Stored with the event that changed it (`Commit.state`), so that a restart forgets no refusal and no check. Times are
kept on both clocks: the boot clock counts while the box runs, the wall clock bridges a restart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway_agent.clock import Moment

STATE = "ledger"
"""Name under which it is stored."""
MAX_ENTRIES = 2_000
"""Of each kind; the oldest go first. A station fills a few hundred cylinders a day."""
MAX_REQUESTS = 500
KEEP_REFUSALS_S = 43_200.0
"""A refused cylinder that turns up filled later than a shift is for the server to notice."""


@dataclass(frozen=True, slots=True)
class Check:
    """The newest pre-check of one thing."""

    passed: bool
    wall_ms: int
    boot_id: str
    monotonic: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """The standing answer of refusal for one thing at one read point, and the event that says it."""

    reason: str
    epoch: str
    seq: int
    wall_ms: int
    boot_id: str
    monotonic: float


@dataclass(slots=True)
class Ledger:
    """Owned by the writer's thread."""

    boot_id: str
    checks: dict[str, Check] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    """By read point and thing, see `_at`."""
    requests: list[str] = field(default_factory=list)
    """Ids of the requests that were carried out last: a request is kept until its commit, and may come twice."""
    is_changed: bool = False

    def record_check(self, thing: str, at: Moment, *, passed: bool) -> None:
        """A newer check replaces the older, a failed one too."""
        self.checks.pop(thing, None)
        self.checks[thing] = Check(passed, _ms(at), self.boot_id, at.monotonic)
        _shorten(self.checks)
        self.is_changed = True

    def check(self, thing: str, at: Moment, valid_s: float) -> bool | None:
        """Whether its newest pre-check passed; None without one that is young enough."""
        found = self.checks.get(thing)
        if found is None or self._age_s(found, at) > valid_s:
            return None
        return found.passed

    def use_check(self, thing: str) -> None:
        """One pre-check is for one filling."""
        self.is_changed |= self.checks.pop(thing, None) is not None

    def refuse(self, point: str, thing: str, at: Moment, *, reason: str, epoch: str, seq: int) -> None:
        self.refusals.pop(_at(point, thing), None)
        self.refusals[_at(point, thing)] = Refusal(reason, epoch, seq, _ms(at), self.boot_id, at.monotonic)
        _shorten(self.refusals)
        self.is_changed = True

    def lift(self, point: str, thing: str) -> None:
        """A later answer was no refusal."""
        self.is_changed |= self.refusals.pop(_at(point, thing), None) is not None

    def refusal(self, point: str, thing: str, at: Moment) -> Refusal | None:
        """The refusal that stands there, if it is not too old."""
        found = self.refusals.get(_at(point, thing))
        return found if found is not None and self._age_s(found, at) <= KEEP_REFUSALS_S else None

    def take_request(self, number: str) -> bool:
        """Whether this request is new; from now on it is not."""
        if number in self.requests:
            return False
        self.requests = [*self.requests, number][-MAX_REQUESTS:]
        self.is_changed = True
        return True

    def as_state(self) -> Mapping[str, object]:
        """JSON values for `Commit.state`."""
        return {
            STATE: {
                "checks": {thing: asdict(check) for thing, check in self.checks.items()},
                "refusals": {where: asdict(refusal) for where, refusal in self.refusals.items()},
                "requests": self.requests,
            }
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], boot_id: str) -> Ledger:
        stored = state.get(STATE, {})
        return cls(
            boot_id,
            {thing: Check(**fields) for thing, fields in stored.get("checks", {}).items()},
            {where: Refusal(**fields) for where, fields in stored.get("refusals", {}).items()},
            list(stored.get("requests", [])),
        )

    def _age_s(self, entry: Check | Refusal, at: Moment) -> float:
        if entry.boot_id == self.boot_id:
            return at.monotonic - entry.monotonic
        return (at.wall - datetime.fromtimestamp(entry.wall_ms / 1000, UTC)).total_seconds()


def _at(point: str, thing: str) -> str:
    return json.dumps([point, thing])


def _ms(at: Moment) -> int:
    return round(at.wall.timestamp() * 1000)


def _shorten(entries: dict[str, Any]) -> None:
    while len(entries) > MAX_ENTRIES:
        del entries[next(iter(entries))]
