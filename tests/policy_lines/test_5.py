"""五、信息公示与信用服务: lines 五(一) to 五(三)."""

from __future__ import annotations

import re

from tests.policy_lines.conftest import City, company
from tests.server.credit import make as credit
from trace_server.accounts.model import Role
from trace_server.credit.model import Circumstances
from trace_server.credit.operations import record_decision
from trace_server.credit.rules import parse_decision
from trace_server.worker import find_jobs


def test_5_1a_a_decision_waits_with_its_clock_of_seven_working_days(city: City) -> None:
    subject = company(511)
    credit.recorded(city.outside, CF_XDR_SHXYM=subject, CF_WSH="示罚〔2026〕511号", CF_JDRQ="2026/11/23")
    desk = city.person("office-511", Role.CREDIT_OFFICE)
    page = desk.get("/console/publications").text
    assert "示罚〔2026〕511号" in page
    assert "Dec 2026" in page


def test_5_1b_a_second_person_checks_for_secrets_and_a_persons_name_is_masked(city: City) -> None:
    person = credit.person_codes(CF_WSH="示罚〔2026〕512号", CF_JDRQ="2026/11/20")
    decision = parse_decision(person, today=city.clock.now.date())
    record = record_decision(city.outside, decision, Circumstances("food"), actor="clerk").record
    one, two = city.person("office-512", Role.CREDIT_OFFICE), city.person("second-512", Role.CREDIT_OFFICE)
    path = f"/console/publications/{record.record_id}"
    step = {"version": str(record.version), "note": "无秘密"}
    assert one.submit(path, f"{path}/steps", step="publish", **step).status_code == 400
    assert one.submit(path, f"{path}/steps", step="review", **step).status_code == 303
    assert one.submit(path, f"{path}/steps", step="publish", **step).status_code == 400
    assert two.submit(path, f"{path}/steps", step="publish", **step).status_code == 303
    feed = city.http.get("/api/v1/credit/violations?limit=500", headers=city.bearer(Role.CREDIT_OFFICE)).text
    assert "示罚〔2026〕512号" in feed
    assert credit.SECRET not in feed
    assert str(person["CF_XDR_MC"]) not in feed


def test_5_3a_open_data_are_files_without_persons(city: City) -> None:
    person = credit.person_codes(CF_WSH="示罚〔2026〕531号", CF_JDRQ="2026/11/20")
    decision = parse_decision(person, today=city.clock.now.date())
    record = record_decision(city.outside, decision, Circumstances("food"), actor="clerk").record
    credit.checked_and_published(city.outside, record.record_id)
    city.penalty(company(532), 532)
    for job in find_jobs():
        if job.name == "open-data":
            job.run(city.outside)
    page = city.http.get("/data").text
    files = re.findall(r'href="(/data/[^"]+\.csv)"', page)
    assert files
    texts = {path: city.http.get(path).data.decode("utf-8-sig") for path in files}
    assert any("示市监罚〔2026〕532号" in text for text in texts.values())
    assert not any(str(person["CF_XDR_MC"]) in text or credit.SECRET in text for text in texts.values())
