"""Role by route: whoever lacks what a route declares is refused, whatever else he sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.server.access.world import browser_of, client, open_app, scope_of, seat
from tests.server.callers import company_of
from trace_server.accounts.access import PUBLIC, SIGNED, declared_access
from trace_server.accounts.model import PERMISSIONS, Permission, Role
from trace_server.db import open_database
from trace_server.users.access import ANYBODY

OF_PEOPLE = ("/console", "/desk")
UNKNOWN = {"int": "1", "uuid": "00000000-0000-0000-0000-000000000000"}


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path) -> Iterator[Flask]:
    """One application for all: nothing here may change anything."""
    copy = migrated_sqlite.parent / "roles.sqlite"
    copy.write_bytes(migrated_sqlite.read_bytes())
    db = open_database(f"sqlite:///{copy}")
    made, _ = open_app(db)
    for role in Role:
        seat(db, role.value, role, scope_of(role))
    made.config["TOKENS"] = {role: client(db, role.value, role, company_of(role)) for role in Role}
    yield made
    db.dispose()


def guarded(app: Flask, *, by_people: bool) -> list[tuple[Rule, str, str]]:
    """Rule, method, declared permission of every route that is not for everybody."""
    return [
        (rule, method, str(declared))
        for rule in app.url_map.iter_rules()
        if (declared := declared_access(app.view_functions[rule.endpoint])) not in (PUBLIC, SIGNED)
        and rule.rule.startswith(OF_PEOPLE) == by_people
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def path_of(rule: Rule) -> str:
    """The rule with something in the place of each argument."""
    path = rule.rule
    while "<" in path:
        start, end = path.index("<"), path.index(">")
        kind = path[start + 1 : end].partition(":")[0]
        path = path[:start] + UNKNOWN.get(kind, "1") + path[end + 1 :]
    return path


def test_every_route_says_for_whom_it_is(app: Flask) -> None:
    known = {PUBLIC, SIGNED, ANYBODY, *Permission}
    assert {declared_access(app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()} <= known


@pytest.mark.parametrize("role", Role)
def test_the_interface_refuses_what_the_role_may_not(app: Flask, role: Role) -> None:
    http, headers = app.test_client(), {"Authorization": f"Bearer {app.config['TOKENS'][role]}"}
    tried = 0
    for rule, method, declared in guarded(app, by_people=False):
        if declared in PERMISSIONS[role]:
            continue
        body: dict[str, object] | None = None if method in ("GET", "DELETE") else {}
        found = http.open(path_of(rule), method=method, json=body, headers=headers)
        assert found.status_code in (403, 415), f"{method} {rule.rule}: {found.status_code}"
        tried += 1
    assert tried > 30


@pytest.mark.parametrize("role", Role)
def test_a_page_that_is_not_for_a_role_says_so_and_leads_on(app: Flask, role: Role) -> None:
    browser, tried = browser_of(app, role.value), 0
    for rule, method, declared in guarded(app, by_people=True):
        if declared == ANYBODY or declared in PERMISSIONS[role]:
            continue
        found = browser.open(path_of(rule), method=method)
        assert found.status_code == 403, f"{method} {rule.rule}: {found.status_code}"
        assert 'href="/console"' in found.text
        assert found.headers["Cache-Control"] == "no-store"
        tried += 1
    assert tried > 10


def test_a_stranger_is_led_to_the_log_in_or_told_to_show_a_token(app: Flask) -> None:
    http = app.test_client()
    for by_people in (True, False):
        for rule, method, _ in guarded(app, by_people=by_people):
            found = http.open(path_of(rule), method=method, json=None if method in ("GET", "DELETE") else {})
            if by_people:
                assert found.status_code == 303, f"{method} {rule.rule}"
                assert found.headers["Location"].startswith("/console/login"), f"{method} {rule.rule}"
            else:
                assert found.status_code in (401, 415), f"{method} {rule.rule}: {found.status_code}"


def test_a_form_without_its_token_changes_nothing_whatever_the_role(app: Flask) -> None:
    for role in Role:
        browser = browser_of(app, role.value)
        for rule, method, declared in guarded(app, by_people=True):
            if method == "GET" or declared not in PERMISSIONS[role]:
                continue
            assert browser.open(path_of(rule), method=method).status_code == 400, f"{role} {method} {rule.rule}"
