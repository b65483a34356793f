from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.epcis.make import load, object_event
from tests.core.epcis.strategies import EPC_LISTS, ZONES, events
from trace_core.epcis.document import event_from_json, event_to_json, events_from_document
from trace_core.epcis.event import Event, ObjectEvent
from trace_core.epcis.event_hash import Role, event_hash, event_key, pre_hash, prepare
from trace_core.epcis.hash_text import canonical_text, number_text
from trace_core.ids.canonical import canonical_uri, object_key

CASES = load("event_hash_cbv2.0.json")["cases"]
EXAMPLES = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_hash_equals_the_published_value(case: dict[str, Any]) -> None:
    read = events_from_document(case["document"])
    assert [event_hash(event) for event in read] == [event["eventHashID"] for event in case["events"]]
    for event, expected in zip(read, case["events"], strict=True):
        if "preHash" in expected:
            assert pre_hash(event) == expected["preHash"]


@EXAMPLES
@given(events(), st.randoms(use_true_random=False))
def test_the_order_of_json_members_and_lists_does_not_matter(event: Event, rng: random.Random) -> None:
    def shuffled(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            members = [(name, shuffled(item, name)) for name, item in value.items()]
            rng.shuffle(members)
            return dict(members)
        if isinstance(value, list):
            items = [shuffled(item) for item in value]
            if key.endswith("List") or key == "childEPCs":
                rng.shuffle(items)
            return items
        return value

    assert event_hash(event_from_json(shuffled(event_to_json(event)))) == event_hash(event)


@EXAMPLES
@given(events(), ZONES)
def test_the_zone_in_which_a_time_is_written_does_not_matter(event: Event, zone: timezone) -> None:
    assert event_hash(replace(event, event_time=event.event_time.astimezone(zone))) == event_hash(event)


@EXAMPLES
@given(events(), events())
def test_what_the_standard_leaves_out_does_not_matter(event: Event, other: Event) -> None:
    changed = replace(
        event,
        record_time=other.record_time,
        event_id=other.event_id,
        error_declaration=other.error_declaration,
        certification_info=other.certification_info,
    )
    assert event_hash(changed) == event_hash(event)


@EXAMPLES
@given(EPC_LISTS, st.integers(1, 3_600_000))
def test_other_objects_or_another_millisecond_give_another_hash(epcs: tuple[str, ...], later_ms: int) -> None:
    event = event_from_json(object_event())
    assert isinstance(event, ObjectEvent)
    hashes = {
        event_hash(event),
        event_hash(replace(event, event_time=event.event_time + timedelta(milliseconds=later_ms))),
        event_hash(replace(event, epc_list=(*event.epc_list, *epcs, "urn:epc:id:sscc:4012345.0000000333"))),
    }
    assert len(hashes) == 3


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "2019-10-21T14:58:56.000000+02:00",
            "2019-10-21T14:58:56+02:00",
            "2019-10-21T12:58:56Z",
            "2019-10-21T15:58:56.0+03:00",
        ],
        ["2019-10-21T14:58:56.9996+02:00", "2019-10-21T14:58:57+02:00"],
    ],
)
def test_precision_and_zone_of_a_time_give_one_hash(spellings: list[str]) -> None:
    assert len({event_hash(event_from_json(object_event(eventTime=text))) for text in spellings}) == 1


def test_precision_of_numbers_gives_one_hash() -> None:
    def report(value: str, deviation: str) -> str:
        text = f'{{"type": "Temperature", "value": {value}, "sDev": {deviation}, "uom": "CEL"}}'
        sensors = [{"sensorReport": [json.loads(text)]}]
        return event_hash(event_from_json(object_event(sensorElementList=sensors)))

    assert report("26", "0.1") == report("26.0", "0.100") == report("26.000", "0.10")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" padded ", "padded"),
        ("26.10", "26.1"),
        ("+007.0", "7"),
        ("-0.0", "0"),
        ("-0.50", "-0.5"),
        ("0.00001", "1e-05"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.12345678901234567890", "0.1234567890123456789"),
        ("1e5", "1e5"),
        ("1_000", "1_000"),
        ("urn:epcglobal:cbv:disp:in_transit", "https://ref.gs1.org/cbv/Disp-in_transit"),
        ("urn:epc:id:sscc:4012345.0000000333", "https://id.gs1.org/00/040123450000003338"),
    ],
)
def test_a_text_has_one_spelling(text: str, expected: str) -> None:
    assert canonical_text(text) == expected


def test_numbers_are_written_without_idle_zeros() -> None:
    assert [number_text(n) for n in (26, 26.0, 0.05, 1e22)] == ["26", "26", "0.05", "1" + "0" * 22]


@EXAMPLES
@given(events())
def test_preparing_gives_the_same_key_and_the_key_of_every_object(event: Event) -> None:
    ready = prepare(event)
    assert (ready.key_for("a"), ready.event_hash) == (event_key(event, "a"), event_hash(event))
    assert ready.key_for("a") != ready.key_for("b")
    assert ready.digest == sha256(pre_hash(event).encode()).digest()
    assert ready.read_point == (canonical_uri(event.read_point) if event.read_point else None)
    for ref in ready.objects:
        assert ref.key == object_key(ref.uri)
        assert ref.uri == canonical_uri(ref.uri)


def test_objects_keep_their_role_quantity_and_order() -> None:
    (event,) = events_from_document(
        {
            **object_event(epcList=None, action=None),
            "type": "TransformationEvent",
            "inputEPCList": ["urn:epc:id:sgtin:4012345.011111.2", "urn:epc:id:sgtin:4012345.011111.1"],
            "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.011111.L1", "quantity": 2.5, "uom": "KGM"}],
            "outputEPCList": ["urn:epc:id:sgtin:4012345.022222.1"],
        }
    )
    found = [(ref.role, ref.uri, ref.is_class, ref.quantity, ref.uom) for ref in prepare(event).objects]
    assert found == [
        (Role.INPUT, "https://id.gs1.org/01/04012345111118/21/2", False, None, None),
        (Role.INPUT, "https://id.gs1.org/01/04012345111118/21/1", False, None, None),
        (Role.INPUT, "https://id.gs1.org/01/04012345111118/10/L1", True, 2.5, "KGM"),
        (Role.OUTPUT, "https://id.gs1.org/01/04012345222227/21/1", False, None, None),
    ]


def test_an_object_named_in_two_spellings_is_one_object() -> None:
    spellings = ["urn:epc:id:sscc:4012345.0000000333", "https://id.example.com/00/040123450000003338"]
    assert len(prepare(event_from_json(object_event(epcList=spellings))).objects) == 1


def test_a_parent_comes_before_its_children() -> None:
    event = event_from_json(
        object_event(
            type="AggregationEvent",
            action="ADD",
            epcList=None,
            parentID="urn:epc:id:sscc:4012345.0000000333",
            childEPCs=["urn:epc:id:sgtin:4012345.011111.1"],
        )
    )
    assert [ref.role for ref in prepare(event).objects] == [Role.PARENT, Role.CHILD]


def test_a_remark_does_not_change_the_hash() -> None:
    assert event_hash(event_from_json(object_event(**{"rdfs:comment": "n"}))) == event_hash(
        event_from_json(object_event())
    )
