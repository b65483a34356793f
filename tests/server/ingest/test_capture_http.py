"""The capture path over HTTP and on the command line: who may, what is answered, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient

from tests.server.callers import company_of
from tests.server.ingest.make import EPOCH, NOW, READ_POINT, batch, body, commissioned, count, document, item_uri, seen
from tests.server.ingest.make import run as a_run
from trace_core.uplink import (
    CONTENT_TYPE,
    KEY_ID_HEADER,
    MAX_PAYLOAD_BYTES,
    SIGNATURE_HEADER,
    Batch,
    decode_ack,
    encode_batch,
    encode_signature,
    key_id,
    signature_input,
)
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.cases import cli as cases_cli
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.detect import cli as detect_cli
from trace_server.detect import run as detect
from trace_server.detect.api import blueprint as alerts_blueprint
from trace_server.ingest import cli, operations, tables
from trace_server.ingest.model import ErrorBehaviour
from trace_server.services import EXTENSION, Services

JSON = {"Content-Type": "application/json"}
Bearer = Callable[[str], dict[str, str]]


class Box:
    """A gateway's side of the line."""

    def __init__(self, db: Database, http: FlaskClient, gateway_id: str = "gate-1", *, approved: bool = True) -> None:
        self._http = http
        self._key = Ed25519PrivateKey.generate()
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._key_id = key_id(raw)
        code = accounts.add_gateway(
            db, NOW, "test", gateway_id=gateway_id, site="North", read_points=(READ_POINT,), auto_approve=approved
        )
        accounts.enrol(db, NOW, code=code, public_key=raw, software="t", hostname="t", address="192.0.2.1")

    def headers(self, payload: bytes) -> dict[str, str]:
        signature = encode_signature(self._key.sign(signature_input(payload)))
        return {KEY_ID_HEADER: self._key_id, SIGNATURE_HEADER: signature, "Content-Type": CONTENT_TYPE}

    def send(self, sent: Batch | bytes) -> Any:
        payload = sent if isinstance(sent, bytes) else encode_batch(sent)
        return self._http.post("/api/v1/uplink", data=payload, headers=self.headers(payload))


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32), database)
    if "detect" not in made.blueprints:
        made.register_blueprint(alerts_blueprint)
    made.extensions[EXTENSION] = Services(database, made.extensions[EXTENSION].settings, lambda: NOW)
    yield made


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(database: Database) -> Bearer:
    def headers(role: str) -> dict[str, str]:
        who = Role(role)
        _, token = accounts.add_client(database, NOW, "test", name=f"a {role}", role=who, subject=company_of(who))
        return {"Authorization": f"Bearer {token}"}

    return headers


PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}


def post(http: FlaskClient, headers: Mapping[str, str], raw: bytes) -> Any:
    return http.post("/api/v1/capture", data=raw, headers={**headers, **JSON})


def command(app: Flask, group: Any, *arguments: str, code: int = 0) -> list[Any]:
    result = CliRunner().invoke(group, list(arguments), obj=app.extensions[EXTENSION])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_signed_batch_is_acknowledged_after_it_is_stored(database: Database, http: FlaskClient) -> None:
    answer = Box(database, http).send(a_run(1, 3))
    assert answer.status_code == 200, answer.text
    ack = decode_ack(answer.data)
    assert (ack.epoch, ack.ack, ack.window) == (EPOCH, 3, 8)
    assert count(database, tables.event) == 3


def test_a_gap_is_answered_with_the_cursor(database: Database, http: FlaskClient) -> None:
    box = Box(database, http)
    box.send(a_run(1, 2))
    answer = box.send(a_run(5, 2))
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert answer.json["cursor"]["epoch"] == EPOCH
    assert answer.json["cursor"]["ack"] == 2
    assert "send from 3 on" in answer.json["detail"]


def test_a_contradiction_is_answered_with_the_cursor(database: Database, http: FlaskClient) -> None:
    box = Box(database, http)
    box.send(a_run(1, 2))
    answer = box.send(batch(body(seen(9))))
    assert (answer.status_code, answer.json["cursor"]["ack"]) == (409, 2)
    assert count(database, tables.quarantine) == 1


def test_a_stranger_and_a_pending_gateway_get_nothing_stored(database: Database, http: FlaskClient) -> None:
    pending = Box(database, http, "gate-2", approved=False)
    assert pending.send(a_run(1, 1)).status_code == 403
    box = Box(database, http)
    payload = encode_batch(a_run(1, 1))
    for headers in ({}, box.headers(payload + b"x"), {**box.headers(payload), KEY_ID_HEADER: "0" * 16}):
        answer = http.post("/api/v1/uplink", data=payload, headers={"Content-Type": CONTENT_TYPE, **headers})
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    accounts.revoke_gateway(database, NOW, "test", "gate-1")
    assert box.send(payload).status_code == 403
    assert count(database, tables.event) == 0


def test_what_is_no_batch_is_refused_in_words(database: Database, http: FlaskClient) -> None:
    box = Box(database, http)
    assert box.send(b"not gzip").status_code == 400
    assert box.send(b"x" * (MAX_PAYLOAD_BYTES + 1)).status_code == 413
    payload = encode_batch(a_run(1, 1))
    headers = {**box.headers(payload), "Content-Type": "text/plain"}
    assert http.post("/api/v1/uplink", data=payload, headers=headers).status_code == 415


def test_a_document_gets_a_job_that_only_its_sender_may_see(http: FlaskClient, bearer: Bearer) -> None:
    producer = bearer("producer")
    answer = post(http, {**producer, **PROCEED}, document(seen(1), seen(2, action="EAT")))
    assert answer.status_code == 202
    job = http.get(answer.headers["Location"], headers=producer).json
    assert job == answer.json
    assert (job["accepted"], job["quarantined"], job["success"], job["running"]) == (1, 1, False, False)
    assert job["errors"][0]["where"] == "/epcisBody/eventList/1/action"
    assert http.get("/api/v1/capture/" + "0" * 32, headers=producer).status_code == 404
    assert http.get("/api/v1/capture/nonsense", headers=producer).status_code == 400


def test_two_senders_of_one_document_have_one_effect(
    app: Flask, database: Database, bearer: Bearer, http: FlaskClient
) -> None:
    producer, raw = bearer("producer"), document(*[seen(n) for n in range(20)])
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(app.test_client(), producer, raw).json, range(6)))
    assert sum(answer["accepted"] for answer in answers) == 20
    assert all(answer["accepted"] + answer["duplicates"] == 20 for answer in answers)
    assert count(database, tables.event) == 20


def test_a_malformed_document_is_a_problem_with_pointers(http: FlaskClient, bearer: Bearer) -> None:
    producer = bearer("producer")
    answer = post(http, producer, document(seen(1), schemaVersion=2, creationDate="soon"))
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert {error["pointer"] for error in answer.json["errors"]} == {"/schemaVersion", "/creationDate"}
    assert post(http, producer, b"{").status_code == 400
    assert post(http, producer, b" " * 2_200_000).status_code == 413
    text = {**producer, "Content-Type": "text/plain"}
    assert http.post("/api/v1/capture", data=b"<x/>", headers=text).status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("post", "/api/v1/capture", {"producer"}),
        ("get", "/api/v1/events/stream", {"regulator", "auditor"}),
        ("get", "/api/v1/alerts", {"regulator", "auditor"}),
        ("get", "/api/v1/quarantine", {"regulator", "auditor"}),
        ("post", "/api/v1/quarantine/" + "0" * 32 + "/replay", {"administrator"}),
    ],
)
def test_each_route_is_for_the_roles_that_need_it(
    http: FlaskClient, bearer: Bearer, method: str, path: str, allowed: set[str]
) -> None:
    assert getattr(http, method)(path).status_code == 401
    got_in = {role.value for role in Role if getattr(http, method)(path, headers=bearer(role.value)).status_code != 403}
    assert got_in == allowed


def test_the_event_stream_is_read_in_pages_without_a_gap(database: Database, http: FlaskClient, bearer: Bearer) -> None:
    Box(database, http).send(a_run(1, 5))
    operations.number_captures(database)  # the clock of this test stands still: captures have no order yet
    post(http, bearer("producer"), document(seen(9)))
    operations.number_captures(database)
    regulator, cursor, items = bearer("regulator"), "", []
    while True:
        page = http.get(f"/api/v1/events/stream?limit=2&cursor={cursor}", headers=regulator).json
        items += page["items"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert [(item["source"].split(":")[0], item["epoch"], item["seq"]) for item in items] == [
        *(("gateway", EPOCH, n) for n in range(1, 6)),
        ("client", None, None),
    ]
    assert items[5]["event"] == {"@context": items[5]["event"]["@context"], **seen(9)}
    assert http.get(f"/api/v1/events/stream?cursor={cursor}", headers=regulator).json["items"] == []
    assert http.get("/api/v1/events/stream?cursor=x", headers=regulator).status_code == 400


def test_quarantine_is_listed_in_pages_and_replayed(database: Database, http: FlaskClient, bearer: Bearer) -> None:
    Box(database, http).send(batch(body(seen(1, action="EAT")), body(seen(2)), body(seen(3, action="EAT"))))
    auditor = bearer("auditor")
    first = http.get("/api/v1/quarantine?limit=1&state=held", headers=auditor).json
    second = http.get(f"/api/v1/quarantine?cursor={first['next_cursor']}", headers=auditor).json
    assert (first["has_more"], second["has_more"]) == (True, False)
    entries = first["items"] + second["items"]
    assert sorted(entry["seq"] for entry in entries) == [1, 3]
    assert all(entry["where"] == "/action" and entry["remedy"] for entry in entries)
    replayed = http.post(f"/api/v1/quarantine/{entries[0]['id']}/replay", headers=bearer("administrator"))
    assert (replayed.json["taken"], replayed.json["reason"]) == (False, "schema")
    assert http.get("/api/v1/quarantine?cursor=x", headers=auditor).status_code == 400


def test_the_listing_of_events_shows_what_the_tables_hold(app: Flask, database: Database, http: FlaskClient) -> None:
    Box(database, http).send(a_run(1, 2))
    operations.capture_document(database, NOW, "erp", document(commissioned(1, 2, lot="L1", eventID="urn:x:1")))
    listed = {one["event_id"] or one["seq"]: one for one in command(app, cli.events, "list", "--json")}
    assert len(listed) == 3
    assert (listed[1]["source_kind"], listed[1]["source_id"], listed[1]["epoch"]) == ("gateway", "gate-1", EPOCH)
    assert (listed[1]["type"], listed[1]["epcs"]) == ("ObjectEvent", [item_uri(1)])
    assert (listed["urn:x:1"]["source_kind"], listed["urn:x:1"]["seq"]) == ("client", None)
    assert listed["urn:x:1"]["epcs"] == [item_uri(1), item_uri(2)]


def test_quarantine_on_the_command_line_says_why_and_exits_1_when_refused_again(app: Flask, database: Database) -> None:
    operations.capture_document(database, NOW, "erp", document(seen(1, action="EAT")), ErrorBehaviour.PROCEED)
    (entry,) = command(app, cli.quarantine, "list", "--json")
    assert (entry["reason"], entry["state"]) == ("schema", "held")
    (told,) = command(app, cli.quarantine, "replay", "--all", "--json", code=1)
    assert (told["id"], told["taken"]) == (entry["id"], False)


def test_alerts_are_listed_over_http_and_on_the_command_line(
    app: Flask, database: Database, http: FlaskClient, bearer: Bearer
) -> None:
    Box(database, http).send(a_run(1, 3))
    operations.number_captures(database)
    detect.run_job(app.extensions[EXTENSION])
    regulator = bearer("regulator")
    first = http.get("/api/v1/alerts?limit=2&rule=D01", headers=regulator).json
    rest = http.get(f"/api/v1/alerts?cursor={first['next_cursor']}", headers=regulator).json
    over_http = first["items"] + rest["items"]
    assert {(one["rule"], one["subject"], one["subject_kind"]) for one in over_http} == {
        ("D01", item_uri(n), "data") for n in (1, 2, 3)
    }
    listed = command(app, detect_cli.alerts, "list", "--json")
    assert [one["id"] for one in listed] == [one["id"] for one in over_http]
    assert http.get("/api/v1/alerts?cursor=x", headers=regulator).status_code == 400
    (report,) = command(app, detect_cli.alerts, "backfill", "D01", "--json")
    assert report == {"judged": {"D01": 3}, "swept": {}, "failed": {}}
    assert {one["id"] for one in command(app, cases_cli.detectors, "list", "--json")} >= {"D01", "D30", "D90", "D92"}


def test_alarms_are_listed_over_http_and_on_the_command_line(
    app: Flask, database: Database, http: FlaskClient, bearer: Bearer
) -> None:
    box = Box(database, http)
    box.send(a_run(1, 2))
    for _ in range(2):
        box.send(batch(body(seen(9))))
    box.send(batch(body(seen(1)), body(seen(99))))
    (monitor, auditor), page = (bearer(role) for role in ("monitor", "auditor")), "/api/v1/alarms?limit=1"
    first = http.get(page, headers=auditor).json
    second = http.get(f"{page}&cursor={first['next_cursor']}", headers=auditor).json
    assert (first["has_more"], second["has_more"]) == (True, False)
    found = sorted((one["seq"], one["kind"], one["times"]) for one in first["items"] + second["items"])
    assert found == [(1, "sequence-contradiction", 2), (2, "sequence-contradiction", 1)]
    listed = command(app, cli.alarms, "list", "--json")
    assert sorted(one["id"] for one in listed) == sorted(one["id"] for one in first["items"] + second["items"])
    assert 'suyuan_alarms_total{kind="sequence-contradiction"}' in http.get("/metrics", headers=monitor).text
