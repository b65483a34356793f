"""二、信息平台: lines 二(一) to 二(八) of the modules that carry detection, archive and exchange."""

from __future__ import annotations

import re
from typing import Any

from tests.policy_lines.conftest import BUREAU, DEALER, FARMING, FOOD, City, company
from tests.server.credit import make as credit
from tests.server.detect import make as goods
from tests.server.imports import make as tables
from tests.server.policies import make as lab
from trace_server.accounts.model import Role
from trace_server.audit.cli import audit
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.jobs import runner
from trace_server.policies import operations as policies
from trace_server.reports.jobs import kinds as report_kinds

API = "/api/v1"


def suspicion(city: City, serial: int) -> str:
    """Id of the alert that one serial was sold twice."""
    sold = {"bizStep": "retail_selling", "disposition": "retail_sold"}
    goods.post(city.db, goods.at(serial, serial, **sold), goods.at(goods.HOUR + serial, serial, **sold))
    goods.follow(city.db, "D04")
    return goods.open_alerts(city.db)[-1].alert_key.hex()


def test_2_1d_the_system_finds_what_nobody_reported_and_says_why(city: City) -> None:
    suspicion(city, 71)
    found = city.get(f"{API}/alerts", city.bearer(Role.REGULATOR), rule="D04", state="open")["items"]
    assert found
    assert found[0]["subject_kind"] == "enterprise"
    assert found[0]["evidence"] or found[0]["values"]


def test_2_1e_one_suspicion_opens_linked_cases_in_several_departments(city: City) -> None:
    one, two = city.bearer(Role.REGULATOR, BUREAU), city.bearer(Role.REGULATOR, FARMING)
    alert = suspicion(city, 72)
    new: dict[str, Any] = {
        "title": "涉嫌重复销售",
        "category": "food",
        "region": "320902",
        "alerts": [alert],
        "reason": "同一编码两次售出",
    }
    case = city.post(f"{API}/cases", one, 201, **new)
    path = f"{API}/cases/{case['case_id']}/joint"
    linked = city.post(path, one, 201, to_department=FARMING, reason="产地环节由其查处")
    assert (linked["department"], linked["state"]) == (FARMING, "clue")
    seen = city.get(f"{API}/cases/{linked['case_id']}", two)
    assert seen["alerts"] == [alert]
    assert [one["case_id"] for one in seen["joint"]] == [case["case_id"]]
    city.post(path, one, 409, to_department=FARMING, reason="重复")
    city.post(
        f"{API}/cases/{linked['case_id']}/steps", two, event="file", version=1, text="立案", document_no="示农立1号"
    )


def test_2_2a_the_registers_are_shared_and_a_persons_identity_stays_sealed(city: City) -> None:
    office = city.bearer(Role.CREDIT_OFFICE)
    person = credit.person_codes(CF_WSH="示市监罚〔2026〕221号")
    city.post(f"{API}/credit/decisions", office, 201, decision=person, category="food")
    feed = city.http.get(f"{API}/credit/violations?limit=500", headers=office)
    assert "示市监罚〔2026〕221号" in feed.text
    assert credit.SECRET not in feed.text
    assert str(person["CF_XDR_MC"]) not in feed.text


def test_2_2b_a_suspected_crime_goes_to_the_police_and_their_receipt_is_kept(city: City) -> None:
    told = tables.judgment(当事人代码=company(222))
    path, office = f"{API}/exchange/inbound/judgments?source=示例市人民法院", city.bearer(Role.CREDIT_OFFICE)
    assert city.http.post(path, json=[told], headers=office).get_json()["taken"] == 1
    one = city.bearer(Role.REGULATOR, BUREAU)
    case = city.post(f"{API}/cases", one, 201, title="涉嫌生产有毒有害食品", category="food", region="320902")
    path = f"{API}/cases/{case['case_id']}"
    sent = city.post(
        f"{path}/transfer", one, version=1, to_department="示例市公安局", is_outside=True, reason="涉嫌犯罪"
    )
    (waiting,) = city.get(path, one)["transfers"]
    assert (waiting["is_outside"], waiting["receipt"]) == (True, "")
    kept = city.post(f"{path}/receipt", one, version=sent["version"], accept=True, answer="示公受案字〔2026〕1号")
    assert kept["state"] == "transferred"
    (done,) = city.get(path, one)["transfers"]
    assert (done["receipt"], done["answer"]) == ("received", "示公受案字〔2026〕1号")


def test_2_2c_a_confirmed_record_is_pulled_at_once_without_gaps_and_compared_by_digest(city: City) -> None:
    office = city.bearer(Role.CREDIT_OFFICE)
    before = city.get(f"{API}/credit/violations", office, limit=500)
    record = city.penalty(company(223), 223)
    after = city.get(f"{API}/credit/violations", office, cursor=before["next_cursor"])
    seqs = [item["seq"] for item in after["items"]]
    assert seqs == list(range(seqs[0], seqs[0] + 2))
    assert {item["record_id"] for item in after["items"]} == {record.record_id}
    day = city.clock.now.date().isoformat()
    with city.later(1):
        told = city.get(f"{API}/credit/digest", office, day=day)
        right = {"day": day, "count": sum(told["states"].values()), "sha256": told["sha256"]}
        assert city.post(f"{API}/credit/comparisons", office, **right)["equal"]
        assert not city.post(f"{API}/credit/comparisons", office, **right | {"sha256": "0" * 64})["equal"]


def test_2_3_a_bidding_system_embeds_the_live_check_and_its_purpose_is_on_record(city: City) -> None:
    bidding, subject = city.bearer(Role.CREDIT_OFFICE), company(230)
    path = f"{API}/restrictions/{subject}"
    assert city.http.get(path, headers=bidding).status_code == 400
    asked = {"field": "政府采购", "purpose": "设备采购资格审查"}
    link = city.post(f"{path}/page", bidding, 201, **asked)["page"].removeprefix("http://127.0.0.1")
    page = city.http.get(link)
    assert "没有名单限制" in page.text
    (switch,) = re.findall(r'class="lang" href="([^"]+)"', page.text)
    assert "No restriction by a list" in city.http.get(switch.replace("&amp;", "&")).text
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    city.listed(subject)
    assert "没有名单限制" not in city.http.get(link).text
    assert city.http.get(link.replace("?", "/badge.svg?")).mimetype == "image/svg+xml"
    assert city.http.get(link.replace(subject, company(231))).status_code == 403
    with city.later(1):
        assert city.http.get(link).status_code == 403
    told = city.run(audit, "list", "--object", subject, "--json")
    assert "设备采购资格审查" in told


def test_2_8_a_company_asks_for_its_own_report_and_nobody_reads_all_records_without_a_paper(city: City) -> None:
    own = city.bearer(Role.PRODUCER, "firm", FOOD)
    made = city.post(f"{API}/reports", own, 202, kind="credit", usccs=[FOOD], purpose="投标自证")
    city.post(f"{API}/reports", own, 403, kind="credit", usccs=[DEALER], purpose="了解对手")
    office = city.bearer(Role.CREDIT_OFFICE)
    city.post(f"{API}/reports", office, 400, kind="archive", usccs=[FOOD], purpose="核查")
    runner.run_due(city.outside, runner.named(report_kinds))
    file = city.http.get(f"{API}/reports/{made['report_no']}/file", headers=own)
    assert file.data.startswith(b"%PDF-")
    assert city.http.get(f"/verify/{made['report_no']}").status_code == 200


def test_2_1a_official_tables_come_in_and_a_bad_row_is_kept_apart_with_its_reason(city: City) -> None:
    office = city.bearer(Role.CREDIT_OFFICE)
    rows = [tables.penalty(CF_XDR_SHXYM=company(211), CF_WSH="示罚〔2026〕211号"), tables.penalty(CF_WSH="")]
    sent = city.http.post(f"{API}/exchange/inbound/penalties?template=2018&category=food", json=rows, headers=office)
    assert sent.status_code == 200, sent.text
    told = sent.get_json()
    assert (told["taken"], told["refused"]) == (1, 1)
    assert {error["row"] for error in told["errors"]} == {2}
    mend = city.http.get(f"{sent.headers['Location']}/corrected?format=csv", headers=office)
    assert "请填写“行政处罚决定书文号”" in mend.text


def test_2_4a_the_catalogue_names_each_item_and_tells_which_feed_is_missing(city: City) -> None:
    items = city.get(f"{API}/exchange/feeds")["items"]
    assert {item["publicity"] for item in items} > {"public"}
    assert all(item["item"] and item["department"] and item["basis"] for item in items)
    assert "never" in {item["state"] for item in items}


def test_2_4b_old_codes_and_names_lead_to_one_subject(city: City) -> None:
    office, subject = city.bearer(Role.CREDIT_OFFICE), company(242)
    old = "320900000024242"
    for name in ("示例老名称有限公司", "示例新名称有限公司"):
        row = tables.subject(统一社会信用代码=subject, 名称=name, 工商注册号=old)
        answer = city.http.post(f"{API}/exchange/inbound/subjects?source=登记机关", json=[row], headers=office)
        assert (answer.status_code, answer.get_json()["refused"]) == (200, 0), answer.text
    (found,) = city.get(f"{API}/registers/codes/{old}", office)["items"]
    assert found["uscc"] == subject
    names = {one["name"] for one in city.get(f"{API}/registers/subjects/{subject}", office)["names"]}
    assert names == {"示例老名称有限公司", "示例新名称有限公司"}


def policy_draft(city: City) -> tuple[str, dict[str, str], Any]:
    """Path of a draft in the policy lab, headers of its author, and the draft after its simulation."""
    author = city.bearer(Role.CREDIT_OFFICE, "方案起草")
    text = lab.stricter(city.outside)
    row = city.post(f"{API}/credit/policies", author, 201, text=text, reason="提高一般失信扣分")
    path = f"{API}/credit/policies/{row['policy_id']}/{row['number']}"
    city.post(f"{path}/simulations", author, version=row["version"], seed="s1")
    return path, author, city.get(path, author)


def test_2_7b_no_policy_is_approved_without_its_risks_and_the_response_to_each(city: City) -> None:
    path, author, row = policy_draft(city)
    second = city.bearer(Role.CREDIT_OFFICE, "方案审批")
    city.post(f"{path}/approvals", second, 409, version=row["version"], reason="同意")
    bare: dict[str, Any] = {"risks": [{"risk": "检查量增加", "response": ""}], "check_after_days": [30]}
    assert city.http.post(f"{path}/review", json={"version": row["version"], **bare}, headers=author).status_code >= 400
    whole: dict[str, Any] = {"risks": [{"risk": "检查量增加", "response": "借调人员"}], "check_after_days": [30]}
    reviewed = city.post(f"{path}/review", author, version=row["version"], **whole)
    assert city.post(f"{path}/approvals", second, version=reviewed["version"], reason="同意")["approvals"]


def test_2_7c_what_was_predicted_is_compared_on_its_day_and_rolled_back_as_a_new_version(city: City) -> None:
    lab.stocked(city.outside)
    row = lab.active(city.outside, lab.drafted(city.outside), city.clock.now.date())
    with city.later(31):
        regrade_all(city.outside)
        policies.keep_up(city.outside)
        seen = city.get(f"{API}/credit/policies/{row.policy_id}/{row.number}")
        assert len(seen["comparisons"]) == 1
        back = policies.roll_back(city.outside, "user:one", row.policy_id, 1, "预测与实际不符")
    assert (back.rollback_of, back.number > row.number) == (1, True)
