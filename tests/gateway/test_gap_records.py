"""What a full outbox could not keep is told to the server: once, in the chain, also after a crash."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path

from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.eventing import Origin
from gateway_agent.gaps import Gap
from gateway_agent.outbox import Outbox, open_outbox
from gateway_agent.outbox_schema import SCHEMA_VERSION
from gateway_agent.outbox_view import OutboxView
from tests.gateway.make import BOOT, POINT, QUOTA, WALL, append, later, new_outbox
from tests.server.ingest.make import batch
from trace_core.uplink import ZERO_DIGEST, chain
from trace_server.db import Database
from trace_server.detect import operations as alerts
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.ingest import operations as ingest

ORIGIN = Origin("gate-1", BOOT, timezone(timedelta(hours=8)))


def make_gap() -> Gap:
    return Gap(ORIGIN, POINT, ClockJudge(lambda: True))


def bodies(outbox: Outbox) -> list[bytes]:
    with closing(OutboxView(outbox._path)) as view:
        run = view.next_run(1_000, 1 << 30)
    return list(run.bodies) if run else []


def fill_a_gap(gap: Gap, outbox: Outbox) -> None:
    gap.add(outbox, Moment(WALL, 100.0), 5, "outbox full")
    gap.add(outbox, Moment(later(3), 103.0), 7, "outbox full")


def test_a_finished_gap_becomes_one_event_in_the_chain(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1, 2])
        gap = make_gap()
        fill_a_gap(gap, outbox)
        assert not gap.tell(outbox, Moment(later(4), 104.0))  # it lasts
        gap.close(outbox, later(5))
        assert gap.tell(outbox, Moment(later(6), 106.0))
        assert not gap.tell(outbox, Moment(later(7), 107.0))
        append(outbox, [3])
        stored = bodies(outbox)
        event = json.loads(stored[2])
        assert event["type"] == "ObjectEvent"
        assert event["epcList"] == []
        assert (event["suyuan:gapCount"], event["suyuan:gapReason"]) == (12, "outbox full")
        assert event["suyuan:gapFrom"] == "2026-03-01T08:00:00.000Z"
        assert event["suyuan:gapTo"] == "2026-03-01T08:00:05.000Z"
        assert event["eventTime"] == "2026-03-01T08:00:05Z"
        assert (event["suyuan:epoch"], event["suyuan:seq"]) == (outbox.epoch, 3)
        with closing(OutboxView(outbox._path)) as view:
            run = view.next_run(100, 1 << 30)
        assert run is not None
        assert chain(ZERO_DIGEST, stored) == run.digest


def test_a_gap_that_a_crash_left_is_told_by_the_next_run(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        fill_a_gap(make_gap(), outbox)
    with closing(new_outbox(tmp_path)) as outbox:
        gap = make_gap()
        assert gap.tell(outbox, Moment(later(60), 5.0))
        assert json.loads(bodies(outbox)[0])["suyuan:gapCount"] == 12
    with closing(new_outbox(tmp_path)) as outbox:
        assert not make_gap().tell(outbox, Moment(later(61), 6.0))


def test_an_outbox_of_the_first_schema_is_upgraded_with_all_it_holds(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1, 2, 3])
        outbox.gaps.open(WALL, "outbox full")
        epoch = outbox.epoch
    path = tmp_path / "outbox.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "ALTER TABLE gap DROP COLUMN seq; DROP TABLE replay; DROP TABLE salvaged; DROP TABLE moving;"
            " PRAGMA user_version = 1;"
        )
    with closing(open_outbox(path, QUOTA)) as outbox:
        assert (outbox.epoch, outbox.last_seq) == (epoch, 3)
        assert [record.reason for record in outbox.gaps.untold()] == ["outbox full"]
        assert outbox._db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert list(tmp_path.glob("*.corrupt-*")) == []


def test_the_server_takes_it_as_an_event_and_makes_it_a_finding_about_the_device(
    database: Database, tmp_path: Path
) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        gap = make_gap()
        fill_a_gap(gap, outbox)
        gap.close(outbox, later(5))
        gap.tell(outbox, Moment(later(6), 106.0))
        stored = bodies(outbox)
        ack = ingest.accept_batch(database, WALL, "gate-1", batch(*stored, epoch=outbox.epoch, wall=WALL))
    assert (ack.ack, ack.quarantined) == (1, ())
    ingest.number_captures(database)
    detect.follow(database, WALL, list(detect.registry().values()))
    (alert,) = alerts.read_alerts(database)
    assert (alert.rule_id, alert.subject, alert.subject_kind) == ("D92", "gate-1", SubjectKind.DEVICE)
