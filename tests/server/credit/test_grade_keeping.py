"""Stored grades follow every change in its own transaction and the calendar by night; nothing else writes one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from tests.server.credit.make import (
    NOW,
    OTHER_SUBJECT,
    SUBJECT,
    TODAY,
    Clock,
    decision,
    paper,
    person_codes,
    published,
    recorded,
    services_on,
)
from tests.server.credit.make_grades import fact, policy
from trace_core.errors import Conflict, InputError
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Subject, SubjectKind, SubjectStatus
from trace_server.credit.grade_facts import state_fact
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.grading.facts import FactKind
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.jobs import jobs
from trace_server.credit.model import Circumstances
from trace_server.credit.operations import correct, credit_line, record_decision, repair, suspend, withdraw
from trace_server.credit.rules import parse_decision
from trace_server.credit.store import grades
from trace_server.credit.upkeep import keep_up
from trace_server.db import Database
from trace_server.services import Services

FARM = {"CF_CFJG": "示例县农业农村局"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(database: Database, clock: Clock) -> Services:
    return services_on(database, clock)


def register(services: Services, *subjects: str) -> None:
    made = [
        Subject(
            uscc=code,
            name="示例公司",
            name_en="Example",
            kind=SubjectKind.LEGAL_PERSON,
            region=code[2:8],
            status=SubjectStatus.ACTIVE,
            source="示例市市场监督管理局",
            as_of=date(2026, 5, 30),
        )
        for code in subjects
    ]
    with services.db.begin() as conn:
        catalog.save_subjects(conn, services.db.dialect, made)


def now_of(services: Services, uscc: str = SUBJECT) -> tuple[int, str, str]:
    """Number, level and score of the current result; zeros when there is none."""
    with services.db.read() as conn:
        found = grades.current(conn, uscc, SCHEME)
    if found is None:
        return 0, "", ""
    made = found.assessment.grade
    return found.number, made.level, "" if made.score is None else f"{made.score.normalize():f}"


def test_every_step_of_a_record_regrades_its_subject_at_once(services: Services, clock: Clock) -> None:
    first = recorded(services, CF_WSH="1号")
    assert now_of(services) == (1, "B", "85.6")
    second = published(services, CF_WSH="2号")
    assert now_of(services)[1:] == ("C", "64")
    suspend(services, second.record_id, paper())
    assert now_of(services)[1:] == ("B", "85.6")
    withdraw(services, first.record_id, paper())
    assert now_of(services)[1:] == ("A", "100")


def test_the_first_worked_example_through_the_archive(services: Services, clock: Clock) -> None:
    older = published(services, CF_WSH="1号", CF_JDRQ="2025/08/15", **FARM)
    newer = published(services, CF_WSH="2号", CF_JDRQ="2026/03/01", **FARM)
    assert older.window_max_end == date(2026, 8, 15)
    assert now_of(services)[1:] == ("C", "64")
    clock.now = datetime(2026, 8, 16, 1, 0, tzinfo=UTC)
    assert keep_up(services) == 1
    assert now_of(services)[1:] == ("B", "85.6")
    repair(services, newer.record_id, paper())
    assert now_of(services)[1:] == ("A", "100")


def test_the_same_decision_again_writes_no_grade(services: Services) -> None:
    recorded(services)
    recorded(services)
    with services.db.read() as conn:
        assert [(number, level) for number, _, level in grades.history(conn, SUBJECT, SCHEME)] == [(1, "B")]


def test_a_step_that_is_refused_leaves_the_grade_alone(services: Services) -> None:
    record = published(services)
    before = now_of(services)
    with pytest.raises(Conflict):
        repair(services, record.record_id, paper())
    assert now_of(services) == before


def test_a_correction_of_the_subject_moves_the_points(services: Services) -> None:
    record = recorded(services)
    moved = decision(CF_XDR_SHXYM=OTHER_SUBJECT)
    correct(services, record.record_id, moved, Circumstances("food"), paper())
    assert now_of(services, SUBJECT)[1:] == ("A", "100")
    assert now_of(services, OTHER_SUBJECT)[1:] == ("B", "85.6")


def test_a_natural_person_has_no_grade(services: Services) -> None:
    record_decision(services, parse_decision(person_codes(), today=TODAY), Circumstances("food"), actor="clerk")
    with services.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM grade_head")).scalar() == 0


def test_before_the_policy_is_in_force_there_is_no_grade(services: Services, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
    published(services, CF_JDRQ="2026/03/01")
    assert regrade_all(services) == 0
    assert now_of(services) == (0, "", "")
    clock.now = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert regrade_all(services) == 1
    assert now_of(services)[1:] == ("B", "85.6")


def test_the_sweep_rates_every_subject_once_a_day_and_writes_only_changes(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace_server.credit.grade_upkeep.MAX_BATCH", 2)
    register(services, SUBJECT, "91320900MA1T000130", "91320900MA1T000480")
    recorded(services, CF_XDR_SHXYM=OTHER_SUBJECT, CF_JDRQ="2025/06/02", CF_GSJZQ="2028/01/01")
    job = next(job for job in jobs if job.name == "credit-grades")
    assert job.run(services) == 3
    assert job.run(services) == 0
    clock.now = datetime(2026, 6, 1, 17, 0, tzinfo=UTC)
    assert job.run(services) == 1
    assert now_of(services, OTHER_SUBJECT) == (2, "A", "91.36")
    assert now_of(services)[0] == 1
    clock.now = datetime(2026, 6, 2, 17, 0, tzinfo=UTC)
    assert job.run(services) == 1
    assert now_of(services, OTHER_SUBJECT)[1:] == ("A", "100")  # its window is over, whoever comes first to end it
    clock.now = datetime(2026, 6, 3, 17, 0, tzinfo=UTC)
    assert job.run(services) == 0


def test_another_policy_starts_the_sweep_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(services)
    regrade_all(services)
    changed = replace(policy(), version="2-other")
    monkeypatch.setattr("trace_server.credit.grade_choice.shipped_policies", lambda: (changed,))
    assert regrade_all(services) == 1
    with services.db.read() as conn:
        found = grades.current(conn, SUBJECT, SCHEME)
    assert found is not None
    assert found.assessment.grade.policy_version == "2-other"


def test_a_stated_fact_regrades_and_is_audited_once_per_paper(services: Services) -> None:
    listed = fact(FactKind.LIST_SERIOUS)
    assert state_fact(services, listed, actor="clerk")
    assert now_of(services)[1:] == ("D", "100")
    assert not state_fact(services, listed, actor="clerk")
    ended = fact(FactKind.LIST_SERIOUS, until_day=date(2026, 5, 31))
    assert state_fact(services, ended, actor="clerk")
    assert now_of(services)[1:] == ("A", "100")
    with services.db.read() as conn:
        assert grades.facts(conn, SUBJECT) == [ended]
        entries = conn.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'credit.fact'")).scalar()
    assert entries == 3


def test_registration_decides_who_is_not_rated(services: Services) -> None:
    recorded(services)
    state_fact(services, fact(FactKind.REGISTERED, "9132", from_day=date(2026, 3, 1)), actor="register")
    with services.db.read() as conn:
        line = credit_line(conn, SUBJECT, TODAY)
    assert (line.scheme, line.level, line.graded_on) == ("ABCD", "NR", TODAY)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (fact(FactKind.LIST_RED, " "), "ref"),
        (fact(FactKind.LIST_RED, until_day=date(2026, 4, 1)), "until_day"),
        (fact(FactKind.LIST_RED, percent="98"), "percent"),
        (fact(FactKind.CHAIN_COMPLETENESS, until_day=date(2027, 1, 1)), "percent"),
        (fact(FactKind.CHAIN_COMPLETENESS, percent="101", until_day=date(2027, 1, 1)), "percent"),
        (fact(FactKind.CHAIN_COMPLETENESS, percent="99"), "until_day"),
    ],
)
def test_a_fact_without_paper_or_sense_is_refused(services: Services, wrong: object, where: str) -> None:
    with pytest.raises(InputError) as caught:
        state_fact(services, wrong, actor="clerk")  # type: ignore[arg-type]
    assert caught.value.where == where
    assert now_of(services) == (0, "", "")


def test_every_kind_of_fact_reaches_the_grade(services: Services) -> None:
    levels = {
        FactKind.LIST_ABNORMAL: ("B", "100"),
        FactKind.COMMITMENT_PARTLY: ("A", "95"),
        FactKind.COMMITMENT_UNFULFILLED: ("B", "90"),
        FactKind.RECALL_REFUSED: ("D", "100"),
        FactKind.RECALL_CLASS1_LATE: ("C", "100"),
    }
    for kind, expected in levels.items():
        state_fact(services, fact(kind, "1号"), actor="clerk")
        assert now_of(services)[1:] == expected
        state_fact(services, fact(kind, "1号", until_day=date(2026, 5, 2)), actor="clerk")
    state_fact(services, fact(FactKind.COMMITMENT_PARTLY, "2号"), actor="clerk")
    state_fact(
        services,
        fact(FactKind.CHAIN_COMPLETENESS, "3号", percent="98.5", until_day=date(2027, 1, 1)),
        actor="clerk",
    )
    state_fact(services, fact(FactKind.LIST_RED, "4号"), actor="clerk")
    assert now_of(services)[1:] == ("A", "100")


def test_records_made_at_the_same_time_are_all_in_the_grade(services: Services) -> None:
    failures: list[Exception] = []

    def run(number: int) -> None:
        try:
            recorded(services, CF_WSH=f"{number}号", CF_WFXW=f"类型{number}")
        except Exception as error:  # noqa: BLE001 – carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    number, level, score = now_of(services)
    assert (number, level, score) == (4, "D", "42.4")


def test_clerks_registers_and_the_sweep_never_block_each_other(services: Services) -> None:
    register(services, SUBJECT, OTHER_SUBJECT)
    failures: list[Exception] = []

    def run(work: Callable[[int], object]) -> None:
        try:
            for number in range(5):
                work(number)
        except Exception as error:  # noqa: BLE001 – carried to the main thread
            failures.append(error)

    works: list[Callable[[int], object]] = [
        lambda n: published(services, CF_WSH=f"a{n}号", CF_WFXW=f"类型a{n}"),
        lambda n: published(services, CF_WSH=f"b{n}号", CF_WFXW=f"类型b{n}", CF_XDR_SHXYM=OTHER_SUBJECT),
        lambda n: state_fact(services, fact(FactKind.LIST_ABNORMAL, f"{n}号"), actor="register"),
        lambda _: _sweep_again(services),
    ]
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert now_of(services)[1:] == ("D", "28")
    assert now_of(services, OTHER_SUBJECT)[1:] == ("D", "28")


def _sweep_again(services: Services) -> int:
    with services.db.begin() as conn:
        conn.execute(text("DELETE FROM grade_sweep"))
    return regrade_all(services)


def test_the_credit_line_names_scheme_level_and_day(services: Services) -> None:
    with services.db.read() as conn:
        assert credit_line(conn, SUBJECT, TODAY).level is None
    published(services)
    with services.db.read() as conn:
        line = credit_line(conn, SUBJECT, TODAY)
    assert (line.scheme, line.level, line.graded_on, line.published) == ("ABCD", "B", NOW.date(), 1)
