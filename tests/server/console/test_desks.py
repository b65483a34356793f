"""What regulators do at their desks, through the pages, on both databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from urllib.parse import quote

from tests.server.detect import make as trade
from tests.server.portal import make
from tests.server.users.conftest import Browser
from trace_server.accounts.model import Role
from trace_server.cases.model import CaseEvent, CaseState
from trace_server.console import words
from trace_server.db import Database
from trace_server.users.model import Scope

LogIn = Callable[..., Browser]
CASES = "/console/cases"


def opened(browser: Browser, alert_id: str) -> str:
    """Judge the alert as suspected; returns the case's address."""
    answer = browser.submit(
        f"/console/alerts/{alert_id}", "/console/alerts/triage",
        alert=alert_id, back="one", verdict="suspected", reason="现场核实，同一码售出两次", title="涉嫌重复销售",
        category="food", region="320902", subject="",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def act(browser: Browser, case: str, event: str, **values: str) -> int:
    return browser.submit(
        case, f"{case}/steps", **({"event": event, "text": "记录在案", "version": version(browser, case)} | values)
    ).status_code


def version(browser: Browser, case: str) -> str:
    page = browser.get(case).text
    _, found, rest = page.partition('name="version" value="')
    return rest.partition('"')[0] if found else "0"


def test_an_inspector_sees_the_alert_with_its_evidence_and_reasons(log_in: LogIn, alert_id: str) -> None:
    one = log_in("one-1")
    assert "1" in one.get("/console").text
    listed = one.get("/console/alerts?state=open&rule=D04").text
    assert alert_id in listed
    page = one.get(f"/console/alerts/{alert_id}").text
    assert "Why this alert" in page
    assert "client:erp" in page or "erp" in page


def test_two_people_take_a_case_from_alert_to_notice(log_in: LogIn, alert_id: str) -> None:
    one, two = log_in("one-1"), log_in("two-2")
    case = opened(one, alert_id)
    assert "涉嫌重复销售" in one.get("/console").text
    assert act(one, case, "file", document_no="示市监立〔2026〕1号") == 303
    assert act(one, case, "investigate") == 303
    assert act(one, case, "propose") == 303
    assert act(one, case, "notice", document_no="示市监罚告〔2026〕1号") == 400
    assert act(two, case, "notice", document_no="示市监罚告〔2026〕1号") == 303
    dossier = two.get(case).text
    assert "示市监罚告〔2026〕1号" in dossier


def test_a_mistake_keeps_what_was_typed_and_says_what_to_do(log_in: LogIn, alert_id: str) -> None:
    one = log_in("one-1")
    case = opened(one, alert_id)
    answer = one.submit(case, f"{case}/steps", event="file", text="已核实的长说明", version=version(one, case))
    assert answer.status_code == 400
    assert "已核实的长说明" in answer.text
    assert 'href="#document_no"' in answer.text
    assert "<title>" in answer.text
    assert "错误：" in answer.text or "Error: " in answer.text


def test_a_stale_form_changes_nothing(log_in: LogIn, alert_id: str) -> None:
    one, two = log_in("one-1"), log_in("two-2")
    case = opened(one, alert_id)
    old = version(one, case)
    assert act(two, case, "file", document_no="x 1") == 303
    assert act(one, case, "dismiss", document_no="x 2", version=old) == 400


def test_an_alert_that_is_nothing_is_closed_with_its_reason(log_in: LogIn, alert_id: str) -> None:
    one = log_in("one-1")
    values = {"alert": alert_id, "verdict": "false_data"}
    assert one.submit("/console/alerts", "/console/alerts/triage", **values, reason="").status_code == 400
    done = one.submit("/console/alerts", "/console/alerts/triage", **values, reason="收银机重发")
    assert done.status_code == 303
    assert "收银机重发" in one.get(f"/console/alerts/{alert_id}").text
    again = one.submit("/console/alerts", "/console/alerts/triage", **values, reason="再来一次")
    assert again.status_code == 400


def test_an_auditor_reads_and_cannot_act(log_in: LogIn, alert_id: str) -> None:
    auditor = log_in("audit-1", Role.AUDITOR)
    page = auditor.get(f"/console/alerts/{alert_id}")
    assert page.status_code == 200
    assert "textarea" not in page.text
    refused = auditor.submit("/console/account", "/console/alerts/triage", alert=alert_id, verdict="benign", reason="x")
    assert refused.status_code == 403


def test_others_have_no_such_desk(log_in: LogIn, alert_id: str) -> None:
    producer = log_in("farm-1", Role.PRODUCER, Scope(subject="91350100M000100Y43"))
    assert producer.get("/console").headers["Location"] == "/desk"
    for path in ("/console/alerts", f"/console/alerts/{alert_id}", CASES, "/console/alerts.csv"):
        assert producer.get(path).status_code == 403, path
    assert "/console/alerts" not in producer.get("/console/account").text


def test_cases_of_another_county_are_not_shown(log_in: LogIn, alert_id: str) -> None:
    case = opened(log_in("one-1"), alert_id)
    county = log_in("county-1", scope=Scope(regions=("320981",)))
    assert case not in county.get(CASES).text
    assert county.get(case).status_code == 403


def test_the_csv_is_the_list_and_no_cell_is_a_formula(log_in: LogIn, alert_id: str, database: Database) -> None:
    one = log_in("one-1")
    rows = list(csv.reader(io.StringIO(one.get("/console/alerts.csv").text.lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["id", alert_id]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_transfer_is_answered_at_the_other_desk(log_in: LogIn, alert_id: str) -> None:
    one, farm = log_in("one-1"), log_in("farm-2", department="示例市农业农村局")
    case = opened(one, alert_id)
    assert act(one, case, "transfer", to_department="示例市农业农村局") == 303
    assert case in farm.get("/console").text
    assert act(farm, case, "receive") == 303
    assert "示例市农业农村局" in farm.get(CASES).text


def test_an_alert_that_does_not_exist_is_a_page(log_in: LogIn) -> None:
    assert log_in("one-1").get("/console/alerts/" + "0" * 32).status_code == 404


def test_every_state_and_step_has_its_word() -> None:
    assert set(words.CASE_STATES) == {state.value for state in CaseState}
    assert set(words.CASE_EVENTS) == {event.value for event in CaseEvent} | {"open", "note", "assign", "joint"}


def test_a_chain_is_a_table_a_picture_and_files_of_one_question(log_in: LogIn, database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    one = log_in("one-1")
    query = f"uri={quote(make.ITEM, safe='')}&direction=upstream"
    found = one.get(f"/console/chains?{query}")
    assert found.status_code == 200
    assert "Example Dairy" in found.text or "示例乳业有限公司" in found.text
    for view in ("timeline", "map"):
        # No place of this trade has coordinates: then there is no picture of a map, and the page says so.
        page = one.get(f"/console/chains?{query}&view={view}").text
        assert (f"format={view}" in page) is (view == "timeline")
        drawn = one.get(f"/console/chains/file?{query}&format={view}")
        assert (drawn.mimetype, drawn.data[:4]) == ("image/svg+xml", b"<svg")
    picture = one.get(f"/console/chains/file?{query}&format=svg")
    assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    for name in ("csv", "xlsx", "epcis"):
        assert one.get(f"/console/chains/file?{query}&format={name}").status_code == 200
    for wrong in ("&depth=x", "&begin=2026", "&depth=0"):
        assert one.get(f"/console/chains?{query}{wrong}").status_code == 400
    assert "There is no event of this code." in one.get("/console/chains?uri=urn:example:nothing").text
    farm = log_in("farm-1", Role.PRODUCER, Scope(subject="91350100M000100Y43"))
    assert farm.get(f"/console/chains?{query}").status_code == 403


def test_a_chain_of_many_things_is_told_in_groups_that_open(log_in: LogIn, database: Database) -> None:
    make.load(database)
    items = [f"{make.ITEM[:-3]}{number:03d}" for number in range(160)]
    make.capture(database, make.made(), make.commissioned() | {"epcList": items})
    one = log_in("one-1")
    page = one.get(f"/console/chains?uri={quote(make.LOT_URI, safe='')}&direction=downstream&lang=zh").text
    assert "对象很多，已按商品和地点归并" in page
    assert items[3] in page
    assert "对象很多" not in one.get(f"/console/chains?uri={quote(make.RAW_URI, safe='')}&depth=1").text


def test_a_county_sees_its_own_alerts_and_the_city_all(log_in: LogIn, database: Database) -> None:
    subjects = [make.subject(), make.subject(make.HAULIER), make.subject(make.MARKET) | {"region": "320902"}]
    make.load(database, subjects=subjects)
    sold = {"bizStep": "retail_selling", "disposition": "retail_sold", "readPoint": {"id": make.SHELF}}
    trade.post(database, trade.at(0, **sold), trade.at(trade.HOUR, **sold))
    trade.follow(database, "D04")
    (found,) = trade.open_alerts(database)
    assert found.region == "320902"
    path, key = f"/console/alerts/{found.alert_key.hex()}", found.alert_key.hex()
    for name, region, sees in (("own-1", "320902", True), ("other-1", "320903", False), ("city-1", "320900", True)):
        person = log_in(name, scope=Scope(regions=(region,)))
        assert (key in person.get("/console/alerts").text) is sees
        assert (key in person.get("/console/alerts.csv").text) is sees
        assert person.get(path).status_code == (200 if sees else 404)
        if not sees:
            answer = person.submit(
                "/console/alerts", "/console/alerts/triage", alert=key, verdict="benign", reason="正常促销"
            )
            assert answer.status_code == 400
