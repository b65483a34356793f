"""What is sealed is opened by two persons with reasons, for a quarter of an hour, and leaves a trace each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.server.credit.make import Clock
from trace_core.errors import ConfigError, Conflict, InputError, NotAllowed, NotFound
from trace_server.audit.store import entries
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.sealed import operations, rules
from trace_server.sealed.model import OpeningState, Purpose, SealedId
from trace_server.services import Services

NOW = datetime(2026, 11, 24, 9, 41, 7, tzinfo=UTC)
OLD, NEW = "a" * 32, "b" * 32
NAME, PHONE = "示例甲乙", "000-0000-0417"
ONE, TWO, THREE = "user:one", "user:two", "user:three"
REPORTER = Purpose.REPORTER


@pytest.fixture
def services(database: Database) -> Services:
    return Services(database, Settings(code_secret="t" * 32, sealed_key=OLD), Clock(NOW))


def sealed(services: Services) -> SealedId:
    with services.db.begin() as conn:
        return operations.seal(services.settings, conn, NOW, REPORTER, {"name": NAME, "phone": PHONE})


def approved(services: Services, sealed_id: SealedId) -> str:
    opening = operations.request_opening(services, ONE, sealed_id, REPORTER, "奖励发放需核实领取人")
    moved = operations.decide_opening(services, TWO, opening.opening_id, REPORTER, approve=True, reason="同意核实")
    assert moved.state is OpeningState.APPROVED
    return moved.opening_id


def test_two_persons_open_it_for_a_quarter_of_an_hour_and_each_look_is_logged(services: Services) -> None:
    sealed_id = sealed(services)
    opening_id = approved(services, sealed_id)
    assert isinstance(services.clock, Clock)
    services.clock.now += timedelta(hours=5)
    opened = operations.look(services, ONE, opening_id, REPORTER)
    assert opened.fields == {"name": NAME, "phone": PHONE}
    assert NAME not in repr(opened)
    services.clock.now += timedelta(minutes=14)
    assert operations.look(services, ONE, opening_id, REPORTER).until == opened.until
    services.clock.now += timedelta(minutes=1)
    for _ in range(2):
        with pytest.raises(Conflict):
            operations.look(services, ONE, opening_id, REPORTER)
    with services.db.read() as conn:
        log = list(entries(conn, about=sealed_id))
    assert [(entry.action, entry.actor) for entry in log] == [
        ("sealed.request", ONE), ("sealed.approve", TWO), ("sealed.open", ONE), ("sealed.open", ONE),
        ("sealed.end", ONE),
    ]  # fmt: skip
    assert NAME not in repr(log)
    assert PHONE not in repr(log)


def test_nobody_opens_alone_nor_looks_with_anothers_request(services: Services) -> None:
    sealed_id = sealed(services)
    opening = operations.request_opening(services, ONE, sealed_id, REPORTER, "核实举报线索")
    with pytest.raises(NotAllowed, match="second person"):
        operations.decide_opening(services, ONE, opening.opening_id, REPORTER, approve=True, reason="我自己同意")
    with pytest.raises(Conflict, match="requested"):
        operations.look(services, ONE, opening.opening_id, REPORTER)
    with pytest.raises(Conflict, match="open already"):
        operations.request_opening(services, ONE, sealed_id, REPORTER, "核实举报线索")
    operations.decide_opening(services, TWO, opening.opening_id, REPORTER, approve=True, reason="同意核实")
    for somebody in (TWO, THREE):
        with pytest.raises(NotAllowed, match="who asked"):
            operations.look(services, somebody, opening.opening_id, REPORTER)
    with pytest.raises(NotFound):
        operations.look(services, ONE, opening.opening_id, Purpose.NATURAL_PERSON)


def test_a_refusal_ends_it_and_a_reason_is_needed(services: Services) -> None:
    sealed_id = sealed(services)
    with pytest.raises(InputError, match="reason"):
        operations.request_opening(services, ONE, sealed_id, REPORTER, " ok ")
    opening = operations.request_opening(services, ONE, sealed_id, REPORTER, "核实举报线索")
    operations.decide_opening(services, TWO, opening.opening_id, REPORTER, approve=False, reason="理由不足，不同意")
    with pytest.raises(Conflict, match="refused"):
        operations.look(services, ONE, opening.opening_id, REPORTER)


def test_an_approval_not_used_within_three_days_is_over(services: Services) -> None:
    opening_id = approved(services, sealed(services))
    assert isinstance(services.clock, Clock)
    services.clock.now += rules.APPROVAL_LIFE
    with pytest.raises(Conflict, match="over"):
        operations.look(services, ONE, opening_id, REPORTER)


def test_the_tables_hold_neither_the_data_nor_a_time_finer_than_the_hour(services: Services) -> None:
    sealed_id = sealed(services)
    with services.db.read() as conn:
        row = conn.execute(text("SELECT * FROM sealed_value")).one()
        assert list(entries(conn)) == []
    assert NAME.encode() not in bytes(row.sealed)
    assert sealed_id == row.sealed_id
    whole_hour = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert row.sealed_hour in (whole_hour, int(whole_hour.timestamp()) * 1_000_000)


def test_rotation_seals_all_with_the_new_key_and_the_old_one_can_go(services: Services) -> None:
    sealed_id = sealed(services)
    index = operations.index_of(services.settings, REPORTER, PHONE)
    both = replace(services, settings=Settings(code_secret="t" * 32, sealed_key=f"B:{NEW},A:{OLD}"))
    assert [(use.key_id, use.values, use.is_newest) for use in operations.key_uses(both)] == [
        ("A", 1, False),
        ("B", 0, True),
    ]
    assert operations.rotate(both, "cli:test") == 1
    assert operations.rotate(both, "cli:test") == 0
    assert operations.index_of(both.settings, REPORTER, PHONE) == index
    alone = replace(services, settings=Settings(code_secret="t" * 32, sealed_key=f"B:{NEW}"))
    opening_id = approved(alone, sealed_id)
    assert operations.look(alone, ONE, opening_id, REPORTER).fields["name"] == NAME
    with pytest.raises(ConfigError, match="key B"):
        operations.look(services, ONE, opening_id, REPORTER)


def test_what_is_erased_is_gone(services: Services) -> None:
    sealed_id = sealed(services)
    opening_id = approved(services, sealed_id)
    with services.db.begin() as conn:
        operations.erase(services, conn, "worker", sealed_id, REPORTER, reason="保存期限已满")
    with pytest.raises(NotFound):
        operations.look(services, ONE, opening_id, REPORTER)


def test_without_a_key_nothing_is_taken(database: Database) -> None:
    settings = Settings(code_secret="t" * 32)
    assert not operations.can_seal(settings)
    with pytest.raises(ConfigError, match="without its key"), database.begin() as conn:
        operations.seal(settings, conn, NOW, REPORTER, {"name": NAME})


@given(st.dictionaries(st.sampled_from(["name", "phone", "id"]), st.text(min_size=1, max_size=200), min_size=1))
def test_what_was_sealed_comes_back_and_only_in_its_own_place(fields: dict[str, str]) -> None:
    keys, sealed_id = rules.Keys.parse(f"B:{NEW},A:{OLD}"), rules.new_sealed_id()
    value = keys.seal(sealed_id, REPORTER, fields)
    assert keys.open(sealed_id, REPORTER, value) == fields
    assert (len(value) - 2 - 12 - 16) % rules.BLOCK_BYTES == 0
    for other in ((rules.new_sealed_id(), REPORTER), (sealed_id, Purpose.NATURAL_PERSON)):
        with pytest.raises(ConfigError, match="not what was sealed"):
            keys.open(*other, value)


@pytest.mark.parametrize("setting", ["", "short", f"A:{OLD},A:{NEW}", f"{OLD},{NEW}", f"B:{NEW},A:short"])
def test_keys_that_cannot_be_told_apart_or_guessed_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError):
        rules.Keys.parse(setting)
