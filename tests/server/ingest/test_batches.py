"""A gateway's events are stored once, in order, whatever the line and the gateway do."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.ingest.make import EPOCH, GTIN, NOW, batch, body, count, document, epc, item_uri, rows, run, seen
from trace_core.errors import NotAllowed
from trace_core.ids.canonical import object_key
from trace_core.uplink import ZERO_DIGEST, Ack, chain
from trace_server.db import Connection, Database
from trace_server.ingest import intake, operations, tables
from trace_server.ingest.model import CursorConflict, ErrorBehaviour, Origin, Rejection
from trace_server.ingest.rules import MAX_OBJECTS, Taken, read_event


def accept(db: Database, sent: object, gateway: str = "gate-1") -> Ack:
    return operations.accept_batch(db, NOW, gateway, sent)  # type: ignore[arg-type]


def test_a_batch_becomes_events_links_and_objects(database: Database) -> None:
    ack = accept(database, run(1, 3))
    assert (ack.epoch, ack.ack, ack.quarantined) == (EPOCH, 3, ())
    events = sorted(rows(database, tables.event), key=lambda row: row.seq)
    assert [(row.source, row.epoch, row.seq) for row in events] == [("gateway:gate-1", EPOCH, n) for n in (1, 2, 3)]
    assert events[0].event_time == NOW + timedelta(seconds=1)
    assert events[0].body.encode() == body(seen(1))
    assert {row.object_key for row in rows(database, tables.link)} == {object_key(epc(n)) for n in (1, 2, 3)}
    assert {row.canonical_uri for row in rows(database, tables.object_)} == {item_uri(n) for n in (1, 2, 3)}


def test_a_batch_sent_twice_is_counted_once_and_answered_alike(database: Database) -> None:
    first, second = accept(database, run(1, 3)), accept(database, run(1, 3))
    assert first == second
    assert count(database, tables.event) == 3
    assert count(database, tables.capture) == 1


def test_an_overlapping_batch_adds_only_what_is_new(database: Database) -> None:
    accept(database, run(1, 3))
    assert accept(database, run(2, 4)).ack == 5
    assert count(database, tables.event) == 5


def test_an_old_batch_inside_what_is_stored_is_acknowledged_up_to_the_end(database: Database) -> None:
    accept(database, run(1, 5))
    assert accept(database, run(2, 2)).ack == 5


def test_a_gap_is_refused_with_the_cursor_and_leaves_no_trace(database: Database) -> None:
    accept(database, run(1, 2))
    with pytest.raises(CursorConflict) as refused:
        accept(database, run(4, 2))
    assert (refused.value.cursor.epoch, refused.value.cursor.last_seq) == (EPOCH, 2)
    with pytest.raises(CursorConflict):
        accept(database, run(2, 1), gateway="gate-2")
    assert count(database, tables.event) == 2
    assert count(database, tables.gateway_cursor) == 1


def test_the_same_number_with_another_body_is_an_alarm_and_both_are_kept(database: Database) -> None:
    accept(database, run(1, 2))
    other = batch(body(seen(1)), body(seen(99)))
    for _ in range(3):
        with pytest.raises(CursorConflict) as refused:
            accept(database, other)
    assert refused.value.cursor.last_seq == 2
    (kept,) = rows(database, tables.quarantine)
    assert (kept.seq, bytes(kept.body), kept.state) == (2, body(seen(99)), "evidence")
    (alarm,) = rows(database, tables.alarm)
    assert (alarm.kind, alarm.source, alarm.seq, alarm.times) == ("sequence-contradiction", "gateway:gate-1", 2, 3)
    assert count(database, tables.event) == 2


def test_a_batch_that_follows_another_past_is_a_contradiction(database: Database) -> None:
    accept(database, run(1, 2))
    past = chain(ZERO_DIGEST, [body(seen(1)), body(seen(77))])
    with pytest.raises(CursorConflict):
        accept(database, batch(body(seen(3)), first_seq=3, previous=past))
    assert count(database, tables.event) == 2
    assert count(database, tables.alarm) == 1


def test_a_bad_event_waits_in_quarantine_and_the_cursor_goes_on(database: Database) -> None:
    sent = batch(body(seen(1)), b'{"type":"ObjectEvent"', body(seen(3, action="EAT")), body(seen(4)))
    ack = accept(database, sent)
    assert (ack.ack, ack.quarantined) == (4, (2, 3))
    assert accept(database, sent) == ack
    assert count(database, tables.event) == 2
    held = {row.seq: row for row in rows(database, tables.quarantine)}
    assert (held[2].reason, held[3].reason, held[3].where) == ("not-json", "schema", "/action")
    assert bytes(held[2].body) == b'{"type":"ObjectEvent"'


def test_gateways_and_epochs_have_cursors_of_their_own(database: Database) -> None:
    accept(database, run(1, 2))
    assert accept(database, run(1, 1), gateway="gate-2").ack == 1
    assert accept(database, run(1, 1, epoch="ffffffffffffffff")).ack == 1
    assert count(database, tables.gateway_event) == 4


def test_an_event_that_another_gateway_signed_for_is_not_taken(database: Database) -> None:
    ack = accept(database, batch(body(seen(1, **{"suyuan:gateway": "gate-2"}))))
    assert ack.quarantined == (1,)
    assert rows(database, tables.quarantine)[0].reason == "foreign-gateway"


def test_an_event_that_two_senders_tell_is_kept_for_each_under_one_hash(database: Database) -> None:
    accept(database, batch(body(seen(1))))
    for accepted in (1, 0):
        job = operations.capture_document(database, NOW, "erp", document(seen(1)))
        assert (job.accepted, job.duplicates) == (accepted, 1 - accepted)
    stored = rows(database, tables.event)
    assert {row.source for row in stored} == {"gateway:gate-1", "client:erp"}
    assert len({row.hash_key for row in stored}) == 1


def test_a_gateway_that_may_no_longer_send_writes_nothing(database: Database) -> None:
    def revoked(_: Connection) -> None:
        raise NotAllowed("revoked")

    with pytest.raises(NotAllowed):
        operations.accept_batch(database, NOW, "gate-1", run(1, 1), admit=revoked)
    assert count(database, tables.gateway_cursor) == 0


def test_twenty_senders_of_one_batch_have_one_effect_and_one_answer(database: Database) -> None:
    with ThreadPoolExecutor(20) as pool:
        acks = list(pool.map(lambda _: accept(database, run(1, 10)), range(20)))
    assert len(set(acks)) == 1
    assert count(database, tables.event) == 10
    assert count(database, tables.capture) == 1
    assert count(database, tables.gateway_event) == 10


def test_senders_of_the_same_goods_do_not_lock_each_other_out(database: Database) -> None:
    """Other events, the same objects in another order: batches are sorted by key before they are written."""

    def send(number: int) -> int:
        epcs = [epc(serial) for serial in range(40)]
        ordered = epcs if number % 2 else epcs[::-1]
        bodies = [body(seen(number * 100 + n, epcList=ordered)) for n in range(25)]
        return accept(database, batch(*bodies), gateway=f"gate-{number}").ack

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(8))) == [25] * 8
    assert count(database, tables.event) == 200
    assert count(database, tables.object_) == 40


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sends=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), min_size=1, max_size=12))
def test_whatever_a_sender_repeats_the_store_holds_a_prefix_once(
    database: Database, sends: list[tuple[int, int]]
) -> None:
    """State test: the cursor is the highest number sent without a gap, and the events are exactly 1 … cursor."""
    epoch = hashlib.sha256(repr(sends).encode()).hexdigest()[:16]
    last = 0
    for first, length in sends:
        if first > last + 1:
            with pytest.raises(CursorConflict):
                accept(database, run(first, length, epoch=epoch), gateway=epoch)
            continue
        last = max(last, first + length - 1)
        assert accept(database, run(first, length, epoch=epoch), gateway=epoch).ack == last
    stored = [row.seq for row in rows(database, tables.gateway_event) if row.epoch == epoch]
    assert sorted(stored) == list(range(1, last + 1))


def unstorable(raw: bytes, origin: Origin, context: object = None) -> Taken | Rejection:
    """Reading as it is, but the second event's row is one that no database takes."""
    result = read_event(raw, origin, context)
    if isinstance(result, Taken) and result.event["event_time"] == NOW + timedelta(seconds=2):
        result.event["utc_offset_min"] = None
    return result


def test_an_event_that_the_database_refuses_stops_no_gateway(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "read_event", unstorable)
    ack = accept(database, run(1, 3))
    assert (ack.ack, ack.quarantined) == (3, (2,))
    assert count(database, tables.event) == 2
    assert count(database, tables.capture) == 1
    (entry,) = rows(database, tables.quarantine)
    assert (entry.reason, entry.seq) == ("storage-refused", 2)
    rejection = operations.replay(database, NOW, "test", entry.quarantine_key)
    assert rejection is not None
    assert rejection.reason == "storage-refused"
    monkeypatch.setattr(intake, "read_event", read_event)
    assert operations.replay(database, NOW, "test", entry.quarantine_key) is None
    assert count(database, tables.event) == 3


def test_a_documents_good_events_are_taken_beside_one_that_the_database_refuses(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "read_event", unstorable)
    raw = document(seen(1), seen(2), seen(3))
    job = operations.capture_document(database, NOW, "erp", raw, ErrorBehaviour.PROCEED)
    assert (job.accepted, [error.reason for error in job.errors]) == (2, ["storage-refused"])


def test_an_event_with_too_many_objects_is_held(database: Database) -> None:
    ack = accept(database, batch(body(seen(1)), body(seen(2, epcList=[f"x:{n}" for n in range(MAX_OBJECTS + 1)]))))
    assert (ack.ack, ack.quarantined) == (2, (2,))
    assert [entry.reason for entry in rows(database, tables.quarantine)] == ["too-many-objects"]


def test_every_object_of_a_large_event_is_stored(database: Database) -> None:
    items = [f"https://id.gs1.org/01/{GTIN}/21/{n}" for n in range(3000)]
    made = seen(1, action="ADD", bizStep="commissioning", epcList=items, ilmd={"cbvmda:lotNumber": "L1"})
    assert accept(database, batch(body(made))).quarantined == ()
    assert count(database, tables.link) == 2 * 3000
