"""The archive's promises: only from a decision, versioned, one log entry a step, nothing shown that has stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.server.credit.make import (
    SECRET,
    SUBJECT,
    TODAY,
    Clock,
    checked_and_published,
    codes,
    decision,
    paper,
    person_codes,
    published,
    recorded,
    services_on,
)
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.audit.operations import verify
from trace_server.credit import publication, store
from trace_server.credit.model import Change, Circumstances, Filter, Op, Severity, State
from trace_server.credit.operations import (
    archive,
    correct,
    credit_line,
    expire,
    publish,
    record_decision,
    repair,
    resume,
    suspend,
    withdraw,
)
from trace_server.credit.rules import parse_decision
from trace_server.credit.steps import Paper
from trace_server.credit.store import log
from trace_server.credit.upkeep import expire_due
from trace_server.db import Database


def ops(database: Database) -> list[tuple[int, Op, int]]:
    with database.read() as conn:
        head = store.head_seq(conn)
        found = log.changes(conn, 0, head, Filter(), 500)
    return [(c.seq, c.op, c.record.version) for c in found if isinstance(c, Change)]


def test_a_decision_becomes_one_record_and_one_log_entry(database: Database) -> None:
    record = recorded(services_on(database))
    assert (record.version, record.state, record.severity) == (1, State.CONFIRMED, Severity.GENERAL)
    assert (record.window_min_end, record.window_max_end) == (date(2026, 8, 15), date(2027, 5, 15))
    assert ops(database) == [(1, Op.UPSERT, 1)]


def test_the_same_decision_sent_again_changes_nothing(database: Database) -> None:
    services = services_on(database)
    first = recorded(services)
    again = record_decision(services, decision(), Circumstances("food"), actor="another clerk")
    assert not again.created
    assert again.record == first
    assert ops(database) == [(1, Op.UPSERT, 1)]


def test_other_brackets_in_the_number_are_the_same_decision(database: Database) -> None:
    services = services_on(database)
    recorded(services)
    with pytest.raises(Conflict):
        recorded(services, CF_WSH="示市监罚[2026] 1 号")


def test_the_same_number_with_other_content_is_refused(database: Database) -> None:
    services = services_on(database)
    recorded(services)
    with pytest.raises(Conflict):
        recorded(services, CF_NR_FK="3")
    with pytest.raises(Conflict):
        recorded(services, category="drug")


def test_publication_needs_a_second_person(database: Database) -> None:
    services = services_on(database)
    record = recorded(services)
    with pytest.raises(NotAllowed, match="nobody has checked"):
        publish(services, record.record_id, Paper("clerk"))
    publication.review(services, record.record_id, "clerk", "无秘密", version=record.version)
    with pytest.raises(NotAllowed, match="second person"):
        publish(services, record.record_id, Paper("clerk"))
    assert checked_and_published(services, record.record_id).state is State.PUBLISHED


def test_a_class_that_is_not_public_is_withheld(database: Database) -> None:
    services = services_on(database)
    record = recorded(services, CF_CFLB="警告", CF_NR="警告", CF_NR_FK=None)
    kept = checked_and_published(services, record.record_id)
    assert (kept.severity, kept.state) == (Severity.MINOR, State.UNPUBLISHED)
    with database.read() as conn:
        assert archive(conn, SUBJECT, TODAY).shown == ()


def test_a_correction_is_a_new_version_with_each_field_before_and_after(database: Database) -> None:
    services = services_on(database)
    record = published(services)
    mended = correct(services, record.record_id, decision(CF_NR_FK="1.5"), Circumstances("food"), paper("typing error"))
    assert (mended.version, mended.state) == (3, State.PUBLISHED)
    with database.read() as conn:
        change = log.changes(conn, 2, 3, Filter(), 1)[0]
        old = store.version(conn, record.record_id, 2)
    assert isinstance(change, Change)
    assert [(d.code, d.before, d.after) for d in change.diff] == [("CF_NR_FK", "2", "1.5")]
    assert change.op is Op.CORRECT
    assert change.supersedes == 2
    assert old is not None
    assert str(old.decision.fine_wan) == "2"


def test_a_correction_that_changes_nothing_or_another_decision_is_refused(database: Database) -> None:
    services = services_on(database)
    record = recorded(services)
    with pytest.raises(InputError):
        correct(services, record.record_id, decision(), Circumstances("food"), paper())
    with pytest.raises(Conflict):
        correct(services, record.record_id, decision(CF_WSH="示市监罚〔2026〕2号"), Circumstances("food"), paper())


def test_the_first_content_sent_again_after_a_correction_is_still_known(database: Database) -> None:
    services = services_on(database)
    record = recorded(services)
    correct(services, record.record_id, decision(CF_NR_FK="1.5"), Circumstances("food"), paper())
    again = record_decision(services, decision(), Circumstances("food"), actor="clerk")
    assert not again.created
    assert again.record.version == 2


def test_repair_waits_for_the_least_window(database: Database) -> None:
    clock = Clock()
    services = services_on(database, clock)
    record = published(services)
    with pytest.raises(Conflict, match="2026-08-15"):
        repair(services, record.record_id, paper("duties fulfilled"))
    clock.now = datetime(2026, 8, 15, tzinfo=UTC)
    assert repair(services, record.record_id, paper("duties fulfilled")).state is State.REPAIRED
    assert ops(database)[-1] == (3, Op.REPAIR, 3)


def test_expiry_waits_for_the_longest_window_and_counts_days_of_china(database: Database) -> None:
    clock = Clock()
    services = services_on(database, clock)
    record = published(services)
    clock.now = datetime(2027, 5, 15, 15, 59, tzinfo=UTC)
    with pytest.raises(Conflict):
        expire(services, record.record_id, Paper("clerk"))
    assert expire_due(services) == 0
    clock.now = datetime(2027, 5, 15, 16, 0, tzinfo=UTC)
    assert expire_due(services) == 1
    assert expire_due(services) == 0
    assert ops(database)[-1] == (3, Op.EXPIRE, 3)


def test_an_old_record_is_hidden_before_the_nightly_job_has_run(database: Database) -> None:
    services = services_on(database)
    published(services)
    with database.read() as conn:
        assert len(archive(conn, SUBJECT, date(2027, 5, 15)).shown) == 1
        assert archive(conn, SUBJECT, date(2027, 5, 16)).shown == ()
        assert credit_line(conn, SUBJECT, date(2027, 5, 16)).published == 0


def test_the_nightly_job_ends_more_records_than_one_transaction_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace_server.credit.upkeep.MAX_BATCH", 3)
    clock = Clock()
    services = services_on(database, clock)
    for number in range(7):
        recorded(services, CF_WSH=f"示市监罚〔2026〕{number}号")
    clock.now = datetime(2028, 1, 1, tzinfo=UTC)
    assert expire_due(services) == 7
    assert [seq for seq, _, _ in ops(database)] == list(range(1, 15))
    with database.read() as conn:
        assert verify(conn).is_intact


def test_a_withdrawn_decision_leaves_a_notice_only_if_it_was_public(database: Database) -> None:
    services = services_on(database)
    shown = published(services)
    never = recorded(services, CF_WSH="示市监罚〔2026〕2号")
    for record in (shown, never):
        withdraw(services, record.record_id, paper("revoked on review"))
    with database.read() as conn:
        found = archive(conn, SUBJECT, TODAY)
    assert found.shown == ()
    assert [(r.record_id, r.reason) for r in found.withdrawn] == [(shown.record_id, "revoked on review")]


@pytest.mark.parametrize("public", [True, False])
def test_a_suspended_record_comes_back_into_the_state_it_had(database: Database, public: bool) -> None:
    services = services_on(database)
    record = published(services) if public else recorded(services)
    suspend(services, record.record_id, paper("lawsuit"))
    with database.read() as conn:
        assert archive(conn, SUBJECT, TODAY).shown == ()
    back = resume(services, record.record_id, paper("dismissed by the court"))
    assert back.state is (State.PUBLISHED if public else State.CONFIRMED)
    assert ops(database)[-1][1] is Op.RESUME


def test_steps_that_stop_a_record_give_a_reason_without_identity_numbers(database: Database) -> None:
    services = services_on(database)
    record = published(services)
    for reason in ("", "   ", "x" * 2001, "mistaken for 11010519491231002X in the file"):
        with pytest.raises(InputError):
            withdraw(services, record.record_id, Paper("clerk", reason))


def test_a_final_record_stays_as_it_is(database: Database) -> None:
    services = services_on(database)
    record = published(services)
    withdraw(services, record.record_id, paper())
    for step in (withdraw, suspend, resume):
        with pytest.raises(Conflict):
            step(services, record.record_id, paper())
    with pytest.raises(NotFound):
        withdraw(services, "00000000-0000-0000-0000-000000000000", paper())


def test_a_refused_step_writes_nothing(database: Database) -> None:
    services = services_on(database)
    record = recorded(services)
    with pytest.raises(Conflict):
        repair(services, record.record_id, paper())
    assert ops(database) == [(1, Op.UPSERT, 1)]
    with database.read() as conn:
        assert verify(conn).entries == 1


def test_the_credit_line_counts_what_is_published_today(database: Database) -> None:
    services = services_on(database)
    published(services)
    published(services, CF_WSH="示市监罚〔2026〕2号", CF_JDRQ="2026/05/20")
    recorded(services, CF_WSH="示市监罚〔2026〕3号")
    with database.read() as conn:
        line = credit_line(conn, SUBJECT, TODAY)
    assert (line.published, line.latest_on) == (2, date(2026, 5, 20))


def test_identity_documents_are_stored_apart_and_compared_on_repeat(database: Database) -> None:
    services = services_on(database)
    person = parse_decision(person_codes(), today=TODAY)
    record = record_decision(services, person, Circumstances("food"), actor="clerk").record
    assert record.decision.person_document_no is None
    with database.read() as conn:
        assert store.sealed_identity(conn, record.record_id)["person_document_no"] == SECRET
        stored = store.current(conn, record.record_id)
        assert stored is not None
        assert SECRET not in repr(stored)
    other = parse_decision(person_codes(CF_XDR_ZJHM="PASSPORT-E7700999"), today=TODAY)
    with pytest.raises(Conflict):
        record_decision(services, other, Circumstances("food"), actor="clerk")


def test_a_record_read_back_is_the_record_written(database: Database) -> None:
    services = services_on(database)
    around = Circumstances("gi", batches=("https://id.gs1.org/01/06901234000009/10/L1",), evidence_ref="case-7")
    full = parse_decision(
        codes(CF_CFLB=["罚款", "没收违法所得"], CF_NR_WFFF="0.123456", BZ="第一行\n第二行", CF_GSJZQ="2026/12/31"),
        today=TODAY,
    )
    record = record_decision(services, full, around, actor="clerk").record
    with database.read() as conn:
        assert store.current(conn, record.record_id) == record
    assert record.window_max_end == date(2026, 12, 31)
