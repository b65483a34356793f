"""Other systems' documents: good events are stored once, bad ones held with a reason, bad documents refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.ingest.make import (
    CONTEXT,
    GTIN,
    NOW,
    STANDARD,
    body,
    commissioned,
    count,
    document,
    epc,
    item_uri,
    rows,
    seen,
)
from trace_core.errors import Conflict, EventError, NotFound, TooLarge
from trace_core.ids.canonical import object_key
from trace_server.db import Database
from trace_server.ingest import intake, operations, tables
from trace_server.ingest.document import MAX_DOCUMENT_BYTES, BadDocument, read_document
from trace_server.ingest.model import ActionCode, ErrorBehaviour, EventType, Job, LinkRole, Origin, Reason, Rejection
from trace_server.ingest.rules import MAX_DEPTH, Taken, read_event
from trace_server.ingest.store import events as lookups

ORIGIN = Origin("client:erp", NOW)


def post(db: Database, raw: bytes, behaviour: ErrorBehaviour = ErrorBehaviour.PROCEED) -> Job:
    return operations.capture_document(db, NOW, "erp", raw, behaviour)


def links(db: Database) -> set[tuple[bytes, int, int | None, bytes | None, float | None, str | None]]:
    return {
        (row.object_key, row.role, row.action, row.peer_key, row.quantity, row.uom) for row in rows(db, tables.link)
    }


def test_a_document_becomes_one_capture_with_its_events_in_order(database: Database) -> None:
    job = post(database, document(seen(3), seen(1), seen(2)))
    assert (job.event_count, job.accepted, job.duplicates, job.quarantined) == (3, 3, 0, 0)
    (capture,) = rows(database, tables.capture)
    assert (capture.capture_key, capture.event_count, capture.seq) == (job.job_key, 3, None)
    stored = sorted(rows(database, tables.event), key=lambda row: row.ordinal)
    assert [json.loads(row.body) for row in stored] == [seen(3), seen(1), seen(2)]
    assert {row.source for row in stored} == {"client:erp"}


def test_a_document_sent_again_changes_nothing_but_the_job(database: Database) -> None:
    post(database, document(seen(1), seen(2)))
    again = post(database, document(seen(2), seen(3), seen(3)))
    assert (again.accepted, again.duplicates) == (1, 2)
    assert count(database, tables.event) == 3
    assert count(database, tables.link) == 3


def test_an_event_is_known_by_what_it_says_and_not_by_its_id(database: Database) -> None:
    same_id = "urn:uuid:11111111-1111-1111-1111-111111111111"
    job = post(database, document(seen(1, eventID=same_id), seen(2, eventID=same_id)))
    assert job.accepted == 2


def test_an_error_declaration_is_kept_beside_what_it_corrects(database: Database) -> None:
    wrong = {"errorDeclaration": {"declarationTime": NOW.isoformat(), "reason": "incorrect_data"}}
    assert post(database, document(seen(1), seen(1, **wrong))).accepted == 2
    assert post(database, document(seen(1, **wrong))).duplicates == 1
    original = next(row for row in rows(database, tables.event) if not row.is_correction)
    retracted = [link for link in rows(database, tables.link) if link.role == LinkRole.RETRACTED]
    assert [link.peer_key for link in retracted] == [original.event_key]


def test_nobody_can_take_the_place_of_anothers_event(database: Database) -> None:
    victim = document(seen(1, epcList=["urn:x:a", "urn:x:b"]))
    for client, sent in (("thief", victim), ("thief", document(seen(1, epcList=["urn:x:aepc=urn:x:b"])))):
        assert operations.capture_document(database, NOW, client, sent).accepted == 1
    assert operations.capture_document(database, NOW, "owner", victim).accepted == 1
    assert operations.capture_document(database, NOW, "owner", victim).duplicates == 1
    kept = [(row.source, row.hash_key) for row in rows(database, tables.event)]
    assert [source for source, _ in kept].count("client:owner") == 1
    assert len({hashed for _, hashed in kept}) == 1


@pytest.mark.parametrize(
    "context",
    [{f"x{n}": "urn:x:" + "a" * 2000 for n in range(10)}, {f"x{n}": "urn:x:" for n in range(201)}],
    ids=["bytes", "terms"],
)
def test_a_context_that_would_be_kept_a_thousand_times_is_refused(database: Database, context: dict[str, str]) -> None:
    with pytest.raises(TooLarge, match="@context"):
        post(database, document(seen(1, action="EAT"), context=[*STANDARD, context]))
    assert count(database, tables.quarantine) == 0


def test_a_string_with_a_control_character_is_held(database: Database) -> None:
    job = operations.capture_document(
        database, NOW, "erp", document(seen(1, **{"suyuan:x": "a\x1fb"}), context=CONTEXT), ErrorBehaviour.PROCEED
    )
    assert [error.reason for error in job.errors] == [Reason.FORBIDDEN_CHARACTER]


def test_an_aggregation_links_children_to_their_container(database: Database) -> None:
    pack = seen(
        1,
        type="AggregationEvent",
        epcList=None,
        action="ADD",
        parentID="urn:epc:id:sscc:0614141.1234567890",
        childEPCs=[epc(1), epc(2)],
    )
    assert post(database, document(pack)).accepted == 1
    parent = object_key("urn:epc:id:sscc:0614141.1234567890")
    add = ActionCode.ADD
    assert links(database) == {
        (parent, LinkRole.PARENT, add, None, None, None),
        (object_key(epc(1)), LinkRole.CHILD, add, parent, None, None),
        (object_key(epc(2)), LinkRole.CHILD, add, parent, None, None),
    }


def test_a_transformation_is_a_node_between_inputs_and_outputs(database: Database) -> None:
    """N + M links, never N × M."""
    lots = [f"urn:epc:class:lgtin:0614141.107346.L{n}" for n in range(3)]
    make = seen(
        1,
        type="TransformationEvent",
        action=None,
        epcList=None,
        inputQuantityList=[{"epcClass": lots[0], "quantity": 12.5, "uom": "KGM"}, {"epcClass": lots[1], "quantity": 3}],
        outputEPCList=[epc(1)],
        outputQuantityList=[{"epcClass": lots[2], "quantity": 1, "uom": "KGM"}],
        disposition=None,
    )
    assert post(database, document(make)).accepted == 1
    (event,) = rows(database, tables.event)
    assert (event.type, event.action) == (EventType.TransformationEvent, None)
    node = event.event_key
    assert links(database) == {
        (object_key(lots[0]), LinkRole.INPUT, None, node, 12.5, "KGM"),
        (object_key(lots[1]), LinkRole.INPUT, None, node, 3.0, None),
        (object_key(epc(1)), LinkRole.OUTPUT, None, node, None, None),
        (object_key(lots[2]), LinkRole.OUTPUT, None, node, 1.0, "KGM"),
    }
    classes = {row.canonical_uri: (row.is_class, row.gtin, row.lot) for row in rows(database, tables.object_)}
    assert classes[f"https://id.gs1.org/01/{GTIN}/10/L0"] == (True, GTIN, "L0")


def test_new_items_belong_to_the_lot_that_their_event_names(database: Database) -> None:
    post(database, document(commissioned(1, 2, lot="L/7")))
    keys = [object_key(epc(1)), object_key(epc(2)), object_key(epc(3))]
    with database.read() as conn:
        assert lookups.lots_of(conn, database.dialect, keys) == dict.fromkeys(keys[:2], (GTIN, "L/7"))
        assert [event.event_key for event in lookups.events_of(conn, database.dialect, keys)] == [
            row.event_key for row in rows(database, tables.event)
        ]


def test_spellings_of_one_identifier_are_one_object(database: Database) -> None:
    post(database, document(seen(1, epcList=[epc(1)]), seen(2, epcList=[item_uri(1)])))
    (thing,) = rows(database, tables.object_)
    assert (thing.canonical_uri, thing.gtin, thing.serial) == (item_uri(1), GTIN, "1")


def test_bad_events_are_held_with_pointer_and_the_others_are_taken(database: Database) -> None:
    bad = seen(2, eventTimeZoneOffset="later")
    job = post(database, document(seen(1), bad, seen(3)))
    assert (job.accepted, job.quarantined) == (2, 1)
    assert [error.where for error in job.errors] == ["/epcisBody/eventList/1/eventTimeZoneOffset"]
    assert post(database, document(bad)).quarantined == 1
    (held,) = rows(database, tables.quarantine)
    assert json.loads(bytes(held.body)) == bad
    assert operations.find_job(database, job.job_key) == job


def test_a_document_with_a_bad_event_is_rolled_back_whole_unless_told_otherwise(database: Database) -> None:
    job = post(database, document(seen(1), seen(2, action="EAT"), seen(3, epcList=[])), ErrorBehaviour.ROLLBACK)
    assert (job.success, job.accepted, job.duplicates, job.quarantined) == (False, 0, 0, 0)
    assert [error.where for error in job.errors] == [
        "/epcisBody/eventList/1/action",
        "/epcisBody/eventList/2/epcList",
    ]
    for table in (tables.event, tables.capture, tables.quarantine, tables.link):
        assert count(database, table) == 0
    kept = operations.find_job(database, job.job_key)
    assert kept is not None
    assert (kept.behaviour, kept.errors) == (ErrorBehaviour.ROLLBACK, job.errors)


def test_answers_to_queries_and_bare_events_are_taken_too(database: Database) -> None:
    whole = json.loads(document(seen(1)))
    whole["epcisBody"] = {"queryResults": {"queryName": "q", "resultsBody": whole["epcisBody"]}}
    assert post(database, json.dumps({**whole, "type": "EPCISQueryDocument"}).encode()).accepted == 1
    assert post(database, body(seen(2))).accepted == 1
    with pytest.raises(BadDocument) as refused:
        post(database, json.dumps(seen(3)).encode())
    assert refused.value.problem_members()["errors"][0]["pointer"] == "/@context"  # type: ignore[index]


def test_extension_names_survive_with_the_context_of_their_document(database: Database) -> None:
    context = [*STANDARD, {"ex": "https://example.com/ns/"}]
    post(database, document(seen(1, **{"ex:note": "x"}), context=context))
    other = [*STANDARD, {"y": "https://example.com/ns/"}]
    assert post(database, document(seen(1, **{"y:note": "x"}), context=other)).duplicates == 1
    (capture,) = rows(database, tables.capture)
    assert json.loads(capture.context) == context


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b"", "/"),
        (b"[]", "/"),
        (b'{"type":"EPCISDocument"', "/"),
        (b"[" * 100_000, "/"),
        (b'{"epcisBody":' + b"[" * 100_000, "/"),
        (b"\xff\xfe", "/"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(raw: bytes, pointer: str) -> None:
    with pytest.raises(EventError) as refused:
        read_document(raw)
    assert refused.value.where == pointer
    assert refused.value.remedy or refused.value.what


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"schemaVersion": 2}, "/schemaVersion"),
        ({"type": "EPCISQueryDocument"}, "/epcisBody"),
        ({"type": "CaptureJob"}, "/type"),
        ({"epcisBody": {}}, "/epcisBody"),
        ({"creationDate": "yesterday"}, "/creationDate"),
        ({"@context": 7}, "/@context"),
    ],
)
def test_a_wrong_envelope_is_refused_with_its_pointers(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadDocument) as refused:
        read_document(document(seen(1), **changes))
    errors = refused.value.problem_members()["errors"]
    assert pointer in [error["pointer"] for error in errors]  # type: ignore[attr-defined]


def test_documents_over_a_limit_are_refused_whole(database: Database) -> None:
    with pytest.raises(TooLarge, match="1001 events"):
        post(database, document(*[{}] * 1001))
    with pytest.raises(TooLarge):
        post(database, document(seen(1), sender="x" * MAX_DOCUMENT_BYTES))
    assert count(database, tables.event) == 0


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (seen(1, **{"suyuan:note": nested(MAX_DEPTH)}), Reason.TOO_DEEP),
        (seen(1, **{"suyuan:note": "x" * 5000}), Reason.TOO_LONG),
        (seen(1, **{"suyuan:note": "a\0b"}), Reason.FORBIDDEN_CHARACTER),
        (seen(1, epcList=["not a uri"]), Reason.SCHEMA),
        (seen(1, type="PartyEvent"), Reason.SCHEMA),
        (seen(1, eventTime="0001-01-01T00:00:00+14:00"), Reason.RULE),
        (seen(1, ilmd={"cbvmda:lotNumber": "L"}), Reason.SCHEMA),
    ],
)
def test_what_no_database_should_hold_is_rejected_with_a_reason(event: dict[str, Any], reason: Reason) -> None:
    raw = json.dumps({"@context": CONTEXT, **event}).encode()
    rejection = read_event(raw, ORIGIN)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.reason is reason
    assert rejection.what


def test_a_name_given_twice_is_refused_at_any_depth() -> None:
    good = json.dumps({"@context": CONTEXT, **seen(1, **{"suyuan:note": 'a": b'}), "suyuan:x": {"suyuan:y": 1}})
    assert isinstance(read_event(good.encode(), ORIGIN), Taken)
    for name in ('"action": "OBSERVE"', '"suyuan:y": 1'):
        rejection = read_event(good.replace(name, f"{name}, {name}").encode(), ORIGIN)
        assert isinstance(rejection, Rejection)
        assert rejection.reason is Reason.RULE
        assert "twice" in rejection.what


@settings(max_examples=200, deadline=None)
@given(raw=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_read_or_rejected(raw: bytes) -> None:
    assert isinstance(read_event(raw, ORIGIN), Taken | Rejection)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from([*seen(1), "ilmd", "quantityList", "errorDeclaration", "suyuan:x", "@context"]), value=VALUES
)
def test_any_value_anywhere_is_read_or_rejected(name: str, value: Any) -> None:
    raw = json.dumps({"@context": CONTEXT, **seen(1), name: value}).encode()
    assert isinstance(read_event(raw, ORIGIN), Taken | Rejection)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=20))
def test_any_text_that_is_taken_can_be_stored(database: Database, text: str) -> None:
    events = [seen(1, **{"suyuan:note": text}), seen(2, eventID=f"urn:x:{text}"), seen(3, epcList=[f"urn:x:{text}"])]
    job = post(database, json.dumps(json.loads(document(*events, context=CONTEXT))).encode("utf-8", "surrogatepass"))
    assert job.accepted + job.duplicates + job.quarantined == 3


def test_a_held_event_is_replayed_when_the_rules_allow_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours holds one event back; once mended, it is taken with the names of its document."""

    def broken(*_: object) -> Taken:
        raise ZeroDivisionError("ours")

    context = [*STANDARD, {"ex": "https://example.com/ns/"}]
    with monkeypatch.context() as patched:
        patched.setattr(intake, "read_event", broken)
        assert post(database, document(seen(1, **{"ex:note": "x"}), context=context)).quarantined == 1
    (held,) = rows(database, tables.quarantine)
    assert (held.reason, held.state) == ("internal-error", "held")
    assert operations.replay(database, NOW, "test", held.quarantine_key) is None
    assert post(database, document(seen(1, **{"ex:note": "x"}), context=context)).duplicates == 1
    with pytest.raises(Conflict):
        operations.replay(database, NOW, "test", held.quarantine_key)
    with pytest.raises(NotFound):
        operations.replay(database, NOW, "test", bytes(16))


def test_a_replay_that_fails_again_says_why_and_stays(database: Database) -> None:
    post(database, document(seen(1, action="EAT")))
    (held,) = rows(database, tables.quarantine)
    rejection = operations.replay(database, NOW, "test", held.quarantine_key)
    assert rejection is not None
    assert rejection.where == "/action"
    assert rows(database, tables.quarantine)[0].state == "held"


def conformance_documents(folder: Path) -> list[Path]:
    return [path for part in ("gs1-json", "openepcis-json") for path in sorted((folder / part).rglob("*.json"))]


def test_official_documents_are_taken_whole(database: Database, conformance: Path) -> None:
    paths = conformance_documents(conformance / "documents")
    assert paths
    refused = {}
    for path in paths:
        raw = path.read_bytes()
        if json.loads(raw).get("type") != "EPCISDocument":
            continue
        job = post(database, raw)
        if job.quarantined:
            refused[path.name] = job.errors
    assert not refused
    stored = count(database, tables.event)
    for path in paths:
        if json.loads(path.read_bytes()).get("type") == "EPCISDocument":
            assert post(database, path.read_bytes()).accepted == 0
    assert count(database, tables.event) == stored


def test_invalid_documents_are_refused_or_held(database: Database, conformance: Path) -> None:
    for path in sorted((conformance / "invalid" / "openepcis-json").glob("*.json")):
        try:
            job = post(database, path.read_bytes())
        except EventError as error:
            assert str(error)
        else:
            assert job.quarantined > 0, path.name
