"""An identifier spelled otherwise is the same identifier."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from tests.core.epcis.strategies import events
from trace_core.epcis.event import Action, Event, ObjectEvent
from trace_core.epcis.event_hash import event_hash
from trace_core.ids.canonical import canonical_uri
from trace_server.epcis_xml.spelling import EpcFormat, spelled, spelled_event

PAIRS = [
    ("urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2017"),
    ("urn:epc:id:sgtin:6901234.012345.6789%2Fa", "https://id.gs1.org/01/06901234123456/21/6789%2Fa"),
    ("urn:epc:id:sgtin:69212345.01234.1", "https://id.gs1.org/01/06921234512340/21/1"),
    ("urn:epc:class:lgtin:4012345.012345.L7", "https://id.gs1.org/01/04012345123456/10/L7"),
    ("urn:epc:idpat:sgtin:4012345.012345.*", "https://id.gs1.org/01/04012345123456"),
    ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908"),
    ("urn:epc:id:sgln:0614141.12345.0", "https://id.gs1.org/414/0614141123452"),
    ("urn:epc:id:sgln:0614141.12345.400", "https://id.gs1.org/414/0614141123452/254/400"),
    ("urn:epc:id:pgln:0614141.12345", "https://id.gs1.org/417/0614141123452"),
    ("urn:epc:id:grai:0614141.12345.400", "https://id.gs1.org/8003/00614141123452400"),
    ("urn:epc:id:giai:0614141.12345400", "https://id.gs1.org/8004/061414112345400"),
    ("urn:epc:id:gsrn:0614141.1234567890", "https://id.gs1.org/8018/061414112345678902"),
    ("urn:epc:id:gdti:0614141.12345.400", "https://id.gs1.org/253/0614141123452400"),
    ("urn:epc:id:ginc:0614141.xyz47%2F11", "https://id.gs1.org/401/0614141xyz47%2F11"),
    ("urn:epc:id:itip:0614141.012345.01.02.987", "https://id.gs1.org/8006/006141411234520102/21/987"),
]


@pytest.mark.parametrize(("urn", "link"), PAIRS)
def test_urn_and_link_turn_into_each_other(urn: str, link: str) -> None:
    assert canonical_uri(link) == link
    assert spelled(urn, EpcFormat.DIGITAL_LINK) == link
    assert spelled(link, EpcFormat.URN) == urn
    assert spelled(link, EpcFormat.DIGITAL_LINK) == link
    for same in (EpcFormat.NEVER, EpcFormat.NO_PREFERENCE):
        assert (spelled(urn, same), spelled(link, same)) == (urn, link)


@pytest.mark.parametrize("uri", ["https://example.com/po/1", "urn:uuid:1", "geo:1,2", "https://id.gs1.org/99/1"])
def test_what_is_no_gs1_identifier_is_left_alone(uri: str) -> None:
    assert {spelled(uri, wanted) for wanted in EpcFormat} == {uri}


def test_a_link_on_another_host_is_a_link_and_has_a_urn() -> None:
    link = "https://shop.example/x/01/10614141073464/10/L/21/2017?17=261231"
    assert spelled(link, EpcFormat.DIGITAL_LINK) == link
    assert spelled(link, EpcFormat.URN) == "urn:epc:id:sgtin:0614141.107346.2017"


def test_two_spellings_of_one_object_do_not_become_one_said_twice() -> None:
    urn, link = PAIRS[0]
    event = ObjectEvent(
        event_time=datetime(2026, 11, 24, tzinfo=UTC),
        event_time_zone_offset="+08:00",
        action=Action.OBSERVE,
        epc_list=(urn, link, PAIRS[1][0]),
    )
    changed = spelled_event(event, EpcFormat.DIGITAL_LINK)
    assert isinstance(changed, ObjectEvent)
    assert changed.epc_list == (urn, link, PAIRS[1][1])
    assert event_hash(changed) == event_hash(event)


@settings(max_examples=150, deadline=None)
@given(event=events())
def test_an_event_spelled_otherwise_is_the_same_event(event: Event) -> None:
    for wanted in EpcFormat:
        assert event_hash(spelled_event(event, wanted)) == event_hash(event)
