"""Alerts as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trace_server.detect.detector import Evidence, SubjectKind


class AlertState(StrEnum):
    """An alert is open until it is explained; people's decisions are the cases' business."""

    WAITING = "waiting"
    """Not suspected yet: what explains it may still happen, until `provisional_until`."""
    OPEN = "open"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Alert:
    """One cause, however many events show it."""

    alert_key: bytes
    rule_id: str
    rule_version: int
    subject_kind: SubjectKind
    subject: str
    group_key: str
    provisional_until: datetime | None
    state: AlertState
    count: int
    first_seen: datetime
    """Event time of the earliest evidence."""
    last_seen: datetime
    opened_at: datetime
    cleared_why: str
    values: Mapping[str, str]
    evidence: tuple[Evidence, ...] = ()
    region: str = ""
    """GB/T 2260 code, six digits; "" when nobody knows: such an alert is shown to every region."""

    def kind_at(self, now: datetime) -> SubjectKind:
        """`data` while a late upload may still explain it."""
        if self.provisional_until is not None and now < self.provisional_until:
            return SubjectKind.DATA
        return self.subject_kind
