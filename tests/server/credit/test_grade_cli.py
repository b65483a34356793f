"""`credit grade` shows every line and stores nothing; `credit fact` takes a paper in."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner

from tests.server.credit.make import SUBJECT, published, services_on
from trace_core.errors import InputError, NotFound
from trace_server.credit.cli import commands
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.store import grades
from trace_server.db import Database
from trace_server.services import Services

(credit,) = commands


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database)


def run(services: Services, *words: str) -> str:
    outcome = CliRunner().invoke(credit, words, obj=services, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_the_lines_of_a_grade_are_printed_as_one_document(services: Services) -> None:
    record = published(services)
    made = json.loads(run(services, "grade", "--uscc", SUBJECT, "--json"))
    assert (made["uscc"], made["stored"]) == (SUBJECT, {"level": "B", "as_of": "2026-06-01"})
    grade = made["grade"]
    assert (grade["level"], grade["score"], grade["policy_status"]) == ("B", "85.6", "default")
    assert grade["lines"][1] == {
        "kind": "record",
        "ref": record.record_id,
        "points": "-14.4",
        "factors": [["deduction", "12"], ["category", "1.2"], ["repeat", "1"], ["time", "1"]],
        "basis": "general",
        "detail": "food",
        "related": "",
    }
    assert grade["supervision"] == {
        "inspections_min": 1,
        "inspections_max": 2,
        "sampling": "1",
        "checkpoint": "sample",
    }
    assert made["green"]["eligible"] is False
    assert made["green"]["reasons"][0] == {"condition": "years_clean", "met": False, "refs": [record.record_id]}


def test_another_day_is_computed_and_not_stored(services: Services) -> None:
    published(services)
    later = json.loads(run(services, "grade", "--uscc", SUBJECT, "--as-of", "2027-05-16", "--json"))
    assert (later["grade"]["level"], later["stored"]["level"]) == ("A", "B")
    with services.db.read() as conn:
        days = {(day, level) for _, day, level in grades.history(conn, SUBJECT, SCHEME)}
    assert days == {(date(2026, 6, 1), "B")}
    with pytest.raises(NotFound, match="no grading policy"):
        run(services, "grade", "--uscc", SUBJECT, "--as-of", "2020-01-01")


def test_words_are_printed_without_json(services: Services) -> None:
    published(services)
    words = run(services, "grade", "--uscc", SUBJECT)
    for part in ("ABCD B 良  85.60  2026-06-01", "-14.40  record  general  food", "green channel: no", "not met"):
        assert part in words, part


def test_a_fact_is_taken_in_and_ended_by_its_paper(services: Services) -> None:
    paper = [
        "--uscc",
        SUBJECT,
        "--kind",
        "list_serious",
        "--ref",
        "示列决〔2026〕1号",
        "--source",
        "示例市市场监督管理局",
    ]
    made = json.loads(run(services, "fact", *paper, "--from", "2026-05-01", "--operator", "clerk", "--json"))
    assert (made["kind"], made["grade_changed"]) == ("list_serious", True)
    ended = run(services, "fact", *paper, "--from", "2026-05-01", "--until", "2026-05-31", "--operator", "clerk")
    assert ended.strip().endswith("grade changed")
    assert json.loads(run(services, "grade", "--uscc", SUBJECT, "--json"))["grade"]["level"] == "A"
    with pytest.raises(InputError):
        run(services, "fact", *paper, "--from", "2026-05-01", "--until", "2026-04-01", "--operator", "clerk")
