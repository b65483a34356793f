"""Other people's documents over HTTP: the valid are captured and come back the same, the invalid are refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from tests.conformance.test_epcis_json import read, report, schema_of, valid_documents
from tests.server.callers import company_of
from trace_core.epcis.document import events_from_document
from trace_core.epcis.event import Event
from trace_core.epcis.event_hash import event_hash
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import complaints
from trace_server.services import EXTENSION

XML_FOLDERS = ("gs1-xml", "gs1-xml-1.2", "openepcis-xml", "openepcis-xml-1.2")
NOT_EVENTS = {
    "Example-CaptureJobRunning.xml": "a capture job",
    "Example-CaptureJobSuccess.xml": "a capture job",
    "Example-masterData.xml": "a master data document",
}
WRONG_ON_PURPOSE = {"JumbledFieldsOrder.xml"}
"""Their README: the order of elements is wrong, and order matters in XML."""
XML = "application/xml"
URN = {"GS1-EPC-Format": "Never_Translates"}


def valid_xml(conformance: Path) -> list[Path]:
    files = [path for folder in XML_FOLDERS for path in sorted((conformance / "documents" / folder).rglob("*.xml"))]
    files += sorted((conformance / "event-hash" / "documents").glob("*.xml"))
    return [path for path in files if path.name not in NOT_EVENTS and path.name not in WRONG_ON_PURPOSE]


class Client:
    """A producer that sends and a regulator that reads."""

    def __init__(self, http: FlaskClient, database: Database, now: Any) -> None:
        self.http = http
        self._database = database
        self._now = now
        self._numbers = itertools.count()
        self._tokens = {Role.REGULATOR: self._token(Role.REGULATOR)}
        self.another_sender()

    def another_sender(self) -> None:
        """What one sender says twice is kept once; documents that say the same must not hide each other here."""
        self._tokens[Role.PRODUCER] = self._token(Role.PRODUCER)

    def bearer(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[role]}"}

    def send(self, path: Path, *, where: str = "/api/v1/capture", **headers: str) -> Any:
        kind = XML if path.suffix == ".xml" else "application/json"
        return self.http.post(
            where, data=path.read_bytes(), headers={**self.bearer(Role.PRODUCER), "Content-Type": kind, **headers}
        )

    def fetch(self, event_id: str, kind: str, **headers: str) -> Any:
        path = f"/api/v1/events/{quote(event_id, safe='')}"
        return self.http.get(path, headers={**self.bearer(Role.REGULATOR), "Accept": kind, **headers})

    def _token(self, role: Role) -> str:
        name = f"{role.value} {next(self._numbers)}"
        return accounts.add_client(self._database, self._now, "test", name=name, role=role, subject=company_of(role))[1]


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    app = create_app(Settings(code_secret="t" * 32), database)
    yield Client(app.test_client(), database, app.extensions[EXTENSION].clock())


def events_of(path: Path) -> list[Event]:
    return events_from_xml(parse(path.read_bytes())) if path.suffix == ".xml" else events_from_document(read(path))


def bare(event: Event) -> Event:
    """Without what the server adds."""
    return dataclasses.replace(event, record_time=None, event_id=None)


def test_every_valid_document_is_captured_and_comes_back_the_same(client: Client, conformance: Path) -> None:
    schema = schema_of(conformance)
    files, events, kinds = 0, 0, {".xml": 0, ".json": 0, ".jsonld": 0}
    for path in [*valid_documents(conformance), *valid_xml(conformance)]:
        client.another_sender()
        answer = client.send(path)
        assert answer.status_code == 202, (path, answer.json)
        assert answer.json["success"], path
        for event in events_of(path):
            check_comes_back(client, schema, event, path)
            events += 1
        files += 1
        kinds[path.suffix] += 1
    report(f"{files} documents {kinds} captured over HTTP, {events} events came back the same in JSON and XML")


def check_comes_back(client: Client, schema: jsonschema_rs.Draft7Validator, event: Event, path: Path) -> None:
    name = event.event_id or event_hash(event)
    as_sent = client.fetch(name, "application/json", **URN)
    assert as_sent.status_code == 200, (path, name, as_sent.json)
    assert not [error.message for error in schema.iter_errors(as_sent.json)], (path, name)
    assert bare(event) in [bare(one) for one in events_from_document(as_sent.json)], (path, name)
    xml = client.fetch(name, XML, **URN)
    root = parse(xml.data)
    assert not complaints(root), (path, complaints(root))
    assert bare(event) in [bare(one) for one in events_from_xml(root)], (path, name)
    for spelling in ("Always_GS1_Digital_Link", "Always_EPC_URN"):
        for kind in ("application/json", XML):
            answer = client.fetch(name, kind, **{"GS1-EPC-Format": spelling, "GS1-CBV-XML-Format": "Always_URN"})
            assert kind == XML or not list(schema.iter_errors(answer.json)), (path, name, spelling)
            values = events_from_document(answer.json) if kind.endswith("json") else events_from_xml(parse(answer.data))
            assert event_hash(event) in [event_hash(one) for one in values], (path, name, spelling)


def test_bare_events_are_posted_one_by_one(client: Client, conformance: Path) -> None:
    paths = sorted((conformance / "documents" / "openepcis-json-bare-events").glob("*.json"))
    for path in paths:
        (event,) = events_of(path)
        for status in (201, 200):
            answer = client.send(path, where="/api/v1/events")
            assert answer.status_code == status, answer.json
            assert answer.headers["Location"].startswith("/api/v1/events/")
            assert event_hash(event) in [event_hash(one) for one in events_from_document(answer.json)]
    report(f"{len(paths)} bare events posted, each counted once")


def test_every_invalid_document_is_refused_with_the_place(client: Client, conformance: Path) -> None:
    paths = sorted((conformance / "invalid").rglob("*.*"))
    wrong = conformance / "documents" / "openepcis-xml"
    for path in [*paths, *[wrong / name for name in sorted(WRONG_ON_PURPOSE)]]:
        answer = client.send(path)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), path
        assert all(error["pointer"].startswith("/") and error["message"] for error in answer.json["errors"]), path
        assert answer.json["errors"], path
        if "/EventList/" in answer.text or "/eventList/" in answer.text:
            job = client.http.get(answer.headers["Location"], headers=client.bearer(Role.PRODUCER)).json
            assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (False, False, "rollback")
            assert job["errors"][0]["type"] == "epcisException:ValidationException"
    for name, what in NOT_EVENTS.items():
        (path,) = (conformance / "documents").rglob(name)
        answer = client.send(path)
        assert answer.status_code == 400, what
    report(f"{len(paths) + len(WRONG_ON_PURPOSE)} invalid documents refused with the place")


def test_documents_of_one_stem_hold_the_same_events(conformance: Path) -> None:
    pairs = events = equal = 0
    for path in sorted((conformance / "documents" / "openepcis-xml").glob("*.xml")):
        from_xml = events_of(path)
        from_json = events_of(conformance / "documents" / "openepcis-json" / f"{path.stem}.json")
        assert [event_hash(one) for one in from_xml] == [event_hash(one) for one in from_json], path.name
        pairs, events = pairs + 1, events + len(from_xml)
        equal += sum(a == b for a, b in zip(from_xml, from_json, strict=True))
    assert pairs >= 18
    report(f"{pairs} pairs of XML and JSON: {events} events with equal hashes, {equal} of them equal in every field")


def test_published_hashes_are_those_of_the_xml_documents_too(conformance: Path) -> None:
    expected = read(conformance / "event-hash" / "expected-cbv2.0.json")
    hashes = 0
    for case in expected.values():
        for name in case["documents"]:
            if name.endswith(".xml"):
                values = events_of(conformance / "event-hash" / "documents" / name)
                assert [event_hash(v) for v in values] == [e["eventHashID"] for e in case["events"]], name
                hashes += len(values)
    assert hashes
    files = sorted((conformance / "event-hash" / "same-hash-within-file").glob("*.xml"))
    same = 0
    for path in files:
        # 2.0 content in the namespace of 1.x: no schema takes these, the reader alone does
        values = events_of(path)
        assert len(values) > 1
        assert len({event_hash(value) for value in values}) == 1, path.name
        same += len(values)
    report(f"{hashes} event hashes of XML reproduced; {same} events in {len(files)} files have the hash of their file")


def test_json_that_is_read_back_is_the_bytes_that_were_sent(client: Client) -> None:
    """Extensions and master data, number for number and space for space."""
    raw = (
        b'{"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",{"ex":"https://ex.example/"}],'
        b'"type":"ObjectEvent","eventTime":"2026-01-31T08:30:00.000+08:00","eventTimeZoneOffset":"+08:00",'
        b'"epcList":["urn:epc:id:sgtin:0614141.107346.9901"],"action":"ADD","ex:pi":3.1400, "ex:deep" : {"ex:a":[1,'
        b' 2.50,"\\u4e2d"]},"ilmd":{"ex:w": 1.0e2}}'
    )
    http, bearer = client.http, client.bearer
    sent = http.post(
        "/api/v1/events", data=raw, headers={**bearer(Role.PRODUCER), "Content-Type": "application/ld+json"}
    )
    assert sent.status_code == 201, sent.json
    got = http.get(sent.headers["Location"], headers=bearer(Role.REGULATOR))
    assert b'"ex:pi":3.1400' in got.data
    assert b'"ex:deep":{"ex:a":[1, 2.50,"\\u4e2d"]}' in got.data
    assert b'"ilmd":{"ex:w": 1.0e2}' in got.data
    assert json.loads(got.data)["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]["epcList"] == [
        "https://id.gs1.org/01/10614141073464/21/9901"
    ]
