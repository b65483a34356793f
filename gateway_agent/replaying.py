"""Quarantine tried again: reads that had no read point, and bytes that nobody could read, after the cause is mended.

`gateway-agent outbox quarantine --replay` leaves a request in the outbox; the running gateway carries it out on the
normal way (observer, answer, event). The event says when the tag was seen, and that it was replayed.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from gateway_agent import clock, quarantining
from gateway_agent.clock import Moment
from gateway_agent.config import ReaderConfig
from gateway_agent.outbox_schema import connect_read_only
from gateway_agent.quarantining import BadData, Kept, Outcome
from gateway_agent.reading import Reading
from trace_core.errors import EventError
from trace_core.readers._base import BadBytes, TagRead

log = logging.getLogger(__name__)

NO_READ_POINT = "no-read-point"
POLL_S = 0.5
CONNECTION_S = 60.0
EPISODE_S = 60.0
"""Reads of one tag at an antenna without a read point are one row while they follow within this time."""
MAX_EPISODES = 10_000
SETTLING_S = 5.0
"""How far a session's clock is moved on after the bytes, so that it gives up waiting for the rest of a frame."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where on which boot's clock a tag was seen; None: only the wall clock is known."""

    boot_id: str
    monotonic: float


@dataclass(frozen=True, slots=True)
class Replay:
    """One row on its way to the writer. `done` is called after the commit, `again` when there was no room."""

    number: int
    readings: tuple[Reading, ...]
    left: tuple[BadData, ...]
    without_event: Outcome
    """What it is when the readings come to nothing, or there are none."""
    stamp: Stamp | None
    done: Callable[[], None]
    again: Callable[[], None]


class Episodes:
    """Keeps reads that no read point covers, one row for each stay of a tag. Owned by the writer's thread."""

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._open: dict[tuple[str, int | None, bytes, bytes | None], tuple[bytes, float]] = {}

    def keep(self, reader: str, read: TagRead, received: Moment) -> BadData:
        """The read as it is kept. A repeated one has the same bytes as the first, so that the row only counts."""
        key = (reader, read.antenna, read.epc, read.tid)
        data, last = self._open.pop(key, (b"", received.monotonic))
        if not data or received.monotonic - last > EPISODE_S:
            data = _encode(read, received, self._boot_id)
        if len(self._open) >= MAX_EPISODES:
            self._open.pop(next(iter(self._open)))
        self._open[key] = (data, received.monotonic)
        return BadData(reader, NO_READ_POINT, data, received.wall)


class Replayer:
    """`run` is the thread: reads what is requested and hands it to the writer, each row once at a time."""

    def __init__(
        self, path: Path, readers: tuple[ReaderConfig, ...], boot_id: str, put: Callable[[Replay], None]
    ) -> None:
        self._path = path
        self._readers = {reader.name: reader for reader in readers}
        self._boot_id = boot_id
        self._put = put
        self._handed: set[int] = set()

    def run(self, stop: threading.Event) -> None:
        """One connection for a while, not one a look; anew now and then, since the file may have been set aside."""
        while not stop.is_set():
            limit = time.monotonic() + CONNECTION_S
            with closing(connect_read_only(self._path)) as db:
                while not stop.wait(POLL_S) and time.monotonic() < limit:
                    self._hand_over(db)

    def look(self) -> None:
        """Hand over what is requested and not on its way."""
        with closing(connect_read_only(self._path)) as db:
            self._hand_over(db)

    def _hand_over(self, db: sqlite3.Connection) -> None:
        for row in quarantining.asked(db):
            if row.number not in self._handed:
                self._handed.add(row.number)
                self._put(self._prepare(row))

    def _prepare(self, row: Kept) -> Replay:
        readings: tuple[Reading, ...] = ()
        left: tuple[BadData, ...] = ()
        stamp = None
        failure = Outcome.UNREADABLE
        if not row.reason:
            failure = Outcome.GONE
        elif row.reason == NO_READ_POINT:
            try:
                read, received, stamp = decode(row.data)
            except EventError as error:
                log.error("quarantine row %d: %s", row.number, error)  # noqa: TRY400 - said in one line
            else:
                episode = replace(read, count=max(read.count, row.times))  # all of it counts towards `min_reads`
                readings = (Reading(row.reader, episode, self._placed(received.wall, stamp)),)
        elif row.reader in self._readers:
            readings, left = self._reread(row)
        else:
            failure = Outcome.NO_READER
        free = partial(self._handed.discard, row.number)
        return Replay(row.number, readings, left, Outcome.WEAK if readings else failure, stamp, done=free, again=free)

    def _reread(self, row: Kept) -> tuple[tuple[Reading, ...], tuple[BadData, ...]]:
        """Feed the kept bytes to a session of their own; nothing it says reaches the reader.

        It is not started: one that is asks the module for its name first and takes no tags before the answer.
        """
        reader = self._readers[row.reader]
        session = reader.protocol.host(reader.options)
        received = self._placed(row.first_at, None)
        outputs = [*session.receive(row.data, received.monotonic)]
        outputs += session.tick(received.monotonic + SETTLING_S)
        reads = tuple(Reading(row.reader, output, received) for output in outputs if isinstance(output, TagRead))
        left = [output for output in outputs if isinstance(output, BadBytes)]
        return reads, tuple(BadData(row.reader, bad.reason, bad.data, row.first_at) for bad in left)

    def _placed(self, wall: datetime, stamp: Stamp | None) -> Moment:
        """On this boot's clock; what another boot saw is placed by the wall clock."""
        if stamp is not None and stamp.boot_id == self._boot_id:
            return Moment(wall, stamp.monotonic)
        now = clock.now()
        return Moment(wall, now.monotonic - (now.wall - wall) / timedelta(seconds=1))


def mark(body: bytes, stamp: Stamp | None) -> bytes:
    """The event of a replayed read: it says so, and its boot clock is that of the boot which saw the tag."""
    fields = json.loads(body)
    fields["suyuan:replayed"] = True
    for name in ("suyuan:bootId", "suyuan:monotonic"):
        fields.pop(name, None)
    if stamp is not None:
        fields["suyuan:bootId"], fields["suyuan:monotonic"] = stamp.boot_id, round(stamp.monotonic, 3)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> tuple[TagRead, Moment, Stamp]:
    """A kept read: what was read, when its bytes came in, on which boot. Raises `EventError`."""
    try:
        fields = json.loads(data)
        tid, at = fields["tid"], fields["reader_time"]
        read = TagRead(
            epc=bytes.fromhex(fields["epc"]),
            antenna=fields["antenna"],
            rssi_dbm=fields["rssi_dbm"],
            tid=None if tid is None else bytes.fromhex(tid),
            reader_time=None if at is None else datetime.fromisoformat(at),
            count=int(fields["count"]),
            reader=fields["reader"],
        )
        stamp = Stamp(str(fields["boot_id"]), float(fields["monotonic"]))
        return read, Moment(datetime.fromisoformat(fields["received_at"]).astimezone(UTC), stamp.monotonic), stamp
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventError(f"not a kept read: {error!r}", where="quarantine") from error


def _encode(read: TagRead, received: Moment, boot_id: str) -> bytes:
    fields = {
        "epc": read.epc.hex(),
        "antenna": read.antenna,
        "rssi_dbm": read.rssi_dbm,
        "tid": None if read.tid is None else read.tid.hex(),
        "reader_time": None if read.reader_time is None else read.reader_time.isoformat(),
        "count": read.count,
        "reader": read.reader,
        "received_at": received.wall.isoformat(),
        "boot_id": boot_id,
        "monotonic": received.monotonic,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def described(reason: str, data: bytes) -> Mapping[str, object] | None:
    """The fields of a kept read, for a listing; None for bytes."""
    if reason != NO_READ_POINT:
        return None
    try:
        decode(data)
    except EventError:
        return None
    fields: Mapping[str, object] = json.loads(data)
    return fields


def wait(path: Path, numbers: Sequence[int], limit_s: float) -> dict[int, Outcome | None]:
    """What the gateway made of these requests, at the latest after `limit_s`; None for those that still wait."""
    limit = time.monotonic() + limit_s
    while True:
        with closing(connect_read_only(path)) as db:
            found = quarantining.outcomes(db, numbers)
        if None not in found.values() or time.monotonic() >= limit:
            return found
        time.sleep(0.1)
