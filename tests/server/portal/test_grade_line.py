"""The code page names a grade with its scheme and day, at once when it changes; a scan never changes one."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.credit.make_grades import fact
from tests.server.portal import make
from trace_server.credit.grade_facts import state_fact
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.grading.facts import FactKind
from trace_server.db import Database
from trace_server.services import EXTENSION, Services


@pytest.fixture
def services(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


def credit(http: FlaskClient, language: str = "") -> str:
    """The sentence on the credit of the producer."""
    page = html.unescape(http.get(make.signed_path(language=language)).text)
    section = page.split("信用记录" if language != "en" else "Credit record")[1].split("</p>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def test_the_line_names_scheme_level_and_day_in_both_languages(
    database: Database, http: FlaskClient, services: Services
) -> None:
    make.load(database)
    assert "信用等级" not in credit(http)
    assert regrade_all(services) > 0
    assert "信用等级：A（ABCD，2026年11月24日）。" in credit(http)
    assert "Credit grade: A (ABCD, 24 November 2026)." in credit(http, "en")


def test_a_page_kept_in_memory_shows_a_changed_grade_at_once(
    database: Database, http: FlaskClient, services: Services
) -> None:
    make.load(database)
    regrade_all(services)
    assert "信用等级：A（" in credit(http)
    assert "信用等级：A（" in credit(http)
    state_fact(services, fact(FactKind.LIST_SERIOUS, uscc=make.PRODUCER), actor="clerk")
    assert "信用等级：D（" in credit(http)


def test_a_producer_that_is_too_new_is_said_to_be_not_rated(
    database: Database, http: FlaskClient, services: Services
) -> None:
    make.load(database)
    new = fact(FactKind.REGISTERED, uscc=make.PRODUCER, from_day=date(2026, 9, 1))
    state_fact(services, new, actor="register")
    assert "信用等级：NR，登记时间短，暂未评级（ABCD，2026年11月24日）。" in credit(http)
    assert "registered too recently to be rated" in credit(http, "en")


def test_scans_and_queries_change_no_grade(database: Database, http: FlaskClient, services: Services) -> None:
    make.load(database)
    regrade_all(services)
    make.capture(database, *make.whole_way())
    for _ in range(30):
        credit(http)
    new = fact(FactKind.REGISTERED, uscc=make.PRODUCER, from_day=date(2001, 1, 1))
    state_fact(services, new, actor="register")
    assert "信用等级：A（" in credit(http)
