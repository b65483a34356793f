"""一、总体要求: lines 一(一) to 一(三), each by what somebody does."""

from __future__ import annotations

import json

from tests.policy_lines.conftest import BUREAU, FARMING, City, company
from trace_server.accounts.model import Role
from trace_server.cases.cli import detectors

API = "/api/v1"


def test_1_2a_every_rule_and_measure_names_its_law_and_one_without_is_not_taken(city: City) -> None:
    measures = city.get(f"{API}/measures")["items"]
    assert measures
    assert all(one["legal_basis"] and one["effective_from"] for one in measures)
    rules = [json.loads(line) for line in city.run(detectors, "list", "--json").splitlines()]
    assert len(rules) >= 30
    assert all(rule["basis"] for rule in rules)


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
