"""Webhooks: every matching event reaches its receiver in order, at least once, whatever the receiver does."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from click.testing import CliRunner

from tests.server.ingest.make import NOW
from tests.server.subscriptions.conftest import TOKEN, World
from tests.server.subscriptions.receiver import results
from trace_server.accounts import operations as accounts
from trace_server.ingest.rules import MAX_DEPTH
from trace_server.subscriptions import cli, delivery, operations, sender
from trace_server.subscriptions.model import LeaseLost

HOUR = timedelta(hours=1)


def test_a_stream_delivers_what_matches_in_order_signed(world: World) -> None:
    world.tell(1)
    made = world.subscribe()
    world.tell(2, 3)
    world.tell(4, bizStep="shipping")
    world.deliver()
    world.tell(5)
    world.deliver()
    assert world.receiver.serials() == [["2", "3"], ["5"]]
    headers, body = world.receiver.got[0]
    assert headers["gs1-signature"] == "sha256=" + hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest()
    assert headers["content-type"] == "application/json"
    assert headers["suyuan-timestamp"] == str(int(NOW.timestamp()))
    named = results(world.receiver.documents()[0])
    assert (named["queryName"], named["subscriptionID"]) == ("received", made["subscriptionID"])
    shown = world.show(made)
    assert shown["stream"] is True
    assert shown["lastNotifiedAt"] == "2026-11-24T08:00:00Z"
    assert TOKEN not in str(shown)


def test_nothing_is_due_while_nothing_was_captured(world: World) -> None:
    world.subscribe()
    assert world.deliver() == 0
    world.tell(1, bizStep="shipping")
    assert world.deliver() == 1
    assert world.deliver() == 0
    assert world.receiver.got == []


def test_events_before_the_subscription_come_on_request(world: World) -> None:
    world.tell(1)
    world.wait(HOUR)
    world.tell(2)
    world.subscribe(initialRecordTime=(NOW + HOUR).isoformat())
    world.deliver()
    assert world.receiver.serials() == [["2"]]


def test_a_failing_receiver_gets_the_same_batch_again_after_a_wait(world: World) -> None:
    made = world.subscribe()
    world.tell(1)
    world.receiver.answers += [500, 307]
    world.deliver()
    world.tell(2)
    assert world.deliver() == 0
    assert world.show(made)["failures"] == 1
    assert "500" in world.show(made)["lastFailure"]
    world.wait(timedelta(seconds=2))
    world.deliver()
    assert "307" in world.show(made)["lastFailure"]
    world.wait(timedelta(seconds=4))
    world.deliver()
    assert world.receiver.serials() == [["1"], ["1", "2"], ["1", "2"]]
    assert world.show(made)["failures"] == 0


def test_after_many_failures_a_person_must_look(world: World) -> None:
    made = world.subscribe("/a/secret/path?key=secret")
    world.tell(1)
    world.receiver.answers += [503] * operations.MAX_FAILURES
    for _ in range(operations.MAX_FAILURES):
        world.deliver()
        world.wait(operations.MAX_BACK_OFF)
    assert world.show(made)["state"] == "dead"
    assert world.deliver() == 0
    listed = CliRunner().invoke(cli.subscriptions, ["list", "--state", "dead", "--json"], obj=world.services)
    assert made["subscriptionID"] in listed.output
    assert "secret" not in listed.output
    again = ["retry", made["subscriptionID"], "--json"]
    assert CliRunner().invoke(cli.subscriptions, again, obj=world.services).exit_code == 0
    world.deliver()
    assert world.receiver.serials() == [["1"]] * (operations.MAX_FAILURES + 1)
    assert CliRunner().invoke(cli.subscriptions, again, obj=world.services).exit_code == 1


def _hang(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.recv(1)  # until the sender leaves


def _drip(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(2000):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.01)


@pytest.mark.parametrize("trouble", [_hang, _drip], ids=["hangs", "drips"])
def test_a_receiver_that_does_not_end_is_left(
    world: World, trouble: Callable[[BaseHTTPRequestHandler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "ANSWER_S", 0.3)
    monkeypatch.setattr(sender, "WHOLE_S", 0.6)
    made = world.subscribe()
    world.tell(1)
    world.receiver.answers.append(trouble)
    started = time.monotonic()
    world.deliver()
    assert time.monotonic() - started < 10
    assert world.show(made)["failures"] == 1


def test_others_write_while_a_receiver_answers(world: World) -> None:
    """No transaction is open during the request: on SQLite the capture below would wait for it in vain."""
    world.subscribe()
    world.tell(1)

    def capture_once() -> None:
        world.receiver.at_work = lambda: None
        world.tell(2)

    world.receiver.at_work = capture_once
    world.deliver()
    world.deliver()
    assert world.receiver.serials() == [["1"], ["2"]]


def test_a_receiver_that_asks_for_less_gets_less(world: World) -> None:
    world.subscribe()
    world.tell(1, 2, 3, 4)
    world.receiver.answers += [413, 413]
    world.deliver()
    assert [serial for batch in world.receiver.serials()[2:] for serial in batch] == ["1", "2", "3", "4"]
    assert [len(batch) for batch in world.receiver.serials()] == [4, 2, 1, 1, 1, 1]


def test_one_receiver_that_fails_stops_no_other(world: World) -> None:
    world.subscribe("/a")
    world.subscribe("/b")
    world.tell(1)
    world.receiver.answers.append(500)
    world.deliver()
    assert world.receiver.serials() == [["1"], ["1"]]


def test_two_workers_do_not_deliver_the_same_subscription(world: World) -> None:
    world.subscribe()
    world.tell(1)
    first = operations.claim(world.db, world.now)
    assert first is not None
    assert operations.claim(world.db, world.now) is None
    later = operations.claim(world.db, world.now + operations.LEASE)
    assert later is not None
    batch = operations.next_batch(world.db, first, 10)
    with pytest.raises(LeaseLost):
        operations.settle(world.db, world.now, first, batch, was_sent=True)
    operations.settle(world.db, world.now, later, batch, was_sent=True)


def test_a_subscription_ends_with_its_reason(world: World) -> None:
    made = world.subscribe()
    address = f"/queries/received/subscriptions/{made['subscriptionID']}"
    other = world.bearer("other")
    assert world.get(address, other).status_code == 404
    assert world.http.delete(f"/api/v1{address}", headers=other).status_code == 404
    assert world.http.delete(f"/api/v1{address}", headers=world.regulator).status_code == 204
    assert world.get(address).status_code == 404
    world.subscribe()
    assert world.http.delete("/api/v1/queries/received", headers=world.regulator).status_code == 204
    world.wait(timedelta(seconds=1))  # another query of the same name
    assert world.post("/queries", {"name": "received", "query": {}}).status_code == 201
    world.tell(1)
    world.deliver()
    assert operations.list_all(world.db, None, 10) == []
    assert world.receiver.got == []


def test_a_revoked_client_hears_nothing_more(world: World) -> None:
    world.subscribe()
    accounts.revoke_client(world.db, NOW, "test", "regulator")
    world.tell(1)
    world.deliver()
    assert world.receiver.got == []
    assert operations.list_all(world.db, None, 10) == []


def test_a_schedule_reports_when_due_and_says_so_when_empty(world: World) -> None:
    made = world.subscribe(schedule={"minute": "5"}, reportIfEmpty=True)
    assert made["nextRun"] == "2026-11-24T08:05:00Z"
    world.tell(1, 2)
    assert world.deliver() == 0
    world.wait(timedelta(minutes=5))
    world.deliver()
    assert world.show(made)["nextRun"] == "2026-11-24T09:05:00Z"
    world.wait(3 * HOUR)
    world.deliver()
    assert world.receiver.serials() == [["1", "2"], []]
    shown = world.show(made)
    assert (shown["nextRun"], shown["minRecordTime"]) == ("2026-11-24T12:05:00Z", "2026-11-24T11:05:00Z")


def test_a_long_run_is_cut_into_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "TURN_S", 0.0)
    monkeypatch.setattr(delivery, "PER_BATCH", 2)
    world.subscribe(schedule={"hour": "9"}, reportIfEmpty=True)
    world.tell(1, 2, 3, 4)
    world.wait(HOUR)
    assert world.deliver() == 3
    assert world.receiver.serials() == [["1", "2"], ["3", "4"]]


def test_lists_come_in_pages(world: World) -> None:
    made = {world.subscribe()["subscriptionID"] for _ in range(3)}
    path, found = "/queries/received/subscriptions?perPage=2", set[str]()
    while path:
        answer = world.get(path)
        found |= {row["subscriptionID"] for row in answer.json}
        link = answer.headers.get("Link", "")
        path = link[len("</api/v1") : link.index(">")] if link else ""
    assert found == made
    assert world.get("/queries/received/subscriptions?x=1").status_code == 400
    assert world.get("/queries/received/subscriptions?nextPageToken=x").status_code == 400
    assert world.get("/queries/none/subscriptions").json["type"] == "epcisException:NoSuchNameException"


@pytest.mark.parametrize(
    ("controls", "where"),
    [
        ({}, "stream"),
        ({"stream": True, "schedule": {"hour": "1"}}, "stream"),
        ({"stream": "yes"}, "stream"),
        ({"schedule": {}}, "schedule"),
        ({"schedule": {"hour": "24"}}, "schedule.hour"),
        ({"schedule": {"dayOfMonth": "30", "month": "2"}}, "schedule"),
        ({"stream": True, "reportIfEmpty": True}, "reportIfEmpty"),
        ({"stream": True, "dest": "http://example.com/"}, "dest"),
        ({"stream": True, "dest": "https://10.0.0.1/"}, "dest"),
        ({"stream": True, "dest": 5}, "dest"),
        ({"stream": True, "signatureToken": "short"}, "signatureToken"),
        ({"stream": True, "epcFormat": "Mine"}, "epcFormat"),
        ({"stream": True, "initialRecordTime": "noon"}, "initialRecordTime"),
        ({"stream": True, "colour": "red"}, "colour"),
    ],
)
def test_controls_that_cannot_be_are_refused(world: World, controls: dict[str, Any], where: str) -> None:
    answer = world.post("/queries/received/subscriptions", {"dest": "https://example.com/x", **controls})
    assert answer.status_code == 400
    kind = "QueryValidationException" if where == "initialRecordTime" else "SubscriptionControlsException"
    assert answer.json["type"] == f"epcisException:{kind}"
    assert answer.json["errors"][0]["pointer"].strip("/").replace("/", ".") == where


def test_queries_that_sort_or_limit_have_no_subscriptions(world: World) -> None:
    sorted_query = {"orderBy": "eventTime", "eventCountLimit": 5}
    assert world.post("/queries", {"name": "newest", "query": sorted_query}).status_code == 201
    answer = world.post("/queries/newest/subscriptions", {"dest": "https://example.com/x", "stream": True})
    assert answer.json["type"] == "epcisException:SubscriptionControlsException"


def test_bodies_that_are_no_subscription_are_refused(world: World) -> None:
    path = "/api/v1/queries/received/subscriptions"
    assert world.http.post(path, data=b"{}", headers=world.regulator).status_code == 415
    nested = b"[" * (MAX_DEPTH + 5) + b"]" * (MAX_DEPTH + 5)
    for body in (b"", b"[]", b"5", b"\xff", nested, b'{"dest": "\\u0000"}'):
        headers = {**world.regulator, "Content-Type": "application/json"}
        assert world.http.post(path, data=body, headers=headers).status_code == 400, body
    assert world.post("/queries/received/subscriptions", {}, world.producer).status_code == 403
