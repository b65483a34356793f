"""D80 and D81: what is still offered after its deadline, and sellers who are not who they say; late facts clear."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.server.detect.make import DETECTORS, LICENCE, LOT, RECALL, SOURCE, USCC, open_alerts, world
from tests.server.ingest.make import GTIN, NOW
from tests.server.shops.make import HOUR, PLATFORM, listing, report, services, shop
from trace_server.db import Database
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.shops import operations
from trace_server.shops.model import MarkEvent, Notice, NoticeState, Outcome, Sale

DUE = NOW + 24 * HOUR
OTHER = "91320900MA1T00208Y"


def sweep(db: Database, rule: str, now: datetime) -> list[Any]:
    report = detect.sweep(db, now, [DETECTORS[rule]])
    assert not report.failed, report.failed
    return open_alerts(db, rule)


def noticed(db: Database, **changes: Any) -> Notice:
    """The batch is blocked and its platform told."""
    world(db, **(changes or {"recall": RECALL}))
    report(db, listing(mark=shop(db).mark), listing("A2", ended_at=NOW - HOUR))
    operations.issue_due(services(db))
    operations.issue_due(services(db, NOW + HOUR))
    (notice,) = operations.notices(db, PLATFORM)
    assert (notice.listing_no, notice.issued_at, notice.due_at) == ("A1", NOW, DUE)
    return notice


def test_d80_finds_a_listing_that_outlives_its_deadline(database: Database) -> None:
    notice = noticed(database)
    assert notice.cause == RECALL["notice_no"]
    assert sweep(database, "D80", DUE) == []
    (alert,) = sweep(database, "D80", DUE + HOUR)
    assert (alert.group_key, alert.subject, alert.subject_kind) == (
        notice.notice_id, PLATFORM, SubjectKind.ENTERPRISE,
    )  # fmt: skip
    assert (alert.first_seen, alert.values["seller"], alert.count) == (DUE, USCC, 1)
    assert detect.back_fill(database, DUE + HOUR, [DETECTORS["D80"]]).failed == {}
    assert len(open_alerts(database, "D80")) == 1


def test_d80_a_late_report_of_a_timely_removal_closes_it_and_late_removal_stays(database: Database) -> None:
    noticed(database)
    assert len(sweep(database, "D80", DUE + HOUR)) == 1
    late: dict[str, Any] = {"mark": "", "as_of": DUE + HOUR}
    report(database, listing(ended_at=DUE + HOUR, **late), now=DUE + HOUR)
    assert len(sweep(database, "D80", DUE + 2 * HOUR)) == 1
    report(database, listing(ended_at=DUE - HOUR, **late), now=DUE + HOUR)
    assert sweep(database, "D80", DUE + 2 * HOUR) == []
    sold = Sale(PLATFORM, "S1", "A1", GTIN, LOT, "1", DUE + HOUR)
    operations.report_sales(services(database, DUE + 2 * HOUR), "client:x", PLATFORM, [sold, sold])
    (alert,) = sweep(database, "D80", DUE + 2 * HOUR)
    assert alert.values["sales_after"] == "1"


def test_d80_an_expired_batch_counts_and_an_answer_in_time_ends_it(database: Database) -> None:
    notice = noticed(database, expiry_date="2026-11-23")
    assert notice.cause == "expired"
    removed = operations.answer(
        services(database, DUE - HOUR), "client:x", PLATFORM, notice.notice_id, Outcome.REMOVED, text="已下架"
    )
    assert (removed.state, removed.outcome, removed.answered_at) == (NoticeState.ANSWERED, "removed", DUE - HOUR)
    assert sweep(database, "D80", DUE + HOUR) == []


def test_d80_a_disputed_notice_goes_on_and_a_batch_that_is_free_again_lifts_it(database: Database) -> None:
    notice = noticed(database)
    given = (services(database), "client:x", PLATFORM, notice.notice_id, Outcome.DISPUTED)
    operations.answer(*given, text="非同一批次")
    assert len(sweep(database, "D80", DUE + HOUR)) == 1
    world(database, recall=None)
    operations.issue_due(services(database, DUE + HOUR))
    assert sweep(database, "D80", DUE + 2 * HOUR) == []
    assert [one.state for one in operations.notices(database)] == [NoticeState.LIFTED]


@pytest.mark.parametrize("fault", ["", "no-mark", "unknown-mark", "other-seller", "no-licence", "revoked", "suspended"])
def test_d81_finds_sellers_who_are_not_who_they_say(database: Database, fault: str) -> None:
    world(database, licences=[SOURCE | LICENCE | {"valid_to": "2030-01-01", "state": "valid"}])
    mark = shop(database, licence_no="SC1").mark
    if fault in ("revoked", "suspended"):
        event = MarkEvent.REVOKE if fault == "revoked" else MarkEvent.SUSPEND
        operations.take_step(services(database), "two", mark, event, version=2, reason="示例")
    if fault == "no-licence":
        world(database, licences=[SOURCE | LICENCE | {"valid_to": "2030-01-01", "state": "revoked"}])
    shown = {"no-mark": "", "unknown-mark": "ZZZZZZZZZZ"}.get(fault, mark)
    seller = OTHER if fault == "other-seller" else USCC
    report(database, listing("A1", shown, seller), listing("A2", shown, seller, listed_at=NOW - 30 * HOUR))
    alerts = sweep(database, "D81", NOW)
    told = [(one.group_key, one.subject, one.values["listings"], one.first_seen) for one in alerts]
    assert told == [(f"{PLATFORM}/{seller}/{fault}", seller, "2", NOW - 48 * HOUR)] * bool(fault)
    report(database, listing("A1", mark, as_of=NOW), listing("A2", mark, ended_at=NOW, as_of=NOW))
    world(database, licences=[SOURCE | LICENCE | {"valid_to": "2030-01-01", "state": "valid"}])
    left = sweep(database, "D81", NOW + HOUR)
    assert len(left) == (fault in ("revoked", "suspended"))


def test_d81_gives_new_listings_a_day_and_names_no_enterprise_that_nobody_named(database: Database) -> None:
    world(database)
    report(database, listing("A1", "", ""), listing("A2", "", "", listed_at=NOW - HOUR))
    (alert,) = sweep(database, "D81", NOW)
    assert (alert.subject, alert.subject_kind, alert.values["listing"]) == (PLATFORM, SubjectKind.DATA, "A1")
    assert len(sweep(database, "D81", NOW + 24 * HOUR)) == 2
