"""三、信用信息的应用: lines 三(一) to 三(四)."""

from __future__ import annotations

from typing import Any

from tests.policy_lines.conftest import BUREAU, DEALER, FOOD, City, company
from tests.server.credit import make as credit
from tests.server.detect import make as goods
from tests.server.ingest.make import commissioned
from trace_server.accounts.model import Role
from trace_server.jobs import runner
from trace_server.reports.jobs import kinds

API = "/api/v1"


def test_3_1a_each_field_is_checked_and_the_same_decision_is_one_record(city: City) -> None:
    office = city.bearer(Role.CREDIT_OFFICE)
    wrong = credit.codes(
        CF_XDR_SHXYM="913209000000000000", CF_JDRQ="2099/01/01", CF_SY=None, CF_WSH="示罚〔2026〕311号"
    )
    problem = city.post(f"{API}/credit/decisions", office, 422, decision=wrong, category="food")
    named = {error["pointer"].rpartition("/")[2] for error in problem["errors"]}
    assert named == {"CF_XDR_SHXYM", "CF_JDRQ", "CF_SY"}
    right = credit.codes(CF_XDR_SHXYM=company(311), CF_WSH="示罚〔2026〕311号")
    first = city.post(f"{API}/credit/decisions", office, 201, decision=right, category="food")
    again = city.post(f"{API}/credit/decisions", office, 200, decision=right, category="food")
    assert again["record_id"] == first["record_id"]


def test_3_1b_a_black_list_takes_notice_a_period_for_objections_and_a_second_person(city: City) -> None:
    one, two = city.bearer(Role.REGULATOR, "甲"), city.bearer(Role.CREDIT_OFFICE)
    body = {"list": "serious", "uscc": company(312), "reason": "情节严重", "document_no": "示列〔2026〕312号"}
    row = city.post(f"{API}/lists/memberships", one, 201, **body, issuer=BUREAU)
    path = f"{API}/lists/memberships/{row['membership_id']}/steps"
    city.post(path, two, 403, event="list", version=1, reason="未告知")
    city.post(path, one, event="notice", version=1, reason="已送达告知书")
    with city.later(14):
        city.post(path, one, 403, event="list", version=2, reason="本人不能列入")
        listed = city.post(path, two, event="list", version=2, reason="异议期满")
        assert listed["state"] == "listed"
        assert listed["until"] > listed["listed_on"]
        on_list = city.get(f"{API}/lists/serious", two)["items"]
        assert company(312) in {item["uscc"] for item in on_list}


def test_3_2_a_licence_that_was_revoked_is_an_alert_at_the_next_batch_made(city: City) -> None:
    goods.world(city.db, licences=[goods.LICENCE | {"valid_to": "2030-12-31", "state": "revoked"}])
    goods.post(city.db, commissioned(321, 322, lot=goods.LOT))
    goods.follow(city.db, "D14")
    found = city.get(f"{API}/alerts", city.bearer(Role.REGULATOR), rule="D14", state="open")["items"]
    assert {alert["subject"] for alert in found} == {goods.USCC}


def test_3_3_a_review_of_several_subjects_states_facts_purpose_and_period(city: City) -> None:
    office = city.bearer(Role.CREDIT_OFFICE)
    wish = {"kind": "review", "usccs": [FOOD, DEALER], "purpose": "技术改造补贴审查"}
    number = city.post(f"{API}/reports", office, 202, **wish)["report_no"]
    runner.run_due(city.outside, runner.named(kinds))
    told = city.get(f"{API}/reports/{number}", office)
    assert (told["state"], told["purpose"], told["usccs"]) == ("issued", "技术改造补贴审查", [FOOD, DEALER])
    assert told["valid_to"] > told["generated_at"][:10]


def test_3_4a_a_report_of_an_agency_is_taken_in_and_compared_with_our_facts(city: City) -> None:
    office, subject, agency = city.bearer(Role.CREDIT_OFFICE), company(341), company(340)
    city.penalty(subject, 341)
    body: dict[str, Any] = {
        "agency": agency, "agency_name": "示例信用评价有限公司", "number": "XY-341", "uscc": subject,
        "issued_on": "2026-11-20", "valid_to": "2027-05-20", "file_sha256": "a" * 64, "purpose": "投标",
        "claims": {"penalties": 0, "lists": []},
    }  # fmt: skip
    path = f"{API}/reports/third-party"
    taken = city.post(path, office, 201, **body)
    assert taken["differences"] == [{"about": "penalties", "theirs": "0", "ours": "1"}]
    assert city.post(path, office, 201, **body) == taken
    city.post(path, office, 409, **body | {"file_sha256": "b" * 64})
    city.post(path, office, 400, **body | {"number": "XY-342", "valid_to": "2026-11-01"})
    city.post(path, city.bearer(Role.PRODUCER, "firm", FOOD), 403, **body)
    assert city.get(f"{path}/{subject}", office)["items"] == [taken]


def test_3_4b_the_check_covers_both_lists_with_their_days(city: City) -> None:
    one, two = city.bearer(Role.REGULATOR, "甲"), city.bearer(Role.CREDIT_OFFICE)
    subject = company(342)
    for list_id in ("serious", "abnormal"):
        body = {"list": list_id, "uscc": subject, "reason": "依法认定", "document_no": f"示列〔2026〕{list_id}号"}
        row = city.post(f"{API}/lists/memberships", one, 201, **body, issuer=BUREAU)
        path = f"{API}/lists/memberships/{row['membership_id']}/steps"
        if list_id == "serious":
            row = city.post(path, one, event="notice", version=1, reason="告知")
        with city.later(14):
            city.post(path, two, event="list", version=row["version"], reason="期满")
    with city.later(15):
        answer = city.get(f"{API}/restrictions/{subject}", two, purpose="准入审查")
    assert answer["effect"] == "forbid"
    ends = {measure["list"]: measure["until"] for measure in answer["measures"]}
    assert set(ends) == {"serious", "abnormal"}
    assert ends["serious"]
    assert ends["abnormal"] is None
