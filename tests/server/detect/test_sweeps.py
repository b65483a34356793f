"""Rules of the clock: silence, periods that run out, sums that do not close; found by sweeps, taken back by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.server.detect.make import DETECTORS, open_alerts
from tests.server.fleet.test_fleet import WELL, beat, enrolled
from tests.server.portal import make
from trace_server.accounts import operations as accounts
from trace_server.config import Settings
from trace_server.db import Connection, Database, Dialect
from trace_server.detect import run as detect
from trace_server.detect.detector import Finding, Outcome, SubjectKind
from trace_server.ingest.operations import number_captures
from trace_server.recall import jobs, operations
from trace_server.recall.model import Answer, Notice, RecallEvent, Scope
from trace_server.services import Services

NOTICE = Notice("示例召〔2026〕9号", "示例局", "原料不合格", "停止食用", "任意门店", "000")
BATCH = Scope(batches=((make.GTIN, make.LOT),))
SWEEPERS = [detector for detector in DETECTORS.values() if detector.sweep is not None]


def sweep(db: Database, now: datetime, *ids: str) -> None:
    report = detect.sweep(db, now, [DETECTORS[one] for one in ids] if ids else SWEEPERS)
    assert not report.failed, report.failed


def recalled(db: Database, scope: Scope = BATCH, category: str = "food") -> str:
    """Announced and told at `make.NOW`; one item of the batch stands at the market."""
    make.load(db)
    make.capture(db, *make.whole_way())
    made = operations.create(db, make.NOW, "one", category=category, level=1, scope=scope, notice=NOTICE)
    return operations.announce(db, make.NOW, "two", made.recall_id, "lab report 7").recall_id


def test_d91_finds_a_gateway_that_is_silent_and_a_heartbeat_closes_it(database: Database) -> None:
    enrolled(database)
    start = make.NOW
    sweep(database, start, "D91")
    assert open_alerts(database, "D91") == []
    beat(database, WELL, now=start)
    sweep(database, start + timedelta(seconds=120), "D91")
    assert open_alerts(database, "D91") == []
    sweep(database, start + timedelta(seconds=121), "D91")
    sweep(database, start + timedelta(seconds=400), "D91")
    (alert,) = open_alerts(database, "D91")
    assert (alert.subject, alert.subject_kind, alert.count) == ("gate-1", SubjectKind.DEVICE, 1)
    assert (alert.first_seen, alert.evidence) == (start, ())
    beat(database, WELL, monotonic=2.0, now=start + timedelta(seconds=401))
    sweep(database, start + timedelta(seconds=402), "D91")
    assert open_alerts(database, "D91") == []


def test_d91_lets_a_revoked_gateway_be_silent(database: Database) -> None:
    enrolled(database)
    beat(database, WELL, now=make.NOW)
    accounts.revoke_gateway(database, make.NOW, "one", "gate-1")
    sweep(database, make.NOW + timedelta(days=1), "D91")
    assert open_alerts(database, "D91") == []


def test_d41_finds_each_period_that_ran_out_and_late_work_stays_late(database: Database) -> None:
    number = recalled(database)
    sweep(database, make.NOW + timedelta(hours=23), "D41")
    assert open_alerts(database, "D41") == []
    sweep(database, make.NOW + timedelta(hours=24), "D41")
    operations.notify(database, make.NOW + timedelta(hours=25), "two", number)
    sweep(database, make.NOW + timedelta(hours=26), "D41")
    (alert,) = open_alerts(database, "D41")
    assert (alert.group_key, alert.subject) == (f"{number}/start", make.PRODUCER)
    assert (alert.subject_kind, alert.first_seen) == (SubjectKind.ENTERPRISE, make.NOW + timedelta(hours=24))
    sweep(database, make.NOW + timedelta(days=15), "D41")
    assert [one.group_key for one in open_alerts(database, "D41")] == [f"{number}/start", f"{number}/finish"]


def test_d41_lets_work_in_time_and_drafts_pass(database: Database) -> None:
    number = recalled(database)
    operations.create(database, make.NOW, "one", category="food", level=1, scope=BATCH, notice=NOTICE)
    operations.notify(database, make.NOW + timedelta(hours=23), "two", number)
    sweep(database, make.NOW + timedelta(days=3), "D41")
    assert open_alerts(database, "D41") == []


def test_d41_is_a_question_of_data_while_no_producer_is_known(database: Database) -> None:
    number = recalled(database, Scope(items=("https://example.org/unknown",)))
    sweep(database, make.NOW + timedelta(hours=24), "D41")
    (alert,) = open_alerts(database, "D41")
    assert (alert.subject, alert.subject_kind) == (number, SubjectKind.DATA)


def test_d42_finds_goods_that_nobody_accounts_for_and_a_late_sale_closes_it(database: Database) -> None:
    number = recalled(database)
    operations.notify(database, make.NOW, "two", number)
    for holder in [one.holder for one in operations.notices(database, recall_id=number)]:
        if holder != make.MARKET:
            operations.answer(database, make.NOW, "x", number, holder, Answer(0, 0, 0, 0))
    sweep(database, make.NOW + timedelta(days=2), "D42")
    assert open_alerts(database, "D42") == []
    late = make.NOW + timedelta(days=20)
    sweep(database, late, "D42")
    (alert,) = open_alerts(database, "D42")
    assert (alert.subject, alert.values["shortfall_percent"], alert.values["affected"]) == (make.PRODUCER, "100", "1")
    make.capture(
        database,
        make.event(
            "ObjectEvent", "2026-11-23T09:00:00", "retail_selling", make.SHELF, action="OBSERVE", epcList=[make.ITEM]
        ),
    )
    number_captures(database)
    jobs.follow(Services(database, Settings(), lambda: late))
    sweep(database, late, "D42")
    assert open_alerts(database, "D42") == []


@pytest.mark.parametrize(("answer", "is_found"), [(Answer(1, 0, 0, 0), True), (Answer(0, 0, 1, 0), False)])
def test_d42_judges_what_was_reconciled_by_the_answers(database: Database, answer: Answer, is_found: bool) -> None:
    number = recalled(database)
    operations.notify(database, make.NOW, "two", number)
    operations.answer(database, make.NOW, "x", number, make.MARKET, answer)
    operations.finish_step(database, make.NOW, "two", number, RecallEvent.RECONCILE, "the rest is explained")
    sweep(database, make.NOW, "D42")
    assert [one.group_key for one in open_alerts(database, "D42")] == [number] * is_found


def test_a_sweep_that_fails_is_reported_stops_no_other_and_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = recalled(database)
    asked: list[datetime] = []

    def broken(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
        asked.append(now)
        raise ZeroDivisionError("boom")

    bad = replace(DETECTORS["D91"], id="D00", sweep=broken)
    monkeypatch.setattr(detect, "registry", lambda: {"D00": bad, "D41": DETECTORS["D41"]})
    sweeper, clock = detect.Sweeper(), [make.NOW + timedelta(hours=24)]
    services = Services(database, Settings(), lambda: clock[0])
    assert sweeper(services).failed == {"D00": "ZeroDivisionError('boom')"}
    assert [one.group_key for one in open_alerts(database)] == [f"{number}/start"]
    clock[0] += timedelta(seconds=15)
    assert sweeper(services).swept == {}
    assert len(asked) == 2
    clock[0] += timedelta(seconds=45)
    assert sweeper(services).swept == {"D41": 2}


def test_sweeping_again_changes_nothing_and_back_fill_sweeps_too(database: Database) -> None:
    recalled(database)
    late = make.NOW + timedelta(days=20)
    sweep(database, late)
    before = open_alerts(database)
    assert {one.rule_id for one in before} == {"D41", "D42"}
    report = detect.back_fill(database, late, SWEEPERS)
    assert not report.failed
    assert set(report.swept) == {one.id for one in SWEEPERS}
    assert open_alerts(database) == before


def test_a_finding_that_says_neither_events_nor_a_time_is_refused(database: Database) -> None:
    def wrong(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
        yield Finding("x", "x", SubjectKind.DATA, ())

    report = detect.sweep(database, make.NOW, [replace(DETECTORS["D91"], sweep=wrong)])
    assert "without evidence" in report.failed["D91"]
    assert open_alerts(database) == []
    with pytest.raises(ValueError, match="neither find nor sweep"):
        replace(DETECTORS["D91"], sweep=None)
