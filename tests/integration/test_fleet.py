"""A real gateway under a real server: settings from afar, another key, heartbeat; killed wherever it hurts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway_agent.blocklist import pin_key
from tests.gateway.broker_process import BrokerProcess, broker_process
from tests.gateway.process import GatewayProcess, ended, until
from tests.gateway.uplink_rig import Premises, premises
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import GatewayState
from trace_server.blocklist.signing import list_signer
from trace_server.config import Settings
from trace_server.fleet import operations as fleet
from trace_server.fleet.model import Health, Standing

GATE = "gate-1"
SECRET = "for tests only, long enough to be taken"
POINT = "urn:epc:id:sgln:6901234.00001.0"
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
    version = place.issue({"read_point": {POINT: {"presence_window_s": 33.0}}})
    place.gateway.terminate()
    place.gateway.start()
    until(lambda: place.result()[0] == "kept", "the settings are kept", limit_s=30)
    running = place.standing().heartbeat
    assert running is not None
    assert running.report["settings"]["version"] == version
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
    (place.gateway.state / "rotate-key").touch()
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


def test_a_revoked_gateway_is_refused_says_why_and_runs_on(place: Place) -> None:
    place.gateway.start_and_wait()
    until(lambda: place.standing().heartbeat, "a heartbeat")
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
