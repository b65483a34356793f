"""What people do at the desk, through its pages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.server.complaints import make
from tests.server.complaints.conftest import BUREAU
from tests.server.users.conftest import Browser, Clock
from trace_server.accounts.model import Role
from trace_server.audit.store import entries
from trace_server.complaints import rewarding, words
from trace_server.complaints.model import Event, Kind, RewardState, State
from trace_server.services import Services

LogIn = Callable[..., Browser]
PATH = "/console/complaints"


def act(browser: Browser, path: str, event: str, text: str = "记录在案", **values: str) -> int:
    found = re.search(r'name="version" value="(\d+)"', browser.get(path).text)
    version = found[1] if found else "0"
    return browser.submit(path, f"{path}/steps", event=event, text=text, version=version, **values).status_code


def test_a_clerk_takes_a_report_from_receipt_to_a_case_and_the_reporter_reads_it(
    http: FlaskClient, log_in: LogIn
) -> None:
    token = make.through(http, make.begun(http))
    clerk = log_in("clerk-1", Role.REGULATOR, BUREAU)
    listed = clerk.get(f"{PATH}?kind=report&state=received").text
    assert "Received · 1" in listed
    path = PATH + "/" + (re.findall(rf'href="{PATH}/(report-[0-9a-f]+)"', listed)[0])
    assert act(clerk, path, "case", "涉嫌销售过期奶粉") == 303
    for event in ("accept", "investigate", "verify"):
        assert act(clerk, path, event, f"说明{event}") == 303
    assert act(clerk, path, "accept") == 400
    page = clerk.get(path).text
    assert "/console/cases/case-" in page
    assert "Identity of the reporter" not in page
    followed = http.post("/report/follow?lang=en", data={"token": token}).text
    assert "Found true" in followed
    assert "说明verify" in followed
    assert "case-" not in followed


def test_two_persons_of_the_report_office_open_an_identity_and_nobody_else_can(
    http: FlaskClient, log_in: LogIn, services: Services, clock: Clock
) -> None:
    make.through(http, make.begun(http), name=make.NAME, contact=make.CONTACT)
    one, two, clerk = log_in("one-1"), log_in("two-2"), log_in("clerk-1", Role.REGULATOR, BUREAU)
    path = PATH + "/" + re.findall(rf'href="{PATH}/(report-[0-9a-f]+)"', one.get(PATH).text)[0]
    assert clerk.submit(path, f"{path}/identity", deed="ask", reason="想知道是谁").status_code == 403
    assert one.submit(path, f"{path}/identity", deed="ask", reason="no").status_code == 400
    assert one.submit(path, f"{path}/identity", deed="ask", reason="发放奖励须核实").status_code == 303
    opening = re.findall(r'name="opening" value="([^"]+)"', two.get(path).text)[0]
    assert 'value="look"' not in one.get(path).text
    assert one.submit(path, f"{path}/identity", deed="approve", opening=opening, reason="我同意我").status_code == 403
    assert two.submit(path, f"{path}/identity", deed="approve", opening=opening, reason="同意核实").status_code == 303
    assert two.submit(path, f"{path}/identity", deed="look", opening=opening).status_code == 400
    shown = one.submit(path, f"{path}/identity", deed="look", opening=opening)
    assert make.NAME in shown.text
    assert make.CONTACT in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    clock.advance(16 * 60)
    assert one.submit(path, f"{path}/identity", deed="look", opening=opening).status_code == 400
    for browser in (one, two, clerk):
        assert make.NAME not in browser.get(path).text
    with services.db.read() as conn:
        log = [entry for entry in entries(conn) if entry.action.startswith("sealed.")]
    assert [entry.action for entry in log] == ["sealed.request", "sealed.approve", "sealed.open", "sealed.end"]
    assert make.NAME not in repr(log)


def test_two_persons_pay_a_reward_to_the_holder_of_the_token(http: FlaskClient, log_in: LogIn) -> None:
    token = make.through(http, make.begun(http))
    clerk, one, two = log_in("clerk-1", Role.REGULATOR, BUREAU), log_in("one-1"), log_in("two-2")
    path = PATH + "/" + re.findall(rf'href="{PATH}/(report-[0-9a-f]+)"', one.get(PATH).text)[0]
    for event in ("accept", "investigate", "verify"):
        assert act(clerk, path, event) == 303
    deed = {"category": "food", "reward_class": "2", "fine_yuan": "1,000,000", "confiscated_yuan": "", "exclusion": ""}
    assert one.submit(path, f"{path}/reward", deed="assess", **{**deed, "fine_yuan": "lots"}).status_code == 400
    assert one.submit(path, f"{path}/reward", deed="assess", **deed).status_code == 303
    assert "30,000" in two.get(path).text
    assert one.submit(path, f"{path}/reward", deed="approve", text="同意").status_code == 403
    assert two.submit(path, f"{path}/reward", deed="approve", text="同意").status_code == 303
    assert "30000" in http.post("/report/follow", data={"token": token}).text
    assert two.submit(path, f"{path}/reward", deed="claim", token="0000").status_code == 400
    assert two.submit(path, f"{path}/reward", deed="claim", token=token).status_code == 303
    assert "Claimed" in one.get(path).text


def test_a_photo_is_a_file_to_download(http: FlaskClient, log_in: LogIn) -> None:
    form = make.begun(http)
    http.post(f"{form}/what", data={"what": make.WHAT, "photo": (io.BytesIO(make.picture()), "a.jpg")})
    make.through(http, form)
    one = log_in("one-1")
    path = PATH + "/" + re.findall(rf'href="{PATH}/(report-[0-9a-f]+)"', one.get(PATH).text)[0]
    photo = one.get(f"{path}/photo")
    assert photo.mimetype == "image/jpeg"
    assert photo.headers["Content-Disposition"].startswith("attachment")
    assert photo.headers["X-Content-Type-Options"] == "nosniff"


def test_every_name_has_its_word() -> None:
    assert set(words.KINDS) == set(Kind)
    assert set(words.STATES) == set(State)
    assert set(Event) <= set(words.EVENTS)
    assert set(words.REWARD_STATES) == set(RewardState)
    assert {name for policy in rewarding.policies() for name in policy.exclusions} == set(words.EXCLUSIONS)
