"""Bytes on a real serial line or broker become events on a server, once, and answers at the gate."""

from __future__ import annotations

import json
import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.gateway.cursor_server import CursorServer, cursor_server, status
from tests.gateway.make import POINT, epc
from tests.gateway.process import GatewayProcess, ended, mqtt_reader, serial_reader, until
from tests.services import Broker
from trace_core.epcis.document import events_from_document
from trace_core.epcis.event import ObjectEvent
from trace_core.readers._base import FieldTag
from trace_core.readers.magicrf import PROTOCOL as MAGICRF


@pytest.fixture
def server() -> Iterator[CursorServer]:
    with cursor_server() as running:
        yield running


def test_a_tag_at_a_serial_reader_becomes_one_event_and_one_answer(server: CursorServer, tmp_path: Path) -> None:
    endpoint = PtyEndpoint(link=tmp_path / "port")
    with SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=1) as reader:
        gateway = GatewayProcess(tmp_path, server.url, serial_reader(endpoint.path))
        gateway.enrol()
        with ended(gateway):
            gateway.start()
            for number in (1, 2, 3):
                reader.place(FieldTag(epc(number)))
            until(lambda: len(server.events) == 3, "three events")
            until(lambda: gateway.status()["link"]["state"] == "online", "the state is stored within a second")
            now = gateway.status()
            assert gateway.terminate() == 0
    assert sorted(a["epc"] for a in gateway.answers()) == [epc(n).hex().upper() for n in (1, 2, 3)]
    assert {a["answer"] for a in gateway.answers()} == {"warn"}
    assert {a["reason"] for a in gateway.answers()} == {"no-list"}
    assert server.signatures_checked > 0
    assert [r["state"] for r in now["readers"]] == ["online"]
    assert now["link"]["state"] == "online"
    assert (now["counts"]["observed"], now["unsent"]) == (3, 0)
    assert now["running"] is True
    _check_events(server)


def _check_events(server: CursorServer) -> None:
    for (epoch, seq), body in server.events.items():
        (event,) = events_from_document(json.loads(body))
        assert isinstance(event, ObjectEvent)
        assert event.epc_list[0].startswith("urn:epc:id:sgtin:0614141.812345.")
        assert event.read_point == POINT
        assert event.biz_step == "https://ref.gs1.org/cbv/BizStep-receiving"
        assert event.event_time_zone_offset == "+08:00"
        own = {name.rpartition("}")[2]: value for name, value in event.extensions.items()}
        assert (own["gateway"], own["epoch"], own["seq"]) == ("gate-1", epoch, seq)
        assert own["answer"] == "warn"
        assert own["device"] == "door"
        assert {"rssiDbm", "rawEpc", "clockState", "bootId", "monotonic", "reason"} <= own.keys()


def test_frames_written_by_hand_are_read_and_noise_between_them_is_quarantined(
    server: CursorServer, tmp_path: Path
) -> None:
    notice = bytes.fromhex("BB02220011C934003075 1FEB705C5904E3D50D703A76EF7E".replace(" ", ""))
    hello = bytes.fromhex("BB010300084D616769635266")  # only its length and check are wrong
    master, slave = os.openpty()
    tty.setraw(slave)
    gateway = GatewayProcess(tmp_path, server.url, serial_reader(os.ttyname(slave)))
    gateway.enrol()
    stop = threading.Event()

    def play() -> None:
        while not stop.is_set():
            ready, _, _ = select.select([master], [], [], 0.05)
            for command in _commands(os.read(master, 4096)) if ready else ():
                if command == 0x03:
                    os.write(master, bytes.fromhex("BB010300080 24D61676963526 6A77E".replace(" ", "")))
                elif command == 0x27:
                    os.write(master, hello + notice + b"\x00garbage" + notice)
                else:
                    os.write(master, _ok(command))

    player = threading.Thread(target=play, daemon=True)
    player.start()
    with ended(gateway):
        gateway.start()
        until(lambda: len(server.events) == 1, "one event")
        until(lambda: gateway.status()["outbox"]["quarantined"] > 0, "noise in quarantine")
        assert gateway.terminate() == 0
    stop.set()
    player.join()
    listing = gateway.command("outbox", "quarantine", "--config", str(gateway.config), "--json")
    assert {row["reader"] for row in json.loads(listing.stdout)} == {"door"}
    (body,) = server.events.values()
    assert json.loads(body)["suyuan:rawEpc"] == "30751FEB705C5904E3D50D70"
    os.close(slave)
    os.close(master)


def _commands(data: bytes) -> list[int]:
    """Commands of whole `BB 00 cmd PLhi PLlo … sum 7E` frames."""
    found = []
    while len(data) >= 7:
        length = 7 + int.from_bytes(data[3:5], "big")
        found.append(data[2])
        data = data[length:]
    return found


def _ok(command: int) -> bytes:
    checked = bytes([0x01, command, 0x00, 0x01, 0x00])
    return b"\xbb" + checked + bytes([sum(checked) & 0xFF]) + b"\x7e"


def test_a_reader_that_is_plugged_in_again_is_served_within_two_seconds(server: CursorServer, tmp_path: Path) -> None:
    link = tmp_path / "port"
    gateway = GatewayProcess(tmp_path, server.url, serial_reader(str(link)))
    gateway.enrol()
    with ended(gateway):
        with SimulatedReader(MAGICRF, MAGICRF.device({}), PtyEndpoint(link=link), seed=1) as reader:
            gateway.start()
            reader.place(FieldTag(epc(1)))
            until(lambda: len(server.events) == 1, "the first tag")
        until(lambda: gateway.status()["readers"][0]["state"] == "silent", "the gap is reported")
        with SimulatedReader(MAGICRF, MAGICRF.device({}), PtyEndpoint(link=link), seed=1) as reader:
            reader.place(FieldTag(epc(2)))
            # 2 s to open the port, then the module's own stop, drain and identify.
            until(lambda: len(server.events) == 2, "the second tag", limit_s=4)
        assert gateway.terminate() == 0
    assert "Traceback" not in gateway.log()


def test_a_message_is_acknowledged_to_the_broker_only_after_its_commit(
    server: CursorServer, mosquitto: Broker, tmp_path: Path
) -> None:
    from paho.mqtt import publish

    topic = f"readers/{tmp_path.name}"
    reader = mqtt_reader(f"mqtt://{mosquitto.host}:{mosquitto.port}/{topic}?client_id={tmp_path.name}", window_s=2)
    gateway = GatewayProcess(tmp_path, server.url, reader)
    gateway.enrol()

    def say(number: int) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = {"epcHex": epc(number).hex(), "antennaPort": 1, "peakRssiCdbm": -5650, "lastSeenTime": now}
        message = {"timestamp": now, "hostname": "r1", "eventType": "tagInventory", "tagInventoryEvent": event}
        publish.single(topic, json.dumps(message), qos=1, hostname=mosquitto.host, port=mosquitto.port)

    with ended(gateway):
        gateway.start()
        until(lambda: gateway.state.joinpath("outbox.sqlite").exists(), "started")
        say_until = time.monotonic() + 10
        while not server.events and time.monotonic() < say_until:
            say(1)
            time.sleep(0.2)
        assert gateway.terminate() == 0
        say(2)  # nobody listens: the broker keeps it for our session
        gateway.start(kill_at="in-commit")
        until(lambda: not gateway.running(), "killed inside the commit")
        gateway.start(kill_at="after-commit")  # committed, but the broker does not know: it delivers again
        until(lambda: not gateway.running(), "killed after the commit")
        time.sleep(2.1)  # longer than the presence window: only the reader's own time can tell it is the same
        gateway.start()
        until(lambda: len(server.events) >= 2, "the second event")
        say(3)
        until(lambda: len(server.events) >= 3, "the third event")
        assert gateway.terminate() == 0
    held = sorted(json.loads(b)["suyuan:rawEpc"] for b in server.events.values())
    assert held == [epc(n).hex().upper() for n in (1, 2, 3)]


def test_a_pending_gateway_keeps_reading_and_delivers_once_it_is_approved(server: CursorServer, tmp_path: Path) -> None:
    server.script.extend([status(403, b'{"title":"pending"}')] * 3)
    endpoint = PtyEndpoint(link=tmp_path / "port")
    with SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=1) as reader:
        gateway = GatewayProcess(tmp_path, server.url, serial_reader(endpoint.path))
        gateway.enrol()
        with ended(gateway):
            gateway.start()
            reader.place(FieldTag(epc(1)))
            until(gateway.answers, "an answer though the server refuses")
            reader.place(FieldTag(epc(2)))
            until(lambda: len(server.events) == 2, "both delivered")
            assert gateway.terminate() == 0
    assert "pending" in gateway.log()
