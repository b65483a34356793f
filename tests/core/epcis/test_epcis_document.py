from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.epcis.make import epcis_document, object_event
from tests.core.epcis.strategies import NAMESPACES, events
from trace_core.epcis.cbv import BizStep
from trace_core.epcis.document import (
    bare_event,
    check_event,
    document,
    event_from_json,
    event_to_json,
    events_from_document,
    open_document,
)
from trace_core.epcis.event import Action, Event, ObjectEvent
from trace_core.epcis.event_hash import event_hash, prepare
from trace_core.errors import EventError, IdentifierError

NS = "https://ns.example.com/epcis/"
PREFIXES = {"ex": NAMESPACES[0], "bare": NAMESPACES[1]}


def refused(doc: Any) -> EventError:
    with pytest.raises(EventError) as caught:
        opened = open_document(doc)
        for where, item in opened.items:
            check_event(event_from_json(item, opened.context, where), where)
    assert caught.value.what
    return caught.value


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(events(), min_size=1, max_size=3))
def test_events_written_to_a_document_are_read_back_the_same(values: list[Event]) -> None:
    doc = json.loads(json.dumps(document(values, PREFIXES)))
    read = events_from_document(doc)
    assert read == values
    assert [event_hash(event) for event in read] == [event_hash(event) for event in values]
    assert document(read, PREFIXES) == doc


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(events())
def test_an_event_written_alone_is_read_back_the_same_with_and_without_prefixes(event: Event) -> None:
    assert events_from_document(json.loads(json.dumps(bare_event(event)))) == [event]
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["ObjectEvent", "AggregationEvent", "ADD", "2026-07-22T06:45:00Z", "+08:00", "urn:a:b", "a:b"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=8,
)
MEMBERS = [
    "@context",
    "type",
    "eventTime",
    "eventTimeZoneOffset",
    "action",
    "epcList",
    "quantityList",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
    "sourceList",
    "destinationList",
    "sensorElementList",
    "persistentDisposition",
    "errorDeclaration",
    "ilmd",
    "eventID",
    "parentID",
    "childEPCs",
    "inputEPCList",
    "certificationInfo",
    "recordTime",
    "ex:a",
    "@vocab",
]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=6), JSON_VALUES)
def test_hostile_json_raises_nothing_but_our_errors(changes: dict[str, Any], context: Any) -> None:
    for doc in (epcis_document(object_event(**changes), context=context), object_event(**changes), changes, context):
        try:
            for event in events_from_document(doc):
                check_event(event)
                prepare(event)
        except (EventError, IdentifierError) as error:
            assert error.what


@pytest.mark.parametrize("value", ["\ud800", "a\x00b"])
@pytest.mark.parametrize("member", ["bizStep", "eventID", "epcList", "ex:a", "ex:\ud800"])
def test_text_that_no_database_stores_is_refused(member: str, value: str) -> None:
    error = refused(
        epcis_document(object_event(**{member: [value] if member == "epcList" else value}), context={"ex": NS})
    )
    assert error.where.startswith("/epcisBody/eventList/0/")


def test_short_names_urns_and_full_uris_mean_the_same_term() -> None:
    spellings = ("shipping", "urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping")
    spellings += ("cbv:BizStep-shipping",)
    read = {event_from_json(object_event(bizStep=text)).biz_step for text in spellings}
    assert read == {BizStep.SHIPPING.uri}


def test_names_follow_the_context_of_the_document() -> None:
    context = {"ex": NS, "grade": "ex:quality/grade", "typed": {"@id": "https://other.example/typed"}}
    (event,) = events_from_document(
        epcis_document(object_event(**{"ex:a": "1", "grade": "A", "typed": "x", f"{NS}b": [1, 2]}), context=context)
    )
    assert event.extensions == {
        f"{{{NS}}}a": "1",
        f"{{{NS}quality/}}grade": "A",
        "{https://other.example/}typed": "x",
        f"{{{NS}}}b": (1, 2),
    }


def test_a_context_inside_an_event_or_an_extension_is_honoured() -> None:
    (event,) = events_from_document(
        epcis_document(
            object_event(
                **{"@context": {"ex": NS}, "ex:a": {"@context": {"in": "urn:x:"}, "in:b": "1", "@type": "ex:T", "c": 2}}
            )
        )
    )
    assert event.extensions == {f"{{{NS}}}a": {"{urn:x:}b": "1", "@type": "ex:T", "c": 2}}


def test_a_default_vocabulary_gives_bare_names_a_namespace() -> None:
    (event,) = events_from_document(epcis_document(object_event(mine="1"), context={"@vocab": NS}))
    assert event.extensions == {f"{{{NS}}}mine": "1"}


def test_contexts_that_define_each_other_in_a_circle_do_not_hang() -> None:
    context = {"a": "b:", "b": "a:", "c": "c:"}
    read = events_from_document(
        epcis_document(object_event(**{"a:x": "1", "c:y": "2"}, bizStep="a:z"), context=context)
    )
    assert len(read[0].extensions) == 2


def test_values_with_a_declared_prefix_become_absolute() -> None:
    (event,) = events_from_document(
        epcis_document(
            object_event(bizStep="ex:culling", readPoint={"id": "ex:gate-1", "ex:note": "n"}), context={"ex": NS}
        )
    )
    assert (event.biz_step, event.read_point) == (f"{NS}culling", f"{NS}gate-1")
    assert event.read_point_extensions == {f"{{{NS}}}note": "n"}


def test_a_prefix_never_changes_the_meaning_of_a_uri() -> None:
    event = event_from_json(object_event(bizStep="ex:culling", **{f"{NS}a": "ns1:x", "ex:b": "1"}))
    assert events_from_document(document([event], {"ex": NS, "other": "urn:o:"})) == [event]
    with pytest.raises(ValueError, match="prefixes ex"):
        event_to_json(event, {"ex": NS})


def test_a_prefix_never_changes_the_meaning_of_a_name() -> None:
    event = event_from_json(object_event(**{"ex:b": "1", "n2": "2"}), {"n2": "urn:two:n"})
    assert events_from_document(document([event], {"ex": NS, "two": "chained:", "chained": "urn:two:"})) == [event]


def test_the_prefixes_of_the_standard_cannot_be_taken_away() -> None:
    (event,) = events_from_document(epcis_document(object_event(**{"rdfs:comment": "c"}), context={"rdfs": None}))
    assert events_from_document(document([event])) == [event]


def test_a_time_is_kept_as_an_instant() -> None:
    event = event_from_json(object_event(eventTime="2026-07-22t06:45:00.1234567+08:00"))
    assert event.event_time == datetime(2026, 7, 21, 22, 45, 0, 123456, UTC)


def test_the_events_of_a_query_document_a_bare_event_and_a_list_are_found() -> None:
    body = {"queryResults": {"queryName": "q", "resultsBody": {"eventList": [object_event(), object_event()]}}}
    assert len(events_from_document(epcis_document(type="EPCISQueryDocument", epcisBody=body))) == 2
    assert len(events_from_document(object_event())) == 1
    assert len(events_from_document([object_event(), object_event()])) == 2


def test_the_good_events_of_a_document_can_be_had_without_the_bad_one() -> None:
    opened = open_document(epcis_document(object_event(), object_event(action="CREATE"), object_event()))
    results = []
    for where, item in opened.items:
        try:
            results.append(event_from_json(item, opened.context, where).type)
        except EventError as error:
            results.append(error.where)
    assert results == ["ObjectEvent", "/epcisBody/eventList/1/action", "ObjectEvent"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"type": "PaintEvent"}, "/type"),
        ({"action": "CREATE"}, "/action"),
        ({"action": None}, ""),
        ({"eventTime": None}, ""),
        ({"eventTime": "22-07-2026"}, "/eventTime"),
        ({"eventTime": "2026-02-30T00:00:00Z"}, "/eventTime"),
        ({"eventTime": "2026-07-22T06:45:00"}, "/eventTime"),
        ({"eventTime": "0001-01-01T00:00:00+14:00"}, "/eventTime"),
        ({"eventTime": 1}, "/eventTime"),
        ({"eventTimeZoneOffset": "+15:00"}, "/eventTimeZoneOffset"),
        ({"epcList": None}, ""),
        ({"epcList": "urn:epc:id:sgtin:1"}, "/epcList"),
        ({"epcList": ["urn:a:b", "no uri"]}, "/epcList/1"),
        ({"epcList": []}, "/epcList"),
        ({"bizStep": "transforming"}, "/bizStep"),
        ({"disposition": "lost"}, "/disposition"),
        ({"readPoint": "urn:a:b"}, "/readPoint"),
        ({"readPoint": {"ex:a": "1"}}, "/readPoint"),
        ({"readPoint": {"id": "a b"}}, "/readPoint/id"),
        ({"quantityList": [{"epcClass": "urn:a:b", "quantity": "twenty"}]}, "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:a:b", "quantity": True}]}, "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:a:b", "quantity": 10**400}]}, "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:a:b", "quantity": -1}]}, "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:a:b", "uom": "kilo"}]}, "/quantityList/0/uom"),
        ({"quantityList": [{"epcClass": "urn:a:b", "uom": "KGM"}]}, "/quantityList/0/uom"),
        ({"quantityList": [{"quantity": 1}]}, "/quantityList/0"),
        ({"quantityList": [{"epcClass": "urn:a:b", "amount": 1}]}, "/quantityList/0"),
        ({"bizTransactionList": [{"type": "po"}]}, "/bizTransactionList/0"),
        ({"sourceList": [{"source": "urn:a:b"}]}, "/sourceList/0"),
        ({"persistentDisposition": {}}, "/persistentDisposition"),
        ({"persistentDisposition": {"set": ["active"], "unset": ["active"]}}, "/persistentDisposition"),
        ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport"),
        ({"sensorElementList": [{"sensorReport": [{"value": 1}]}]}, "/sensorElementList/0/sensorReport/0"),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Speed", "hexBinaryValue": "xx"}]}]},
            "/sensorElementList/0/sensorReport/0/hexBinaryValue",
        ),
        ({"errorDeclaration": {"reason": "incorrect_data"}}, "/errorDeclaration"),
        ({"ilmd": {"ex:a": "1"}}, "/ilmd"),
        ({"eventtime": "x"}, "/eventtime"),
        ({"ex:a": float("inf")}, "/ex:a"),
        ({"ex:": "1"}, "/ex:"),
        ({"ex:a": "1", f"{NS}a": "2"}, "/https:~1~1ns.example.com~1epcis~1a"),
        ({"parentID": "urn:a:b"}, "/parentID"),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Speed", "booleanValue": 1}]}]},
            "/sensorElementList/0/sensorReport/0/booleanValue",
        ),
    ],
)
def test_a_broken_event_is_refused_where_it_is_broken(changes: dict[str, Any], where: str) -> None:
    error = refused(epcis_document(object_event(**changes), context={"ex": NS}))
    assert error.where == f"/epcisBody/eventList/0{where}"


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"type": "AggregationEvent", "action": "ADD", "childEPCs": ["urn:a:b"]}, "/parentID"),
        ({"type": "AggregationEvent", "action": "DELETE", "childEPCs": ["urn:a:b"]}, "/parentID"),
        ({"type": "AggregationEvent", "action": "ADD", "childEPCs": [], "parentID": "urn:a:b"}, "/childEPCs"),
        ({"type": "AggregationEvent", "action": "ADD", "childEPCs": ["urn:a:b"], "parentID": "urn:a:b"}, "/childEPCs"),
        ({"type": "AssociationEvent", "action": "ADD", "childEPCs": [], "parentID": "urn:a:b"}, "/childEPCs"),
        ({"type": "AssociationEvent", "action": "ADD", "childEPCs": ["urn:a:b"], "parentID": "urn:a:b"}, "/childEPCs"),
        (
            {"type": "TransactionEvent", "action": "ADD", "epcList": ["a:b"], "bizTransactionList": []},
            "/bizTransactionList",
        ),
        ({"type": "TransformationEvent", "inputEPCList": ["urn:a:b"]}, "/outputEPCList"),
        ({"type": "TransformationEvent", "outputEPCList": ["urn:a:b"]}, "/inputEPCList"),
        ({"type": "TransformationEvent", "outputEPCList": [], "transformationID": "urn:a:b"}, "/inputEPCList"),
        (
            {
                "type": "TransactionEvent",
                "action": "ADD",
                "epcList": [],
                "bizTransactionList": [{"bizTransaction": "a:b"}],
            },
            "/epcList",
        ),
    ],
)
def test_a_relation_without_both_sides_is_refused(members: dict[str, Any], where: str) -> None:
    event = object_event(epcList=None, action=None, bizStep=None)
    assert refused({**event, **members}).where == where


def test_emptying_a_parent_needs_no_list_of_children() -> None:
    event = object_event(epcList=None, type="AggregationEvent", action="DELETE", parentID="urn:epc:id:sscc:1.2")
    (read,) = events_from_document(event)
    check_event(read)
    assert events_from_document(event_to_json(read)) == [read]


def test_a_device_may_report_about_itself_at_its_place() -> None:
    (read,) = events_from_document(
        object_event(**{"@context": {"ex": NS}, "ex:gap": 3}, epcList=[], readPoint={"id": "urn:a:b"})
    )
    check_event(read)


def test_a_document_may_withdraw_a_prefix_of_its_own() -> None:
    event = object_event(**{"@context": {"ex": None}, "ex:a": "1"})
    (read,) = events_from_document(epcis_document(event, context={"ex": NS}))
    assert read.extensions == {"{ex:}a": "1"}


def test_a_new_prefix_avoids_those_in_use() -> None:
    name = "{http://ns.example.com/epcis}a"
    event = event_from_json(object_event(**{"bare:a": "1"}), {"bare": "http://ns.example.com/epcis"})
    assert event.extensions == {name: "1"}
    assert events_from_document(document([event], {"ns1": NS})) == [event]


def test_a_value_that_is_no_json_is_refused() -> None:
    assert refused(object_event(**{"@context": {"ex": NS}, "ex:a": b"bytes"})).where == "/ex:a"


def test_a_sensor_may_report_a_place_without_objects() -> None:
    report = [{"sensorReport": [{"type": "Temperature", "value": 4}]}]
    (read,) = events_from_document(object_event(epcList=None, sensorElementList=report, readPoint={"id": "urn:a:b"}))
    check_event(read)
    assert "epcList" not in event_to_json(read)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"@context": 1}, "/@context"),
        ({"@context": [1]}, "/@context/0"),
        ({"@context": [{"a": 1}]}, "/@context/0/a"),
        ({"@context": ["urn:a"] * 65}, "/@context"),
        ({"schemaVersion": "1.2"}, "/schemaVersion"),
        ({"schemaVersion": 2}, "/schemaVersion"),
        ({"epcisBody": {}}, "/epcisBody/eventList"),
        ({"epcisBody": []}, "/epcisBody"),
        ({"type": None}, "/type"),
        ({"type": "EPCISQueryDocument"}, "/epcisBody/queryResults"),
    ],
)
def test_a_broken_frame_is_refused_where_it_is_broken(changes: dict[str, Any], where: str) -> None:
    assert refused({**epcis_document(object_event()), **changes}).where == where


@pytest.mark.parametrize("doc", [None, "x", 1, True, {}])
def test_what_is_no_document_is_refused(doc: Any) -> None:
    assert refused(doc).remedy


def test_a_document_without_context_is_refused() -> None:
    doc = epcis_document(object_event())
    del doc["@context"]
    assert refused(doc).where == "/@context"


def test_nesting_has_a_limit() -> None:
    value: Any = "x"
    for _ in range(40):
        value = {"a": value}
    assert "deep" in refused(object_event(**{"@context": {"ex": NS}, "ex:a": value})).what


def test_a_document_of_no_events_needs_its_creation_date() -> None:
    with pytest.raises(ValueError, match="created"):
        document([])
    assert document([], created=datetime(2026, 1, 1, tzinfo=UTC))["creationDate"] == "2026-01-01T00:00:00Z"


def test_an_event_built_from_parts_that_do_not_fit_is_refused() -> None:
    good: dict[str, Any] = {
        "event_time": datetime(2026, 1, 1, tzinfo=UTC),
        "event_time_zone_offset": "+08:00",
        "action": Action.ADD,
    }
    assert ObjectEvent(**good).type == "ObjectEvent"
    for change in (
        {"event_time": good["event_time"].replace(tzinfo=None)},
        {"event_time": datetime(9999, 1, 1, tzinfo=UTC)},
        {"event_time_zone_offset": "08:00"},
        {"action": "ADD"},
        {"biz_step": "shipping"},
        {"extensions": {"plain": "1"}},
        {"epc_list": (None,)},
    ):
        with pytest.raises(EventError):
            ObjectEvent(**{**good, **change})
