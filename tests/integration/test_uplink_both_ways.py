"""One contract, two ways: real senders against the real server over HTTP and over a real MQTT broker, both databases.

The judge compares as multisets what was emitted and what the tables hold: lost = duplicates = unexpected = 0.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg2
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway_agent.identity import make_or_load_key
from gateway_agent.outbox import Commit, open_outbox
from tests.gateway.broker_process import broker_process, visitor
from tests.gateway.make import QUOTA
from tests.gateway.uplink_rig import WAYS, Gate, Premises, premises
from tests.services import Postgres
from trace_core.errors import Retryable
from trace_core.uplink import MQTT_STATUS, mqtt_topic
from trace_server.accounts import operations as accounts
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import Reason

_NUMBERS = count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    """Both processes of the server on one database; each test has gateways of its own."""
    folder = tmp_path_factory.mktemp(f"uplink-{request.param}")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "suyuan.sqlite")
        url = f"sqlite:///{folder / 'suyuan.sqlite'}"
    else:
        url = _database(request.getfixturevalue("postgres"), request.getfixturevalue("migrated_template"))
    with broker_process(folder) as broker, premises(folder, url, broker) as opened:
        for way in WAYS:
            opened.start(way)
        yield opened


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gate(place: Premises, way: str) -> Gate:
    return place.open_gate(f"gate-{next(_NUMBERS)}", way)


def _database(server: Postgres, template: str) -> str:
    name = f"uplink_{os.getpid()}"
    with closing(psycopg2.connect(server.url().replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url(name)


def test_a_backlog_arrives_once_and_in_order(place: Premises, gate: Gate) -> None:
    gate.emit(range(1, 1_301))
    gate.drain()
    place.judge(gate)
    assert gate.sender.state.sent_events == 1_300


def test_what_is_sent_again_counts_once(place: Premises, gate: Gate) -> None:
    gate.emit(range(1, 21))
    gate.drain()
    gate.outbox.rewind(5)
    gate.emit(range(21, 31))
    gate.drain()
    place.judge(gate)


def test_a_gap_is_answered_with_the_cursor_and_the_gateway_goes_back(place: Premises, gate: Gate) -> None:
    gate.emit(range(1, 31))
    gate.outbox._db.execute("UPDATE meta SET acked = 10")  # as a gateway whose server was restored
    gate.drain()
    place.judge(gate)
    assert gate.sender.state.alarms == []


def test_other_events_under_the_same_numbers_are_a_new_epoch_and_evidence(
    place: Premises, way: str, gate: Gate
) -> None:
    """The box was restored from a copy, after which both went on."""
    gate.emit(range(1, 6))
    gate.drain()
    copy = gate.folder / "copy"
    copy.mkdir()
    gate.outbox._db.execute("VACUUM INTO ?", (str(copy / "outbox.sqlite"),))
    restored = place.gate(gate.id, way, copy, open_outbox(copy / "outbox.sqlite", QUOTA), gate.signer)
    gate.emit(range(6, 11))
    gate.drain()
    gate.link.close()
    restored.emit(range(101, 109))
    restored.drain()
    place.judge(gate, restored)
    assert restored.outbox.epoch != gate.outbox.epoch
    assert "new epoch" in restored.sender.state.alarms[-1]
    held = [entry for entry in ingest.stream_quarantine(place.db, None) if entry.source == f"gateway:{gate.id}"]
    assert {entry.rejection.reason for entry in held} == {Reason.CONTRADICTION}


def test_a_gateway_that_waits_for_approval_keeps_its_events(place: Premises, way: str) -> None:
    gate = place.open_gate(f"gate-{next(_NUMBERS)}", way, approve=False)
    gate.emit([1, 2])
    assert gate.sender.step() == pytest.approx(0.05)
    assert "waits for its approval" in gate.sender.state.alarms[-1]
    assert place.held(gate.id) == {}
    accounts.approve_gateway(place.db, datetime.now(UTC), "test", gate.id)
    gate.drain()
    place.judge(gate)


def test_a_revocation_holds_from_the_next_batch_on(place: Premises, gate: Gate) -> None:
    gate.emit([1, 2])
    gate.drain()
    accounts.revoke_gateway(place.db, datetime.now(UTC), "test", gate.id)
    gate.emit([3])
    assert gate.sender.step() == pytest.approx(0.05)
    assert gate.sender.state.state == "refused"
    assert "revoked" in gate.sender.state.alarms[-1]
    assert gate.outbox.acked == 2
    assert place.held(gate.id) == {1: 1, 2: 1}


def test_a_key_that_nobody_knows_is_refused(place: Premises, way: str, gate: Gate, tmp_path: Path) -> None:
    stranger = place.gate(gate.id, way, gate.folder, gate.outbox, make_or_load_key(tmp_path))
    gate.emit([1])
    assert stranger.sender.step() == pytest.approx(0.05)
    assert "(401)" in stranger.sender.state.alarms[-1]
    stranger.link.close()
    gate.drain()
    place.judge(gate)


def test_a_batch_that_is_too_large_goes_in_halves(place: Premises, gate: Gate) -> None:
    for number in range(1, 301):
        gate.emit([number], ballast=os.urandom(500).hex())  # random: 64 kB, the server's limit here, hold about 100
    gate.drain()
    place.judge(gate)
    assert gate.sender.state.sent_batches >= 3
    assert gate.sender.state.failures == 0


def test_a_body_that_is_no_event_waits_in_quarantine_and_holds_up_nothing(place: Premises, gate: Gate) -> None:
    gate.emit([1])
    gate.outbox.commit(Commit(datetime.now(UTC), "boot-a", bodies=[b'{"type": "Nonsense"}']))
    gate.emit([2])
    gate.drain()
    place.judge(gate)


def test_two_senders_with_one_outbox_make_one_effect(place: Premises, way: str, gate: Gate) -> None:
    """As after a restart whose predecessor still had batches under way."""
    gate.emit(range(1, 501))
    again = place.gate(gate.id, way, gate.folder, gate.outbox, gate.signer)
    for sender in (gate.sender, again.sender) * 3:
        with suppress(Retryable):  # over MQTT the newer connection takes the older one's place
            sender._send_ahead()
        sender._flights.clear()
    gate.link.close()
    again.drain()
    place.judge(gate)


def test_requests_without_a_body_take_the_same_way(place: Premises, gate: Gate) -> None:
    gate.emit([1])
    gate.drain()
    gate.sender._fetch_block_list()
    assert gate.sender.state.last_error == ""  # 404: no list is published here


def test_a_gateway_on_a_foreign_topic_is_refused(place: Premises) -> None:
    """The broker's access list should prevent it; the server does not rely on that."""
    owner, thief = (place.open_gate(f"gate-{next(_NUMBERS)}", "mqtt") for _ in range(2))
    on_his_topic = place.gate(owner.id, "mqtt", thief.folder, thief.outbox, thief.signer)
    thief.emit([1])
    assert on_his_topic.sender.step() == pytest.approx(0.05)
    assert "another gateway" in on_his_topic.sender.state.alarms[-1]
    assert place.held(owner.id) == place.held(thief.id) == {}
    on_his_topic.link.close()
    thief.drain()
    place.judge(thief)


def test_what_is_no_acknowledgement_settles_nothing_whoever_publishes_it(place: Premises) -> None:
    gate = place.open_gate(f"gate-{next(_NUMBERS)}", "mqtt")
    topic = mqtt_topic(gate.id, "ack")
    stop = threading.Event()

    def shout() -> None:
        answered = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        answered.CorrelationData = b"\0" * 8
        answered.UserProperty = (MQTT_STATUS, "200")
        odd = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        odd.UserProperty = (MQTT_STATUS, "two hundred")
        ack = f'{{"epoch": "{gate.outbox.epoch}", "ack": 999, "backed_up_to": 999, "window": 8}}'.encode()
        with visitor(place.broker) as client:
            while not stop.wait(0.002):
                client.publish(topic, b"<html>Please log in</html>", qos=1)
                client.publish(topic, ack, qos=1, retain=True)
                client.publish(topic, ack, qos=1, properties=answered)
                client.publish(topic, b"\xff", qos=0, properties=odd)

    shouting = threading.Thread(target=shout)
    shouting.start()
    try:
        for first in range(1, 401, 100):
            gate.emit(range(first, first + 100))
            gate.drain()
    finally:
        stop.set()
        shouting.join()
    place.judge(gate)
