"""Time shortens windows by milder rules and ends records; it never lengthens anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.server.credit.make import SUBJECT, Clock, paper, published, recorded, services_on
from trace_server.credit import store
from trace_server.credit.jobs import jobs
from trace_server.credit.model import Change, Filter, Op, State, ViolationRecord
from trace_server.credit.operations import archive, feed, withdraw
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.store import log
from trace_server.credit.upkeep import refresh_windows
from trace_server.db import Database

BEFORE = datetime(2025, 9, 1, tzinfo=UTC)
AFTER = datetime(2026, 4, 1, tzinfo=UTC)
FARM = {"CF_CFJG": "示例县农业农村局", "CF_JDRQ": "2025/08/15"}


def now_of(database: Database, record: ViolationRecord) -> ViolationRecord:
    with database.read() as conn:
        found = store.current(conn, record.record_id)
    assert found is not None
    return found


def test_a_milder_rule_shortens_the_window_when_it_comes_into_force(database: Database) -> None:
    clock = Clock(BEFORE)
    services = services_on(database, clock)
    record = published(services, **FARM)
    assert record.window_max_end == date(2028, 8, 15)
    assert refresh_windows(services) == 0
    clock.now = AFTER
    assert refresh_windows(services) == 1
    shorter = now_of(database, record)
    assert (shorter.regime, shorter.window_max_end, shorter.state) == ("ndrc-36", date(2026, 8, 15), State.PUBLISHED)
    with database.read() as conn:
        change = feed(conn, after=2, limit=10).changes[0]
    assert isinstance(change, Change)
    assert change.op is Op.CORRECT
    assert [(d.code, d.before, d.after) for d in change.diff] == [("CF_GSJZQ", "2028/08/15", "2026/08/15")]
    assert refresh_windows(services) == 0


def test_a_class_that_a_later_rule_hides_leaves_the_page(database: Database) -> None:
    clock = Clock(datetime(2026, 1, 10, tzinfo=UTC))
    services = services_on(database, clock)
    record = published(services, CF_CFLB="通报批评", CF_NR_FK=None, CF_JDRQ="2026/01/05")
    assert record.state is State.PUBLISHED
    clock.now = AFTER
    refresh_windows(services)
    with database.read() as conn:
        assert archive(conn, SUBJECT, date(2026, 4, 1)).shown == ()


def test_an_edited_policy_never_lengthens_a_window(database: Database) -> None:
    services = services_on(database)
    record = published(services)
    policy = shipped_policy()
    longer = tuple(
        replace(regime, windows=tuple(replace(row, max_months=row.max_months + 24) for row in regime.windows))
        for regime in policy.regimes
    )
    assert refresh_windows(services, replace(policy, version="2", regimes=longer)) == 0
    assert now_of(database, record) == record


def test_stopped_records_are_left_alone_and_more_than_a_batch_is_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace_server.credit.upkeep.MAX_BATCH", 2)
    clock = Clock(BEFORE)
    services = services_on(database, clock)
    records = [recorded(services, CF_WSH=f"{number}号", **FARM) for number in range(5)]
    withdraw(services, records[0].record_id, paper())
    clock.now = AFTER
    assert refresh_windows(services) == 4
    assert now_of(database, records[0]).state is State.WITHDRAWN


def test_the_workers_job_does_both(database: Database) -> None:
    clock = Clock(BEFORE)
    services = services_on(database, clock)
    record = published(services, **FARM)
    clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    job = next(job for job in jobs if job.name == "credit-upkeep")
    assert job.run(services) == 2
    assert now_of(database, record).state is State.EXPIRED
    with database.read() as conn:
        head = store.head_seq(conn)
        assert [change.seq for change in log.changes(conn, 0, head, Filter(), 10)] == [1, 2, 3, 4]
