"""The list as a value. The gateway reads the same shape (`trace_core.block_list`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Match(StrEnum):
    """What `value` names: one thing, or a class of things (GTIN, or GTIN + lot)."""

    URI = "uri"
    CLASS = "class"
    ASSET = "asset"
    """One thing of which facts are stated; the gateway answers from them and from its own date."""


class Reason(StrEnum):
    """Why a thing is listed; the gateway shows it in the operator's words."""

    RECALLED = "recalled"
    EXPIRED = "expired"
    OUT_OF_SERVICE = "out-of-service"


@dataclass(frozen=True, slots=True)
class BlockedBatch:
    """A batch that is recalled or past its last day, with the EPC URIs of its tagged items."""

    gtin: str
    lot: str
    is_recalled: bool
    expiry_date: date | None
    epcs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """One line of the list; `answer` is `refuse` or `warn`."""

    match: Match
    value: str
    answer: str
    reason: str

    def as_json(self) -> Mapping[str, str]:
        return {"match": self.match.value, "value": self.value, "answer": self.answer, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class BlockList:
    """One published version. Versions count up from 1; 0 means that none was published yet."""

    version: int
    issued_at: datetime
    entries: tuple[Mapping[str, str], ...]
