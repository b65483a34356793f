"""Gap records: what was at the gate while the outbox was full. Written from the reserve, never guessed later.

When there is room again each becomes an event of its own, in the chain like any other, and so reaches the server.
"""

from __future__ import annotations

import logging
from datetime import datetime

from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.eventing import Origin, Place, gap_body
from gateway_agent.outbox import Commit, Outbox, OutboxFull

log = logging.getLogger(__name__)

EXTEND_S = 1.0
"""How often an open gap is brought up to date on disk."""


class Gap:
    """At most one gap is open at a time. With no byte left on the disk it is kept in memory until there is one."""

    def __init__(self, origin: Origin, read_point: str, judge: ClockJudge) -> None:
        """`read_point`: the first one of the gateway; a full outbox concerns them all."""
        self._origin = origin
        self._read_point = read_point
        self._judge = judge
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

    def tell(self, outbox: Outbox, now: Moment) -> bool:
        """Make events of the records that are finished, also of those that a crash left. True when one was made.

        Record and event change in one transaction: each gap is told once.
        """
        told = False
        for record in outbox.gaps.untold():
            if record.id == self._id:
                continue
            place = Place(outbox.epoch, outbox.last_seq + 1)
            clock = self._judge.state(now.wall)
            body = gap_body(record, self._read_point, origin=self._origin, place=place, clock=clock)
            outbox.commit(Commit(now.wall, self._origin.boot_id, bodies=[body], gap=record.id))
            told = True
        return told

    def _write(self, outbox: Outbox, start: datetime, end: datetime, reason: str) -> None:
        try:
            if self._id is None:
                self._id = outbox.gaps.open(start, reason)
            outbox.gaps.extend(self._id, end, self._count)
        except OutboxFull as error:
            log.error("gap of %d reads since %s not written yet: %s", self._count, start, error)  # noqa: TRY400
