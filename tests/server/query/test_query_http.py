"""The query interface over HTTP: parameters, pages, names, forms, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.callers import company_of
from tests.server.ingest.make import GTIN, NOW, READ_POINT, body, commissioned, epc, item_uri, seen
from trace_core.epcis.document import events_from_document
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.masterdata import operations as masterdata
from trace_server.services import EXTENSION, Services

URN = {"GS1-EPC-Format": "Always_EPC_URN"}


class Session:
    """A producer who captured some events, and a regulator who asks."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.http: FlaskClient = app.test_client()
        self._database = database
        self.producer, self.regulator = self.bearer(Role.PRODUCER), self.bearer(Role.REGULATOR)

    def bearer(self, role: Role, name: str = "") -> dict[str, str]:
        _, token = accounts.add_client(
            self._database, NOW, "test", name=name or role.value, role=role, subject=company_of(role)
        )
        return {"Authorization": f"Bearer {token}"}

    def tell(self, *events: dict[str, Any]) -> None:
        for event in events:
            answer = self.http.post(
                "/api/v1/events", data=body(event), headers={**self.producer, "Content-Type": "application/json"}
            )
            assert answer.status_code == 201, answer.json

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(f"/api/v1{path}", headers={**self.regulator, **headers})

    def ask(self, path: str = "/events", **parameters: Any) -> list[str]:
        """Serials of the events that match, all pages."""
        answer = self.http.get(f"/api/v1{path}", query_string=parameters, headers={**self.regulator, **URN})
        assert answer.status_code == 200, answer.json
        found = list(events_from_document(answer.json))
        while "Link" in answer.headers:
            link = answer.headers["Link"]
            assert link.endswith('; rel="next"')
            answer = self.http.get(link[1 : link.index(">")], headers={**self.regulator, **URN})
            assert answer.status_code == 200, answer.json
            found += events_from_document(answer.json)
        return [event.epc_list[0].rpartition(".")[2] for event in found]  # type: ignore[union-attr]


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    app = create_app(Settings(code_secret="t" * 32), database)
    app.extensions[EXTENSION] = Services(database, app.extensions[EXTENSION].settings, lambda: NOW)
    yield Session(app, database)


def test_parameters_select_and_order_events(session: Session) -> None:
    session.tell(*[seen(number) for number in range(1, 6)], commissioned("9", lot="L1"))
    assert session.ask(orderBy="eventTime", orderDirection="ASC") == ["9", "1", "2", "3", "4", "5"]
    assert session.ask(orderBy="eventTime", eventCountLimit=2, perPage=1) == ["5", "4"]
    assert session.ask(EQ_bizStep="commissioning") == ["9"]
    assert session.ask(EQ_bizStep="urn:epcglobal:cbv:bizstep:commissioning|shipping") == ["9"]
    assert session.ask(MATCH_epc=f"{epc(3)}|{item_uri(4)}", orderBy="eventTime") == ["4", "3"]
    assert len(session.ask(MATCH_anyEPC="urn:epc:idpat:sgtin:0614141.107346.*")) == 6
    assert session.ask(MATCH_anyEPC="urn:epc:idpat:sgtin:0614142.*.*") == []
    assert session.ask(**{"EQ_ILMD_cbvmda:lotNumber": "L1"}) == ["9"]
    later = (NOW + timedelta(seconds=4)).isoformat()
    assert session.ask(GE_eventTime=later, orderBy="eventTime") == ["5", "4"]


def test_each_resource_lists_values_and_narrows_events(session: Session) -> None:
    session.tell(seen(1), seen(2, bizStep="shipping"))
    assert set(session.get("/").json["member"]) >= {"events", "epcs", "queries"}
    assert session.get("/bizSteps").json["member"] == ["receiving", "shipping"]
    assert session.get("/dispositions").json["member"] == ["in_progress"]
    assert session.get("/readPoints", **URN).json["member"] == [READ_POINT]
    assert session.get("/bizLocations").json["member"] == []
    assert sorted(session.get("/epcs").json["member"]) == [item_uri(1), item_uri(2)]
    assert session.ask("/bizSteps/shipping/events") == ["2"]
    assert session.ask(f"/epcs/{quote(epc(1), safe='')}/events") == ["1"]
    assert session.ask(f"/epcs/{quote(item_uri(1), safe='')}/events", EQ_bizStep="shipping") == []
    assert session.ask("/eventTypes/AggregationEvent/events") == []
    assert session.get("/bizSteps/shipping").json["member"] == ["events"]
    missing = session.get("/bizSteps/packing/events")
    assert (missing.status_code, missing.json["type"]) == (404, "epcisException:NoSuchResourceException")


@pytest.mark.parametrize("resource", ["epcs", "bizSteps", "dispositions", "readPoints", "queries"])
def test_collections_come_in_pages_whose_tokens_are_signed(session: Session, resource: str) -> None:
    session.tell(*[
        seen(n, bizStep=step, disposition=disposition, readPoint={"id": f"urn:epc:id:sgln:0614141.0077{n}.0"})
        for n, (step, disposition) in enumerate(
            (("receiving", "in_progress"), ("shipping", "in_transit"), ("packing", "reserved")), start=1)
    ])  # fmt: skip
    for name in ("a", "b", "c"):
        session.http.post("/api/v1/queries", json={"name": name, "query": {}}, headers=session.regulator)
    path, found = f"/api/v1/{resource}?perPage=1", []
    tokens = []
    while path:
        answer = session.http.get(path, headers=session.regulator)
        assert answer.status_code == 200, answer.json
        found += answer.json if resource == "queries" else answer.json["member"]
        link = answer.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else ""
        tokens += [path.rpartition("=")[2]] if path else []
    assert len(found) == len(tokens) + 1 == 3
    another = "bizSteps" if resource == "epcs" else "epcs"
    collection = f"/{resource}?nextPageToken="
    for wrong in (
        f"/{another}?nextPageToken={tokens[0]}",
        f"{collection}AA",
        f"{collection}é",
        f"{collection}{'A' * 44}",
    ):
        refused = session.get(wrong)
        assert (refused.status_code, refused.json["type"]) == (400, "epcisException:QueryValidationException"), wrong
    released = session.http.delete(f"/api/v1/nextPageToken/{tokens[0]}", headers=session.regulator)
    assert released.status_code == 204


def test_master_data_narrow_queries(session: Session, database: Database) -> None:
    site, cold, dry = (f"urn:epc:id:sgln:0614141.0077{number}.0" for number in (7, 8, 9))
    vocabulary = {
        "type": "urn:epcglobal:epcis:vtype:BusinessLocation",
        "vocabularyElementList": [
            {"id": site, "children": [cold, dry]},
            {"id": cold, "attributes": [{"id": "cbvmda:site_kind", "attribute": "cold store"}]},
            {"id": dry, "attributes": [{"id": "urn:x:floor", "attribute": "2"}]},
        ],
    }
    raw = json.dumps({"epcisBody": {"vocabularyList": [vocabulary]}}).encode()
    masterdata.capture(database, NOW, "test", raw, is_xml=False)
    session.tell(*[seen(n, bizLocation={"id": place}) for n, place in enumerate((site, cold, dry), start=1)], seen(4))
    assert sorted(session.ask(WD_bizLocation=site)) == ["1", "2", "3"]
    assert session.ask(WD_bizLocation=cold) == ["2"]
    assert session.ask(EQ_bizLocation=site) == ["1"]
    assert sorted(session.ask(WD_readPoint=site, perPage=1)) == ["1", "2", "3", "4"]
    assert session.ask(HASATTR_bizLocation="urn:epcglobal:cbv:mda:site_kind") == ["2"]
    assert sorted(session.ask(HASATTR_bizLocation="cbvmda:site_kind|urn:x:floor")) == ["2", "3"]
    assert session.ask(**{"EQATTR_bizLocation_cbvmda:site_kind": "cold store|frost"}) == ["2"]
    assert session.ask(**{"EQATTR_bizLocation_urn:x:floor": "3"}) == []


def test_pages_neither_skip_nor_repeat_while_others_write(session: Session) -> None:
    session.tell(*[seen(number) for number in range(2, 40, 2)])
    path = "/api/v1/events?orderBy=eventTime&orderDirection=ASC&perPage=4"
    found: list[str] = []
    while path:
        answer = session.http.get(path, headers={**session.regulator, **URN})
        found += [event.epc_list[0].rpartition(".")[2] for event in events_from_document(answer.json)]  # type: ignore[union-attr]
        session.tell(seen(1, epcList=[epc(f"new{len(found)}")]))
        link = answer.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else ""
    assert [serial for serial in found if serial.isdigit()] == [str(number) for number in range(2, 40, 2)]


def test_a_token_is_good_after_a_restart_and_for_its_query_only(session: Session, database: Database) -> None:
    session.tell(seen(1), seen(2), seen(3))
    link = session.get("/events?perPage=1").headers["Link"]
    path = link[1 : link.index(">")]
    restarted = create_app(Settings(code_secret="t" * 32), database).test_client()
    assert restarted.get(path, headers=session.regulator).status_code == 200
    for wrong in (f"{path}&EQ_action=ADD", path[:-8] + "AAAAAAAA", "/api/v1/events?nextPageToken=x"):
        answer = session.http.get(wrong, headers=session.regulator)
        assert (answer.status_code, answer.json["type"]) == (400, "epcisException:QueryValidationException"), wrong


def test_a_named_query_is_kept_answered_and_forgotten_by_its_owner(session: Session) -> None:
    session.tell(seen(1), commissioned("9", lot="L1"))
    new = {"name": "lots", "query": {"EQ_action": ["ADD"], "EQ_ILMD_ex:lotNumber": ["L1"]},
           "@context": {"ex": "urn:epcglobal:cbv:mda:"}}  # fmt: skip
    made = session.http.post("/api/v1/queries", json=new, headers=session.regulator)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/queries/lots"), made.json
    assert session.ask("/queries/lots/events") == ["9"]
    again = session.http.post("/api/v1/queries", json=new, headers=session.regulator)
    assert (again.status_code, again.json["type"]) == (409, "epcisException:ResourceAlreadyExistsException")
    assert session.get("/queries").json == [{"name": "lots", "query": new["query"]}]
    other = session.bearer(Role.AUDITOR)
    assert session.http.delete("/api/v1/queries/lots", headers=other).status_code == 403
    assert session.http.delete("/api/v1/queries/lots", headers=session.regulator).status_code == 204
    gone = session.get("/queries/lots/events")
    assert (gone.status_code, gone.json["type"]) == (404, "epcisException:NoSuchNameException")


@pytest.mark.parametrize(
    "wrong",
    ["EQ_nothing=1", "GE_eventTime=yesterday", "EQ_action=MOVE", "EQ_bizStep=flying", "eventCountLimit=3", "perPage=0",
     "orderBy=size", "EQ_nn:field=1", "eventType=Event", "orderBy=eventTime&eventCountLimit=2&maxEventCount=2"],
)  # fmt: skip
def test_a_wrong_parameter_is_named(session: Session, wrong: str) -> None:
    answer = session.get(f"/events?{wrong}")
    assert (answer.status_code, answer.json["type"]) == (400, "epcisException:QueryValidationException"), answer.json
    assert answer.json["errors"][0]["pointer"]


def test_the_interface_document_names_every_parameter(session: Session) -> None:
    document = session.get("/openapi.json").json
    told = {one["name"]: one for one in document["paths"]["/api/v1/events"]["get"]["parameters"]}
    assert {"MATCH_anyEPC", "WD_readPoint", "GE_startTime", "LE_percRank", "orderBy", "perPage"} <= told.keys()
    assert all(
        one["in"] == "query" and not one.get("required") and one["schema"]["description"] for one in told.values()
    )
    assert "INNER_" in document["paths"]["/api/v1/events"]["get"]["description"]
    for name in told.keys() - {"perPage", "nextPageToken", "orderDirection", "eventCountLimit"}:
        answer = session.http.get("/api/v1/events", query_string={name: "?"}, headers=session.regulator)
        assert answer.status_code in (200, 400), name
        if answer.status_code == 400:
            assert "no parameter" not in answer.json["detail"], name


def test_too_many_matches_are_refused(session: Session) -> None:
    session.tell(seen(1), seen(2), seen(3))
    answer = session.get("/events?maxEventCount=2")
    assert (answer.status_code, answer.json["type"]) == (413, "epcisException:QueryTooLargeException")
    assert len(session.ask(maxEventCount=3, perPage=1)) == 3


def test_only_readers_may_ask(session: Session) -> None:
    for path in ("/events", "/epcs", "/queries", "/"):
        for headers, status in ((session.producer, 403), ({}, 401)):
            answer = session.http.get(f"/api/v1{path}", headers=headers)
            assert (answer.status_code, answer.json["type"]) == (status, "epcisException:SecurityException"), path


def test_problems_have_the_standards_names_on_every_resource(session: Session) -> None:
    name, send, json_type = "epcisException", session.http.post, {"Content-Type": "application/json"}
    producer = {**session.producer, **json_type}
    too_many = json.dumps({"epcisBody": {"eventList": [0] * 1001}}) + " " * 2_097_153
    answers = [
        (send("/api/v1/capture", data="{}", headers=producer), 400, "ValidationException"),
        (send("/api/v1/events", data=body(seen(1, action="EAT")), headers=producer), 400, "ValidationException"),
        (send("/api/v1/capture", data="{}", headers=json_type), 401, "SecurityException"),
        (send("/api/v1/capture", data="{}", headers={**session.regulator, **json_type}), 403, "SecurityException"),
        (session.get("/events/ni%3A%2F%2F%2Fsha-256%3B00"), 404, "NoSuchResourceException"),
        (session.http.get(f"/api/v1/capture/{'0' * 32}", headers=producer), 404, "NoSuchResourceException"),
        (send("/api/v1/capture", data="{}", headers={**producer, "Accept": "text/csv"}), 406, "NotAcceptableException"),
        (send("/api/v1/capture", data=too_many, headers=producer), 413, "CaptureLimitExceededException"),
        (session.get(f"/events?EQ_eventID={'x' * 8000}"), 414, "URITooLongException"),
        (send("/api/v1/events", data="a", headers=session.producer), 415, "UnsupportedMediaTypeException"),
    ]
    for answer, status, kind in answers:
        assert (answer.status_code, answer.json["type"]) == (status, f"{name}:{kind}"), answer.json
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == status
        assert answer.json["title"]
        assert answer.json["code"]
        assert "GS1-EPCIS-Version" in answer.headers


def test_answers_come_as_the_client_asks(session: Session) -> None:
    session.tell(seen(1))
    xml = session.get("/events", Accept="application/xml", **URN)
    assert xml.mimetype == "application/xml"
    (event,) = events_from_xml(parse(xml.data))
    assert event.epc_list == (epc(1),)  # type: ignore[union-attr]
    assert f"/01/{GTIN}/21/1" in json.dumps(session.get("/events").json)
    assert session.get("/events", Accept="text/csv").json["type"] == "epcisException:NotAcceptableException"
    options = session.http.options("/api/v1/bizSteps")
    assert options.status_code == 204
    assert {"GS1-EPCIS-Version", "GS1-CBV-Version", "GS1-Extensions", "GS1-EPC-Format", "GS1-Vendor-Version"} <= set(
        options.headers.keys()
    )


@pytest.mark.parametrize("path", ["/events?EQ_readPoint=%00", "/bizSteps?nextPageToken=%00", "/epcs/%00/events"])
def test_characters_that_no_database_keeps_are_refused(session: Session, path: str) -> None:
    assert session.get(path).status_code == 400
    for text in ("\\u0000", "\\ud800"):
        raw = f'{{"name": "odd", "query": {{"MATCH_epc": ["{text}"]}}}}'
        headers = {**session.regulator, "Content-Type": "application/json"}
        assert session.http.post("/api/v1/queries", data=raw, headers=headers).status_code == 400
    assert session.get("/queries/%00/events").status_code == 404
