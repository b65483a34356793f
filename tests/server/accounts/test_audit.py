"""Any change to the audit log is found and named; what is not committed is not in it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_core.errors import Conflict
from trace_server import audit
from trace_server.accounts.model import GatewayEvent, GatewayState
from trace_server.accounts.states import TRANSITIONS
from trace_server.audit import operations, store
from trace_server.audit.lifecycle import advance, next_state
from trace_server.db import Database

NOW = datetime(2026, 11, 24, 8, 0, 0, 7, tzinfo=UTC)


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


class Turn(StrEnum):
    GO = "go"


LIGHTS = {Light.RED: {Turn.GO: Light.GREEN}, Light.GREEN: {}}


def fill(db: Database, count: int) -> None:
    with db.begin() as conn:
        for n in range(count):
            audit.record(conn, NOW, "test", "thing.do", f"thing-{n}", {"n": n, "名": "值", "share": 0.1})


def verify(db: Database) -> tuple[bool, int]:
    with db.read() as conn:
        found = operations.verify(conn)
    return found.is_intact, found.first_wrong


def test_an_untouched_log_is_intact(database: Database) -> None:
    assert verify(database) == (True, 0)
    fill(database, 5)
    assert verify(database) == (True, 0)


@pytest.mark.parametrize(
    ("tampering", "first_wrong"),
    [
        ("UPDATE audit_entry SET actor = 'other' WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 2", 2),
        ("DELETE FROM audit_entry WHERE seq = 5", 5),
        ("DELETE FROM audit_entry WHERE seq = 1", 1),
        ("UPDATE audit_entry SET seq = 9 WHERE seq = 4", 4),
        ("UPDATE audit_entry SET digest = previous WHERE seq = 4", 4),
        ("INSERT INTO audit_entry SELECT 6, at, actor, action, object, detail, previous, digest FROM audit_entry"
         " WHERE seq = 5", 6),
        ("DELETE FROM audit_head", 6),
    ],
)  # fmt: skip
def test_tampering_is_found_and_named(database: Database, tampering: str, first_wrong: int) -> None:
    fill(database, 5)
    with database.begin() as conn:
        conn.exec_driver_sql(tampering)
    assert verify(database) == (False, first_wrong)


def test_an_entry_stands_or_falls_with_its_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as conn:
        audit.record(conn, NOW, "test", "thing.do", "x")
        raise RuntimeError
    fill(database, 1)
    with database.read() as conn:
        assert [(e.seq, e.at, e.detail["n"]) for e in store.entries(conn)] == [(1, NOW, 0)]


def test_writers_side_by_side_make_one_chain(database: Database) -> None:
    threads = [threading.Thread(target=fill, args=(database, 5)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as conn:
        assert [e.seq for e in store.entries(conn)] == list(range(1, 31))
    assert verify(database) == (True, 0)


def test_a_long_log_is_read_in_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PAGE", 3)
    fill(database, 7)
    with database.read() as conn:
        assert [e.seq for e in store.entries(conn, after=2)] == [3, 4, 5, 6, 7]
        assert [e.seq for e in store.entries(conn, about="thing-4")] == [5]
    assert verify(database) == (True, 0)


def test_a_step_is_taken_and_written_down(database: Database) -> None:
    with database.begin() as conn:
        after = advance(
            conn, NOW, table=LIGHTS, state=Light.RED, event=Turn.GO, actor="a", object="l", action="light.turn"
        )
        (entry,) = store.entries(conn)
    assert after is Light.GREEN
    assert entry.detail == {"event": "go", "from": "red", "to": "green"}


@pytest.mark.parametrize(("state", "refusal"), [(Light.RED, "not today"), (Light.GREEN, "")])
def test_a_refused_or_impossible_step_writes_nothing(database: Database, state: Light, refusal: str) -> None:
    with pytest.raises(Conflict), database.begin() as conn:
        advance(
            conn,
            NOW,
            table=LIGHTS,
            state=state,
            event=Turn.GO,
            actor="a",
            object="l",
            action="light.turn",
            refusal=refusal,
        )
    with database.read() as conn:
        assert list(store.entries(conn)) == []


@given(st.lists(st.sampled_from(GatewayEvent), max_size=12))
def test_no_way_leads_out_of_revoked_and_none_to_active_past_an_enrolment(events: list[GatewayEvent]) -> None:
    state, has_enrolled, was_revoked = GatewayState.INVITED, False, False
    for event in events:
        try:
            state = next_state(TRANSITIONS, state, event)
        except Conflict:
            continue
        has_enrolled = has_enrolled or event in (GatewayEvent.ENROL, GatewayEvent.ENROL_APPROVED)
        assert not was_revoked
        was_revoked = state is GatewayState.REVOKED
        assert state is not GatewayState.ACTIVE or has_enrolled
