"""The made-up city: one seed is one city, on both databases; everything has something to show, and nobody is real."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from trace_core.errors import Conflict
from trace_core.ids import gs1, uscc
from trace_server.app import create_app
from trace_server.cases.model import CaseState
from trace_server.complaints.model import State as ComplaintState
from trace_server.config import Settings
from trace_server.credit.operations import records_of
from trace_server.db import Database, open_database
from trace_server.detect import operations as alerts
from trace_server.detect import run as detect
from trace_server.ingest import operations as ingest
from trace_server.lists import operations as lists
from trace_server.portal.pages import PORTAL
from trace_server.recall import operations as recalls
from trace_server.recall.model import RecallState
from trace_server.sample import city as cities
from trace_server.sample import operations
from trace_server.sample.agenda import Agenda, Clock, Story
from trace_server.sample.cli import sample
from trace_server.sample.faults import Faults
from trace_server.sample.model import LEGAL_TIME, SCALES, City, Summary, Trade
from trace_server.services import Services
from trace_server.users.model import UserState
from trace_server.users.operations import list_users

DAY = date(2026, 11, 24)
SEED, EVENTS = 7, 1_500
SETTINGS = Settings(code_secret="s" * 32)


def load(db: Database, **changes: bool) -> Summary:
    return operations.load(
        Services(db, SETTINGS), seed=SEED, scale="small", as_of=DAY, events=EVENTS, **changes
    )  # fmt: skip


@pytest.fixture(scope="module")
def loaded(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Summary]]:
    """A small city that the tests only read."""
    path = tmp_path_factory.mktemp("city") / "suyuan.sqlite"
    shutil.copy(migrated_sqlite, path)
    db = open_database(f"sqlite:///{path}")
    yield db, load(db, with_people=True)
    db.dispose()


@pytest.fixture(scope="module")
def city() -> City:
    return cities.build(SEED, SCALES["city"], operations.moment_of(DAY))


def test_two_loads_of_one_seed_are_one_city_on_both_databases(
    database: Database, loaded: tuple[Database, Summary]
) -> None:
    again = load(database)
    assert again.digest == loaded[1].digest
    assert again.rules == loaded[1].rules
    assert {name for name, number in again.counts.items() if number != loaded[1].counts[name]} == set()
    with pytest.raises(Conflict):
        load(database)


def test_another_seed_is_another_city(city: City) -> None:
    other = cities.build(SEED + 1, SCALES["city"], city.as_of)
    assert other.companies != city.companies
    assert cities.build(SEED, SCALES["city"], city.as_of) == city


def test_every_rule_finds_something_and_most_goods_are_sound(loaded: tuple[Database, Summary]) -> None:
    found = loaded[1].rules
    assert found.keys() == detect.registry().keys()
    assert max(found.values()) < 10, found
    assert loaded[1].counts["quarantined"] == 0


def test_the_followers_have_seen_everything(loaded: tuple[Database, Summary]) -> None:
    report = detect.follow(
        loaded[0], datetime.combine(DAY, datetime.min.time(), LEGAL_TIME), detect.registry().values()
    )
    assert set(report.judged.values()) == {0}
    assert ingest.number_captures(loaded[0]) == 0


def test_every_register_has_rows(loaded: tuple[Database, Summary]) -> None:
    empty = {name for name, number in loaded[1].counts.items() if number == 0}
    assert empty <= {"quarantined", "reports"}


def test_cases_complaints_lists_and_recalls_stand_in_several_states(loaded: tuple[Database, Summary]) -> None:
    db, _ = loaded
    with db.read() as conn:
        states = {
            name: set(conn.exec_driver_sql(f"SELECT DISTINCT state FROM {name}").scalars())
            for name in ("case_file", "complaint", "commitment", "violation_record", "repair_application", "objection")
        }
    assert {CaseState.CLOSED, CaseState.DISMISSED} & states["case_file"]
    assert states["complaint"] >= {
        ComplaintState.RECEIVED, ComplaintState.REFUSED, ComplaintState.ACCEPTED, ComplaintState.UNFOUNDED,
        ComplaintState.VERIFIED, ComplaintState.CLOSED, ComplaintState.INVESTIGATING,
    }  # fmt: skip
    assert all(len(found) > 1 for found in states.values()), states
    assert {one.state for one in recalls.list_recalls(db)} >= {RecallState.DRAFT, RecallState.CLOSED}
    for name in ("serious", "red", "industry_black"):
        assert lists.on_list(Services(db, SETTINGS), name), name


def test_decisions_stand_under_three_regimes(loaded: tuple[Database, Summary], city: City) -> None:
    small = cities.build(SEED, SCALES["small"], city.as_of)
    with loaded[0].read() as conn:
        days = [
            record.decision.decided_on for one in small.companies for record in records_of(conn, one.uscc)
        ]  # fmt: skip
    years = {day.year for day in days}
    assert {2021, 2022, 2023} & years and {2024, 2025} & years and 2026 in years


def test_nobody_is_real(city: City) -> None:
    assert len({one.uscc for one in city.companies}) == len(city.companies) == SCALES["city"].subjects
    for one in city.companies:
        assert "示例" in one.name
        assert uscc.is_valid(one.uscc)
        assert one.uscc[2:8] == one.county.code
        assert one.uscc[8:12] == "MAYC"
    assert {good.gtin[1:4] for good in city.goods} == {"952"}
    for good in city.goods:
        gs1.require_check_digit(good.gtin)
    assert len(city.checkpoints) == 40
    assert {one.county.code for one in city.companies} == {one.code for one in city.counties}
    assert {good.category for good in city.goods} == {
        "food", "drug", "agricultural", "consumer", "special_equipment", "geographical_indication",
    }  # fmt: skip


def test_people_are_invited_and_nobody_has_a_password(loaded: tuple[Database, Summary]) -> None:
    made = list_users(loaded[0])
    assert {one.name for one in made} == loaded[1].invitations.keys()
    assert {one.state for one in made} == {UserState.INVITED}
    assert all(not one.password_hash for one in made)


@pytest.fixture(scope="module")
def browser(loaded: tuple[Database, Summary]) -> Iterator[FlaskClient]:
    app = create_app(SETTINGS, loaded[0])
    yield app.test_client()
    app.extensions[PORTAL].close()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/penalties", "盐市监示罚字"),
        ("/lists/serious", "示例"),
        ("/lists/red", "示例"),
        ("/recalls", "盐市监示召"),
    ],
)
def test_public_pages_have_something_to_show(browser: FlaskClient, path: str, shown: str) -> None:
    answer = browser.get(path, headers={"Accept-Language": "zh"})
    assert answer.status_code == 200
    assert shown in answer.text


def test_faults_are_the_same_for_one_seed(city: City) -> None:
    first, second = (Faults(city, random.Random(1)) for _ in range(2))
    assert [one.event for one in first.told] == [one.event for one in second.told]
    assert len(city.of(Trade.SHOP)) > 50


def test_stories_take_turns_in_the_order_of_time() -> None:
    start = operations.moment_of(DAY)
    clock, seen = Clock(start), []

    def story(name: str, *hours: int) -> Story:
        for hour in hours:
            yield start + timedelta(hours=hour)
            seen.append((name, clock()))

    agenda = Agenda(clock)
    agenda.add(story("a", 1, 5))
    agenda.add(story("b", 3, 30))
    agenda.run(start + timedelta(hours=24))
    assert seen == [(name, start + timedelta(hours=hour)) for name, hour in (("a", 1), ("b", 3), ("a", 5))]
    assert clock() == start + timedelta(hours=24)


def test_the_command_refuses_a_database_with_data(loaded: tuple[Database, Summary]) -> None:
    outcome = CliRunner().invoke(
        sample, ["load", "--scale", "small", "--as-of", "2026-11-24"], obj=Services(loaded[0], SETTINGS)
    )
    assert isinstance(outcome.exception, Conflict)
    assert "--into-existing" in str(outcome.exception)


def test_alerts_of_the_city_name_whom_they_concern(loaded: tuple[Database, Summary]) -> None:
    kinds = {one.subject_kind.value for one in alerts.stream_alerts(loaded[0])}
    assert kinds == {"enterprise", "device", "data"}
    assert json.dumps(loaded[1].counts)
