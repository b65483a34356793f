"""XML and JSON are two ways to write one event: nothing is lost between them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.epcis.strategies import SGTINS, events
from tests.server.epcis_xml.make import TIMES, ZONE, only_event, xml_document, xml_event
from trace_core.epcis import event as ev
from trace_core.epcis.document import document, events_from_document
from trace_core.epcis.event_hash import event_hash
from trace_core.errors import EventError
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import EPCIS_1, complaints
from trace_server.epcis_xml.writer import CbvFormat, write_document, write_query_document

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)

ANY_NAME = st.text(min_size=1, max_size=6).filter(
    lambda name: not set(name) & set("{}: ") and name.isprintable() and name != "@context"
)
"""What a JSON-LD reader can give as a name."""
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
    lambda inner: st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(ANY_NAME | st.just("#text"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def written(event: ev.Event, form: CbvFormat = CbvFormat.WEB_URI) -> bytes:
    return write_document([event], created=NOW, cbv_format=form)


@settings(max_examples=150, deadline=None)
@given(event=events(), form=st.sampled_from(CbvFormat))
def test_any_event_is_valid_xml_and_reads_back_the_same(event: ev.Event, form: CbvFormat) -> None:
    for raw in (written(event, form), write_query_document([event], created=NOW, cbv_format=form)):
        root = parse(raw)
        assert not complaints(root)
        assert events_from_xml(root) == [event]


@settings(max_examples=80, deadline=None)
@given(event=events())
def test_json_to_xml_to_json_loses_nothing(event: ev.Event) -> None:
    first = document([event], {})
    (through,) = events_from_xml(parse(written(events_from_document(json.loads(json.dumps(first)))[0])))
    assert document([through], {}) == first
    assert event_hash(through) == event_hash(event)


@settings(max_examples=300, deadline=None)
@given(value=ANY_VALUE, local=ANY_NAME)
def test_any_value_under_any_name_survives(value: Any, local: str) -> None:
    event = ev.ObjectEvent(
        event_time=NOW,
        event_time_zone_offset="+08:00",
        action=ev.Action.ADD,
        epc_list=("urn:x:1",),
        extensions={f"{{https://ex.example/}}{local}": value, "{https://ex.example/}other": "x"},
        ilmd={"{https://ex.example/ilmd}field": value},
    )
    root = parse(written(event))
    assert not complaints(root)
    assert events_from_xml(root) == [event]


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<ex:f>text</ex:f>", "text"),
        ("<ex:f/>", ""),
        ('<ex:f xsi:nil="true"/>', None),
        ('<ex:f xsi:type="xsd:integer">10</ex:f>', 10),
        ('<ex:f xsi:type="xsd:double">20</ex:f>', 20.0),
        ('<ex:f xsi:type="xsd:boolean">true</ex:f>', True),
        ('<ex:f xsi:type="xsd:dateTime">2026-11-24T08:00:00Z</ex:f>', "2026-11-24T08:00:00Z"),
        ('<ex:f ex:a="1"/>', {"{https://ex.example/}a": "1"}),
        ('<ex:f ex:a="1">t</ex:f>', {"{https://ex.example/}a": "1", "#text": "t"}),
        ("<ex:f><inner>1</inner></ex:f>", {"inner": "1"}),
        ("<ex:f>1</ex:f><ex:f>2</ex:f>", ("1", "2")),
        ("<ex:f><![CDATA[<a>]]></ex:f>", "<a>"),
        ("<ex:f>a<!-- a remark -->b</ex:f>", "ab"),
    ],
)
def test_extension_elements_have_their_values(xml: str, value: object) -> None:
    raw = xml_document(xml_event(late=xml))
    assert not complaints(parse(raw))
    assert only_event(raw).extensions == {"{https://ex.example/}f": value}


@pytest.mark.parametrize(
    "names", ['{"@context":{"a":"urn:x"}}', '{"a:b":1}', '{"{u}a b":1}', '{"":1}', "[1]", "{", "1e5"]
)
def test_json_inside_xml_cannot_smuggle_names(names: str) -> None:
    more = f"<s:more xmlns:s='urn:suyuan:epcis:' s:json='{names}'/>"
    for xml in (more, f"<ex:f>{more}</ex:f>"):
        with pytest.raises(EventError):
            only_event(xml_document(xml_event(late=xml)))


def test_fields_of_master_data_have_one_name_in_both_forms() -> None:
    ilmd = "<ilmd><m:lotNumber>L1</m:lotNumber></ilmd>"
    raw = xml_document(xml_event(action="ADD", middle=ilmd), declared='xmlns:m="urn:epcglobal:cbv:mda"')
    event = only_event(raw)
    assert isinstance(event, ev.ObjectEvent)
    assert event.ilmd == {"{urn:epcglobal:cbv:mda:}lotNumber": "L1"}


def test_the_nested_extensions_of_1_2_are_fields_like_any_other() -> None:
    deep = (
        "<extension><quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.998877</epcClass>"
        "<quantity>200</quantity><uom>KGM</uom></quantityElement></quantityList>"
        "<extension><persistentDisposition><set>urn:epcglobal:cbv:disp:damaged</set></persistentDisposition>"
        "<mine>x</mine></extension></extension>"
    )
    early = "<baseExtension><eventID>urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518</eventID></baseExtension>"
    raw = xml_document(xml_event(early=early, late=deep), version="1.2")
    assert not complaints(parse(raw))
    event = only_event(raw)
    assert isinstance(event, ev.ObjectEvent)
    assert event.quantity_list[0].quantity == 200
    assert event.persistent_disposition is not None
    assert event.event_id == "urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518"
    assert event.extensions == {f"{{{EPCIS_1}}}mine": "x"}


def test_a_quantity_event_of_1_0_observes_a_quantity() -> None:
    old = (
        f"<QuantityEvent>{TIMES}{ZONE}<epcClass>urn:epc:idpat:sgtin:4012345.012345.*</epcClass>"
        "<quantity>7</quantity></QuantityEvent>"
    )
    raw = xml_document(old, version="1.2")
    assert not complaints(parse(raw))
    event = only_event(raw)
    assert isinstance(event, ev.ObjectEvent)
    assert (event.action, event.quantity_list[0].quantity) == (ev.Action.OBSERVE, 7)


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (xml_event(action="EAT"), "/ObjectEvent/action"),
        (xml_event(middle="<bizStep>shipping</bizStep>"), "/ObjectEvent/bizStep"),
        (xml_event(middle="<bizStep>urn:epcglobal:cbv:bizstep:</bizStep><bizStep>urn:x:y</bizStep>"), "/bizStep[2]"),
        (xml_event(late="<madeUp>x</madeUp>"), "/ObjectEvent/madeUp"),
        (xml_event().replace("+08:00</eventTime>", "</eventTime>"), "/ObjectEvent/eventTime"),
        (xml_event(middle="<readPoint><id>nowhere</id></readPoint>"), "/ObjectEvent/readPoint/id"),
        (xml_event(kind="PartyEvent"), "/PartyEvent"),
        (
            xml_event(
                middle="<sensorElementList><sensorElement><sensorReport type='gs1:Mass' value='x'/></sensorElement>"
                "</sensorElementList>"
            ),
            "/sensorReport/@value",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(event: str, place: str) -> None:
    with pytest.raises(EventError) as refused:
        events_from_xml(parse(xml_document(event)))
    assert place in refused.value.where
    assert refused.value.where.startswith("/epcis:EPCISDocument/EPCISBody/EventList/")


@given(epc=SGTINS)
def test_prefixes_in_uris_are_made_absolute_and_schemes_are_left_alone(epc: str) -> None:
    raw = xml_document(
        xml_event(middle="<bizStep>cbv:BizStep-shipping</bizStep><readPoint><id>ex:gate</id></readPoint>").replace(
            "urn:epc:id:sgtin:0614141.107346.1", epc
        ),
        declared='xmlns:urn="https://wrong.example/"',
    )
    event = only_event(raw)
    assert isinstance(event, ev.ObjectEvent)
    assert (event.biz_step, event.read_point) == ("https://ref.gs1.org/cbv/BizStep-shipping", "https://ex.example/gate")
    assert event.epc_list == (epc,)
