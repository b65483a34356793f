"""A real gateway under a real server: settings from afar, another key, heartbeat; killed wherever it hurts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from gateway_agent.blocklist import pin_key
from gateway_agent.outbox_view import OutboxView
from tests.gateway.broker_process import BrokerProcess, broker_process
from tests.gateway.process import GatewayProcess, ended, until
from tests.gateway.uplink_rig import Premises, premises
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import GatewayState
from trace_server.blocklist.signing import list_signer
from trace_server.config import Settings
from trace_server.fleet import operations as fleet
from trace_server.fleet.model import Health, Standing

GATE = "gate-1"
SECRET = "for tests only, long enough to be taken"
POINT = "urn:epc:id:sgln:6901234.00001.0"
TAG = FieldTag(bytes.fromhex("3034257BF7194E4000001A85"))
WINDOW_S = 0.5
SOAK = os.environ.get("SUYUAN_SOAK") == "1"
SETTINGS_POINTS = ("settings-candidate", "settings-trial", "settings-judged")
KEY_POINTS = ("", "key-made", "key-accepted", "key-swapped")
READER = (
    '[[reader]]\nname = "door"\nprotocol = "scanner"\nurl = "tcp://127.0.0.1:1"\n'
    f'[[read_point]]\nreader = "door"\nid = "{POINT}"\n'
)


@dataclass
class Place:
    premises: Premises
    gateway: GatewayProcess

    def issue(self, settings: dict[str, Any]) -> int:
        return fleet.set_settings(self.premises.db, datetime.now(UTC), "test", GATE, settings).version

    def result(self) -> tuple[str, str]:
        found = fleet.show_settings(self.premises.db, GATE)
        return found.result, found.reason

    def standing(self) -> Standing:
        return fleet.standing(self.premises.db, datetime.now(UTC), GATE)


def open_place(tmp_path: Path, premises: Premises, url: str = "") -> Iterator[Place]:
    code = accounts.add_gateway(
        premises.db, datetime.now(UTC), "t", gateway_id=GATE, site="G", read_points=(POINT,), auto_approve=True
    )
    http = f"http://127.0.0.1:{premises.port}"
    gateway = GatewayProcess(tmp_path, http, READER, gateway="settings_trial_s = 4")
    with ended(gateway):
        gateway.enrol(code)
        pin_key(gateway.state, list_signer(Settings(code_secret=SECRET)).public_key)
        text = gateway.config.read_text()
        gateway.config.write_text(text.replace(f'url = "{http}"', f'url = "{url or http}"'))
        yield Place(premises, gateway)


@pytest.fixture
def place(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Place]:
    folder = tmp_path / "server"
    folder.mkdir()
    database = folder / "suyuan.sqlite"
    database.write_bytes(migrated_sqlite.read_bytes())
    broker = BrokerProcess(folder)
    with premises(folder, f"sqlite:///{database}", broker) as opened:
        opened.start("http")
        yield from open_place(tmp_path, opened)


def test_settings_are_tried_kept_and_reported_and_bad_ones_roll_back_by_themselves(place: Place) -> None:
    place.gateway.start_and_wait()
    until(lambda: place.standing().heartbeat, "a heartbeat")
    report = place.standing().heartbeat
    assert report is not None
    assert {"unsent", "oldest_unsent_age_s", "free_hours", "block_list", "clock", "readers", "last_error"} <= set(
        report.report
    )
    until(lambda: place.gateway.status()["link"]["state"] == "online", "a gate without events says that it is heard")
    version = place.issue({"read_point": {POINT: {"presence_window_s": 33.0}}})
    place.gateway.terminate()
    place.gateway.start()
    until(lambda: place.result()[0] == "kept", "the settings are kept", limit_s=30)
    running = place.standing().heartbeat
    assert running is not None
    assert running.report["settings"]["version"] == version == place.gateway.status()["settings"]["version"]
    place.issue({"read_point": {POINT: {"presence_window_s": -1.0}}})
    place.gateway.terminate()
    place.gateway.start()
    until(lambda: place.result()[0] == "refused", "they are refused", limit_s=30)
    assert "out of range" in place.result()[1]
    kept = json.loads((place.gateway.state / "settings.json").read_bytes())
    assert "33.0" in kept["in_force"]
    assert kept["candidate"] == ""


@pytest.mark.parametrize("point", [point for point in SETTINGS_POINTS if SOAK or point == "settings-trial"])
def test_a_kill_during_a_change_of_settings_leaves_the_old_or_the_new_ones(place: Place, point: str) -> None:
    place.issue({"gateway": {"group_ms": 7.0}})
    place.gateway.start(kill_at=point)
    until(lambda: not place.gateway.running(), f"killed at {point}", limit_s=30)
    place.gateway.start_and_wait()
    until(lambda: place.result()[0] == "kept", "the settings are kept after all", limit_s=30)


@pytest.mark.parametrize("point", [point for point in KEY_POINTS if SOAK or point == "key-accepted"])
def test_another_key_takes_over_whenever_the_program_is_killed(place: Place, point: str) -> None:
    before = place.standing().gateway.key_id
    assert rotate_key(place)["rotated"] is False  # nothing runs: asked for
    if point:
        place.gateway.start(kill_at=point)
        until(lambda: not place.gateway.running(), f"killed at {point}", limit_s=30)
    place.gateway.start_and_wait()
    until(lambda: not (place.gateway.state / "key.next.pem").exists(), "the change is finished")
    until(lambda: not (place.gateway.state / "rotate-key").exists(), "the request is done")
    until(
        lambda: (beat := place.standing().heartbeat) and beat.report["key_id"] == place.standing().gateway.key_id,
        "the new key signs",
    )
    assert place.standing().gateway.key_id != before
    assert place.standing().gateway.state is GatewayState.ACTIVE


def rotate_key(place: Place) -> dict[str, Any]:
    done = place.gateway.command("rotate-key", "--config", str(place.gateway.config), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_key_is_changed_on_request_and_a_revoked_gateway_is_refused_says_why_and_runs_on(place: Place) -> None:
    place.gateway.start_and_wait()
    until(lambda: place.standing().heartbeat, "a heartbeat")
    before, told = place.standing().gateway.key_id, rotate_key(place)
    assert told == {"key_id": place.standing().gateway.key_id, "rotated": True}
    assert told["key_id"] != before
    accounts.revoke_gateway(place.premises.db, datetime.now(UTC), "test", GATE)
    (place.gateway.state / "rotate-key").touch()  # something to ask for at once, since this gate has no events
    until(lambda: "this key is revoked" in place.gateway.log(), "it says why")
    assert place.gateway.running()
    assert place.standing().health is Health.REVOKED


def test_over_mqtt_the_same_heartbeats_settings_and_keys_go_up_and_down(tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "suyuan.sqlite").write_bytes(migrated_sqlite.read_bytes())
    url = f"sqlite:///{folder / 'suyuan.sqlite'}"
    with broker_process(folder, ("allow_anonymous true",)) as broker, premises(folder, url, broker) as opened:
        opened.start("http")
        opened.start("mqtt")
        for place in open_place(tmp_path, opened, broker.url):
            before = place.standing().gateway.key_id
            place.issue({"gateway": {"group_ms": 7.0}})
            (place.gateway.state / "rotate-key").touch()
            place.gateway.start_and_wait()
            until(lambda place=place: place.result()[0] == "kept", "the settings are kept", limit_s=30)
            until(lambda place=place, before=before: place.standing().gateway.key_id != before, "another key")


# Roll-back by failed health: a simulated reader on a serial line, a real server


@dataclass
class Manned:
    """A place with a reader that is online, and settings from afar that were kept."""

    place: Place
    device: SimulatedReader
    good: int
    """Version of those settings."""

    def trial(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.place.gateway.state / "settings.json").read_bytes())
        return found

    def pass_by(self) -> None:
        """Goods leave the field and come again; the acknowledgement of their event tells of newer settings."""
        self.device.remove(TAG.epc)
        time.sleep(2 * WINDOW_S)
        self.device.place(TAG)

    def read_again(self) -> None:
        gateway, before = self.place.gateway, len(self.place.gateway.answers())
        self.pass_by()
        until(lambda: len(gateway.answers()) > before, "goods are read and answered", limit_s=30)

    def rolled_back(self, version: int) -> str:
        """Wait until the server knows; the reason. The settings of before are in force, and goods are read."""
        until(lambda: self.place.result()[0], f"settings {version} are judged", limit_s=40)
        result, reason = self.place.result()
        assert result == "rolled_back", reason
        beat = self.place.standing().heartbeat
        assert beat is not None
        assert beat.report["settings"]["version"] == self.good
        assert beat.report["settings"]["outcome"]["version"] == version
        assert any(f"Settings {version} were rolled back: {reason}" in why for why in self.place.standing().reasons)
        until(lambda: self.place.gateway.status()["readers"][0]["state"] == "online", "the reader is back", limit_s=20)
        self.read_again()
        return reason


@pytest.fixture
def manned(tmp_path: Path, place: Place) -> Iterator[Manned]:
    found, port = protocols()["impinj_r2000"], PtyEndpoint(link=tmp_path / "tty")
    reader = f'protocol = "impinj_r2000"\nurl = "serial://{port.path}"\noptions = {{antennas = [1]}}'
    text = place.gateway.config.read_text().replace('protocol = "scanner"\nurl = "tcp://127.0.0.1:1"', reader)
    place.gateway.config.write_text(text.replace("[answer]", f"presence_window_s = {WINDOW_S}\n[answer]"))
    session = found.device({})
    session.broken_ports = {3}  # type: ignore[attr-defined]
    with SimulatedReader(found, session, port, seed=1) as device:
        good = place.issue({"gateway": {"group_ms": 5.0}})
        place.gateway.start_and_wait()
        until(lambda: place.result()[0] == "kept", "good settings are kept", limit_s=40)
        manned = Manned(place, device, good)
        manned.read_again()
        yield manned


def test_settings_under_which_a_reader_or_the_server_does_not_answer_roll_back_by_themselves(manned: Manned) -> None:
    # The reader has no antenna at port 4: nobody but it could know.
    version = manned.place.issue({"reader": {"door": {"options": {"antennas": [4]}}}})
    manned.pass_by()
    assert "reader door did not come up" in manned.rolled_back(version)
    version = manned.place.issue({"server": {"first_connect_spread_s": 3600.0}})
    manned.pass_by()
    assert "the server did not answer" in manned.rolled_back(version)


def test_settings_that_end_the_program_twice_roll_back_and_two_stops_by_a_person_do_not(manned: Manned) -> None:
    gateway = manned.place.gateway
    gateway.terminate()
    version = manned.place.issue({"gateway": {"group_ms": 7.0}})
    for _ in range(2):
        gateway.start(kill_at="settings-trial")
        until(lambda: not gateway.running(), "killed in the trial", limit_s=30)
    gateway.start_and_wait()
    assert manned.rolled_back(version) == "the program ended 2 times during the trial"
    manned.good = manned.place.issue({"gateway": {"group_ms": 8.0}, "server": {"first_connect_spread_s": 2.0}})
    manned.pass_by()
    until(lambda: manned.trial()["attempts"] or manned.place.result()[0], "the trial began")
    for _ in range(3):
        gateway.terminate()
        gateway.start_and_wait()
    until(lambda: manned.place.result()[0] == "kept", "they are kept", limit_s=40)


def test_a_kill_in_the_trial_does_not_make_it_forget_which_readers_were_well(manned: Manned) -> None:
    """The first try leaves the reader refused in the outbox; the second must not take that for its usual state."""
    version = manned.place.issue({"reader": {"door": {"options": {"antennas": [4]}}}})
    manned.pass_by()
    with closing(OutboxView(manned.place.gateway.state / "outbox.sqlite")) as view:
        until(lambda: view.devices()[0].state == "fault", "the reader refuses")
    manned.place.gateway.kill()
    manned.place.gateway.start_and_wait()
    assert "reader door did not come up" in manned.rolled_back(version)
