"""An audit entry, and the digest that chains it to the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_PREVIOUS = bytes(32)
"""What the first entry names as the digest before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which thing, when. `seq` has no gaps, from 1; digests have 32 bytes."""

    seq: int
    at: datetime
    actor: str
    action: str
    about: str
    detail: Mapping[str, object]
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is empty does not narrow. `action` is the beginning of one, `until` is excluded."""

    actor: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of walking the whole log; `first_wrong` is 0 when it is intact."""

    entries: int
    first_wrong: int
    reason: str

    @property
    def is_intact(self) -> bool:
        return self.first_wrong == 0


def entry_digest(
    *, previous: bytes, seq: int, at: datetime, actor: str, action: str, about: str, detail: Mapping[str, object]
) -> bytes:
    """SHA-256 over the previous digest and the entry as JSON with sorted names.

    A change of any field, or of any earlier entry, changes it. Raises `TypeError` when `detail` is not JSON.
    """
    body = json.dumps(
        [seq, at.astimezone(UTC).isoformat(timespec="microseconds"), actor, action, about, dict(detail)],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )
    return hashlib.sha256(previous + body.encode()).digest()
