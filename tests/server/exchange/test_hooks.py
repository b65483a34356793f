"""Webhooks of the credit feed: signed, at least once, each record in order, given up and replayed."""

from __future__ import annotations

import base64
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.credit.make import NOW, Clock, paper, published, recorded, services_on
from tests.server.exchange.peer import LOSE, REFUSE, TAKE, Peer, drawn, listening
from trace_server.accounts import operations as accounts
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit import store
from trace_server.credit.model import Op, State, ViolationRecord
from trace_server.credit.operations import suspend, withdraw
from trace_server.db import Database
from trace_server.exchange import hooks, pushing, reconciling, rules, signing
from trace_server.services import EXTENSION, Services
from trace_server.worker import find_loops

Bearer = Callable[[str], dict[str, str]]
API = "/api/v1/credit"
SECRET = "a secret of both sides"


@pytest.fixture
def app(database: Database, clock: Clock) -> Flask:
    settings = Settings(code_secret="t" * 32, webhook_hosts="127.0.0.1")
    made = create_app(settings, database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    return made


@pytest.fixture
def peer() -> Iterator[Peer]:
    with listening() as one:
        yield one


@pytest.fixture
def office(bearer: Bearer) -> dict[str, str]:
    return bearer("credit_office")


def subscribe(http: FlaskClient, headers: dict[str, str], peer: Peer, **changes: Any) -> dict[str, Any]:
    body = {"dest": peer.url + "/hook", "secret": SECRET} | changes
    if changes.get("suite") == "ed25519":
        del body["secret"]
    answer = http.post(f"{API}/hooks", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def listed(http: FlaskClient, headers: dict[str, str], hook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = http.get(f"{API}/hooks/{hook['hook_id']}/deliveries", query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["items"])


def seqs(peer: Peer) -> list[int]:
    return [item["seq"] for item in peer.items]


def test_a_change_arrives_as_the_feed_has_it_signed_and_its_receipt_is_kept(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    hook = subscribe(http, office, peer)
    published(outside)
    assert pushing.run_due(outside) == 1
    feed = http.get(f"{API}/violations", headers=office).get_json()["items"]
    assert peer.items == feed
    for headers, body in peer.got:
        assert signing.is_signed(headers, body, clock(), token=SECRET)
        assert not signing.is_signed(headers, body + b" ", clock(), token=SECRET)
        assert not signing.is_signed(headers, body, clock(), token="another")
        assert not signing.is_signed(headers, body, clock() + timedelta(minutes=6), token=SECRET)
        assert not signing.is_signed(headers | {signing.NONCE: "other"}, body, clock(), token=SECRET)
    assert len({headers[signing.NONCE] for headers, _ in peer.got}) == len(peer.got)
    assert [one["receipt"] for one in listed(http, office, hook)] == ["taken 1", "taken 2"]
    assert SECRET not in http.get(f"{API}/hooks", headers=office).text


def test_the_server_key_signs_where_no_secret_was_agreed(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    hook = subscribe(http, office, peer, suite="ed25519")
    key = http.get(f"{API}/hooks/key", headers=office).get_json()
    assert hook["key_ids"] == [key["key_id"]]
    recorded(outside)
    pushing.run_due(outside)
    ((headers, body),) = peer.got
    public = base64.b64decode(key["public_key"])
    assert signing.is_signed(headers, body, clock(), public=public)
    assert not signing.is_signed(headers, body.replace(b"1", b"2"), clock(), public=public)


def test_after_a_change_of_secret_both_sign_for_a_day(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    hook = subscribe(http, office, peer)
    answer = http.post(
        f"{API}/hooks/{hook['hook_id']}/secret", json={"secret": "another secret, newer"}, headers=office
    )
    assert answer.status_code == 200
    recorded(outside)
    pushing.run_due(outside)
    clock.now += timedelta(hours=25)
    recorded(outside, CF_WSH="示市监罚〔2026〕2号")
    pushing.run_due(outside)
    (first, body), (second, later) = peer.got
    for secret in (SECRET, "another secret, newer"):
        assert signing.is_signed(first, body, NOW, token=secret)
    assert signing.is_signed(second, later, clock(), token="another secret, newer")
    assert not signing.is_signed(second, later, clock(), token=SECRET)


def test_only_the_wanted_operations_and_regions_are_sent(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer
) -> None:
    subscribe(http, office, peer, ops=["withdraw"])
    subscribe(http, office, peer, region="11")
    withdraw(outside, published(outside).record_id, paper())
    pushing.run_due(outside)
    assert [item["op"] for item in peer.items] == ["withdraw"]


def test_a_refused_change_holds_back_its_own_record_and_no_other(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    hook = subscribe(http, office, peer)
    bad = recorded(outside).record_id
    peer.script = lambda item: REFUSE if item["record_id"] == bad else TAKE
    published(outside, CF_WSH="示市监罚〔2026〕2号")
    suspend(outside, bad, paper())
    pushing.run_due(outside)
    assert seqs(peer) == [2, 3]
    assert [(one["seq"], one["state"]) for one in listed(http, office, hook)] == [
        (1, "waiting"), (2, "delivered"), (3, "delivered"), (4, "held"),
    ]  # fmt: skip
    peer.script = lambda _item: TAKE
    clock.now += timedelta(seconds=2)
    pushing.run_due(outside)
    assert seqs(peer) == [2, 3, 1, 4]


def test_what_is_refused_for_a_week_waits_for_a_person_and_is_replayed_in_order(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    hook = subscribe(http, office, peer)
    record = recorded(outside)
    peer.script = lambda _item: REFUSE
    waits = []
    for _ in range(rules.MAX_FAILURES):
        pushing.run_due(outside)
        before = clock.now
        while not listed(http, office, hook, state="dead") and pushing.run_due(outside) == 0:
            clock.now += timedelta(hours=1)
        waits.append(clock.now - before)
    assert [one["seq"] for one in listed(http, office, hook, state="dead")] == [1]
    assert len(peer.got) == rules.MAX_FAILURES
    assert max(waits) <= rules.MAX_BACK_OFF + timedelta(hours=1)
    suspend(outside, record.record_id, paper())
    peer.script = lambda _item: TAKE
    clock.now += timedelta(days=2)
    pushing.run_due(outside)
    assert seqs(peer) == []
    answer = http.post(f"{API}/hooks/{hook['hook_id']}/replay", json={}, headers=office)
    assert answer.get_json() == {"changes": 1}
    pushing.run_due(outside)
    assert seqs(peer) == [1, 2]


def test_a_receiver_that_is_away_is_asked_three_times_and_then_left_alone(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer
) -> None:
    hook = subscribe(http, office, peer)
    peer.script = lambda _item: REFUSE
    for number in range(10):
        recorded(outside, CF_WSH=f"示市监罚〔2026〕{number}号")
    pushing.run_due(outside)
    assert len(peer.got) == rules.PATIENCE
    assert len(listed(http, office, hook)) == rules.PATIENCE


def test_a_hook_of_somebody_else_is_not_there(
    http: FlaskClient, office: dict[str, str], bearer: Bearer, peer: Peer, outside: Services
) -> None:
    hook, other = subscribe(http, office, peer), bearer("auditor")
    path = f"{API}/hooks/{hook['hook_id']}"
    assert http.delete(path, headers=other).status_code == 404
    assert http.get(f"{path}/deliveries", headers=other).status_code == 404
    assert http.post(f"{path}/replay", json={}, headers=other).status_code == 404
    assert http.delete(path, headers=office).status_code == 204
    recorded(outside)
    assert pushing.run_due(outside) == 0
    assert http.delete(path, headers=office).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"dest": "http://10.0.0.1/"}, {"dest": "https://10.0.0.1/"}, {"secret": "short"}, {"kind": "gossip"},
              {"suite": "ed25519", "secret": SECRET, "dest": "ftp://127.0.0.1/"}]
)  # fmt: skip
def test_addresses_inside_and_weak_secrets_are_refused(
    http: FlaskClient, office: dict[str, str], peer: Peer, wrong: dict[str, str]
) -> None:
    body = {"dest": peer.url, "secret": SECRET} | wrong
    assert http.post(f"{API}/hooks", json=body, headers=office).status_code == 400


def test_a_client_that_may_no_longer_read_gets_nothing(
    http: FlaskClient, outside: Services, peer: Peer, clock: Clock
) -> None:
    client, token = accounts.add_client(outside.db, clock(), "tester", name="gone", role=accounts.Role.CREDIT_OFFICE)
    subscribe(http, {"Authorization": f"Bearer {token}"}, peer)
    accounts.revoke_client(outside.db, clock(), "tester", client.client_id)
    recorded(outside)
    assert pushing.run_due(outside) == 0
    assert peer.got == []


def lives(outside: Services, count: int, seed: int) -> int:
    """`count` changes of some hundred records, written as the archive writes them; the number of records."""
    draw = random.Random(seed)
    sample = recorded(outside, CF_WSH="示市监罚〔2026〕0号")
    running: dict[str, ViolationRecord] = {}
    written: list[store.Written] = []
    after = {State.CONFIRMED: (Op.UPSERT, State.PUBLISHED), State.PUBLISHED: (Op.SUSPEND, State.SUSPENDED)}
    for number in range(1, count):
        if not running or draw.random() < 0.15:
            record = replace(sample, record_id=f"{number:08x}-0000-4000-8000-{seed:012x}")
            op = Op.UPSERT
        else:
            old = running[draw.choice(list(running))]
            op, state = after.get(old.state, (Op.RESUME, State.PUBLISHED))
            if draw.random() < 0.05:
                op, state = Op.REPAIR, State.REPAIRED
            record = replace(old, version=old.version + 1, state=state)
        running[record.record_id] = record
        if record.state is State.REPAIRED:
            del running[record.record_id]
        written.append(store.Written(record, op, (), "0" * 64))
    newest = {entry.record.record_id: entry.record for entry in written}
    with outside.db.begin() as conn:
        for record in newest.values():
            store.insert_record(conn, outside.db.dialect, record, "")
        store.append(conn, outside.db.dialect, written)
    return len(newest) + 1


def test_a_peer_that_fails_and_loses_receipts_ends_equal_by_digest(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    count = 2000 if outside.db.url.startswith("sqlite") else 300  # the logic is one; the peer costs the time
    hook = subscribe(http, office, peer)
    peer.script = drawn(7, refuse=0.05, lose=0.05)
    records = lives(outside, count, 7)
    while pushing.run_due(outside) or listed(http, office, hook, state="waiting", limit=1):
        clock.now += timedelta(minutes=30)
    assert {item["seq"] for item in peer.items} == set(range(1, count + 1))
    assert len(peer.items) > count  # what was lost came again
    seen: dict[str, list[int]] = defaultdict(list)
    for item in peer.items:
        if item["version"] not in seen[item["record_id"]]:
            seen[item["record_id"]].append(item["version"])
    assert all(versions == sorted(versions) for versions in seen.values())
    assert len(peer.held) == records
    clock.now += timedelta(days=1)
    assert peer.digest == reconciling.digest(outside.db, date(2026, 6, 1), clock() + timedelta(days=1)).sha256
    assert listed(http, office, hook, state="held", limit=1) == []


def test_a_confirmed_decision_is_pushed_by_the_worker_within_a_minute(database: Database, peer: Peer) -> None:
    outside = replace(services_on(database), settings=Settings(code_secret="t" * 32, webhook_hosts="127.0.0.1"))
    app = create_app(outside.settings, database)
    app.extensions[EXTENSION] = outside
    _, token = accounts.add_client(database, NOW, "tester", name="office", role=accounts.Role.CREDIT_OFFICE)
    subscribe(app.test_client(), {"Authorization": f"Bearer {token}"}, peer)
    stopping = threading.Event()
    threads = [threading.Thread(target=loop, args=(stopping, outside)) for loop in find_loops()]
    for thread in threads:
        thread.start()
    try:
        begun = time.monotonic()
        recorded(outside)
        while not peer.items and time.monotonic() - begun < 60:
            time.sleep(0.05)
        took = time.monotonic() - begun
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert peer.items
    assert took < 60


def test_a_lost_receipt_sends_the_same_event_again_under_its_name(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer, clock: Clock
) -> None:
    subscribe(http, office, peer)
    answers = iter([LOSE, TAKE])
    peer.script = lambda _item: next(answers)
    recorded(outside)
    pushing.run_due(outside)
    clock.now += timedelta(seconds=2)
    pushing.run_due(outside)
    (first, one), (second, two) = peer.got
    assert one == two
    assert first[signing.EVENT_ID] == second[signing.EVENT_ID]
    assert first[signing.NONCE] != second[signing.NONCE]


def test_two_workers_do_not_deliver_to_one_hook_at_once(
    http: FlaskClient, office: dict[str, str], outside: Services, peer: Peer
) -> None:
    subscribe(http, office, peer)
    recorded(outside)
    assert hooks.claim(outside.db, outside.clock()) is not None
    assert hooks.claim(outside.db, outside.clock()) is None
