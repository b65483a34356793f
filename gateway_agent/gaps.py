"""Gap records: what was at the gate while the outbox was full. Written from the reserve, never guessed later."""

from __future__ import annotations

import logging
from datetime import datetime

from gateway_agent.clock import Moment
from gateway_agent.outbox import Outbox, OutboxFull

log = logging.getLogger(__name__)

EXTEND_S = 1.0
"""How often an open gap is brought up to date on disk."""


class Gap:
    """At most one gap is open at a time. With no byte left on the disk it is kept in memory until there is one."""

    def __init__(self) -> None:
        self._from: datetime | None = None
        self._id: int | None = None
        self._count = 0
        self._written_at = 0.0

    def add(self, outbox: Outbox, now: Moment, reads: int, reason: str) -> None:
        """`reads` more reads could not be stored; the first call opens the gap."""
        first = self._from is None
        self._from = self._from or now.wall
        self._count += reads
        if first or now.monotonic - self._written_at >= EXTEND_S:
            self._written_at = now.monotonic
            self._write(outbox, self._from, now.wall, reason)

    def close(self, outbox: Outbox, wall: datetime) -> None:
        """The outbox takes reads again. Without an open gap nothing happens."""
        if self._from is None:
            return
        self._write(outbox, self._from, wall, "outbox full")
        self._from, self._id, self._count = None, None, 0

    def _write(self, outbox: Outbox, start: datetime, end: datetime, reason: str) -> None:
        try:
            if self._id is None:
                self._id = outbox.open_gap(start, reason)
            outbox.extend_gap(self._id, end, self._count)
        except OutboxFull as error:
            log.error("gap of %d reads since %s not written yet: %s", self._count, start, error)  # noqa: TRY400
