"""What SQL answers is what `matches` says of every event, whatever the query; patterns and units by example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.ingest.make import CONTEXT, NOW, commissioned, epc, item_uri, seen
from trace_core.epcis.document import event_from_json
from trace_core.epcis.event import Event
from trace_core.epcis.jsonld import STANDARD
from trace_core.epcis.units import UNITS, convert
from trace_server.db import Database
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import ErrorBehaviour
from trace_server.ingest.representation import complete_event
from trace_server.query.matching import matches
from trace_server.query.model import Page, Query
from trace_server.query.operations import run
from trace_server.query.parameters import parse_query

EX = "https://example.com/"
NAMES = STANDARD.extended([*CONTEXT, {"ex": EX}], "")
KILO = {"epcClass": "urn:epc:class:lgtin:0614141.107346.L1", "quantity": 1.5, "uom": "KGM"}
SENSOR = {
    "sensorMetadata": {"time": NOW.isoformat(), "deviceID": "urn:epc:id:giai:4000001.111"},
    "sensorReport": [{"type": "Temperature", "value": 5, "sDev": 1, "uom": "CEL"}],
}
WORLD: tuple[dict[str, Any], ...] = (
    seen(1),
    seen(2, quantityList=[KILO], readPoint=None),
    seen(3, sensorElementList=[SENSOR], bizLocation={"id": "urn:epc:id:sgln:0614141.00888.0"}),
    commissioned("9", lot="L1"),
    seen(4, action="DELETE", bizStep="shipping", disposition="in_transit",
         **{"ex:box": {"ex:size": 7, "ex:made": "2026-11-24T08:00:00Z"}, "ex:tag": ["a", "b"], "ex:weight": 3}),
    {**seen(5), "type": "AggregationEvent", "epcList": None, "parentID": "urn:epc:id:sscc:0614141.1234567890",
     "childEPCs": [epc(1), epc(2)], "action": "ADD"},
    {**seen(6), "type": "TransformationEvent", "epcList": None, "action": None, "inputEPCList": [epc(1)],
     "outputEPCList": [epc(7)], "ilmd": {"cbvmda:lotNumber": "L2"},
     "transformationID": "urn:epc:id:gdti:0614141.12345.7"},
    seen(1, eventID="urn:uuid:7b1b1b1b-0000-4000-8000-000000000001", errorDeclaration={
        "declarationTime": NOW.isoformat(), "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:uuid:7b1b1b1b-0000-4000-8000-000000000002"]}),
    seen(7, persistentDisposition={"set": ["completeness_verified"]}, bizTransactionList=[
        {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"}],
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:0614141.00000"}],
        destinationList=[{"type": "location", "destination": "urn:epc:id:sgln:0614141.00888.0"}]),
)  # fmt: skip


def event(body: Mapping[str, Any]) -> Event:
    made = {name: value for name, value in body.items() if value is not None}
    return event_from_json(made, [*CONTEXT, {"ex": EX}])


@pytest.fixture
def world(database: Database) -> Database:
    bodies = [{name: value for name, value in one.items() if value is not None} for one in WORLD]
    doc = {
        "@context": [*CONTEXT, {"ex": EX}], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": NOW.isoformat(), "epcisBody": {"eventList": bodies},
    }  # fmt: skip
    job = ingest.capture_document(
        database, NOW, "c-1", json.dumps(doc).encode(), ErrorBehaviour.ROLLBACK, xml=False, single=False
    )
    assert job.success, job.errors
    return database


CHOICES: Mapping[str, tuple[Any, ...]] = {
    "eventType": (["ObjectEvent"], ["AggregationEvent", "TransformationEvent"]),
    "GE_eventTime": ((NOW + timedelta(seconds=3)).isoformat(),),
    "LT_eventTime": ((NOW + timedelta(seconds=5)).isoformat(),),
    "GE_recordTime": (NOW.isoformat(),),
    "LT_recordTime": (NOW.isoformat(), (NOW + timedelta(hours=1)).isoformat()),
    "EQ_action": (["ADD"], ["OBSERVE", "DELETE"]),
    "EQ_bizStep": (["receiving"], ["shipping", "commissioning"]),
    "EQ_disposition": (["in_progress"], ["in_transit"]),
    "EQ_readPoint": (["urn:epc:id:sgln:0614141.00777.0"], ["https://id.gs1.org/414/0614141008889"]),
    "WD_bizLocation": (["https://id.gs1.org/414/0614141008889"],),
    "MATCH_epc": ([epc(1)], [item_uri(2), epc(9)], ["urn:epc:idpat:sgtin:0614141.107346.*"]),
    "MATCH_anyEPC": ([epc(1)], [epc(7)], ["urn:epc:idpat:sgtin:*.*.*"], ["urn:epc:idpat:sscc:0614141.*"]),
    "MATCH_parentID": (["urn:epc:id:sscc:0614141.1234567890"],),
    "MATCH_inputEPC": ([epc(1)],),
    "MATCH_outputEPC": ([epc(1)], [epc(7)]),
    "MATCH_anyEPCClass": ([KILO["epcClass"]], ["urn:epc:idpat:lgtin:0614141.107346.*"]),
    "GE_quantity_GRM": (1500, 1501),
    "EXISTS_errorDeclaration": (None, False),
    "EXISTS_ex:tag": (None,),
    "EQ_ILMD_cbvmda:lotNumber": (["L1"], ["L2", "L3"]),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_database_answers_what_matches_says(world: Database, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3, unique=True))
    parameters = {name: data.draw(st.sampled_from(CHOICES[name])) for name in names}
    if data.draw(st.booleans()):
        parameters |= {"orderBy": data.draw(st.sampled_from(["eventTime", "recordTime", "ex:weight"]))}
    query = parse_query(parameters, NAMES)
    size = data.draw(st.integers(1, 4))
    with world.read() as conn:
        everything = run(conn, parse_query({}, NAMES), limit=100).events
        answered = pages(conn, query, size)
    expected = [one.event_key for one in everything if matches(complete_event(one), query)]
    assert len(everything) == len(WORLD)
    assert sorted(answered) == sorted(expected), parameters


def pages(conn: Any, query: Query, size: int) -> list[bytes]:
    page: Page = run(conn, query, limit=size)
    found = [one.event_key for one in page.events]
    while page.after is not None:
        page = run(conn, query, after=page.after, limit=size)
        found += [one.event_key for one in page.events]
    return found


CASES: tuple[tuple[str, Any, set[int]], ...] = (
    ("EQ_transformationID", ["urn:epc:id:gdti:0614141.12345.7"], {6}),
    ("EQ_quantity_KGM", [1.5], {1}),
    ("GT_quantity", 1, {1}),
    ("LE_quantity_GRM", 1499, set()),
    ("MATCH_epcClass", ["https://id.gs1.org/01/10614141073464/10/L1"], {1}),
    ("GE_value_FAH", 40.9, {2}),
    ("LT_value_KEL", 278.16, {2}),
    ("EQ_value_CEL", [5], {2}),
    ("EQ_sDev_KEL", 1, {2}),
    ("GE_value_KGM", 0, set()),
    ("EQ_type", ["Temperature"], {2}),
    ("EQ_deviceID", ["https://id.gs1.org/8004/4000001111"], {2}),
    ("GE_time", NOW.isoformat(), {2}),
    ("EXISTS_sensorElementList", None, {2}),
    ("EQ_ex:tag", ["b"], {4}),
    ("EQ_https://example.com/tag", ["b"], {4}),
    ("GE_INNER_ex:size", 7, {4}),
    ("LT_INNER_ex:made", "2026-11-24T08:00:01Z", {4}),
    ("EQ_INNER_ex:tag", ["a"], set()),
    ("EXISTS_ILMD_cbvmda:lotNumber", None, {3, 6}),
    ("EQ_errorReason", ["incorrect_data"], {7}),
    ("EQ_correctiveEventID", ["urn:uuid:7b1b1b1b-0000-4000-8000-000000000002"], {7}),
    ("LT_errorDeclarationTime", NOW.isoformat(), set()),
    ("EQ_eventID", ["urn:uuid:7b1b1b1b-0000-4000-8000-000000000001"], {7}),
    ("EQ_persistentDisposition_set", ["completeness_verified"], {8}),
    ("EQ_persistentDisposition_unset", ["completeness_verified"], set()),
    ("EQ_bizTransaction_po", ["urn:epcglobal:cbv:bt:0614141073467:1152"], {8}),
    ("EQ_bizTransaction_inv", ["urn:epcglobal:cbv:bt:0614141073467:1152"], set()),
    ("EQ_source_owning_party", ["https://id.gs1.org/417/0614141000005"], {8}),
    ("EQ_destination_urn:epcglobal:cbv:sdt:location", ["urn:epc:id:sgln:0614141.00888.0"], {8}),
)


@pytest.mark.parametrize(("name", "value", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_parameter_selects_the_events_that_the_standard_says(name: str, value: Any, expected: set[int]) -> None:
    query = parse_query({name: value}, NAMES)
    assert {place for place, body in enumerate(WORLD) if matches(event(body), query)} == expected


class Places:
    """Master data of one site with one hall."""

    def descendants(self, uri: str) -> frozenset[str]:
        return frozenset({"https://id.gs1.org/414/0614141008889"}) if uri.endswith("/0614141000005") else frozenset()

    def attributes(self, uri: str) -> Mapping[str, frozenset[str]]:
        return {"city": frozenset({"Suzhou"})} if uri.endswith("/0614141008889") else {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WD_bizLocation", ["https://id.gs1.org/414/0614141000005"]),
        ("HASATTR_bizLocation", ["city"]),
        ("EQATTR_bizLocation_city", ["Suzhou"]),
    ],
)
def test_master_data_place_an_event(name: str, value: list[str]) -> None:
    query = parse_query({name: value}, NAMES, Places())
    assert [place for place, body in enumerate(WORLD) if matches(event(body), query)] == [2]
    assert not any(matches(event(body), parse_query({name: value}, NAMES)) for body in WORLD)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [(5, "CEL", "KEL", 278.15), (41, "FAH", "CEL", 5), (1.5, "KGM", "GRM", 1500), (1, "KGM", "MTR", None),
     (3, None, "KGM", None), (3, "XYZ", "XYZ", 3), (1, "BAR", "KPA", 100), (36, "KMH", "MTS", 10)],
)  # fmt: skip
def test_units_convert_within_a_dimension(
    value: float, source: str | None, target: str, expected: float | None
) -> None:
    assert convert(value, source, target) == expected


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.floats(-1e6, 1e6))
def test_a_unit_and_back_is_the_same_value(source: str, target: str, value: float) -> None:
    there = convert(value, source, target)
    if there is not None:
        back = convert(there, target, source)
        assert back == pytest.approx(value, rel=1e-6, abs=1e-3)
