"""Base registers: old codes lead to one subject, documents take a second person, persons stay sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from tests.server.imports import make
from tests.server.imports.make import IDENTITY, OTHER_SUBJECT, SUBJECT
from trace_core.errors import InputError, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.db import Database
from trace_server.registers import keeping
from trace_server.registers.parties import CodeScheme
from trace_server.registers.party_cli import parties
from trace_server.services import Services

URL = "/api/v1/registers"


@pytest.fixture
def outside(database: Database) -> Services:
    made = make.services_on(database)
    make.submit(made, "subjects", [make.subject()])
    return made


@pytest.fixture
def http(outside: Services) -> Iterator[FlaskClient]:
    yield create_app(outside.settings, outside.db).test_client()


def headers(outside: Services, name: str, role: Role = Role.REGULATOR) -> dict[str, str]:
    _, token = accounts.add_client(outside.db, outside.clock(), "tester", name=name, role=role)
    return {"Authorization": f"Bearer {token}"}


def test_premises_and_documents_are_registered_and_a_second_person_verifies(
    http: FlaskClient, outside: Services
) -> None:
    one, two = headers(outside, "one"), headers(outside, "two")
    place = {"address": "示例市示例路2号", "region": "320902", "latitude": 33.3, "longitude": 120.1,
             "source": "示例局", "as_of": "2026-05-01"}  # fmt: skip
    assert http.post(f"{URL}/subjects/{SUBJECT}/premises", json=place, headers=one).status_code == 201
    half = {**place, "longitude": None}
    assert http.post(f"{URL}/subjects/{SUBJECT}/premises", json=half, headers=one).status_code == 400
    paper = {
        "type": "检验报告",
        "number": "J-1",
        "issuer": "示例检测中心",
        "issued_on": "2026-04-01",
        "sha256": "0" * 64,
    }
    made = http.post(f"{URL}/subjects/{SUBJECT}/documents", json=paper, headers=one).get_json()
    check = f"{URL}/subjects/{SUBJECT}/documents/{made['document_id']}/verification"
    assert http.post(check, headers=one).status_code == 403
    assert http.post(check, headers=two).get_json()["verified_by"].startswith("client:")
    assert http.post(f"{URL}/subjects/{OTHER_SUBJECT}/documents", json=paper, headers=one).status_code == 400
    seen = http.get(f"{URL}/subjects/{SUBJECT}", headers=two).get_json()
    assert {one["address"] for one in seen["premises"]} == {"示例市示例路1号", "示例市示例路2号"}
    assert [one["number"] for one in seen["documents"]] == ["J-1"]
    assert [one["name"] for one in seen["names"]] == ["示例食品有限公司"]


def test_an_old_code_leads_to_the_subject_and_is_merged_with_a_reason(http: FlaskClient, outside: Services) -> None:
    who = headers(outside, "one")
    found = http.get(f"{URL}/codes/3209-0000-0012-345", headers=who).get_json()["items"]
    assert [(one["scheme"], one["uscc"]) for one in found] == [("registration_no", SUBJECT)]
    wish = {"scheme": "registration_no", "uscc": OTHER_SUBJECT, "reason": "登记档案核对"}
    assert http.post(f"{URL}/codes/320900000012345", json=wish, headers=who).get_json()["uscc"] == OTHER_SUBJECT
    assert http.post(f"{URL}/codes/320900000012345", json={**wish, "scheme": "x"}, headers=who).status_code == 400


def test_who_may_only_read_may_not_write(http: FlaskClient, outside: Services) -> None:
    reader, nobody = headers(outside, "a", Role.AUDITOR), headers(outside, "b", Role.MONITOR)
    assert http.get(f"{URL}/subjects/{SUBJECT}", headers=reader).status_code == 200
    assert http.get(f"{URL}/subjects/{SUBJECT}", headers=nobody).status_code == 403
    wish = {"scheme": "registration_no", "uscc": OTHER_SUBJECT, "reason": "x"}
    assert http.post(f"{URL}/codes/1", json=wish, headers=reader).status_code == 403


def test_a_person_is_shown_masked_only(http: FlaskClient, outside: Services) -> None:
    make.submit(outside, "penalties", [make.person_penalty()])
    answer = http.get(f"{URL}/persons", headers=headers(outside, "one"))
    (person,) = answer.get_json()["items"]
    assert person["masked_name"] == "示某某"
    assert IDENTITY not in answer.get_data(as_text=True)


def test_the_command_line_shows_what_the_registers_say(outside: Services) -> None:
    run = CliRunner()
    shown = json.loads(run.invoke(parties, ["show", SUBJECT, "--json"], obj=outside).stdout)
    assert shown["old_codes"][0]["code"] == "320900000012345"
    assert "示例市示例路1号" in run.invoke(parties, ["show", SUBJECT], obj=outside).stdout
    place = [
        "premises",
        SUBJECT,
        "--address",
        "示例路3号",
        "--region",
        "320902",
        "--source",
        "示例局",
        "--geo",
        "33",
        "120",
    ]
    assert run.invoke(parties, place, obj=outside).exit_code == 0
    paper = ["document", SUBJECT, "--type", "证书", "--number", "1", "--issuer", "局", "--issued-on", "2026-01-01",
             "--sha256", "a" * 64]  # fmt: skip
    assert run.invoke(parties, paper, obj=outside).exit_code == 0
    assert json.loads(run.invoke(parties, ["code", "320900000012345", "--json"], obj=outside).stdout)["codes"]
    merge = ["merge", "320900000012345", "--scheme", "registration_no", "--uscc", OTHER_SUBJECT, "--reason", "核对"]
    assert OTHER_SUBJECT in run.invoke(parties, merge, obj=outside).stdout
    assert json.loads(run.invoke(parties, ["persons", "--json"], obj=outside).stdout) == {"persons": []}


def test_what_does_not_fit_is_refused(outside: Services) -> None:
    with pytest.raises(InputError):
        keeping.clean_code("号码")
    with pytest.raises(InputError):
        keeping.merge_code(outside, "user:a", "1", CodeScheme.TAX_NO, SUBJECT, " ")
    with pytest.raises(NotFound):
        keeping.verify_paper(outside, "user:a", SUBJECT, "doc-nothing")
