"""The capture interface of EPCIS 2.0: both forms, both behaviours, jobs, single events, headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.callers import company_of
from tests.server.epcis_xml.make import xml_document, xml_event
from tests.server.epcis_xml.test_xml_safety import mutants
from tests.server.ingest.make import NOW, READ_POINT, body, count, document, item_uri, rows, seen
from trace_core.epcis.document import events_from_document
from trace_core.epcis.event import ObjectEvent
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import complaints
from trace_server.ingest import operations, tables
from trace_server.ingest.model import ErrorBehaviour
from trace_server.services import EXTENSION, Services

PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}
XML = "application/xml"
JSON = "application/json"
Send = Callable[..., Any]


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32), database)
    made.extensions[EXTENSION] = Services(database, made.extensions[EXTENSION].settings, lambda: NOW)
    yield made


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


def bearer(database: Database, role: Role, name: str = "") -> dict[str, str]:
    _, token = accounts.add_client(database, NOW, "test", name=name or role.value, role=role, subject=company_of(role))
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def producer(database: Database) -> dict[str, str]:
    return bearer(database, Role.PRODUCER)


@pytest.fixture
def regulator(database: Database) -> dict[str, str]:
    return bearer(database, Role.REGULATOR)


def post(http: FlaskClient, who: Mapping[str, str], raw: bytes, kind: str, path: str = "capture", **more: str) -> Any:
    return http.post(f"/api/v1/{path}", data=raw, headers={**who, "Content-Type": kind, **more})


BAD = xml_event(2, action="EAT")
RULE_BROKEN = xml_event(3, late="<persistentDisposition><set>urn:x:a</set></persistentDisposition>").replace(
    "<set>urn:x:a</set>", "<unset>urn:x:a</unset><set>urn:x:a</set>"
)


@pytest.mark.parametrize("kind", [XML, "text/xml; charset=utf-8"])
def test_an_xml_document_is_captured_like_its_json_twin(
    http: FlaskClient, database: Database, producer: dict[str, str], kind: str
) -> None:
    raw = xml_document(xml_event(1), xml_event(2))
    job = post(http, producer, raw, kind)
    assert (job.status_code, job.json["accepted"], job.json["success"]) == (202, 2, True), job.json
    assert post(http, producer, raw, kind).json["duplicates"] == 2
    twin = seen(1, eventTime="2026-11-24T00:00:00Z", bizStep=None, disposition=None, readPoint=None)
    assert post(http, producer, document(twin), JSON).json["duplicates"] == 1
    assert count(database, tables.event) == 2


def test_a_wrong_event_rolls_an_xml_document_back(
    http: FlaskClient, database: Database, producer: dict[str, str]
) -> None:
    answer = post(http, producer, xml_document(xml_event(1), BAD, RULE_BROKEN), XML)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    places = [error["pointer"] for error in answer.json["errors"]]
    assert [place.rpartition("EventList/")[2] for place in places] == [
        "ObjectEvent[2]/action",
        "ObjectEvent[3]/persistentDisposition",
    ]
    assert count(database, tables.event) == count(database, tables.quarantine) == 0
    job = http.get(answer.headers["Location"], headers=producer).json
    assert (job["success"], job["captureErrorBehaviour"], len(job["errors"])) == (False, "rollback", 2)
    assert job["errors"][0]["type"] == "epcisException:ValidationException"
    assert answer.json["captureID"] == job["captureID"]


def test_proceed_takes_the_good_and_holds_the_bad_until_they_can_be_taken(
    http: FlaskClient, database: Database, producer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = "<extension><extension><mine>x</mine></extension></extension>"
    raw = xml_document(xml_event(1), xml_event(2, late=late), BAD, version="1.2")
    with monkeypatch.context() as patched:
        from trace_server.ingest import xml_document as module

        real = module.read_event

        def picky(element: Any) -> Any:
            if element.find("extension") is not None:
                raise ZeroDivisionError("ours")
            return real(element)

        patched.setattr(module, "read_event", picky)
        job = post(http, producer, raw, XML, **PROCEED).json
    assert (job["accepted"], job["quarantined"], job["success"]) == (1, 2, False)
    held = {row.reason: row for row in rows(database, tables.quarantine)}
    assert set(held) == {"schema", "internal-error"}
    assert operations.replay(database, NOW, "test", held["internal-error"].quarantine_key) is None
    again = operations.replay(database, NOW, "test", held["schema"].quarantine_key)
    assert again is not None
    assert again.where.endswith("ObjectEvent/action")
    assert count(database, tables.event) == 2


def test_our_own_mistake_is_no_fault_of_the_senders(
    http: FlaskClient, producer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("trace_server.ingest.xml_document.read_event", broken)
    assert post(http, producer, xml_document(xml_event()), XML).status_code == 500


@pytest.mark.parametrize(
    "raw",
    [
        b"<x/>",
        b"{}",
        b"<!DOCTYPE a []><a/>",
        xml_document("<PartyEvent/>"),
        xml_document(xml_event()).replace(b"creationDate", b"creation"),
        xml_document(header="<EPCISHeader><a/></EPCISHeader>"),
    ],
)
def test_an_xml_document_that_is_none_is_a_problem_with_its_place(
    http: FlaskClient, producer: dict[str, str], raw: bytes
) -> None:
    answer = post(http, producer, raw, XML, **PROCEED)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["errors"][0]["pointer"].startswith("/")
    assert answer.json["errors"][0]["message"]


def test_hostile_xml_is_answered_in_words_whatever_it_is(http: FlaskClient, producer: dict[str, str]) -> None:
    statuses = set()
    for number, raw in enumerate(mutants(400)):
        answer = post(http, producer, raw, XML, **(PROCEED if number % 3 else {}))
        statuses.add(answer.status_code)
        assert answer.status_code in (202, 400), (answer.status_code, raw)
        assert answer.status_code == 202 or answer.json["detail"], raw
    assert statuses == {202, 400}


def test_the_header_of_a_document_is_kept(http: FlaskClient, database: Database, producer: dict[str, str]) -> None:
    header = "<EPCISHeader><extension><EPCISMasterData><VocabularyList/></EPCISMasterData></extension></EPCISHeader>"
    assert post(http, producer, xml_document(xml_event(), header=header), XML).status_code == 202
    assert post(http, producer, document(seen(2), sender="urn:x:us", receiver="urn:x:you"), JSON).status_code == 202
    kept = [row.header for row in rows(database, tables.capture_job)]
    assert "<VocabularyList/>" in kept[0]
    assert json.loads(kept[1]) == {"sender": "urn:x:us", "receiver": "urn:x:you"}


def test_one_event_is_posted_and_read_at_its_address(
    http: FlaskClient, producer: dict[str, str], regulator: dict[str, str]
) -> None:
    for raw, kind in ((body(seen(1)), JSON), (xml_document(xml_event(7)), XML)):
        first, again = post(http, producer, raw, kind, "events"), post(http, producer, raw, kind, "events")
        assert (first.status_code, again.status_code) == (201, 200), first.json
        assert first.headers["Location"] == again.headers["Location"]
        assert first.headers["Location"].startswith("/api/v1/events/ni%3A%2F%2F%2Fsha-256%3B")
        answer = http.get(first.headers["Location"], headers=regulator)
        assert answer.status_code == 200, answer.json
        (event,) = events_from_document(answer.json)
        assert isinstance(event, ObjectEvent)
        assert event.record_time == NOW
    assert post(http, producer, document(seen(1), seen(2)), JSON, "events").status_code == 400
    assert post(http, producer, document(), JSON, "events").status_code == 400
    assert post(http, producer, body(seen(1, action="EAT")), JSON, "events").json["errors"][0]["pointer"] == "/action"


def test_what_others_told_under_a_name_is_not_shown_to_a_sender(
    http: FlaskClient, database: Database, producer: dict[str, str], regulator: dict[str, str]
) -> None:
    other = bearer(database, Role.PRODUCER, "another")
    post(http, other, body(seen(1, eventID="urn:x:1", **{"suyuan:note": "secret"})), JSON, "events")
    answer = post(http, producer, body(seen(2, eventID="urn:x:1")), JSON, "events")
    assert answer.status_code == 201
    assert "secret" not in answer.text
    assert len(events_from_document(http.get(answer.headers["Location"], headers=regulator).json)) == 2
    assert http.get(answer.headers["Location"], headers=producer).status_code == 403


def test_an_error_declaration_is_read_beside_what_it_corrects(
    http: FlaskClient, producer: dict[str, str], regulator: dict[str, str]
) -> None:
    wrong = {"errorDeclaration": {"declarationTime": NOW.isoformat(), "reason": "did_not_occur"}}
    first = post(http, producer, body(seen(1)), JSON, "events")
    second = post(http, producer, body(seen(1, **wrong)), JSON, "events")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"] == second.headers["Location"]
    both = events_from_document(http.get(first.headers["Location"], headers=regulator).json)
    assert sorted(event.error_declaration is not None for event in both) == [False, True]


def test_events_are_answered_in_the_form_and_spelling_that_is_asked_for(
    http: FlaskClient, producer: dict[str, str], regulator: dict[str, str]
) -> None:
    own = {"example:note": "x", "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
                                             {"example": "https://ex.example/"}]}  # fmt: skip
    place = post(http, producer, json.dumps(seen(1, **own)).encode(), JSON, "events").headers["Location"]

    def get(accept: str = "", **headers: str) -> Any:
        return http.get(place, headers={**regulator, **({"Accept": accept} if accept else {}), **headers})

    urn = "urn:epc:id:sgtin:0614141.107346.1"
    assert item_uri(1) in get().text
    assert urn in get(**{"GS1-EPC-Format": "Never_Translates"}).text
    assert urn in get(XML, **{"GS1-EPC-Format": "Always_EPC_URN"}).text
    assert READ_POINT in get(XML, **{"GS1-EPC-Format": "Always_EPC_URN"}).text
    assert "https://ref.gs1.org/cbv/BizStep-receiving" in get("text/xml").text
    assert "urn:epcglobal:cbv:bizstep:receiving" in get(XML, **{"GS1-CBV-XML-Format": "Always_URN"}).text
    root = parse(get(XML).data)
    assert not complaints(root)
    assert events_from_xml(root)[0].extensions == {"{https://ex.example/}note": "x"}
    assert 'xmlns:example="https://ex.example/"' in get(XML).text
    assert get("application/ld+json").mimetype == "application/ld+json"
    assert get("text/html").status_code == 406
    assert get(**{"GS1-EPC-Format": "Sometimes"}).status_code == 400
    assert http.get("/api/v1/events/urn:x:none", headers=regulator).status_code == 404


def test_jobs_are_listed_newest_first_in_pages(http: FlaskClient, database: Database, producer: dict[str, str]) -> None:
    other = bearer(database, Role.PRODUCER, "another")
    post(http, other, document(seen(1)), JSON)
    ids = [post(http, producer, document(seen(number)), JSON).json["captureID"] for number in range(5)]
    found, url = [], "/api/v1/capture?perPage=2"
    while url:
        answer = http.get(url, headers=producer)
        assert answer.status_code == 200, answer.json
        found += [job["captureID"] for job in answer.json]
        link = answer.headers.get("Link", "")
        url = link[1 : link.index(">")] if link else ""
    assert sorted(found) == sorted(ids)
    assert found == sorted(ids, reverse=True)


def test_a_job_is_read_as_xml_too(http: FlaskClient, producer: dict[str, str]) -> None:
    for raw, success in ((xml_document(xml_event()), "true"), (xml_document(BAD), "false")):
        place = post(http, producer, raw, XML, **PROCEED).headers["Location"]
        answer = http.get(place, headers={**producer, "Accept": XML})
        root = parse(answer.data)
        assert (root.get("running"), root.get("success")) == ("false", success)
        assert root.findtext("captureErrorBehaviour") == "proceed"
        assert not job_complaints(root)


def job_complaints(root: Any) -> list[str]:
    from trace_server.epcis_xml import schema

    validator = schema._validator("xsd-2.0/EPCglobal-epcis-2_0.xsd")
    return [] if validator.validate(root) else [str(error) for error in validator.error_log]


def test_versions_and_limits_are_told(http: FlaskClient, producer: dict[str, str]) -> None:
    for path in ("/api/v1/capture", "/api/v1/events"):
        told = http.options(path)
        assert told.status_code == 204
        assert {"POST", "GET", "OPTIONS"} <= set(told.headers["Allow"].replace(" ", "").split(","))
        assert told.headers["GS1-EPCIS-Max"] == "2.0.0"
        assert told.headers["GS1-EPCIS-Capture-Limit"] == "1000"
    answer = post(http, producer, document(seen(1)), JSON, **{"GS1-EPCIS-Version": "2.0.0"})
    assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"
    assert answer.headers["GS1-Extensions"] == "suyuan=urn:suyuan:epcis:"
    assert post(http, producer, document(seen(1)), JSON, **{"GS1-EPCIS-Version": "3.0.0"}).status_code == 406
    assert post(http, producer, document(seen(1)), JSON, **{"GS1-Capture-Error-Behaviour": "x"}).status_code == 400
    large = post(http, producer, b" " * 2_100_000, XML)
    assert (large.status_code, large.headers["GS1-EPCIS-Capture-File-Size-Limit"]) == (413, "2097152")


def test_rollback_is_what_happens_when_nothing_is_said(database: Database) -> None:
    job = operations.capture_document(database, NOW, "erp", document(seen(1), seen(2, action="EAT")))
    assert job.behaviour is ErrorBehaviour.ROLLBACK
    assert count(database, tables.event) == 0
