"""一、总体要求: lines 一(一) to 一(三), each by what somebody does."""

from __future__ import annotations

import json
from datetime import date

from tests.policy_lines.conftest import BUREAU, FARMING, City, company
from tests.server.commitments import make as promises
from tests.server.policies import make as lab
from trace_server.accounts.model import Role
from trace_server.cases.cli import detectors
from trace_server.policies import operations as policies

API = "/api/v1"


def test_1_2a_every_rule_and_measure_names_its_law_and_one_without_is_not_taken(city: City) -> None:
    measures = city.get(f"{API}/measures")["items"]
    assert measures
    assert all(one["legal_basis"] and one["effective_from"] for one in measures)
    rules = [json.loads(line) for line in city.run(detectors, "list", "--json").splitlines()]
    assert len(rules) >= 30
    assert all(rule["basis"] for rule in rules)
    draft = lab.drafted(city.outside, policies.starting_text(city.outside))
    approved = lab.approved(city.outside, draft)
    body = {"version": approved.version, "from_day": city.clock.now.date().isoformat()}
    path = f"{API}/credit/policies/{approved.policy_id}/{approved.number}/activation"
    refused = city.http.post(path, json=body, headers=city.bearer(Role.CREDIT_OFFICE))
    assert (refused.status_code, "legal basis" in refused.text) == (409, True), refused.text


def test_1_2b_a_case_goes_to_another_department_and_its_receipt_comes_back(city: City) -> None:
    one, two = city.bearer(Role.REGULATOR, BUREAU), city.bearer(Role.REGULATOR, FARMING)
    case = city.post(f"{API}/cases", one, 201, title="涉嫌使用禁用农药", category="agricultural", region="320902")
    path = f"{API}/cases/{case['case_id']}"
    sent = city.post(f"{path}/transfer", one, version=case["version"], to_department=FARMING, reason="属其职权")
    assert sent["state"] == "transferred"
    taken = city.post(f"{path}/receipt", two, version=sent["version"], accept=True, answer="已接收")
    assert taken["department"] == FARMING
    (transfer,) = city.get(path, two)["transfers"]
    assert (transfer["receipt"], transfer["from_department"]) == ("received", BUREAU)
    assert transfer["due_at"] > transfer["sent_at"]


def test_1_2c_a_listed_subject_meets_the_measures_of_each_department(city: City) -> None:
    subject = company(12)
    city.listed(subject)
    answer = city.get(f"{API}/restrictions/{subject}", purpose="联动惩戒")
    assert len({measure["department"] for measure in answer["measures"]}) > 1
    assert all(measure["legal_basis"] and measure["because_of"] for measure in answer["measures"])


def test_1_3_breaking_the_law_in_one_place_restricts_everywhere(city: City) -> None:
    subject = company(13)
    path = f"{API}/restrictions/{subject}"
    assert city.get(path, field="政府采购", purpose="采购审查")["effect"] == "allow"
    city.listed(subject)
    fields = {one["field"] for one in city.get(f"{API}/measures")["items"] if one["list"] == "abnormal"}
    effects = {name: city.get(path, field=name, purpose="资格审查")["effect"] for name in fields}
    assert len(effects) > 1
    assert "allow" not in effects.values()


def test_1_1_an_archive_shows_before_during_and_after_of_a_subject(city: City) -> None:
    subject = company(11)
    promises.in_force(city.outside, subject_code=subject, made_on=date(2026, 6, 1))
    city.penalty(subject, 11)
    desk = city.person("inspector-11", Role.REGULATOR)
    page = desk.get(f"/console/subjects/{subject}?lang=zh").text
    phases = [page.index(f"<caption>{word}") for word in ("事前", "事中", "事后")]
    assert phases == sorted(phases)
    assert "申请食品经营许可延续" in page[phases[0] : phases[1]]
    assert "示市监罚〔2026〕11号" in page[phases[2] :]


def test_1_2d_penalties_lists_recalls_and_inspections_are_public_pages(city: City) -> None:
    record = city.penalty(company(14), 14)
    city.listed(company(15))
    assert "示市监罚〔2026〕14号" in city.http.get("/penalties").text
    assert city.http.get(f"/penalties/{record.record_id}").status_code == 200
    assert company(15) in city.http.get("/lists/abnormal").text
    for path in ("/lists", "/recalls", "/supervision", "/penalties/timeliness"):
        assert city.http.get(path).status_code == 200, path
