"""The commands: exit codes, one JSON document, words that say what to do."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway_agent.cli import known_protocols, main
from gateway_agent.config import load_config
from gateway_agent.identity import load_key
from gateway_agent.outbox import Commit
from gateway_agent.quarantining import BadData
from gateway_agent.remote import RemoteSettings
from gateway_agent.service import Service, is_running, single_instance
from tests.gateway.cursor_server import CursorServer, cursor_server
from tests.gateway.make import BOOT, WALL, append, new_outbox
from tests.gateway.process import GatewayProcess, serial_reader
from trace_core.errors import ConfigError, Conflict
from trace_core.uplink import key_id


@pytest.fixture
def gateway(tmp_path: Path) -> GatewayProcess:
    return GatewayProcess(tmp_path, "http://127.0.0.1:9", serial_reader("/dev/null"))


def words(gateway: GatewayProcess, *command: str) -> list[str]:
    return [*command, "--config", str(gateway.config)]


def test_the_first_line_of_help_is_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage: gateway-agent run --config /etc/suyuan/gateway.toml\n")


@pytest.mark.parametrize("command", [[], ["fly"], ["run"], ["enrol", "--config", "x"], ["outbox"]])
def test_wrong_use_exits_2(command: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(command)
    assert end.value.code == 2


def test_protocols_are_listed_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "serial" in listed["magicrf"]["transports"]
    assert main(["protocols"]) == 0
    assert "mqtt_json" in capsys.readouterr().out


def test_check_config_says_what_is_wrong_and_exits_1(
    gateway: GatewayProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(gateway, "check-config")) == 0
    gateway.config.write_text(gateway.config.read_text().replace("magicrf", "magicfr"))
    assert main(words(gateway, "check-config")) == 1
    assert "did you mean 'magicrf'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["outbox", "list"], ["outbox", "quarantine"], ["outbox", "replay"]])
def test_before_the_first_start_there_is_nothing_to_show(
    gateway: GatewayProcess, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main(words(gateway, *command)) == 1
    assert "start the gateway once" in capsys.readouterr().err
    assert not (gateway.state / "outbox.sqlite").exists()


def test_run_without_enrolment_says_what_to_do(gateway: GatewayProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(gateway, "run")) == 1
    assert "run `enrol`" in capsys.readouterr().err


def test_status_and_listings_are_one_document_each(gateway: GatewayProcess, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(new_outbox(gateway.state)) as outbox:
        append(outbox, [1, 2, 3])
        outbox.settle(1, 1, 0)
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, bad=[BadData("door", "bad-check", b"\xbb", WALL)]))
    assert main([*words(gateway, "status"), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["unsent"], status["running"], status["outbox"]["quarantined"]) == (2, False, 1)
    assert status["oldest_unsent_age_s"] > 0
    assert status["outbox"]["hours_left"] > 0
    assert main([*words(gateway, "outbox", "list"), "--json", "--limit", "2"]) == 0
    assert [(r["seq"], r["sent"]) for r in json.loads(capsys.readouterr().out)] == [(3, False), (2, False)]
    assert main([*words(gateway, "outbox", "quarantine"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["data_hex"] == "bb"
    for command in (["status"], ["outbox", "list"], ["outbox", "quarantine"]):
        assert main(words(gateway, *command)) == 0
        assert capsys.readouterr().out.strip()


def test_replay_sends_again_what_is_kept(gateway: GatewayProcess, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(new_outbox(gateway.state)) as outbox:
        append(outbox, range(1, 11))
        outbox.settle(1, 10, 4)
        assert main(words(gateway, "outbox", "replay")) == 0  # also while a gateway has the file open
        assert outbox.acked == 4
        assert main([*words(gateway, "outbox", "replay"), "--after", "7"]) == 0
        assert outbox.acked == 7
    assert "follows 7" in capsys.readouterr().out


def test_replay_does_not_touch_a_damaged_file(gateway: GatewayProcess, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.state.mkdir()
    (gateway.state / "outbox.sqlite").write_bytes(b"\x00\xff" * 9000)
    assert main(words(gateway, "outbox", "replay")) == 1
    assert "sets a damaged file aside" in capsys.readouterr().err
    assert (gateway.state / "outbox.sqlite").read_bytes() == b"\x00\xff" * 9000


@pytest.fixture
def enrolled(tmp_path: Path) -> GatewayProcess:
    with cursor_server() as server:
        gateway = GatewayProcess(tmp_path, server.url, serial_reader("/dev/null"))
        assert main([*words(gateway, "enrol"), "--code", "code-1"]) == 0
        _check_enrolment(server, gateway)
    return gateway


def _check_enrolment(server: CursorServer, gateway: GatewayProcess) -> None:
    (public_key,) = server.public_keys.values()
    assert load_key(gateway.state).public_key == public_key
    assert json.loads((gateway.state / "identity.json").read_text())["key_id"] == key_id(public_key)


def test_an_enrolled_gateway_is_not_enrolled_again(
    enrolled: GatewayProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(enrolled, "enrol"), "--code", "code-2"]) == 1
    assert "already enrolled as gate-1" in capsys.readouterr().err


def test_a_key_that_others_may_read_is_refused(enrolled: GatewayProcess, capsys: pytest.CaptureFixture[str]) -> None:
    (enrolled.state / "key.pem").chmod(0o644)
    assert main(words(enrolled, "run")) == 1
    assert "chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["no key", "", "{}"])
def test_a_damaged_key_or_identity_is_said_in_words(enrolled: GatewayProcess, damage: str) -> None:
    name = "identity.json" if damage == "{}" else "key.pem"
    path = enrolled.state / name
    path.write_text(damage)
    with pytest.raises(ConfigError, match=name):
        Service(load_config(enrolled.config, known_protocols()), RemoteSettings(enrolled.state, None, "gate-1"))


def test_two_gateways_never_share_a_state_folder(tmp_path: Path) -> None:
    with single_instance(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(Conflict, match="another gateway"), single_instance(tmp_path):
            pass
    assert not is_running(tmp_path)


def test_an_outbox_of_a_later_program_is_left_alone_and_named(
    enrolled: GatewayProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(new_outbox(enrolled.state)) as outbox:
        append(outbox, [1])
    with closing(sqlite3.connect(enrolled.state / "outbox.sqlite")) as other:
        other.execute("PRAGMA user_version = 99")
    for command in (["run"], ["outbox", "replay"]):
        assert main(words(enrolled, *command)) == 1
        error = capsys.readouterr().err
        assert "schema 99" in error
        assert "run the gateway-agent that wrote it" in error
    assert not list(enrolled.state.glob("*.corrupt-*"))
