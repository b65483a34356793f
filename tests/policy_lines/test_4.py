"""四、信用监管: lines 四(一) to 四(四)."""

from __future__ import annotations

import json
from typing import Any

from tests.policy_lines.conftest import City, company
from tests.server.commitments import make as promises
from tests.server.detect import make as goods
from tests.server.ingest.make import GTIN, commissioned
from tests.server.supervision import make as plans
from trace_server.accounts.model import Role
from trace_server.credit.grade_cli import fact, grade
from trace_server.jobs import runner
from trace_server.reports.jobs import kinds as report_kinds
from trace_server.supervision import operations as supervision

API = "/api/v1"


def test_4_1a_classes_of_severity_and_levels_are_a_policy_with_a_version(city: City) -> None:
    subject = company(411)
    record = city.penalty(subject, 411)
    told = json.loads(city.run(grade, "--uscc", subject, "--json"))
    assert (record.severity.value, record.regime) == ("general", "ndrc-36")
    assert record.policy_version
    assert told["grade"]["policy_version"]
    assert told["grade"]["supervision"]


def test_4_1b_a_repair_is_free_and_ends_every_copy_together(city: City) -> None:
    subject = company(412)
    record = city.penalty(subject, 412)
    firm = city.bearer(Role.PRODUCER, "firm", subject)
    office, second = city.bearer(Role.CREDIT_OFFICE), city.bearer(Role.CREDIT_OFFICE, "信用办乙")
    assert "示市监罚〔2026〕412号" in city.http.get(f"/credit/{subject}").text
    steps = city.get(f"{API}/credit/repairs/guidance")["steps"]
    assert "培训" in steps[1]["zh-CN"]
    assert (
        steps[1]["zh-CN"]
        in city.person("firm-412", Role.PRODUCER, subject).get(f"/desk/archive/repair/{record.record_id}?lang=zh").text
    )
    wish = {"record_id": record.record_id, "correction": "已整改", "promise": "材料真实", "papers": ["缴款书"]}
    row = city.post(f"{API}/credit/repairs", firm, 201, **wish, training="2026-11-02 信用修复培训 4 学时")
    assert row["papers"] == ["缴款书", "培训记录：2026-11-02 信用修复培训 4 学时"]
    path = f"{API}/credit/repairs/{row['application_id']}/steps"
    said: dict[str, Any] = {"reason": "材料齐全", "document_no": "示信修〔2026〕1号"}
    row = city.post(path, office, event="accept", version=row["version"], **said)
    city.post(path, second, event="grant", version=row["version"], **said)
    assert "示市监罚〔2026〕412号" not in city.http.get(f"/credit/{subject}").text
    items = city.get(f"{API}/credit/violations", office, limit=500)["items"]
    assert [item["op"] for item in items if item["record_id"] == record.record_id][-1] == "repair"


def test_4_2_a_broken_commitment_is_in_the_archive_and_in_the_grade(city: City) -> None:
    subject = company(420)
    before = json.loads(city.run(grade, "--uscc", subject, "--json"))
    row = promises.breached(city.outside, subject_code=subject)
    assert row.code in city.http.get(f"/credit/{subject}").text
    after = json.loads(city.run(grade, "--uscc", subject, "--json"))
    assert after["grade"]["score"] != before["grade"]["score"]


def test_4_4a_measures_stand_by_field_and_who_applied_one_reports_it(city: City) -> None:
    caller = city.bearer(Role.CREDIT_OFFICE)
    fields = {measure["field"] for measure in city.get(f"{API}/measures")["items"]}
    assert {"政府采购", "评优评先"} <= fields
    subject = company(441)
    fed = {"measure_id": "procurement-serious", "department": "示例市财政局", "result": "取消投标资格"}
    city.post(f"{API}/restrictions/{subject}/applications", caller, 201, **fed)
    (kept,) = city.get(f"{API}/lists/subjects/{subject}", caller)["applications"]
    assert kept["result"] == "取消投标资格"


def test_4_4c_the_certificate_of_the_green_channel_ends_by_itself_on_a_new_record(city: City) -> None:
    office, subject = city.bearer(Role.CREDIT_OFFICE), company(443)
    wish: dict[str, Any] = {"kind": "green", "usccs": [subject], "purpose": "容缺受理"}
    city.post(f"{API}/reports", office, 400, **wish)
    paper = ("--ref", f"{subject}", "--source", "登记机关")
    city.run(fact, "--uscc", subject, "--kind", "registered", "--from", "2015-01-01", *paper)
    assert json.loads(city.run(grade, "--uscc", subject, "--json"))["green"]["eligible"]
    number = city.post(f"{API}/reports", office, 202, **wish)["report_no"]
    runner.run_due(city.outside, runner.named(report_kinds))
    page = city.http.get(f"/verify/{number}").text
    assert "报告有效" in page
    assert city.http.get(f"{API}/reports/{number}/file", headers=office).data.startswith(b"%PDF-")
    city.penalty(subject, 443)
    assert "不再符合绿色通道的条件" in city.http.get(f"/verify/{number}").text


def test_4_3_the_grade_sets_how_often_a_subject_is_inspected(city: City) -> None:
    plans.graded(city.outside)
    opened = supervision.open_plan(city.outside, plans.ONE, plans.planned(city.outside).plan_id)
    yearly = {one.level: one.yearly for one in opened.candidates}
    assert yearly["A"] <= yearly["B"]
    told = city.get(f"{API}/inspections/plans/{opened.plan.plan_id}", city.bearer(Role.REGULATOR, plans.BUREAU))
    assert told["strata"]


def test_4_4b_who_loses_the_licence_gets_no_tags_and_an_alert_for_what_is_made(city: City) -> None:
    held = goods.LICENCE | {"valid_to": "2030-12-31"}
    goods.world(city.db, licences=[held | {"state": "valid"}])
    own, regulator = city.bearer(Role.PRODUCER, "firm", goods.USCC), city.bearer(Role.REGULATOR)
    asked = {"uscc": goods.USCC, "gtin": GTIN, "first": "A0001", "last": "A0099", "purpose": "新批次"}
    row = city.post(f"{API}/ranges", own, 201, **asked)
    goods.world(city.db, licences=[held | {"state": "revoked"}])
    steps = f"{API}/ranges/{row['range_id']}/steps"
    city.post(steps, regulator, 403, event="grant", version=row["version"], reason="符合条件")
    goods.post(city.db, commissioned(441, 442, lot=goods.LOT))
    goods.follow(city.db, "D14")
    assert goods.USCC in {one["subject"] for one in city.get(f"{API}/alerts", regulator, rule="D14")["items"]}
    city.listed(goods.USCC)
    assert goods.USCC in city.http.get("/lists/abnormal").text
