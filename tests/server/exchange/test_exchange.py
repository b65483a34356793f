"""What the credit office is promised: every change once and in order, decisions taken or named field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.credit.make import (
    OTHER_SUBJECT,
    SECRET,
    SUBJECT,
    Clock,
    codes,
    paper,
    person_codes,
    published,
    recorded,
)
from trace_server.credit.coding import masked_name
from trace_server.credit.fields import BY_NAME
from trace_server.credit.operations import repair, withdraw
from trace_server.services import EXTENSION, Services

Headers = Callable[[str], dict[str, str]]
FEED = "/api/v1/credit/violations"
DECISIONS = "/api/v1/credit/decisions"


def pull(http: FlaskClient, headers: dict[str, str], **query: Any) -> Any:
    answer = http.get(FEED, headers=headers, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_following_the_cursor_gives_every_change_once_in_order(
    http: FlaskClient, outside: Services, bearer: Headers
) -> None:
    for number in range(5):
        published(outside, CF_WSH=f"示市监罚〔2026〕{number}号")
    headers, seen, cursor = bearer("credit_office"), [], ""
    while True:
        page = pull(http, headers, limit=3, cursor=cursor)
        seen += [item["seq"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == list(range(1, 11))
    assert pull(http, headers, cursor=cursor)["items"] == []
    recorded(outside, CF_WSH="示市监罚〔2026〕9号")
    assert [item["seq"] for item in pull(http, headers, cursor=cursor)["items"]] == [11]


def test_an_item_has_the_shape_of_the_interface(http: FlaskClient, outside: Services, bearer: Headers) -> None:
    record = published(outside)
    page = pull(http, bearer("auditor"))
    assert set(page) == {"items", "next_cursor", "has_more", "as_of"}
    item = page["items"][1]
    assert set(item) == {"seq", "op", "record_id", "version", "supersedes", "effective_at", "record", "ext"}
    assert (item["op"], item["version"], item["supersedes"]) == ("upsert", 2, 1)
    assert item["record_id"] == record.record_id
    assert item["record"]["CF_XDR_SHXYM"] == SUBJECT
    assert item["record"]["CF_JDRQ"] == "2026/05/15"
    assert item["record"]["CF_NR_FK"] == "2"
    assert item["ext"]["severity"] == "general"
    assert item["ext"]["severity_name"] == "一般"
    assert item["ext"]["window_max_end"] == "2027-05-15"
    assert item["ext"]["policy_version"].startswith("1-")


def test_a_page_with_more_behind_it_links_to_the_next(http: FlaskClient, outside: Services, bearer: Headers) -> None:
    published(outside)
    headers = bearer("credit_office")
    first = http.get(f"{FEED}?limit=1&category=food", headers=headers)
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    second = http.get(link[1 : link.index(">")], headers=headers)
    assert [item["seq"] for item in second.get_json()["items"]] == [2]
    assert "Link" not in second.headers


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 3),
        ({"category": "drug"}, 1),
        ({"region": "32"}, 2),
        ({"region": "3209"}, 2),
        ({"region": "350100"}, 1),
        ({"department": "11320900MB0000000U"}, 3),
        ({"department": "11320900MB0000019Q"}, 0),
        ({"kind": "penalty,recall"}, 3),
        ({"kind": "licence"}, 0),
    ],
)
def test_filters_leave_out_what_is_not_wanted(
    http: FlaskClient, outside: Services, bearer: Headers, query: dict[str, str], expected: int
) -> None:
    recorded(outside)
    recorded(outside, category="drug", CF_WSH="示市监罚〔2026〕2号", CF_XDR_SHXYM=OTHER_SUBJECT)
    recorded(outside, category="gi", CF_WSH="示市监罚〔2026〕3号", CF_XDR_SHXYM="91350100M000100Y43")
    page = pull(http, bearer("credit_office"), **query)
    assert len(page["items"]) == expected
    assert not page["has_more"]


def test_a_cursor_is_refused_when_forged_or_used_with_another_filter(
    http: FlaskClient, outside: Services, bearer: Headers
) -> None:
    recorded(outside)
    headers = bearer("credit_office")
    cursor = pull(http, headers)["next_cursor"]
    flipped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for query in ({"cursor": flipped}, {"cursor": "é" * 44}, {"cursor": "1"}, {"cursor": cursor, "category": "drug"}):
        answer = http.get(FEED, headers=headers, query_string=query)
        assert answer.status_code == 400, query
        assert answer.get_json()["errors"][0]["pointer"] == "cursor"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "kind=person", "category=x", "region=3", "offset=3", "limit=1&limit=2"]
)
def test_a_query_that_makes_no_sense_is_refused(http: FlaskClient, bearer: Headers, query: str) -> None:
    answer = http.get(f"{FEED}?{query}", headers=bearer("credit_office"))
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_a_stopped_record_is_no_longer_shared_not_even_in_old_changes(
    http: FlaskClient, outside: Services, bearer: Headers, clock: Clock
) -> None:
    record = published(outside)
    clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    repair(outside, record.record_id, paper("duties fulfilled"))
    items = pull(http, bearer("credit_office"))["items"]
    assert [item["op"] for item in items] == ["upsert", "upsert", "repair"]
    for item in items:
        assert set(item["record"]) == {"CF_WSH", "CF_CFJGDM"}
        assert item["ext"]["shared"] is False
        assert "severity" not in item["ext"]


def test_a_withdrawal_tells_its_reason(http: FlaskClient, outside: Services, bearer: Headers) -> None:
    record = published(outside)
    withdraw(outside, record.record_id, paper("revoked on review"))
    item = pull(http, bearer("credit_office"))["items"][-1]
    assert (item["op"], item["ext"]["reason"], item["ext"]["document"]) == (
        "withdraw",
        "revoked on review",
        "示复决〔2026〕3号",
    )


@pytest.mark.parametrize("spelling", ["code", "attribute"])
def test_a_decision_is_taken_by_code_or_by_attribute_name(http: FlaskClient, bearer: Headers, spelling: str) -> None:
    decision = codes()
    if spelling == "attribute":
        decision = {BY_NAME[code].attribute: value for code, value in decision.items()}
    lot = "https://shop.example/01/06901234000009/10/L1"
    body = {"decision": decision, "category": "food", "batches": [lot], "evidence_ref": "case-7"}
    headers = bearer("regulator")
    first = http.post(DECISIONS, json=body, headers=headers)
    assert first.status_code == 201, first.text
    made = first.get_json()
    assert made["ext"]["state"] == "confirmed"
    assert made["ext"]["batches"] == ["https://id.gs1.org/01/06901234000009/10/L1"]
    again = http.post(DECISIONS, json=body, headers=headers)
    assert (again.status_code, again.get_json()) == (200, made)
    changed = http.post(DECISIONS, json={**body, "category": "drug"}, headers=headers)
    assert changed.status_code == 409


@pytest.mark.parametrize(
    ("language", "sentence"), [("zh-CN", "请填写“行政相对人名称”。"), ("en", "Give “Name of the party”.")]
)
def test_faulty_fields_are_named_in_the_callers_language(
    http: FlaskClient, bearer: Headers, language: str, sentence: str
) -> None:
    body = {"decision": codes(CF_XDR_MC=None, CF_NR_FK="two", CF_JDRQ="2026/06/02"), "category": "toys", "mood": 1}
    answer = http.post(DECISIONS, json=body, headers={**bearer("regulator"), "Accept-Language": language})
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    found = {(error["pointer"], error["code"]) for error in problem["errors"]}
    assert found == {
        ("/decision/CF_XDR_MC", "missing"),
        ("/decision/CF_NR_FK", "bad-amount"),
        ("/decision/CF_JDRQ", "in-the-future"),
        ("/category", "not-a-choice"),
        ("/mood", "unknown-field"),
    }
    assert sentence in [error["message"] for error in problem["errors"]]


@pytest.mark.parametrize("body", [b"[]", b"nonsense", b'"text"', b"{}"])
def test_a_body_that_is_no_document_is_refused(http: FlaskClient, bearer: Headers, body: bytes) -> None:
    answer = http.post(DECISIONS, data=body, content_type="application/json", headers=bearer("regulator"))
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_a_persons_identity_is_in_no_answer(http: FlaskClient, bearer: Headers) -> None:
    headers = bearer("regulator")
    person = person_codes()
    made = http.post(DECISIONS, json={"decision": person, "category": "food"}, headers=headers)
    assert made.status_code == 201, made.text
    name = str(person["CF_XDR_MC"])
    feed = http.get(FEED, headers=headers)
    for answer in (made, feed):
        assert SECRET not in answer.text
        assert name not in answer.text
        assert masked_name(name) in answer.text


def test_routes_are_closed_to_other_roles(http: FlaskClient, bearer: Headers) -> None:
    assert http.get(FEED).status_code == 401
    assert http.get(FEED, headers=bearer("producer")).status_code == 403
    assert http.post(DECISIONS, json={}, headers=bearer("auditor")).status_code == 403
    assert http.get(f"/api/v1/credit/subjects/{SUBJECT}", headers=bearer("monitor")).status_code == 403


def test_a_subject_shows_all_its_records(http: FlaskClient, outside: Services, bearer: Headers) -> None:
    published(outside)
    recorded(outside, CF_WSH="示市监罚〔2026〕2号", CF_JDRQ="2026/05/20")
    headers = bearer("credit_office")
    found = http.get(f"/api/v1/credit/subjects/{SUBJECT.lower()}", headers=headers).get_json()
    assert [item["ext"]["state"] for item in found["items"]] == ["confirmed", "published"]
    assert http.get(f"/api/v1/credit/subjects/{OTHER_SUBJECT}", headers=headers).get_json()["items"] == []
    assert http.get("/api/v1/credit/subjects/12", headers=headers).status_code == 400


def test_a_cursor_ahead_of_a_restored_log_is_refused(http: FlaskClient, outside: Services, bearer: Headers) -> None:
    from trace_server.credit.model import Filter
    from trace_server.exchange.cursor import write_cursor

    recorded(outside)
    ahead = write_cursor(7, Filter(), outside.settings.code_secret)
    answer = http.get(FEED, headers=bearer("credit_office"), query_string={"cursor": ahead})
    assert answer.status_code == 409


def test_a_cursor_survives_a_rotation_of_the_code_keys(
    http: FlaskClient, outside: Services, bearer: Headers, app: Flask
) -> None:
    recorded(outside)
    headers = bearer("credit_office")
    cursor = http.get(FEED, headers=headers).get_json()["next_cursor"]
    rotated = replace(outside.settings, code_secret=f"B:{'n' * 32},1:{outside.settings.code_secret}")
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], settings=rotated)
    assert http.get(FEED, headers=headers, query_string={"cursor": cursor}).status_code == 200


def test_the_openapi_document_lists_every_field_of_a_decision(http: FlaskClient) -> None:
    spec = http.get("/api/v1/openapi.json").get_json()
    schema = spec["components"]["schemas"]["DecisionIn"]
    assert {field.code for field in BY_NAME.values()} == set(schema["properties"]["decision"]["properties"])
    assert set(spec["paths"]["/api/v1/credit/decisions"]["post"]["responses"]) >= {"200", "201", "409", "422"}
