"""Logging in, as a browser does it, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.server.users.conftest import PASSWORD, Browser, Clock
from trace_core.errors import ConfigError, Conflict, IdentifierError, InputError, NotAllowed
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.faces.words import ROLES
from trace_server.users import operations, rules
from trace_server.users.model import Scope
from trace_server.users.words import SENTENCES

Invite = Callable[..., str]


def test_an_invited_person_sets_password_and_second_factor_and_is_in(browser: Browser, invite: Invite) -> None:
    assert browser.join(invite()).headers["Location"] == "/console/factor"
    done = browser.enrol("inspector-1")
    assert (done.status_code, done.headers["Location"]) == (303, "/console")
    page = browser.get("/console/account")
    assert page.status_code == 200
    assert "检查员甲" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "script" not in page.headers["Content-Security-Policy"]


def test_a_later_log_in_wants_both_steps(browser: Browser, invite: Invite, app: Flask) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    other = Browser(app.test_client(), browser.clock, browser.secrets)
    half = other.submit("/console/login", "/console/login", name="Inspector-1", password=PASSWORD)
    assert half.headers["Location"] == "/console/factor"
    assert other.get("/console/account").status_code == 303
    browser.clock.advance(31)
    other.submit("/console/factor", "/console/factor", code=other.code("inspector-1"))
    assert other.get("/console/account").status_code == 200


def test_a_code_of_the_second_factor_works_once(browser: Browser, invite: Invite, app: Flask) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    other = Browser(app.test_client(), browser.clock, browser.secrets)
    other.submit("/console/login", "/console/login", name="inspector-1", password=PASSWORD)
    again = other.submit("/console/factor", "/console/factor", code=other.code("inspector-1"))
    assert again.status_code == 400
    assert other.get("/console/account").status_code == 303


def test_the_token_changes_with_the_second_step(browser: Browser, invite: Invite) -> None:
    browser.join(invite())
    first = browser.http.get_cookie("suyuan-local")
    browser.enrol("inspector-1")
    second = browser.http.get_cookie("suyuan-local")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert second.http_only
    assert second.same_site == "Lax"


def test_wrong_name_and_wrong_password_look_the_same(browser: Browser, invite: Invite) -> None:
    browser.join(invite())
    wrong = browser.submit("/console/login", "/console/login", name="inspector-1", password="x" * 12)
    nobody = browser.submit("/console/login", "/console/login", name="nobody-here", password="x" * 12)
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text.replace("inspector-1", "").count("wrong") == nobody.text.replace("nobody-here", "").count("wrong")
    assert 'value="inspector-1"' in wrong.text


def test_guessing_stops_after_five_tries_and_goes_on_later(browser: Browser, invite: Invite, clock: Clock) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    tries = [
        browser.submit("/console/login", "/console/login", name="inspector-1", password="y" * 12).status_code
        for _ in range(6)
    ]
    assert tries == [401] * 5 + [429]
    clock.advance(900)
    assert browser.log_in("inspector-1").headers["Location"] == "/console"


def test_others_cannot_lock_an_account(browser: Browser, invite: Invite, app: Flask) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    for _ in range(6):
        app.test_client().post("/console/login")  # without a token: not even counted
    attacker = Browser(app.test_client(), browser.clock, browser.secrets)
    attacker.http.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(6):
        attacker.submit("/console/login", "/console/login", name="inspector-1", password="z" * 12)
    assert Browser(app.test_client(), browser.clock, browser.secrets).log_in("inspector-1").status_code == 303


def test_a_session_ends_after_half_an_hour_of_rest_and_after_twelve_hours(
    browser: Browser, invite: Invite, clock: Clock
) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    for _ in range(12 * 3 - 1):
        clock.advance(20 * 60)
        assert browser.get("/console/account").status_code == 200
    clock.advance(20 * 60)
    assert browser.get("/console/account").status_code == 303
    browser.log_in("inspector-1")
    clock.advance(31 * 60)
    assert browser.get("/console/account").status_code == 303


def test_a_disabled_account_is_out_at_once(browser: Browser, invite: Invite, database: Database, clock: Clock) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    operations.disable_user(database, clock.now, "cli:admin", "inspector-1")
    assert browser.get("/console/account").status_code == 303
    assert browser.submit("/console/login", "/console/login", name="inspector-1", password=PASSWORD).status_code == 401


def test_a_new_invitation_does_not_skip_the_second_factor(
    browser: Browser, invite: Invite, database: Database, clock: Clock
) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    code = operations.invite_again(database, clock.now, "cli:admin", "inspector-1", lost_factor=False)
    assert browser.get("/console/account").status_code == 303
    browser.join(code, PASSWORD + " two")
    assert "secret" not in browser.get("/console/factor").text
    clock.advance(31)
    browser.submit("/console/factor", "/console/factor", code=browser.code("inspector-1"))
    assert browser.get("/console/account").status_code == 200


def test_an_invitation_works_once_and_for_a_day(browser: Browser, invite: Invite, clock: Clock, app: Flask) -> None:
    code = invite()
    browser.join(code)
    assert Browser(app.test_client(), clock).join(code).status_code == 401
    late = invite("late-1")
    clock.advance(24 * 3600)
    assert browser.join(late).status_code == 401


def test_a_weak_password_leaves_the_invitation_good(browser: Browser, invite: Invite) -> None:
    code = invite()
    for weak in ("short", "password1234", "yancheng2026", "inspector-1inspector-1"):
        answer = browser.join(code, weak)
        assert answer.status_code == 400, weak
        assert code in answer.text
    assert browser.join(code).status_code == 303


def test_a_form_from_elsewhere_is_refused(browser: Browser, invite: Invite) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    assert browser.http.post("/console/logout").status_code == 400
    assert browser.http.post("/console/login", data={"name": "a", "password": "b"}).status_code == 400
    assert browser.get("/console/account").status_code == 200


def test_logging_out_ends_the_session_on_the_server(browser: Browser, invite: Invite) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    kept = browser.http.get_cookie("suyuan-local")
    assert kept is not None
    browser.submit("/console/account", "/console/logout")
    browser.http.set_cookie("suyuan-local", kept.value)
    assert browser.get("/console/account").status_code == 303


def test_a_changed_password_ends_the_other_sessions(browser: Browser, invite: Invite, app: Flask) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    other = Browser(app.test_client(), browser.clock, browser.secrets)
    other.log_in("inspector-1")
    new = "seven quiet bridges over amber"
    refused = browser.submit("/console/account", "/console/account/password", old="wrong wrong wrong", password=new)
    assert refused.status_code == 400
    browser.submit("/console/account", "/console/account/password", old=PASSWORD, password=new)
    assert browser.get("/console/account").status_code == 200
    assert other.get("/console/account").status_code == 303


def test_own_sessions_can_be_seen_and_ended(browser: Browser, invite: Invite, app: Flask, database: Database) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    other = Browser(app.test_client(), browser.clock, browser.secrets)
    other.log_in("inspector-1")
    (user,) = operations.list_users(database)
    sessions = operations.sessions_of(database, browser.clock.now, user)
    assert len(sessions) == 2
    newest = max(sessions, key=lambda one: one.created_at)
    browser.submit("/console/account", f"/console/account/sessions/{newest.session_id}/end")
    assert other.get("/console/account").status_code == 303
    assert browser.get("/console/account").status_code == 200


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil", "/console/../x", "/01/1"])
def test_a_log_in_never_leads_to_another_host(browser: Browser, invite: Invite, onward: str) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    browser.clock.advance(31)
    browser.submit("/console/account", "/console/logout")
    browser.submit("/console/login", "/console/login", name="inspector-1", password=PASSWORD, next=onward)
    done = browser.submit("/console/factor", "/console/factor", code=browser.code("inspector-1"), next=onward)
    assert done.headers["Location"] == "/console"


def test_a_dangerous_action_wants_the_password_again(
    browser: Browser, invite: Invite, database: Database, clock: Clock
) -> None:
    browser.join(invite())
    browser.enrol("inspector-1")
    (user,) = operations.list_users(database)
    clock.advance(11 * 60)
    (session,) = operations.sessions_of(database, clock.now, user)
    with pytest.raises(NotAllowed):
        operations.require_confirmed(session, clock.now)
    assert browser.submit("/console/confirm", "/console/confirm", password="no").status_code == 400
    browser.submit("/console/confirm", "/console/confirm", password=PASSWORD)
    (session,) = operations.sessions_of(database, clock.now, user)
    operations.require_confirmed(session, clock.now)


def test_names_are_taken_once_and_companies_belong_to_producers(invite: Invite) -> None:
    invite()
    with pytest.raises(Conflict):
        invite()
    with pytest.raises(IdentifierError):
        invite("farm-1", Role.PRODUCER)
    with pytest.raises(InputError):
        invite("someone", Role.AUDITOR, Scope(subject="91350100M000100Y43"))
    with pytest.raises(InputError):
        invite("../etc")


def test_a_sealed_secret_wants_its_key() -> None:
    sealed = rules.seal("ABC", b"k" * 32)
    assert rules.unseal(sealed, b"k" * 32) == "ABC"
    with pytest.raises(ConfigError):
        rules.unseal(sealed, b"x" * 32)


def test_every_sentence_and_every_role_has_its_words() -> None:
    assert set(ROLES) == {role.value for role in Role}
    said = {operations.WRONG, operations.WRONG_CODE, "the code does not fit", "too many wrong tries"}
    said |= {"the password is too short", "the password is too long", "the password is easy to guess"}
    assert said | {"the password is wrong"} == set(SENTENCES)
