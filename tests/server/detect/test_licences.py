"""A licence whose state changes reaches the rules within a minute, though no event tells of it (line 三(二))."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.server.detect.make import LICENCE, LOT, SOURCE, at, follow, open_alerts, post, world
from tests.server.ingest.make import NOW, commissioned
from trace_server.catalog import operations as catalog
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.detect import licences
from trace_server.detect.run import registry
from trace_server.services import Services


def told(database: Database, **changes: str) -> None:
    """The register says something new of the licence."""
    row = LICENCE | SOURCE | {"valid_to": "2030-12-31", "state": "valid"} | changes
    assert not catalog.import_document(database, {"licences": [row]}, actor="test", now=NOW).errors


def judge(database: Database) -> int:
    return licences.judge_changed(
        Services(database, Settings(code_secret="t" * 32), lambda: NOW + timedelta(seconds=9))
    )


@pytest.mark.parametrize("is_tagged", [False, True], ids=["said with the lot", "printed"])
def test_a_revoked_licence_is_found_without_a_new_event_and_a_restored_one_clears(
    database: Database, is_tagged: bool
) -> None:
    world(database)
    post(database, commissioned(1, 2, lot=LOT), *([at(60)] if is_tagged else []))
    follow(database, "D14")
    assert judge(database) == 1
    assert open_alerts(database) == []
    told(database, state="revoked", as_of="2026-11-24")
    assert judge(database) == 1
    assert [one.rule_id for one in open_alerts(database)] == ["D14"]
    assert judge(database) == 0
    told(database, as_of="2026-11-25")
    judge(database)
    assert open_alerts(database) == []


def test_it_gives_the_same_alerts_as_judging_everything_anew(database: Database) -> None:
    from trace_server.detect import run

    world(database)
    post(database, commissioned(1, 2, lot=LOT), commissioned(3, lot=LOT))
    follow(database, "D14")
    told(database, valid_to="2026-11-20")
    judge(database)
    changed = [(one.alert_key, one.count) for one in open_alerts(database)]
    run.back_fill(database, NOW, [registry()["D14"]])
    assert changed
    assert [(one.alert_key, one.count) for one in open_alerts(database)] == changed


def test_the_worker_looks_often_enough() -> None:
    (job,) = licences.jobs
    assert job.interval_s <= 30
