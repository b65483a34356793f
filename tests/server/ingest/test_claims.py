"""A sender is held to what it may say: a gateway to its read points, a producer to its places and products."""

from __future__ import annotations

import json

import pytest

from tests.server.ingest.make import NOW, READ_POINT, batch, body, item_uri, seen
from tests.server.ingest.make import document as plain_document
from tests.server.portal import make
from trace_core.ids.canonical import canonical_uri
from trace_core.uplink import Ack
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.ingest import operations
from trace_server.ingest.model import ErrorBehaviour, Job

ELSEWHERE = "urn:epc:id:sgln:0614141.00888.0"
STRANGER = make.MARKET


def gate(db: Database, *points: str) -> None:
    accounts.add_gateway(db, NOW, "test", gateway_id="gate-1", site="North", read_points=points)


def send(db: Database, *read_points: str | None) -> Ack:
    bodies = [
        body(seen(number, readPoint={"id": point} if point else None)) for number, point in enumerate(read_points, 1)
    ]
    return operations.accept_batch(db, NOW, "gate-1", batch(*bodies))


def post(
    db: Database,
    *events: dict[str, object],
    subject: str = make.PRODUCER,
    role: Role = Role.PRODUCER,
    behaviour: ErrorBehaviour = ErrorBehaviour.PROCEED,
) -> Job:
    client, _ = accounts.add_client(db, NOW, "test", name=f"{role}-{subject}", role=role, subject=subject)
    raw = plain_document(*events)
    return operations.capture_document(db, NOW, client.client_id, raw, behaviour)


def reasons(db: Database) -> list[str]:
    return [entry.rejection.reason.value for entry in operations.stream_quarantine(db, None)]


def test_a_gateways_event_at_a_foreign_read_point_waits_in_quarantine(database: Database) -> None:
    gate(database, canonical_uri(READ_POINT).replace("id.gs1.org", "id.example.com"))
    assert send(database, READ_POINT, ELSEWHERE, None).quarantined == (2,)
    assert reasons(database) == ["foreign-read-point"]


def test_a_replay_is_held_to_the_same(database: Database) -> None:
    gate(database, ELSEWHERE)
    send(database, READ_POINT)
    (entry,) = operations.stream_quarantine(database, None)
    rejection = operations.replay(database, NOW, "test", entry.quarantine_key)
    assert rejection is not None
    assert rejection.reason == "foreign-read-point"


def test_a_producer_reports_from_its_own_places_only(database: Database) -> None:
    make.load(database)
    job = post(database, make.shipped(), make.received())
    assert (job.accepted, [(one.reason, one.where) for one in job.errors]) == (
        1,
        [("foreign-place", "/epcisBody/eventList/1/readPoint/id")],
    )


def test_without_a_read_point_the_business_location_counts(database: Database) -> None:
    make.load(database)
    event = make.shipped() | {"bizLocation": {"id": make.GATE}}
    del event["readPoint"]
    job = post(database, event)
    assert [one.where for one in job.errors] == ["/epcisBody/eventList/0/bizLocation/id"]


@pytest.mark.parametrize("event", [make.commissioned(), make.made()], ids=["commissioning", "transformation"])
def test_only_its_producer_brings_a_product_into_being(database: Database, event: dict[str, object]) -> None:
    make.load(database, places=[])
    assert [one.reason for one in post(database, event, subject=STRANGER).errors] == ["foreign-product"]
    assert post(database, event).accepted == 1


def test_a_maker_may_use_up_what_others_produced(database: Database) -> None:
    raw = make.product(gtin=make.RAW_GTIN, producer_uscc=make.HAULIER)
    make.load(database, places=[], products=[make.product(), raw])
    assert post(database, make.made()).accepted == 1


def test_what_master_data_do_not_know_is_taken(database: Database) -> None:
    made = seen(1, action="ADD", bizStep="commissioning", epcList=[item_uri(1)])
    assert post(database, made).accepted == 1


def test_a_foreign_event_rolls_a_document_back_when_asked_to(database: Database) -> None:
    make.load(database)
    job = post(database, make.shipped(), make.received(), behaviour=ErrorBehaviour.ROLLBACK)
    assert (job.accepted, len(job.errors)) == (0, 1)
    assert reasons(database) == []


def test_other_roles_are_not_held_to_places(database: Database) -> None:
    make.load(database)
    assert post(database, make.received(), role=Role.REGULATOR, subject="").accepted == 1


def test_a_foreign_event_in_xml_is_placed_by_its_path(database: Database) -> None:
    make.load(database)
    client, _ = accounts.add_client(database, NOW, "test", name="erp", role=Role.PRODUCER, subject=make.PRODUCER)
    raw = f"""<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"
        creationDate="2026-11-24T00:00:00Z"><EPCISBody><EventList><ObjectEvent>
        <eventTime>2026-11-22T04:30:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>
        <epcList><epc>{make.ITEM}</epc></epcList><action>OBSERVE</action>
        <readPoint><id>{make.GATE}</id></readPoint>
        </ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>"""
    job = operations.capture_document(database, NOW, client.client_id, raw.encode(), xml=True)
    (error,) = job.errors
    assert error.reason == "foreign-place"
    assert error.where.endswith("/ObjectEvent/readPoint/id"), json.dumps(error.where)
